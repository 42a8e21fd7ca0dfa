//! When a canvas is kept as a frame.

use crate::check::recipe::{Render, Schedule, Variant};

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

/// The stages in which a render statement holds.
pub fn held(render: &Render, stages: usize) -> Vec<usize> {
    (0..stages).filter(|&stage| schedule(render, stage).is_some()).collect()
}

fn schedule(render: &Render, stage: usize) -> Option<Schedule> {
    render.frames.get(stage).copied().flatten()
}

/// The frames of a variant in a file that spans `stages` (ascending): those of the schedule, in order of time, and
/// then the last of these stages' final canvas, once.
pub fn takes(variant: &Variant, render: &Render, stages: &[usize]) -> Vec<Take> {
    let mut takes = Vec::new();
    for &stage in stages {
        let steps = variant.stages.get(stage).map_or(0, |stage| stage.steps);
        if let Some(schedule) = schedule(render, stage) {
            let fired = (0..steps).filter(|&iteration| schedule.fires(iteration));
            takes.extend(fired.map(|iteration| Take { stage, iteration }));
        }
    }
    // A stage without a single step leaves no canvas of its own.
    let steps = |stage: &usize| variant.stages.get(*stage).map_or(0, |stage| stage.steps);
    if let Some(&stage) = stages.iter().rev().find(|&stage| steps(stage) > 0) {
        let last = Take { stage, iteration: steps(&stage) - 1 };
        if takes.last() != Some(&last) {
            takes.push(last);
        }
    }
    takes
}
