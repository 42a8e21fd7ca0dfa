//! One iteration of a batch.
//!
//! It has three parts, each a candle graph or operations that know their own way back, joined by hand where a batch
//! begins and ends:
//!
//! 1. for each variant, parameters → picture → transforms → the networks' inputs;
//! 2. for the whole batch and each network, input → the nodes that are read;
//! 3. for each variant and each network, its part of these nodes → terms → loss.
//!
//! Backwards through 3, 2, 1, where each takes over the next one's gradient as it is. In one graph candle would add up a
//! node's gradients in an order that depends on how many variants there are, and then a variant alone and in a batch
//! would differ in their last bits. Networks are asked one after another, since what one keeps for its way back is
//! large; their gradients meet in part 1, where the pictures are what all of them saw.

use candle_core::Tensor;
use rayon::prelude::*;

use super::against::{References, others};
use super::error::{Culprit, Fault, NotFinite, RunError};
use super::event::{Event, Phase};
use super::finite::{greatest, is_finite};
use super::judge::{self, Verdict, judge};
use super::look::{Look, look};
use super::network::Network;
use super::pullback::{Pulled, pull_back};
use super::scores::Scores;
use super::settle::settle;
use super::state::{Place, State};
use crate::canvas::Canvas;
use crate::check::recipe::Model;
use crate::source::Span;
use crate::words::Taps;

/// What an iteration made of one variant.
pub(super) struct Outcome {
    /// The state after it.
    pub state: State,
    /// What it scored before.
    pub scores: Scores,
    /// What the networks saw, `[views, 3, H', W']`.
    pub seen: Tensor,
    /// Whether no gradient at all came back from any network.
    pub silent: bool,
}

/// A variant of a batch in its iteration.
#[derive(Clone, Copy)]
pub(super) struct Lane<'r> {
    pub state: &'r State,
    pub at: Place<'r>,
    pub references: &'r References,
    pub canvas: &'static dyn Canvas,
}

/// One iteration of all variants of a batch, in their order. They must have as many views of one size. With `early`,
/// networks may redirect gradients.
pub(super) fn step(
    lanes: &[Lane],
    networks: &[&dyn Network],
    early: bool,
    sink: &mut dyn FnMut(Event),
) -> Result<Vec<Outcome>, RunError> {
    sink(Event::Phase(Phase::Transforms));
    let looks: Vec<Look> = in_order(lanes.par_iter().map(|lane| look(lane.state, lane.canvas, &lane.at)).collect())?;

    let mut answers: Vec<Vec<Answer>> = lanes.iter().map(|_| Vec::new()).collect();
    for (model, network) in networks.iter().enumerate() {
        let redirect =
            early && lanes.iter().any(|lane| lane.at.variant.models.get(model).is_some_and(Model::redirects));
        for (all, answer) in answers.iter_mut().zip(ask(lanes, &looks, (model, *network), redirect, sink)?) {
            all.push(answer);
        }
    }

    sink(Event::Phase(Phase::Pullback));
    let work = lanes.par_iter().zip(&looks).zip(&answers);
    let pulled: Vec<Pulled> = in_order(work.map(|((lane, look), answers)| pulled(lane, look, answers)).collect())?;

    sink(Event::Phase(Phase::Update));
    let work = lanes.par_iter().zip(looks).zip(answers).zip(pulled);
    in_order(work.map(|(((lane, look), answers), pulled)| finish(lane, look, answers, pulled)).collect())
}

/// What a network says to one variant.
struct Answer {
    verdict: Verdict,
    /// Of the loss with respect to the network's input.
    gradient: Tensor,
}

/// Forwards and backwards through one network, given with its number: its answer to each variant.
fn ask(
    lanes: &[Lane],
    looks: &[Look],
    (model, network): (usize, &dyn Network),
    redirect: bool,
    sink: &mut dyn FnMut(Event),
) -> Result<Vec<Answer>, RunError> {
    let inputs: Vec<Tensor> = looks.iter().filter_map(|look| look.inputs.get(model)).map(Tensor::detach).collect();
    let input = Tensor::cat(&inputs, 0)?;
    drop(inputs);
    if !lanes.iter().any(|lane| lane.at.stage.asks(model)) {
        // Only other stages read it.
        let gradients = of_each(&input.zeros_like()?, lanes)?;
        return Ok(gradients.into_iter().map(|gradient| Answer { verdict: Verdict::default(), gradient }).collect());
    }

    sink(Event::Phase(Phase::Forward));
    let asked = network.ask(&input, redirect)?;
    let taps = &asked.taps;

    sink(Event::Phase(Phase::Objective));
    let own = taps_of_each(taps, lanes)?;
    let others = others(lanes, &own, (model, network))?;
    let verdicts: Vec<Verdict> = in_order(
        lanes
            .par_iter()
            .zip(own)
            .zip(&others)
            .map(|((lane, taps), others)| {
                judge(taps, model, others, &lane.at)?
                    .map_err(|judge::Fault(what, term)| lane.fault(what, term.call.spec.name, term.call.span))
            })
            .collect(),
    )?;

    sink(Event::Phase(Phase::Backward));
    let gradients = of_each(&asked.back(&together(taps, &verdicts, lanes)?)?, lanes)?;
    Ok(verdicts.into_iter().zip(gradients).map(|(verdict, gradient)| Answer { verdict, gradient }).collect())
}

