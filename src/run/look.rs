//! From a canvas to what the networks are shown of it.

use candle_core::{Tensor, Var};

use super::error::RunError;
use super::state::{Place, form};
use crate::canvas::Canvas;
use crate::check::recipe::Stage;
use crate::spec::{Call, Moment};
use crate::words::{Mode, registry};

/// A canvas on its way to the networks: a graph of its own, from the parameters to the views.
pub(super) struct Look {
    /// The parameters after the modes, as the graph's leaf.
    pub leaf: Var,
    /// The decoded picture `[1, 3, H, W]`, which the penalties read.
    pub picture: Tensor,
    /// The picture after the transforms, `[views, 3, H', W']`.
    pub seen: Tensor,
    /// For each network the same less its mean, divided by its deviation.
    pub inputs: Vec<Tensor>,
}

/// Modes, draws and transforms of one iteration.
pub(super) fn look(params: &Tensor, canvas: &dyn Canvas, at: &Place) -> Result<Look, RunError> {
    let leaf = Var::from_tensor(&moved(params, canvas, at)?)?;
    let picture = shown(&leaf, canvas, at.stage)?;
    let seen = seen(&picture, at)?;
    let inputs = (0..at.variant.models.len()).map(|model| at.normalized(&seen, model)).collect::<Result<_, _>>()?;
    Ok(Look { leaf, picture, seen, inputs })
}

/// The modes of a stage, with their code.
fn modes(stage: &Stage) -> Result<Vec<(&'static dyn Mode, &Call)>, RunError> {
    let found = stage.modes.iter().map(|call| match registry::mode(call.spec.name) {
        Some(word) => Ok((word, call)),
        None => Err(unknown(call)),
    });
    found.collect()
}

/// The picture that parameters stand for, `[1, 3, H, W]`, as files show it. Gradients flow through it.
pub(super) fn shown(params: &Tensor, canvas: &dyn Canvas, stage: &Stage) -> Result<Tensor, RunError> {
    let mut picture = canvas.decode(params, form(stage))?;
    for (word, call) in modes(stage)? {
        picture = word.shape(&picture, call).map_err(RunError::of(call.spec.name, call.span))?;
    }
    Ok(picture)
}

/// A picture through the transforms of this iteration, `[views, 3, H', W']`: draws depend on the moment alone, so every
/// picture goes through the same ones.
pub(super) fn seen(picture: &Tensor, at: &Place) -> Result<Tensor, RunError> {
    let moment = at.moment();
    let mut views = Vec::with_capacity(at.stage.views);
    for view in 0..at.stage.views {
        let mut seen = picture.clone();
        for (word, call) in modes(at.stage)? {
            let now = Moment { view, ..call.moment(&moment) };
            seen = word.seen(&seen, call, &now).map_err(RunError::of(call.spec.name, call.span))?;
        }
        for call in &at.stage.transforms {
            let word = registry::transform(call.spec.name).ok_or_else(|| unknown(call))?;
            let mut now = call.moment(&moment);
            now.view = view;
            seen = word.apply(&seen, &call.args, &now).map_err(RunError::of(call.spec.name, call.span))?;
        }
        views.push(seen);
    }
    Ok(Tensor::cat(&views, 0)?)
}

/// The parameters after the modes: each acts on the decoded picture, which is encoded again.
fn moved(params: &Tensor, canvas: &dyn Canvas, at: &Place) -> Result<Tensor, RunError> {
    let modes: Vec<_> = modes(at.stage)?.into_iter().filter(|(word, _)| word.acts()).collect();
    if modes.is_empty() {
        return Ok(params.clone());
    }
    let form = form(at.stage);
    let moment = at.moment();
    let mut picture = canvas.decode(params, form)?.detach();
    for (word, call) in modes {
        picture = word.apply(&picture, call, &call.moment(&moment)).map_err(RunError::of(call.spec.name, call.span))?;
    }
    Ok(canvas.encode(&picture.detach(), form)?)
}

/// The registry lacks a word that the checker knew.
pub(super) fn unknown(call: &Call) -> RunError {
    RunError::Word {
        word: call.spec.name,
        span: call.span,
        source: candle_core::Error::Msg("it is not in the registry".to_string()),
    }
}
