//! Plan + weights → pictures: the loop.
//!
//! Invariant: it knows no file, terminal, socket or clock; what happens is told as [`Event`]s. A variant's numbers
//! depend on its own part of the recipe alone: all but the network runs for each variant by itself, and a network
//! computes an image the same in any batch.

mod against;
mod attribute;
mod awake;
mod error;
mod event;
mod finite;
mod judge;
mod look;
mod network;
mod pullback;
mod scores;
mod settle;
mod start;
mod state;
mod step;

#[cfg(test)]
mod tests;

use candle_core::Tensor;

use crate::check::recipe::{Model, Recipe, Variant};
use crate::plan::{Batch, Plan, Take, total_steps};
use crate::source::{CancelToken, Diagnostic, Span, codes};
use crate::words::Photos;

pub(crate) use error::reason;
pub use error::{Culprit, NotFinite, RunError};
pub use event::{Event, Phase, Step};
pub use network::Network;
pub use scores::Scores;
pub use state::State;

use against::References;
use awake::awake;
use look::shown;
use start::{canvas_of, carried, started};
use state::Place;
use step::{Lane, Outcome, step};

/// How many iterations, from the first, a gradient that dies behind a ReLU is redirected: lucid's number
/// (`misc/redirected_relu_grad.py`).
const REDIRECTED_STEPS: usize = 16;

/// What a run needs besides its plan.
pub struct Setting<'a> {
    /// The recipe that the plan was made of.
    pub recipe: &'a Recipe,
    /// What to run.
    pub plan: &'a Plan,
    /// For each batch of the plan its networks, in the order of its variants' models.
    pub networks: &'a [Vec<&'a dyn Network>],
    /// Reads the photos that pictures start from.
    pub photos: Photos<'a>,
    /// Whether every iteration's canvas is handed out, not only those that a file shows.
    pub all_frames: bool,
    /// Asked before every step.
    pub cancel: &'a CancelToken,
}

/// How a run ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ending {
    /// For each variant the scores of its last step; nothing where it made none.
    pub scores: Vec<Option<Scores>>,
    /// Whether it was stopped before its end.
    pub cancelled: bool,
    /// Whether a gradient was redirected behind a ReLU.
    pub helped: bool,
}

/// Runs a plan, batch after batch, and tells what happens.
///
/// # Errors
/// A number ran away, or a word failed. Frames made before were handed out, the last canvas of each variant included.
pub fn run(setting: &Setting, sink: &mut dyn FnMut(Event)) -> Result<Ending, RunError> {
    keep_what_is_freed();
    let Setting { recipe, plan, .. } = *setting;
    let steps = plan.batches.iter().map(|batch| steps_of(recipe, batch)).sum();
    sink(Event::Started { steps, batches: plan.batches.len() });
    let mut ending = Ending { scores: vec![None; recipe.variants.len()], ..Ending::default() };
    let mut done = 0;
    for (number, (batch, networks)) in plan.batches.iter().zip(setting.networks).enumerate() {
        if asks(recipe, batch) {
            attribute::maps(setting, number, networks, &mut done, &mut ending, sink)?;
            if ending.cancelled {
                break;
            }
            continue;
        }
        let mut runner = Runner::new(setting, number, batch, networks)?;
        let result = runner.run(&mut done, &mut ending, sink);
        if result.is_err() || ending.cancelled {
            runner.hand_out_what_is_there(sink)?;
        }
        result?;
        if ending.cancelled {
            break;
        }
        batch.variants.iter().for_each(|&variant| sink(Event::Done { variant }));
    }
    sink(Event::Finished { cancelled: ending.cancelled });
    Ok(ending)
}

/// Each step frees some megabytes, and glibc hands them back to the kernel, which clears every page before it lends them
/// again. Freeing one large block, which is never touched, tells glibc to keep what it has from here on; what loading the
/// networks freed is gone by then.
fn keep_what_is_freed() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(31 << 20)));
}

/// Whether a batch is asked about photos: nothing of it grows.
fn asks(recipe: &Recipe, batch: &Batch) -> bool {
    let first = batch.variants.first().and_then(|&variant| recipe.variants.get(variant));
    first.is_some_and(|variant| variant.stages.iter().any(|stage| stage.attribution.is_some()))
}

