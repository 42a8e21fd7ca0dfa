//! Another size.

use candle_core::{Result, Tensor};

use super::SAMPLE;
use crate::ops::{Sample, resize};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type};
use crate::words::{Sizes, Transform};

pub(super) struct Resize;

static SPEC: Spec = Spec {
    kind: Kind::Transform,
    name: "resize",
    aliases: &["rescale", "interpolate", "Resize", "upsample", "downsample"],
    summary: "makes the picture larger or smaller",
    doc: "The whole picture, stretched to the given size. Shrinking averages first (`bilinear` and `bicubic`), so nothing aliases: the network then sees no grain finer than its own pixels, and a canvas of twice its input is a strong smoother that still gives a large picture.",
    source: "torchvision.transforms.Resize, antialias = True; bicubic with a = −0.5, as Pillow's",
    params: &[Param::new("size", Type::Size, Presence::Required, "Width x height, in pixels."), SAMPLE],
    positional: 1,
    block: false,
    example: "transform { resize(224x224) }",
};

impl Transform for Resize {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn apply(&self, picture: &Tensor, args: &Args, _: &Moment) -> Result<Tensor> {
        match args.size("size") {
            Some((width, height)) => resize(picture, height, width, Sample::of(args.choice("sample"))),
            None => Ok(picture.clone()),
        }
    }

    fn sizes(&self, args: &Args, sizes: Sizes) -> Sizes {
        match args.size("size") {
            Some((width, height)) => sizes.map(|_| height, |_| width),
            None => sizes,
        }
    }
}
