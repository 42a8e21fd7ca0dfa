//! From a canvas to what the network is shown of it.

use candle_core::{Device, Tensor, Var};

use super::error::RunError;
use super::state::{Place, form};
use crate::canvas::Canvas;
use crate::spec::Call;
use crate::words::registry;

/// A canvas on its way to the network: a graph of its own, from the parameters to the views.
pub(super) struct Look {
    /// The parameters after the modes, as the graph's leaf.
    pub leaf: Var,
    /// The decoded picture `[1, 3, H, W]`, which the penalties read.
    pub picture: Tensor,
    /// The picture after the transforms, `[views, 3, H', W']`.
    pub seen: Tensor,
    /// The same less the model's mean, divided by its deviation.
    pub input: Tensor,
}

/// Modes, draws and transforms of one iteration.
pub(super) fn look(params: &Tensor, canvas: &dyn Canvas, at: &Place) -> Result<Look, RunError> {
    let leaf = Var::from_tensor(&moved(params, canvas, at)?)?;
    let picture = canvas.decode(&leaf, form(at.stage))?;
    let moment = at.moment();
    let mut views = Vec::with_capacity(at.stage.views);
    for view in 0..at.stage.views {
        let mut seen = picture.clone();
        for call in &at.stage.transforms {
            let word = registry::transform(call.spec.name).ok_or_else(|| unknown(call))?;
            let mut now = call.moment(&moment);
            now.view = view;
            seen = word.apply(&seen, &call.args, &now).map_err(RunError::of(call.spec.name, call.span))?;
        }
        views.push(seen);
    }
    let seen = Tensor::cat(&views, 0)?;
    let input = normalized(&seen, at.variant.model.mean, at.variant.model.std)?;
    Ok(Look { leaf, picture, seen, input })
}

/// The parameters after the modes: each acts on the decoded picture, which is encoded again.
fn moved(params: &Tensor, canvas: &dyn Canvas, at: &Place) -> Result<Tensor, RunError> {
    if at.stage.modes.is_empty() {
        return Ok(params.clone());
    }
    let form = form(at.stage);
    let moment = at.moment();
    let mut picture = canvas.decode(params, form)?.detach();
    for call in &at.stage.modes {
        let word = registry::mode(call.spec.name).ok_or_else(|| unknown(call))?;
        picture = word.apply(&picture, call, &call.moment(&moment)).map_err(RunError::of(call.spec.name, call.span))?;
    }
    Ok(canvas.encode(&picture.detach(), form)?)
}

/// (x − mean) / std for each channel; a model that is fed raw values has zeros and ones and is left alone.
pub(super) fn normalized(seen: &Tensor, mean: [f64; 3], std: [f64; 3]) -> candle_core::Result<Tensor> {
    let row = |values: [f64; 3]| Tensor::new(&values, &Device::Cpu)?.to_dtype(seen.dtype())?.reshape((1, 3, 1, 1));
    let centred = if mean == [0.0; 3] { seen.clone() } else { seen.broadcast_sub(&row(mean)?)? };
    if std == [1.0; 3] { Ok(centred) } else { centred.broadcast_div(&row(std)?) }
}

/// The registry lacks a word that the checker knew.
pub(super) fn unknown(call: &Call) -> RunError {
    RunError::Word {
        word: call.spec.name,
        span: call.span,
        source: candle_core::Error::Msg("it is not in the registry".to_string()),
    }
}
