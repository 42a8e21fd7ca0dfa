//! Gathers what a run tells until its files are written.

use std::collections::BTreeMap;
use std::sync::Arc;

use candle_core::Tensor;
use image::RgbaImage;

use crate::check::recipe::{Format, Recipe};
use crate::plan::{Plan, Take};
use crate::render::picture;
use crate::run::{Event, Scores};

/// Scores of one variant in one iteration.
#[derive(Clone, Debug)]
pub(super) struct Scored {
    pub variant: usize,
    pub take: Take,
    pub scores: Scores,
}

/// Frames and scores of a run, finished or not. Frames are kept as bytes, four a pixel.
#[derive(Debug)]
pub(super) struct Collected<'p> {
    plan: &'p Plan,
    /// Whether some file shows scores.
    scores_shown: bool,
    /// Canvases by variant and time.
    pub canvases: BTreeMap<(usize, Take), Arc<RgbaImage>>,
    /// What the network saw, the first view.
    pub views: BTreeMap<(usize, Take), Arc<RgbaImage>>,
    /// For each variant its map, `[H, W]`, if some file holds the numbers.
    pub maps: BTreeMap<usize, Tensor>,
    /// For each variant the take at which it ended, done or stopped.
    pub ends: BTreeMap<usize, Take>,
    /// For each variant its latest scores.
    pub latest: BTreeMap<usize, Scores>,
    /// For each variant how many steps it made.
    pub made: BTreeMap<usize, usize>,
    /// All scores in the order of events, if some file shows them.
    pub table: Vec<Scored>,
    /// What went wrong on the way; told when files are written.
    pub problem: Option<String>,
}

impl<'p> Collected<'p> {
    /// Nothing yet.
    pub fn new(recipe: &Recipe, plan: &'p Plan) -> Self {
        let scores_shown = recipe.renders.iter().any(|render| matches!(render.format, Format::Csv | Format::Svg));
        Self {
            plan,
            scores_shown,
            canvases: BTreeMap::new(),
            views: BTreeMap::new(),
            maps: BTreeMap::new(),
            ends: BTreeMap::new(),
            latest: BTreeMap::new(),
            made: BTreeMap::new(),
            table: Vec::new(),
            problem: None,
        }
    }

    /// Takes in what an event holds.
    pub fn hear(&mut self, event: &Event) {
        match event {
            Event::Frame { variant, take, last, picture } if *last || self.plan.shows_canvas(*variant, *take) => {
                self.keep(picture, |all, picture| all.canvases.insert((*variant, *take), picture));
                if *last {
                    self.ends.insert(*variant, *take);
                }
            }
            Event::View { variant, take, pictures } => {
                self.keep(pictures, |all, picture| all.views.insert((*variant, *take), picture));
            }
            Event::Map { variant, values } if self.scores_shown => {
                self.maps.insert(*variant, (*values).clone());
            }
            Event::Step(step) => {
                let take = Take { stage: step.stage, iteration: step.iteration };
                for (&variant, scores) in step.variants.iter().zip(step.scores) {
                    self.latest.insert(variant, scores.clone());
                    self.made.insert(variant, step.step + 1);
                    if self.scores_shown {
                        self.table.push(Scored { variant, take, scores: scores.clone() });
                    }
                }
            }
            Event::Frame { .. }
            | Event::Map { .. }
            | Event::Started { .. }
            | Event::Phase(_)
            | Event::Note(_)
            | Event::Finished { .. } => {}
        }
    }

    fn keep(&mut self, pictures: &Tensor, put: impl FnOnce(&mut Self, Arc<RgbaImage>) -> Option<Arc<RgbaImage>>) {
        match shown(pictures) {
            Ok(picture) => drop(put(self, Arc::new(picture))),
            Err(problem) => self.problem = self.problem.take().or(Some(problem)),
        }
    }
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
