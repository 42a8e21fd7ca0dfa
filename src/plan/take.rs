//! When a canvas is kept as a frame.

use crate::check::recipe::{Schedule, Variant};

/// A moment at which a canvas is kept: the end of an iteration of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Take {
    /// Which stage.
    pub stage: usize,
    /// Which iteration of it, from 0.
    pub iteration: usize,
}

impl Take {
    /// How many iterations of the variant end before this one: frames run on from stage to stage.
    pub fn step(self, variant: &Variant) -> usize {
        let before: usize = variant.stages.iter().take(self.stage).map(|stage| stage.steps).sum();
        before + self.iteration
    }
}

/// All iterations of a variant, over all its stages.
pub fn total_steps(variant: &Variant) -> usize {
    variant.stages.iter().map(|stage| stage.steps).sum()
}

/// The frames of a variant in a file that spans these stages (ascending): those of each one's schedule, in order of time,
/// and then the last of these stages' final canvas, once.
pub fn takes(variant: &Variant, held: &[(usize, Schedule)]) -> Vec<Take> {
    let steps = |stage: usize| variant.stages.get(stage).map_or(0, |stage| stage.steps);
    let mut takes = Vec::new();
    for &(stage, schedule) in held {
        let fired = (0..steps(stage)).filter(|&iteration| schedule.fires(iteration));
        takes.extend(fired.map(|iteration| Take { stage, iteration }));
    }
    // A stage without a single step leaves no canvas of its own.
    if let Some(&(stage, _)) = held.iter().rev().find(|(stage, _)| steps(*stage) > 0) {
        let last = Take { stage, iteration: steps(stage) - 1 };
        if takes.last() != Some(&last) {
            takes.push(last);
        }
    }
    takes
}
