//! What a stage begins with: the parameters, and what a mask holds.

use candle_core::{Result as Candle, Tensor};

use super::error::RunError;
use super::look::{over, unknown};
use super::state::{State, form, moment};
use crate::canvas::{Canvas, Held, alpha, canvas};
use crate::check::recipe::{Stage, Variant};
use crate::ops;
use crate::spec::Call;
use crate::words::{Moments, Photos, Start, cover, registry};

/// The alpha of a picture that has none of its own: what lucid's sigmoid makes of a parameter 0.
const BEGUN: f64 = 0.5;

pub(super) fn canvas_of(stage: &Stage) -> Result<&'static dyn Canvas, RunError> {
    canvas(stage.canvas.spec.name).ok_or_else(|| unknown(&stage.canvas))
}

/// A variant before its first step.
pub(super) fn started(index: usize, variant: &Variant, stage: &Stage, photos: Photos) -> Result<State, RunError> {
    let (kind, form) = (canvas_of(stage)?, form(stage));
    let has = |opacity: f64| form.has_alpha().then_some(opacity);
    let (params, picture) = match start_of(variant, stage, photos)? {
        Start::Picture(picture) => (kind.encode(&alpha::with_alpha(&picture, has(BEGUN))?, form)?, picture),
        Start::Parameters(mut normal) => {
            let params = kind.noise(form, &mut *normal)?;
            let picture = alpha::planes(&kind.decode(&params, form)?.detach())?.0;
            (params, picture)
        }
    };
    // What a mask holds is opaque.
    let held = held(stage, &alpha::with_alpha(&picture, has(1.0))?, photos)?;
    Ok(State { variant: index, stage: 0, iteration: 0, params, held, moments: Moments::default() })
}

/// A variant carried into another stage: size and parametrization change, the optimizer starts anew.
pub(super) fn carried(
    state: &State,
    variant: &Variant,
    (number, stage): (usize, &Stage),
    before: &Stage,
    photos: Photos,
) -> Result<State, RunError> {
    let has = |opacity: f64| form(stage).has_alpha().then_some(opacity);
    let old = canvas_of(before)?.decode(state.shown(), form(before))?.detach();
    let old = over(state.held.as_ref(), old)?;
    let grown = sized(&old, stage.over_photo, variant, (stage, before), photos)?;
    let start = match &state.held {
        // What is held goes on to be: a photo with its own detail, and nothing that was grown beside it.
        Some(held) if stage.canvas.args.file("mask") == before.canvas.args.file("mask") => {
            let of_photo = stage.init.args.file("file").is_some();
            sized(held.start(), of_photo, variant, (stage, before), photos)?
        }
        _ => grown.clone(),
    };
    let kind = canvas_of(stage)?;
    let picture = alpha::with_alpha(&grown, has(BEGUN))?;
    let params = kind.clamp(&kind.encode(&picture, form(stage))?, form(stage))?;
    // What had no alpha of its own is opaque where it is held.
    let held = held(stage, &alpha::with_alpha(&start, has(1.0))?, photos)?;
    Ok(State { variant: state.variant, stage: number, iteration: 0, params, held, moments: Moments::default() })
}

/// A picture at the size of a stage, bicubic; `over_photo`: only its difference from the photo that it began with is
/// resized, for the photo has its own detail at every size.
fn sized(
    picture: &Tensor,
    over_photo: bool,
    variant: &Variant,
    (stage, before): (&Stage, &Stage),
    photos: Photos,
) -> Result<Tensor, RunError> {
    let resized = |picture: &Tensor| -> Candle<Tensor> {
        match picture.dims4()? {
            (_, _, height, width) if (height, width) == (stage.height, stage.width) => Ok(picture.clone()),
            _ => ops::resize(picture, stage.height, stage.width, ops::Sample::Bicubic),
        }
    };
    let (colours, opacity) = alpha::planes(picture)?;
    let colours = match over_photo {
        true => {
            let photo = |stage: &Stage| photo_of(variant, stage, photos);
            (photo(stage)? + resized(&(colours - photo(before)?)?)?)?
        }
        false => resized(&colours)?,
    };
    Ok(match opacity {
        Some(opacity) => Tensor::cat(&[colours, resized(&opacity)?.clamp(0.0, 1.0)?], 1)?,
        None => colours,
    })
}

/// What the stage's mask holds of a picture, if it has one.
fn held(stage: &Stage, start: &Tensor, photos: Photos) -> Result<Option<Held>, RunError> {
    let call = &stage.canvas;
    let Some(file) = call.args.file("mask") else { return Ok(None) };
    let mask = photos(file).and_then(|mask| cover(&mask, stage.height, stage.width));
    mask.and_then(|mask| Held::new(&mask, start)).map(Some).map_err(RunError::of(call.spec.name, call.span))
}

/// The photo that a variant starts from, at the size of a stage.
fn photo_of(variant: &Variant, stage: &Stage, photos: Photos) -> Result<Tensor, RunError> {
    match start_of(variant, stage, photos)? {
        Start::Picture(picture) => Ok(picture),
        Start::Parameters(_) => Err(unknown(&stage.init)),
    }
}

fn start_of(variant: &Variant, stage: &Stage, photos: Photos) -> Result<Start, RunError> {
    let call: &Call = &stage.init;
    let word = registry::init(call.spec.name).ok_or_else(|| unknown(call))?;
    let at = call.moment(&moment(variant, stage, 0));
    word.start(stage.height, stage.width, &call.args, &at, photos).map_err(RunError::of(call.spec.name, call.span))
}
