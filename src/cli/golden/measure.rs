//! The golden run of a recipe: short, every canvas seen, nothing written.

use std::collections::BTreeMap;

use candle_core::Tensor;
use sha2::{Digest, Sha256};

use super::{Frame, Golden, MOST_STEPS, Rows, SIDE, Variant};
use crate::canvas::alpha::laid;
use crate::check::Recipe;
use crate::check::recipe::Stage;
use crate::plan::total_steps;
use crate::render::picture::byte;
use crate::run::{Event, Scores};
use crate::session::{Failed, News, Options, Session};
use crate::source::{CancelToken, World};

/// Frames of a recipe with few variants: after a quarter, half and all of the steps. With many, the last one.
const FEW_VARIANTS: usize = 4;

/// The steps of each stage so that the whole way has at most [`MOST_STEPS`], and none more than the recipe says.
pub fn shortened(recipe: &Recipe) -> usize {
    let stages = recipe.variants.iter().map(|variant| variant.stages.len()).max().unwrap_or(1).max(1);
    let least = recipe.variants.iter().flat_map(|variant| &variant.stages).map(|stage| stage.steps).min().unwrap_or(1);
    (MOST_STEPS / stages).min(least).max(1)
}

/// Runs a recipe whose stages have `steps` steps each. `None` where it was stopped.
pub fn measure(
    recipe: &Recipe,
    steps: usize,
    session: &mut Session,
    world: &dyn World,
    cancel: &CancelToken,
) -> Result<Option<Golden>, Failed> {
    let options = Options { all_frames: true, cancel: cancel.clone(), ..Options::default() };
    let mut seen: Vec<Seen> = recipe
        .variants
        .iter()
        .map(|variant| Seen {
            steps: wanted(total_steps(variant), recipe.variants.len()),
            made: Variant { label: variant.label.clone(), ..Variant::default() },
            bits: Sha256::new(),
            count: 0,
        })
        .collect();
    let report = session.run(recipe, world, &options, &mut |news| {
        let News::Run(event) = news else { return };
        match event {
            Event::Step(step) => {
                for (&index, scores) in step.variants.iter().zip(step.scores) {
                    let stage = recipe.variants.get(index).and_then(|variant| variant.stages.get(step.stage));
                    if let (Some(seen), Some(stage)) = (seen.get_mut(index), stage) {
                        seen.scores(stage, scores);
                    }
                }
            }
            Event::Frame { variant, take, picture, .. } => {
                let step = recipe.variants.get(variant).map(|variant| take.step(variant));
                if let (Some(seen), Some(step)) = (seen.get_mut(variant), step) {
                    seen.frame(step, picture);
                }
            }
            _ => {}
        }
    })?;
    if report.ending.cancelled {
        return Ok(None);
    }
    let mut all = Sha256::new();
    let mut variants = Vec::with_capacity(seen.len());
    for seen in seen {
        all.update(seen.bits.clone().finalize());
        variants.push(seen.finished());
    }
    let sha256 = all.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Some(Golden::new(steps, sha256, variants)))
}

/// What was seen of a variant.
struct Seen {
    /// After which steps its frame is kept.
    steps: Vec<usize>,
    made: Variant,
    bits: Sha256,
    /// Steps so far.
    count: usize,
}

impl Seen {
    fn scores(&mut self, stage: &Stage, scores: &Scores) {
        for (name, value) in named(stage, scores) {
            self.bits.update(value.to_le_bytes());
            let series = self.made.scores.entry(name).or_default();
            // Steps before, in which another stage ran, have no value.
            series.0.resize(self.count, f64::NAN);
            series.0.push(value);
        }
        self.count += 1;
    }

    fn finished(mut self) -> Variant {
        self.made.scores.values_mut().for_each(|series| series.0.resize(self.count, f64::NAN));
        self.made
    }

    fn frame(&mut self, step: usize, picture: &Tensor) {
        let Some((planes, height, width)) = planes(picture) else { return };
        planes.iter().for_each(|value| self.bits.update(value.to_le_bytes()));
        if self.steps.contains(&step) && self.made.frames.last().is_none_or(|frame| frame.step != step) {
            // What clear pixels hide is no part of what is seen.
            let Some((seen, ..)) = laid(picture, None).ok().as_ref().and_then(self::planes) else { return };
            self.made.frames.push(Frame { step, rows: reduced(&seen, height, width) });
        }
    }
}

fn wanted(steps: usize, variants: usize) -> Vec<usize> {
    let last = steps.saturating_sub(1);
    if variants > FEW_VARIANTS { vec![last] } else { vec![last / 4, last / 2, last] }
}

/// Terms, penalties and loss by name; those of a stage behind its name, equal ones numbered.
fn named(stage: &Stage, scores: &Scores) -> BTreeMap<String, f64> {
    let terms = stage.terms.iter().map(|term| term.name.as_str()).zip(&scores.terms);
    let penalties = stage.penalties.iter().map(|call| call.spec.name).zip(&scores.penalties);
    let mut named = BTreeMap::new();
    for (name, value) in terms.chain(penalties).chain([("loss", &scores.loss)]) {
        let name = if stage.name.is_empty() { name.to_string() } else { format!("{}: {name}", stage.name) };
        let free = (1..).map(|n| if n == 1 { name.clone() } else { format!("{name} #{n}") });
        let free = free.into_iter().find(|name| !named.contains_key(name)).unwrap_or(name);
        named.insert(free, *value);
    }
    named
}

/// A picture as its numbers, height and width.
fn planes(picture: &Tensor) -> Option<(Vec<f32>, usize, usize)> {
    let (_, _, height, width) = picture.dims4().ok()?;
    Some((picture.flatten_all().ok()?.to_vec1().ok()?, height, width))
}

/// The mean colour, clamped, under each cell of a grid of [`SIDE`] by [`SIDE`]; a pixel counts by the part of it that
/// lies in the cell.
pub(super) fn reduced(planes: &[f32], height: usize, width: usize) -> Rows {
    let (across, down) = (shares(width), shares(height));
    let mut rows = Vec::with_capacity(SIDE * SIDE);
    for row in &down {
        for column in &across {
            let mut pixel = [0u8; 3];
            for (channel, byte_of) in pixel.iter_mut().enumerate() {
                let (mut sum, mut weights) = (0.0f64, 0.0f64);
                for &(y, high) in row {
                    for &(x, wide) in column {
                        let value = planes.get((channel * height + y) * width + x).copied().unwrap_or(0.0);
                        sum += high * wide * f64::from(value.clamp(0.0, 1.0));
                        weights += high * wide;
                    }
                }
                *byte_of = byte((sum / weights.max(f64::MIN_POSITIVE)) as f32);
            }
            rows.push(pixel);
        }
    }
    Rows(rows)
}

/// For each cell along an axis the pixels under it and how much of each lies there.
fn shares(length: usize) -> Vec<Vec<(usize, f64)>> {
    let edge = |cell: usize| cell as f64 * length as f64 / SIDE as f64;
    (0..SIDE)
        .map(|cell| {
            let (from, to) = (edge(cell), edge(cell + 1));
            (from as usize..length)
                .map(|pixel| (pixel, (to.min(pixel as f64 + 1.0) - from.max(pixel as f64)).max(0.0)))
                .take_while(|(pixel, share)| *share > 0.0 || *pixel == from as usize)
                .collect()
        })
        .collect()
}
