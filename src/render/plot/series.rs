//! Scores as lines: steps counted through all stages, gaps where a value is missing, no more points than can be seen.

use super::Short;
use super::axis::Axis;
use crate::render::scores::Scores;
use std::fmt::Write as _;

/// The lines of all variants and terms.
pub struct Series {
    /// Points (step through all stages, value), by variant, then term.
    lines: Vec<Vec<Vec<(usize, f64)>>>,
    /// Each stage's first step and name, in order, as the first variant has them.
    pub stages: Vec<(usize, String)>,
    /// The greatest step.
    pub last_step: usize,
}

impl Series {
    /// The lines of a table; rows of a variant that does not exist are left out.
    pub fn of(scores: &Scores) -> Self {
        let variants = scores.variants.len().max(1);
        let mut series =
            Self { lines: vec![vec![Vec::new(); scores.terms.len()]; variants], stages: Vec::new(), last_step: 0 };
        // For each variant: the stage it is in, that stage's first step, the step after its last row.
        let mut places: Vec<(Option<&str>, usize, usize)> = vec![(None, 0, 0); variants];
        for row in &scores.rows {
            let (Some(place), Some(lines)) = (places.get_mut(row.variant), series.lines.get_mut(row.variant)) else {
                continue;
            };
            if place.0 != Some(&row.stage) {
                *place = (Some(&row.stage), place.2, place.2);
                if row.variant == 0 {
                    series.stages.push((place.1, row.stage.clone()));
                }
            }
            let step = place.1.saturating_add(row.step);
            place.2 = step.saturating_add(1);
            series.last_step = series.last_step.max(step);
            for (line, value) in lines.iter_mut().zip(&row.values) {
                line.push((step, *value));
            }
        }
        series
    }

    /// The points of one line.
    pub fn points(&self, variant: usize, term: usize) -> &[(usize, f64)] {
        self.lines.get(variant).and_then(|terms| terms.get(term)).map_or(&[], Vec::as_slice)
    }

    /// The least and the greatest value of a term, if it has any.
    pub fn range(&self, term: usize) -> Option<(f64, f64)> {
        let lines = self.lines.iter().filter_map(|terms| terms.get(term));
        let values = lines.flatten().map(|(_, value)| *value).filter(|value| value.is_finite());
        values.fold(None, |range, value| {
            let (low, high) = range.unwrap_or((value, value));
            Some((value.min(low), value.max(high)))
        })
    }
}

/// A line as the commands of an SVG path; a lone point is a dot.
pub fn path(points: &[(usize, f64)], steps: &Axis, values: &Axis) -> String {
    let mut out = String::new();
    for run in points.split(|(_, value)| !value.is_finite()).filter(|run| !run.is_empty()) {
        for (i, (step, value)) in thinned(run, steps).into_iter().enumerate() {
            let command = if i == 0 { 'M' } else { 'L' };
            let (x, y) = (Short(steps.place(step as f64)), Short(values.place(value)));
            let _ = write!(out, "{command}{x} {y}");
        }
        if run.len() == 1 {
            out.push_str("h0");
        }
    }
    out
}

/// At most four points for each pixel across: the first, the extremes and the last, so that no spike is lost.
fn thinned(run: &[(usize, f64)], steps: &Axis) -> Vec<(usize, f64)> {
    let column = |point: &(usize, f64)| steps.place(point.0 as f64).floor();
    let mut out: Vec<(usize, f64)> = Vec::new();
    for chunk in run.chunk_by(|a, b| column(a) == column(b)) {
        let mut kept = vec![0, chunk.len() - 1];
        kept.extend((0..chunk.len()).min_by(|a, b| chunk[*a].1.total_cmp(&chunk[*b].1)));
        kept.extend((0..chunk.len()).max_by(|a, b| chunk[*a].1.total_cmp(&chunk[*b].1)));
        kept.sort_unstable();
        kept.dedup();
        out.extend(kept.into_iter().map(|i| chunk[i]));
    }
    out
}
