//! From the network's answer to scores, and to the gradients that go back into it.

use std::collections::BTreeMap;

use candle_core::{DType, Tensor, Var};

use super::error::{Culprit, RunError};
use super::finite::is_finite;
use super::look::unknown;
use super::state::Place;
use crate::check::recipe::Term;
use crate::spec::Moment;
use crate::words::{Other, Taps, registry};

/// What a variant's terms on one network make of its own part of the taps.
#[derive(Default)]
pub(super) struct Verdict {
    /// Each term's value, unweighted, with the term's number.
    pub terms: Vec<(usize, f64)>,
    /// Σ weight · term.
    pub activation: f64,
    /// See [`super::Scores::probabilities`].
    pub probability: Option<f64>,
    /// The gradient of −activation with respect to each tap, `[views, …]`; a tap that nothing depends on is left out.
    pub gradients: BTreeMap<String, Tensor>,
}

/// What is wrong with a term.
pub(super) struct Fault<'r>(pub Culprit, pub &'r Term);

/// Values and gradients of a variant's terms on network number `model`. The taps are its own, `[views, …]`, and become
/// leaves of a new graph, so that nothing here depends on what else is in the batch.
/// `others` are for each term and each of its nodes what it compares with.
pub(super) fn judge<'r>(
    taps: Taps,
    model: usize,
    others: &[Vec<Vec<Other>>],
    at: &Place<'r>,
) -> Result<Result<Verdict, Fault<'r>>, RunError> {
    let leaves = leaves(taps)?;
    let moment = at.moment();
    let mut terms = Vec::new();
    let mut activation = 0.0;
    let mut loss: Option<Tensor> = None;
    for (index, term, others) in terms_of(at, model, others) {
        let value = value(term, &leaves, others, &moment)?;
        let number = number(&value)?;
        let weight = weight(term, &moment);
        if !number.is_finite() || !weight.is_finite() {
            return Ok(Err(Fault(Culprit::Value, term)));
        }
        terms.push((index, number));
        activation += weight * number;
        let part = value.affine(-weight, 0.0)?;
        loss = Some(match loss {
            Some(sum) => (sum + part)?,
            None => part,
        });
    }
    let gradients = match loss {
        Some(loss) => gradients(&loss, &leaves)?,
        None => BTreeMap::new(),
    };
    for gradient in gradients.values() {
        if !is_finite(gradient)? {
            return Ok(Err(blame(terms_of(at, model, others), &leaves, &moment)?));
        }
    }
    let probability = probability(at, model, &leaves, &moment)?;
    Ok(Ok(Verdict { terms, activation, probability, gradients }))
}

/// The terms on one network: their numbers, they, and what they compare with.
fn terms_of<'r, 'o>(
    at: &Place<'r>,
    model: usize,
    others: &'o [Vec<Vec<Other>>],
) -> impl Iterator<Item = (usize, &'r Term, &'o [Vec<Other>])> + use<'r, 'o> {
    let all = at.stage.terms.iter().zip(others).enumerate();
    all.filter(move |(_, (term, _))| term.model == model).map(|(index, (term, others))| (index, term, &others[..]))
}

fn leaves(taps: Taps) -> candle_core::Result<BTreeMap<String, Var>> {
    taps.into_iter().map(|(node, tap)| Ok((node, Var::from_tensor(&tap.detach())?))).collect()
}

/// The sum over the term's nodes, in their order.
fn value(term: &Term, leaves: &BTreeMap<String, Var>, others: &[Vec<Other>], at: &Moment) -> Result<Tensor, RunError> {
    let call = &term.call;
    let word = registry::objective(call.spec.name).ok_or_else(|| unknown(call))?;
    let failed = RunError::of(call.spec.name, call.span);
    let mut sum: Option<Tensor> = None;
    for (k, node) in term.nodes.iter().enumerate() {
        let missing = || candle_core::Error::Msg(format!("the network did not compute `{node}`"));
        let others = others.get(k).map_or(&[][..], Vec::as_slice);
        let value = leaves
            .get(node)
            .ok_or_else(missing)
            .and_then(|tap| word.value(tap, others, &call.args, &call.moment(at)))
            .map_err(&failed)?;
        sum = Some(match sum {
            Some(sum) => (sum + value)?,
            None => value,
        });
    }
    sum.ok_or_else(|| failed(candle_core::Error::Msg("it reads no node".to_string())))
}

/// A term's weight now. A drawn one is drawn like a parameter of the objective that no spec has.
fn weight(term: &Term, at: &Moment) -> f64 {
    let draw = if term.weight.is_drawn() { term.call.moment(at).rng("*").uniform() } else { 0.0 };
    term.weight.at(at.progress, draw)
}

fn number(value: &Tensor) -> candle_core::Result<f64> {
    value.detach().to_dtype(DType::F64)?.to_scalar()
}

fn gradients(loss: &Tensor, leaves: &BTreeMap<String, Var>) -> candle_core::Result<BTreeMap<String, Tensor>> {
    let store = loss.backward()?;
    Ok(leaves.iter().filter_map(|(node, leaf)| Some((node.clone(), store.get(leaf)?.clone()))).collect())
}

/// The first term whose own gradient is not finite; the first one if only their sum is not.
fn blame<'r, 'o>(
    terms: impl Iterator<Item = (usize, &'r Term, &'o [Vec<Other>])>,
    leaves: &BTreeMap<String, Var>,
    moment: &Moment,
) -> Result<Fault<'r>, RunError> {
    let mut first = None;
    for (_, term, others) in terms {
        let part = value(term, leaves, others, moment)?.affine(-weight(term, moment), 0.0)?;
        for gradient in gradients(&part, leaves)?.values() {
            if !is_finite(gradient)? {
                return Ok(Fault(Culprit::Gradient, term));
            }
        }
        first = first.or(Some(term));
    }
    match first {
        Some(term) => Ok(Fault(Culprit::Gradient, term)),
        None => Err(RunError::Tensor(candle_core::Error::Msg("a gradient without a term".to_string()))),
    }
}

/// The softmax's share of the classes of the first maximized `class` term on a network, mean over the views.
fn probability(
    at: &Place,
    model: usize,
    leaves: &BTreeMap<String, Var>,
    moment: &Moment,
) -> candle_core::Result<Option<f64>> {
    let is_target = |term: &&Term| term.model == model && term.call.spec.name == "class" && weight(term, moment) > 0.0;
    let Some(term) = at.stage.terms.iter().find(is_target) else { return Ok(None) };
    let Some(logits) = term.nodes.first().and_then(|node| leaves.get(node)) else { return Ok(None) };
    let rows = logits.detach().flatten_from(1)?.to_dtype(DType::F64)?.to_vec2::<f64>()?;
    let units = term.call.args.units("units");
    let shares = rows.iter().map(|row| {
        let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = row.iter().map(|logit| libm::exp(logit - most)).sum();
        let own: f64 = units.iter().filter_map(|&unit| row.get(unit)).map(|logit| libm::exp(logit - most)).sum();
        own / total
    });
    Ok(Some(shares.sum::<f64>() / rows.len().max(1) as f64))
}
