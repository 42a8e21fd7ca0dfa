//! Transforms, applied for real.

use candle_core::{Result, Tensor};

use crate::ops::{Sample, resize};
use crate::spec::{Call, Kind, Moment, Spec};
use crate::words::{Mode, registry};

pub(super) struct Drift;

static SPEC: Spec = Spec {
    kind: Kind::Mode,
    name: "drift",
    aliases: &["transform_canvas", "apply", "mutate", "case1"],
    summary: "applies transforms to the canvas itself",
    doc: "The transforms in the block act on the canvas before each step, drawn anew each time, and what they do stays: the guide's case 1, where `transform { … }` is its case 2. A canvas whose size they change is resized back, bicubic.\n\nThe picture wanders. Each resampling blurs a little, and what `affine` brings in from outside stays: `edge = reflect` shows no border. A drawn range adds up like a random walk, a plain number like a motion.",
    source: "the guide, case 1",
    params: &[],
    positional: 0,
    block: true,
    example: "mode drift { affine(scale = 1..1.02, edge = reflect) }",
};

impl Mode for Drift {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn apply(&self, picture: &Tensor, call: &Call, at: &Moment) -> Result<Tensor> {
        let (_, _, height, width) = picture.dims4()?;
        let mut picture = picture.detach();
        for inner in &call.block {
            if let Some(transform) = registry::transform(inner.spec.name) {
                picture = transform.apply(&picture, &inner.args, &inner.moment(at))?;
            }
        }
        match picture.dims4()? {
            (_, _, h, w) if (h, w) == (height, width) => Ok(picture),
            _ => resize(&picture, height, width, Sample::Bicubic),
        }
    }
}