/// All results, or the first error in the order of the variants, whichever thread met it first.
fn in_order<T>(results: Vec<Result<T, RunError>>) -> Result<Vec<T>, RunError> {
    results.into_iter().collect()
}

/// The images of one variant: `views` of them, behind those of the variants before it.
fn part(all: &Tensor, index: usize, views: usize) -> candle_core::Result<Tensor> {
    all.narrow(0, index * views, views)?.contiguous()
}

/// For each variant its own part of every tap.
fn taps_of_each(taps: &Taps, lanes: &[Lane]) -> candle_core::Result<Vec<Taps>> {
    let own = |(index, lane): (usize, &Lane)| {
        taps.iter()
            .map(|(node, tap)| Ok((node.clone(), part(&tap.detach(), index, lane.at.stage.views)?)))
            .collect::<candle_core::Result<Taps>>()
    };
    lanes.iter().enumerate().map(own).collect()
}

/// The gradients of those taps that have one, of all variants.
fn together(taps: &Taps, verdicts: &[Verdict], lanes: &[Lane]) -> candle_core::Result<Taps> {
    let mut gradients = Taps::new();
    for (node, tap) in taps {
        if verdicts.iter().all(|verdict| !verdict.gradients.contains_key(node)) {
            continue;
        }
        let mut parts = Vec::with_capacity(lanes.len());
        for (index, (lane, verdict)) in lanes.iter().zip(verdicts).enumerate() {
            parts.push(match verdict.gradients.get(node) {
                Some(gradient) => gradient.clone(),
                None => part(&tap.detach(), index, lane.at.stage.views)?.zeros_like()?,
            });
        }
        gradients.insert(node.clone(), Tensor::cat(&parts, 0)?);
    }
    Ok(gradients)
}

/// For each variant its own part.
fn of_each(all: &Tensor, lanes: &[Lane]) -> candle_core::Result<Vec<Tensor>> {
    lanes.iter().enumerate().map(|(index, lane)| part(all, index, lane.at.stage.views)).collect()
}

fn pulled(lane: &Lane, look: &Look, answers: &[Answer]) -> Result<Pulled, RunError> {
    for (Model { call, .. }, answer) in lane.at.variant.models.iter().zip(answers) {
        if !is_finite(&answer.gradient)? {
            return Err(lane.fault(Culprit::Network, call.spec.name, call.span));
        }
    }
    let gradients = answers.iter().map(|answer| &answer.gradient);
    pull_back(look, gradients, activation(answers), &lane.at)?
        .map_err(|Fault(what, word, span)| lane.fault(what, word, span))
}

/// Σ weight · term, over all networks.
fn activation(answers: &[Answer]) -> f64 {
    answers.iter().map(|answer| answer.verdict.activation).sum()
}

fn finish(lane: &Lane, look: Look, answers: Vec<Answer>, pulled: Pulled) -> Result<Outcome, RunError> {
    let Pulled { gradient, penalties, silent } = pulled;
    let (params, moments) = settle(&look, &gradient, lane.state, lane.canvas, &lane.at)?
        .map_err(|Fault(what, word, span)| lane.fault(what, word, span))?;
    let activation = activation(&answers);
    let loss = penalties.iter().sum::<f64>() - activation;
    let probabilities = answers.iter().map(|answer| answer.verdict.probability).collect();
    let mut terms: Vec<(usize, f64)> = answers.into_iter().flat_map(|answer| answer.verdict.terms).collect();
    terms.sort_by_key(|(index, _)| *index);
    let terms = terms.into_iter().map(|(_, value)| value).collect();
    let State { variant, stage, iteration, .. } = *lane.state;
    Ok(Outcome {
        state: State { variant, stage, iteration: iteration + 1, params, held: lane.state.held.clone(), moments },
        scores: Scores { loss, terms, penalties, activation, probabilities },
        seen: look.seen.detach(),
        silent,
    })
}

impl Lane<'_> {
    fn fault(&self, what: Culprit, word: &'static str, span: Span) -> RunError {
        RunError::NotFinite(NotFinite {
            what,
            word,
            span,
            variant: self.at.variant.label.clone(),
            step: self.at.step,
            greatest: greatest(&self.state.params).unwrap_or(f64::INFINITY),
        })
    }
}
