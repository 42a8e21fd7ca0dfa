//! From a canvas to what the networks are shown of it.

use candle_core::{Tensor, Var};

use super::error::RunError;
use super::state::{Place, State, form};
use crate::canvas::{Canvas, Held, alpha};
use crate::check::recipe::{Model, Stage};
use crate::ops::Passage;
use crate::spec::{Call, Kind, Moment};
use crate::words::{Mode, Pull, registry};

/// A canvas on its way to the networks: a graph of its own, from the parameters to the views.
pub(super) struct Look {
    /// The parameters after the modes: the leaf of a graph, or the picture itself where none is needed.
    pub leaf: Tensor,
    /// The decoded picture `[1, 3, H, W]`, over middle gray where it has alpha, which the penalties read.
    pub picture: Tensor,
    /// Its alpha `[1, 1, H, W]`, which penalties of opacity read.
    pub alpha: Option<Tensor>,
    /// The picture after the transforms, `[views, 3, H', W']`.
    pub seen: Tensor,
    /// For each network the same less its mean, divided by its deviation.
    pub inputs: Vec<Tensor>,
    /// From the picture to the inputs, where no graph is needed for it.
    pub passage: Option<Passage>,
}

/// Modes, draws and transforms of one iteration.
pub(super) fn look(state: &State, canvas: &dyn Canvas, at: &Place) -> Result<Look, RunError> {
    let held = state.held.as_ref();
    let params = moved(&state.params, held, canvas, at)?;
    let known = canvas.is_picture() && held.is_none() && pulls(&params, at).is_some();
    let (leaf, picture, passage) = match known.then(|| passage(&params, at)).transpose()?.flatten() {
        Some(passage) => (params.clone(), params, Some(passage)),
        None => {
            let leaf = Var::from_tensor(&params)?.into_inner();
            let picture = shown(&leaf, held, canvas, at.stage)?;
            let passage = passage(&picture, at)?;
            (leaf, picture, passage)
        }
    };
    let seen = match &passage {
        Some(passage) => passage.end().clone(),
        None => seen(&picture, at)?,
    };
    let inputs = (0..at.variant.models.len()).map(|model| at.normalized(&seen, model)).collect::<Result<_, _>>()?;
    Ok(Look { leaf, alpha: alpha::planes(&picture)?.1, picture: alpha::laid(&picture, None)?, seen, inputs, passage })
}

/// A picture's way through the transforms, if all there is to it are operations one after another.
fn passage(picture: &Tensor, at: &Place) -> Result<Option<Passage>, RunError> {
    let raw = |model: &Model| model.mean == [0.0; 3] && model.std == [1.0; 3];
    let alone = at.stage.views == 1 && modes(at.stage)?.is_empty() && at.variant.models.iter().all(raw);
    if !alone || picture.dim(1)? != 3 {
        return Ok(None);
    }
    let moment = at.moment();
    let mut operations = Vec::new();
    for call in &at.stage.transforms {
        let word = registry::transform(call.spec.name).ok_or_else(|| unknown(call))?;
        let failed = RunError::of(call.spec.name, call.span);
        // None of them changes the size.
        match word.operation(picture, &call.args, &call.moment(&moment)).map_err(&failed)? {
            Some(operation) => operations.push((operation, failed)),
            None => return Ok(None),
        }
    }
    let mut passage = Passage::new(picture);
    for (operation, failed) in operations {
        passage.go(operation).map_err(failed)?;
    }
    Ok(Some(passage))
}

/// The penalties of a stage, if none of them needs a graph.
pub(super) fn pulls<'a>(picture: &'a Tensor, at: &Place) -> Option<Vec<Pull<'a>>> {
    let moment = at.moment();
    let pull = |call: &Call| registry::penalty(call.spec.name)?.pull(picture, &call.args, &call.moment(&moment));
    at.stage.penalties.iter().map(pull).collect()
}