/// Variants of a batch that grow have as many steps and make them together; maps are made one after another.
fn steps_of(recipe: &Recipe, batch: &Batch) -> usize {
    let steps = batch.variants.iter().filter_map(|&variant| recipe.variants.get(variant)).map(total_steps);
    if asks(recipe, batch) { steps.sum() } else { steps.max().unwrap_or(0) }
}

/// A batch on its way.
struct Runner<'a> {
    setting: &'a Setting<'a>,
    number: usize,
    batch: &'a Batch,
    networks: &'a [&'a dyn Network],
    states: Vec<State>,
    /// Those at the end of the stage before, until the first step of this one is made: what has not been stepped from yet
    /// is only another size of them.
    ended: Vec<State>,
    /// For each variant the photos of its stage.
    references: Vec<References>,
    /// For each variant whether no gradient has come back from any network yet.
    silent: Vec<bool>,
}

impl<'a> Runner<'a> {
    fn new(
        setting: &'a Setting<'a>,
        number: usize,
        batch: &'a Batch,
        networks: &'a [&'a dyn Network],
    ) -> Result<Self, RunError> {
        let (states, ended, references, silent) = Default::default();
        let mut runner = Self { setting, number, batch, networks, states, ended, references, silent };
        for (index, variant) in runner.variants() {
            let Some(stage) = variant.stages.first() else { continue };
            runner.states.push(started(index, variant, stage, setting.photos)?);
        }
        runner.silent = vec![true; runner.states.len()];
        Ok(runner)
    }

    fn variants(&self) -> impl Iterator<Item = (usize, &'a Variant)> + use<'a> {
        let (batch, recipe) = (self.batch, self.setting.recipe);
        batch.variants.iter().filter_map(|&index| Some((index, recipe.variants.get(index)?)))
    }

    fn run(&mut self, done: &mut usize, ending: &mut Ending, sink: &mut dyn FnMut(Event)) -> Result<(), RunError> {
        let Some((_, first)) = self.variants().next() else { return Ok(()) };
        let steps = total_steps(first);
        let mut step = 0;
        for (number, stage) in first.stages.iter().enumerate() {
            for iteration in 0..stage.steps {
                if self.setting.cancel.is_cancelled() || iteration == 0 && !self.enter(number)? {
                    ending.cancelled = true;
                    return Ok(());
                }
                let outcomes = self.iterate(number, iteration, step, sink)?;
                let scores: Vec<Scores> = outcomes.iter().map(|outcome| outcome.scores.clone()).collect();
                *done += 1;
                sink(Event::Step(Step {
                    batch: self.number,
                    variants: &self.batch.variants,
                    stage: number,
                    iteration,
                    step,
                    steps,
                    done: *done,
                    scores: &scores,
                }));
                self.note_starts(&outcomes, (step, steps), ending, sink);
                self.take(outcomes, Take { stage: number, iteration }, step + 1 == steps, sink)?;
                for ((index, _), scores) in self.variants().zip(scores) {
                    if let Some(place) = ending.scores.get_mut(index) {
                        *place = Some(scores);
                    }
                }
                step += 1;
            }
        }
        Ok(())
    }

    /// What the terms of a stage compare with, for each variant; nothing where the run is to stop.
    fn references_of(&self, number: usize) -> Result<Option<Vec<References>>, RunError> {
        let stage =
            |variant: &'a Variant| Some(Place { variant, stage: variant.stages.get(number)?, iteration: 0, step: 0 });
        let places = self.variants().filter_map(|(_, variant)| stage(variant));
        References::of_all(places, self.networks, self.setting)
    }

    /// Makes ready for a stage and carries every canvas into it; whether it did, or the run is to stop: then all is as
    /// it was.
    fn enter(&mut self, number: usize) -> Result<bool, RunError> {
        let Some(references) = self.references_of(number)? else { return Ok(false) };
        self.references = references;
        if number == 0 {
            return Ok(true);
        }
        let mut states = Vec::with_capacity(self.states.len());
        for (state, (_, variant)) in self.states.iter().zip(self.variants()) {
            let (Some(before), Some(stage)) = (variant.stages.get(state.stage), variant.stages.get(number)) else {
                continue;
            };
            states.push(carried(state, variant, (number, stage), before, self.setting.photos)?);
        }
        self.ended = std::mem::replace(&mut self.states, states);
        Ok(true)
    }

    fn iterate(
        &self,
        number: usize,
        iteration: usize,
        step_number: usize,
        sink: &mut dyn FnMut(Event),
    ) -> Result<Vec<Outcome>, RunError> {
        let mut lanes = Vec::with_capacity(self.states.len());
        for ((state, references), (_, variant)) in self.states.iter().zip(&self.references).zip(self.variants()) {
            let Some(stage) = variant.stages.get(number) else { continue };
            let at = Place { variant, stage, iteration, step: step_number };
            lanes.push(Lane { state, at, references, canvas: canvas_of(stage)? });
        }
        awake(|| step(&lanes, self.networks, step_number < REDIRECTED_STEPS, sink))
    }

    /// Says, once, that a start was helped, or that after the first steps nothing has moved.
    fn note_starts(
        &mut self,
        outcomes: &[Outcome],
        (step, steps): (usize, usize),
        ending: &mut Ending,
        sink: &mut dyn FnMut(Event),
    ) {
        if step >= REDIRECTED_STEPS {
            return;
        }
        let variants: Vec<_> = self.variants().collect();
        for (network, model) in self.networks.iter().zip(variants.first().map_or(&[][..], |(_, first)| &first.models)) {
            if let Some(node) = network.redirected().first()
                && !ending.helped
            {
                sink(Event::Note { variant: None, note: helped(model, node) });
                ending.helped = true;
            }
        }
        for ((silent, outcome), (index, variant)) in self.silent.iter_mut().zip(outcomes).zip(&variants) {
            *silent &= outcome.silent;
            if *silent && (step + 1 == REDIRECTED_STEPS || step + 1 == steps) {
                sink(Event::Note { variant: Some(*index), note: stuck(variant, step + 1) });
            }
        }
    }

    /// Takes the new states over and hands out what files show.
    fn take(
        &mut self,
        outcomes: Vec<Outcome>,
        take: Take,
        last: bool,
        sink: &mut dyn FnMut(Event),
    ) -> Result<(), RunError> {
        let plan = self.setting.plan;
        self.ended.clear();
        for (state, outcome) in self.states.iter_mut().zip(outcomes) {
            *state = outcome.state;
            if plan.shows_view(state.variant, take) {
                sink(Event::View { variant: state.variant, take, pictures: &outcome.seen });
            }
            if last || self.setting.all_frames || plan.shows_canvas(state.variant, take) {
                let picture = picture(self.setting.recipe, state)?;
                sink(Event::Frame { variant: state.variant, take, last, picture: &picture });
            }
        }
        Ok(())
    }

    /// A run that ends early still shows where it was.
    fn hand_out_what_is_there(&self, sink: &mut dyn FnMut(Event)) -> Result<(), RunError> {
        let states = if self.ended.is_empty() { &self.states } else { &self.ended };
        for state in states {
            // A canvas that no step has touched is only what the run began with.
            let Some(iteration) = state.iteration.checked_sub(1) else { continue };
            let take = Take { stage: state.stage, iteration };
            let picture = picture(self.setting.recipe, state)?;
            sink(Event::Frame { variant: state.variant, take, last: true, picture: &picture });
        }
        Ok(())
    }
}

