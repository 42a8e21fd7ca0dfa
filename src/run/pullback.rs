//! From the gradients of the networks' inputs to that of the parameters.

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result as Candle, Shape, Tensor};

use super::error::{Culprit, Fault, RunError};
use super::finite::{is_finite, is_zero};
use super::look::{Look, pulls, unknown};
use super::state::Place;
use crate::ops::add_scaled;
use crate::spec::{Call, Moment};
use crate::words::registry;

/// What came back to the parameters.
pub(super) struct Pulled {
    pub gradient: Tensor,
    /// Each penalty's value, its weight included.
    pub penalties: Vec<f64>,
    /// Whether nothing came from any network.
    pub silent: bool,
}

/// Takes the gradients of the terms with respect to the networks' inputs back through the transforms, where they add
/// up, and adds the penalties'. `activation` is Σ weight · term.
pub(super) fn pull_back<'t>(
    look: &Look,
    gradients: impl Iterator<Item = &'t Tensor>,
    activation: f64,
    at: &Place,
) -> Result<Result<Pulled, Fault>, RunError> {
    let penalty = |call: &Call| penalty(look, call, activation, &at.moment());
    let gradients: Vec<&Tensor> = gradients.collect();
    let mut silent = true;
    for gradient in &gradients {
        silent = silent && is_zero(gradient)?;
    }
    let (gradient, penalties) = match without_graph(look, &gradients, at)? {
        Some(both) => both,
        None => {
            let mut loss = None;
            for (input, gradient) in look.inputs.iter().zip(gradients) {
                let part = match &look.passage {
                    Some(passage) => seeded(&look.picture, &passage.back(gradient)?)?,
                    None => seeded(input, gradient)?,
                };
                loss = plus(loss, part)?;
            }
            let mut penalties = Vec::new();
            for call in &at.stage.penalties {
                let value = penalty(call)?;
                penalties.push(number(&value)?);
                loss = plus(loss, value)?;
            }
            let gradient = match loss {
                Some(loss) => gradient_of(&loss, look)?,
                None => look.leaf.zeros_like()?,
            };
            (gradient, penalties)
        }
    };
    for (call, number) in at.stage.penalties.iter().zip(&penalties) {
        if !number.is_finite() {
            return Ok(Err(Fault(Culprit::Value, call.spec.name, call.span)));
        }
    }
    if !is_finite(&gradient)? {
        return Ok(Err(blame(look, at, penalty)?));
    }
    Ok(Ok(Pulled { gradient, penalties, silent }))
}

/// The gradient and the penalties' values, where the parameters are the picture and all that follows knows its own way
/// back.
fn without_graph(look: &Look, gradients: &[&Tensor], at: &Place) -> Result<Option<(Tensor, Vec<f64>)>, RunError> {
    let Some(passage) = look.passage.as_ref().filter(|_| !look.leaf.is_variable()) else { return Ok(None) };
    let Some(pulls) = pulls(&look.picture, at) else { return Ok(None) };
    let mut gradient = match gradients {
        [] => look.picture.zeros_like()?,
        [first, rest @ ..] => {
            rest.iter().try_fold(passage.back(first)?, |sum, next| add_scaled(&sum, &passage.back(next)?, 1.0))?
        }
    };
    let mut values = Vec::new();
    for pull in pulls {
        let (value, sum) = pull(&gradient)?;
        values.push(number(&value)?);
        gradient = sum;
    }
    Ok(Some((gradient, values)))
}

fn number(value: &Tensor) -> Candle<f64> {
    value.detach().to_dtype(DType::F64)?.to_scalar::<f64>()
}

/// A loss whose gradient with respect to `tensor` is `gradient`: joins the graph that ends here to one that begins
/// with its values. Its own value means nothing.
pub(super) fn seeded(tensor: &Tensor, gradient: &Tensor) -> Candle<Tensor> {
    tensor.apply_op1(Seed(gradient.detach()))
}

/// A sum with one part more.
pub(super) fn plus(sum: Option<Tensor>, part: Tensor) -> Candle<Option<Tensor>> {
    Ok(Some(match sum {
        Some(sum) => (sum + part)?,
        None => part,
    }))
}

struct Seed(Tensor);

impl CustomOp1 for Seed {
    fn name(&self) -> &'static str {
        "seed"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, _: &Layout) -> Candle<(CpuStorage, Shape)> {
        let zero = match storage {
            CpuStorage::F32(_) => CpuStorage::F32(vec![0.0]),
            CpuStorage::F64(_) => CpuStorage::F64(vec![0.0]),
            _ => candle_core::bail!("pictures are f32 or f64"),
        };
        Ok((zero, ().into()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, _: &Tensor) -> Candle<Option<Tensor>> {
        Ok(Some(self.0.clone()))
    }
}

fn penalty(look: &Look, call: &Call, activation: f64, moment: &Moment) -> Result<Tensor, RunError> {
    let word = registry::penalty(call.spec.name).ok_or_else(|| unknown(call))?;
    let failed = RunError::of(call.spec.name, call.span);
    let read = match &look.alpha {
        Some(alpha) if word.reads_alpha() => alpha,
        _ => &look.picture,
    };
    let value = word.value(read, &call.args, &call.moment(moment)).map_err(&failed)?;
    // What is maximized counts as a number here: no gradient flows through it.
    if word.is_share() { (value * activation.max(0.0)).map_err(&failed) } else { Ok(value) }
}

/// The gradient with respect to the parameters; zeros where nothing depends on them.
fn gradient_of(loss: &Tensor, look: &Look) -> candle_core::Result<Tensor> {
    match loss.backward()?.get(&look.leaf) {
        Some(gradient) => Ok(gradient.clone()),
        None => look.leaf.zeros_like(),
    }
}

/// The first penalty whose own gradient is not finite, else the transforms.
fn blame(look: &Look, at: &Place, penalty: impl Fn(&Call) -> Result<Tensor, RunError>) -> Result<Fault, RunError> {
    let nothing = look.picture.zeros_like()?;
    let mut pulls = pulls(&look.picture, at).filter(|_| !look.leaf.is_variable()).into_iter().flatten();
    for call in &at.stage.penalties {
        let gradient = match pulls.next() {
            Some(pull) => pull(&nothing)?.1,
            None => gradient_of(&penalty(call)?, look)?,
        };
        if !is_finite(&gradient)? {
            return Ok(Fault(Culprit::Gradient, call.spec.name, call.span));
        }
    }
    Ok(match (at.stage.transforms.first(), at.stage.transforms.last()) {
        (Some(first), Some(last)) if first.span.file == last.span.file => {
            Fault(Culprit::Transforms, first.spec.name, first.span.to(last.span))
        }
        _ => Fault(Culprit::Canvas, at.stage.optimizer.spec.name, at.stage.optimizer.span),
    })
}
