//! What a run tells while it goes on. Progress bars, files and live pages are sinks of the same events.

use candle_core::Tensor;

use super::scores::Scores;
use crate::plan::Take;
use crate::source::Diagnostic;

/// Something that happened. The list is closed: a sink may match it whole.
#[derive(Debug)]
pub enum Event<'a> {
    /// The first step is about to run.
    Started {
        /// How many steps will run, of all batches.
        steps: usize,
        /// How many batches of variants there are.
        batches: usize,
    },
    /// A part of a step begins.
    Phase(Phase),
    /// A batch of variants made a step.
    Step(Step<'a>),
    /// A canvas that some file shows, or the last one of a variant.
    Frame {
        /// Which variant.
        variant: usize,
        /// When.
        take: Take,
        /// Whether the variant ends with it: done, or stopped.
        last: bool,
        /// `[1, 3, H, W]`, not clamped; `[1, 4, H, W]` with its alpha, where the canvas has one.
        picture: &'a Tensor,
    },
    /// What the network saw in an iteration that some file shows.
    View {
        /// Which variant.
        variant: usize,
        /// When.
        take: Take,
        /// `[views, 3, H, W]` after the transforms, before the model's mean and deviation; not clamped.
        pictures: &'a Tensor,
    },
    /// The numbers of a map, before the frame that shows it.
    Map {
        /// Which variant.
        variant: usize,
        /// `[H, W]`
        values: &'a Tensor,
    },
    /// A variant has made all its steps: nothing more of it comes.
    Done {
        /// Which variant.
        variant: usize,
    },
    /// Something worth a line: a start that was helped, or one that can't move.
    Note {
        /// The variant that it is about, if it is about one.
        variant: Option<usize>,
        /// What is worth it.
        note: Diagnostic,
    },
    /// Nothing more comes.
    Finished {
        /// Whether it was stopped before its end.
        cancelled: bool,
    },
}

/// The parts of a step, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Modes, and from the canvas to what the network sees.
    Transforms,
    /// Through the network.
    Forward,
    /// Terms and their gradients.
    Objective,
    /// Back through the network.
    Backward,
    /// Back through the transforms, and penalties.
    Pullback,
    /// The optimizer, clamp and filters.
    Update,
}

/// A step of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// Which batch of the plan.
    pub batch: usize,
    /// Its variants.
    pub variants: &'a [usize],
    /// Which stage.
    pub stage: usize,
    /// Which iteration of the stage, from 0.
    pub iteration: usize,
    /// Which iteration of the variants' whole way, from 0.
    pub step: usize,
    /// How many iterations their way has.
    pub steps: usize,
    /// Steps done so far by all batches, this one included.
    pub done: usize,
    /// For each of the variants.
    pub scores: &'a [Scores],
}
