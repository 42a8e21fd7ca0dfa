//! From the gradient to the next canvas.

use candle_core::{DType, Tensor};

use super::error::{Culprit, RunError};
use super::finite::is_finite;
use super::look::{Look, unknown};
use super::state::Place;
use crate::canvas::Canvas;
use crate::source::Span;
use crate::spec::{Call, Moment};
use crate::words::{Moments, registry};

/// A canvas after its step.
pub(super) struct Settled {
    pub params: Tensor,
    pub moments: Moments,
    /// Each penalty's value, its weight included.
    pub penalties: Vec<f64>,
}

/// What is wrong, the word and its place.
pub(super) struct Fault(pub Culprit, pub &'static str, pub Span);

/// Takes the gradient of the terms with respect to the network's input back through the transforms, adds the
/// penalties', lets the optimizer move the canvas, and then clamp and filters act.
pub(super) fn settle(
    look: &Look,
    gradient: &Tensor,
    mut moments: Moments,
    canvas: &dyn Canvas,
    at: &Place,
) -> Result<Result<Settled, Fault>, RunError> {
    let moment = at.moment();
    // Its gradient with respect to the input is exactly `gradient`: the chain rule, over two graphs.
    let mut loss = (&look.input * gradient)?.sum_all()?;
    let mut penalties = Vec::new();
    for call in &at.stage.penalties {
        let value = penalty(look, call, &moment)?;
        let number = value.detach().to_dtype(DType::F64)?.to_scalar::<f64>()?;
        if !number.is_finite() {
            return Ok(Err(Fault(Culprit::Value, call.spec.name, call.span)));
        }
        penalties.push(number);
        loss = (loss + value)?;
    }
    let gradient = gradient_of(&loss, look)?;
    if !is_finite(&gradient)? {
        return Ok(Err(blame(look, at, &moment)?));
    }

    let call = &at.stage.optimizer;
    let word = registry::optimizer(call.spec.name).ok_or_else(|| unknown(call))?;
    let own = call.moment(&moment);
    let args = &at.stage.canvas.args;
    let params = word
        .step(&look.leaf.as_detached_tensor(), &gradient, &mut moments, &call.args, &own)
        .map_err(RunError::of(call.spec.name, call.span))?;
    let mut params = canvas.clamp(&params.detach(), args)?;
    if !is_finite(&params)? {
        return Ok(Err(Fault(Culprit::Canvas, call.spec.name, call.span)));
    }

    for filter in at.stage.filters.iter().filter(|filter| filter.schedule.fires(at.iteration)) {
        let call = &filter.call;
        let word = registry::filter(call.spec.name).ok_or_else(|| unknown(call))?;
        let picture = canvas.decode(&params, args)?;
        let picture =
            word.apply(&picture, &call.args, &call.moment(&moment)).map_err(RunError::of(call.spec.name, call.span))?;
        params = canvas.encode(&picture.detach(), args)?;
        if !is_finite(&params)? {
            return Ok(Err(Fault(Culprit::Canvas, call.spec.name, call.span)));
        }
    }
    Ok(Ok(Settled { params, moments, penalties }))
}

fn penalty(look: &Look, call: &Call, moment: &Moment) -> Result<Tensor, RunError> {
    let word = registry::penalty(call.spec.name).ok_or_else(|| unknown(call))?;
    word.value(&look.picture, &call.args, &call.moment(moment)).map_err(RunError::of(call.spec.name, call.span))
}

/// The gradient with respect to the parameters; zeros where nothing depends on them.
fn gradient_of(loss: &Tensor, look: &Look) -> candle_core::Result<Tensor> {
    match loss.backward()?.get(&look.leaf) {
        Some(gradient) => Ok(gradient.clone()),
        None => look.leaf.zeros_like(),
    }
}

/// The first penalty whose own gradient is not finite, else the transforms.
fn blame(look: &Look, at: &Place, moment: &Moment) -> Result<Fault, RunError> {
    for call in &at.stage.penalties {
        if !is_finite(&gradient_of(&penalty(look, call, moment)?, look)?)? {
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