/// The picture that a state stands for, `[1, 3 or 4, H, W]`.
fn picture(recipe: &Recipe, state: &State) -> Result<Tensor, RunError> {
    match recipe.variants.get(state.variant).and_then(|variant| variant.stages.get(state.stage)) {
        Some(stage) => Ok(shown(state.shown(), state.held.as_ref(), canvas_of(stage)?, stage)?.detach()),
        None => Ok(state.params.clone()),
    }
}

fn helped(model: &Model, node: &str) -> Diagnostic {
    Diagnostic::note(
        &codes::DEAD_START,
        model.call.span,
        format!("no gradient came through the ReLU `{node}` at the start, so it was redirected"),
        "its first steps were helped",
    )
    .with_help(format!("`redirect = off` turns the help of the first {REDIRECTED_STEPS} steps off"))
}

fn stuck(variant: &Variant, steps: usize) -> Diagnostic {
    let of = if variant.label.is_empty() { String::new() } else { format!(" of `{}`", variant.label) };
    let help = if variant.models.iter().any(Model::redirects) {
        "start from another picture, such as `init uniform`, or another `seed`"
    } else {
        "remove `redirect = off`, or start from another picture, such as `init uniform`"
    };
    Diagnostic::warning(
        &codes::NO_GRADIENT,
        variant.models.first().map_or(Span::default(), |model| model.call.span),
        format!("the network gave no gradient in the first {steps} steps{of}: nothing moves"),
        "what is maximized does not answer to the picture",
    )
    .with_help(help)
}