/// The modes of a stage, with their code.
fn modes(stage: &Stage) -> Result<Vec<(&'static dyn Mode, &Call)>, RunError> {
    let found = stage.modes.iter().map(|call| match registry::mode(call.spec.name) {
        Some(word) => Ok((word, call)),
        None => Err(unknown(call)),
    });
    found.collect()
}

/// The picture that parameters stand for, `[1, 3 or 4, H, W]`, as files show it. Gradients flow through it.
pub(super) fn shown(
    params: &Tensor,
    held: Option<&Held>,
    canvas: &dyn Canvas,
    stage: &Stage,
) -> Result<Tensor, RunError> {
    let mut picture = canvas.decode(params, form(stage))?;
    for (word, call) in modes(stage)? {
        let shape = |picture: &Tensor| word.shape(picture, call).map_err(RunError::of(call.spec.name, call.span));
        picture = alpha::whole(&picture, shape)?;
    }
    Ok(over(held, picture)?)
}

/// The picture with what a mask holds of it.
pub(super) fn over(held: Option<&Held>, picture: Tensor) -> candle_core::Result<Tensor> {
    match held {
        Some(held) => held.over(&picture),
        None => Ok(picture),
    }
}

/// The parameters after something acted on the picture itself, its alpha included: it is decoded and encoded again, and
/// moves as far as a mask lets it. No gradient.
pub(super) fn acted(
    params: &Tensor,
    held: Option<&Held>,
    canvas: &dyn Canvas,
    stage: &Stage,
    act: impl Fn(&Tensor) -> Result<Tensor, RunError>,
) -> Result<Tensor, RunError> {
    let behind = canvas.decode(params, form(stage))?.detach();
    let before = over(held, behind.clone())?;
    let after = alpha::whole(&before, act)?.detach();
    let picture = match held {
        Some(held) => held.follow(&behind, &before, &after)?,
        None => after,
    };
    Ok(canvas.encode(&picture, form(stage))?)
}

/// A picture through the transforms of this iteration, `[views, 3, H', W']`: draws depend on the moment alone, so every
/// picture goes through the same ones. What has alpha lies over a ground of its own in each view.
pub(super) fn seen(picture: &Tensor, at: &Place) -> Result<Tensor, RunError> {
    let moment = at.moment();
    let mut views = Vec::with_capacity(at.stage.views);
    for view in 0..at.stage.views {
        let mut seen = grounded(picture, at, view)?;
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

/// A picture over a ground drawn at random, if it has alpha.
fn grounded(picture: &Tensor, at: &Place, view: usize) -> Result<Tensor, RunError> {
    let (_, planes, height, width) = picture.dims4()?;
    if planes == 3 {
        return Ok(picture.clone());
    }
    // The parametrization is no part of the key: variants that compare canvases lie over the same grounds.
    let moment = Moment { view, word: (Kind::Canvas, "canvas", 0), ..at.moment() };
    Ok(alpha::laid(picture, Some(&alpha::ground(height, width, &mut moment.rng("ground"))?))?)
}

/// The parameters after the modes: they act on the decoded picture, one after another, and it is encoded again.
fn moved(params: &Tensor, held: Option<&Held>, canvas: &dyn Canvas, at: &Place) -> Result<Tensor, RunError> {
    let modes: Vec<_> = modes(at.stage)?.into_iter().filter(|(word, _)| word.acts()).collect();
    if modes.is_empty() {
        return Ok(params.clone());
    }
    let moment = at.moment();
    acted(params, held, canvas, at.stage, |picture| {
        let mut picture = picture.clone();
        for (word, call) in &modes {
            let acted = word.apply(&picture, call, &call.moment(&moment));
            picture = acted.map_err(RunError::of(call.spec.name, call.span))?;
        }
        Ok(picture)
    })
}

/// The registry lacks a word that the checker knew.
pub(super) fn unknown(call: &Call) -> RunError {
    RunError::Word {
        word: call.spec.name,
        span: call.span,
        source: candle_core::Error::Msg("it is not in the registry".to_string()),
    }
}
