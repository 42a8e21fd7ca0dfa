//! From the gradient to the next canvas.

use candle_core::Tensor;

use super::error::{Culprit, Fault, RunError};
use super::finite::is_finite;
use super::look::{Look, acted, unknown};
use super::state::{Place, State, form};
use crate::canvas::Canvas;
use crate::words::{Moments, averaged, registry};

/// Lets the optimizer move the canvas, and then clamp and filters act. → The parameters and the optimizer's memory.
pub(super) fn settle(
    look: &Look,
    gradient: &Tensor,
    state: &State,
    canvas: &dyn Canvas,
    at: &Place,
) -> Result<Result<(Tensor, Moments), Fault>, RunError> {
    let moment = at.moment();
    let mut moments = state.moments.clone();
    let call = &at.stage.optimizer;
    let word = registry::optimizer(call.spec.name).ok_or_else(|| unknown(call))?;
    let own = call.moment(&moment);
    let params = word
        .step(&look.leaf.detach(), gradient, &mut moments, &call.args, &own)
        .map_err(RunError::of(call.spec.name, call.span))?;
    let mut params = canvas.clamp(&params.detach(), form(at.stage))?;
    if !is_finite(&params)? {
        return Ok(Err(Fault(Culprit::Canvas, call.spec.name, call.span)));
    }

    for filter in at.stage.filters.iter().filter(|filter| filter.schedule.fires(at.iteration)) {
        let call = &filter.call;
        let word = registry::filter(call.spec.name).ok_or_else(|| unknown(call))?;
        params = acted(&params, state.held.as_ref(), canvas, at.stage, |picture| {
            word.apply(picture, &call.args, &call.moment(&moment)).map_err(RunError::of(call.spec.name, call.span))
        })?;
        if !is_finite(&params)? {
            return Ok(Err(Fault(Culprit::Canvas, call.spec.name, call.span)));
        }
    }
    moments.average = averaged(moments.average.as_ref(), &params, &call.args, &own)?;
    Ok(Ok((params, moments)))
}
