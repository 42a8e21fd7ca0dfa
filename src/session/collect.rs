//! Gathers what a run tells until its files are written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use candle_core::{DType, Tensor};
use image::RgbaImage;

use crate::plan::{Plan, Take};
use crate::render::picture;
use crate::run::{Event, Scores};

/// What a variant has made so far. Frames are kept as bytes, four a pixel.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Made {
    /// Its canvases by time.
    pub canvases: BTreeMap<Take, Arc<RgbaImage>>,
    /// What the network saw, the first view.
    pub views: BTreeMap<Take, Arc<RgbaImage>>,
    /// The rows of its map.
    pub map: Option<Vec<Vec<f64>>>,
    /// Its scores in the order of time.
    pub scores: Vec<(Take, Scores)>,
    /// The last of them.
    pub latest: Option<Scores>,
    /// The take at which it ended, done or stopped.
    pub end: Option<Take>,
    /// How many steps it made.
    pub steps: usize,
}

/// All that a run has made so far, and that is still needed.
#[derive(Debug)]
pub(super) struct Collected<'p> {
    plan: &'p Plan,
    variants: Vec<Made>,
    /// What went wrong on the way; told when files are written.
    pub problem: Option<String>,
}

impl<'p> Collected<'p> {
    /// Nothing of any of `variants` yet.
    pub fn new(variants: usize, plan: &'p Plan) -> Self {
        Self { plan, variants: vec![Made::default(); variants], problem: None }
    }

    /// What a variant has made.
    pub fn of(&self, variant: usize) -> &Made {
        static NOTHING: Made = Made {
            canvases: BTreeMap::new(),
            views: BTreeMap::new(),
            map: None,
            scores: Vec::new(),
            latest: None,
            end: None,
            steps: 0,
        };
        self.variants.get(variant).unwrap_or(&NOTHING)
    }

    /// Takes in what an event holds.
    pub fn hear(&mut self, event: &Event) {
        match event {
            Event::Frame { variant, take, last, picture } if *last || self.plan.shows_canvas(*variant, *take) => {
                self.keep(*variant, shown(picture), |made, picture| {
                    made.canvases.insert(*take, Arc::new(picture));
                    made.end = if *last { Some(*take) } else { made.end };
                });
            }
            Event::View { variant, take, pictures } => {
                self.keep(*variant, shown(pictures), |made, picture| {
                    made.views.insert(*take, Arc::new(picture));
                });
            }
            Event::Map { variant, values } => {
                let rows = values.to_dtype(DType::F64).and_then(|map| map.to_vec2());
                let rows = rows.map_err(|error| crate::run::reason(&error));
                self.keep(*variant, rows, |made, rows| made.map = Some(rows));
            }
            Event::Step(step) => {
                let take = Take { stage: step.stage, iteration: step.iteration };
                for (&variant, scores) in step.variants.iter().zip(step.scores) {
                    self.keep(variant, Ok(scores.clone()), |made, scores| {
                        made.scores.push((take, scores.clone()));
                        made.latest = Some(scores);
                        made.steps = step.step + 1;
                    });
                }
            }
            Event::Frame { .. }
            | Event::Done { .. }
            | Event::Started { .. }
            | Event::Phase(_)
            | Event::Note { .. }
            | Event::Finished { .. } => {}
        }
    }

    /// A variant that was not grown now, but before.
    pub fn recall(&mut self, variant: usize, made: Made) {
        self.keep(variant, Ok(made), |place, made| *place = made);
    }

    /// Drops what no file shows any more. The canvas at which a variant was stopped is shown by all files that show others.
    pub fn keep_only(&mut self, variant: usize, needed: &Needed) {
        let Some(made) = self.variants.get_mut(variant) else { return };
        let end = made.end.filter(|_| !needed.canvases.is_empty());
        made.canvases.retain(|take, _| needed.canvases.contains(take) || end == Some(*take));
        made.views.retain(|take, _| needed.views.contains(take));
        if !needed.scores {
            (made.map, made.scores) = (None, Vec::new());
        }
    }

    fn keep<T>(&mut self, variant: usize, what: Result<T, String>, put: impl FnOnce(&mut Made, T)) {
        match (what, self.variants.get_mut(variant)) {
            (Ok(what), Some(made)) => put(made, what),
            (Ok(_), None) => {}
            (Err(problem), _) => self.problem = self.problem.take().or(Some(problem)),
        }
    }
}

/// What of a variant some file shows.
#[derive(Debug, Default)]
pub(super) struct Needed {
    /// Its canvases.
    pub canvases: BTreeSet<Take>,
    /// What the network saw.
    pub views: BTreeSet<Take>,
    /// Its scores, or the numbers of its map.
    pub scores: bool,
}

/// The first of `[N, 3, H, W]`, or of `[N, 4, H, W]` with alpha, as bytes.
pub fn shown(pictures: &Tensor) -> Result<RgbaImage, String> {
    let planes = || -> candle_core::Result<(Vec<f32>, u32, u32)> {
        let (_, _, height, width) = pictures.dims4()?;
        Ok((pictures.get(0)?.flatten_all()?.to_vec1()?, width as u32, height as u32))
    };
    let (planes, width, height) = planes().map_err(|error| crate::run::reason(&error))?;
    picture::from_planes(&planes, width, height).map_err(|error| error.to_string())
}
