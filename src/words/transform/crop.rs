//! A part of the picture.

use candle_core::{Result, Tensor};

use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type};
use crate::words::{Sizes, Transform};

pub(super) struct Crop;

static SPEC: Spec = Spec {
    kind: Kind::Transform,
    name: "crop",
    aliases: &["RandomCrop", "center_crop", "CenterCrop", "window"],
    summary: "shows a part of the picture only",
    doc: "A window of the given size, anywhere in the picture or in its middle; an axis along which the picture is smaller stays as it is. A canvas larger than the network's usual input, seen through random windows, shows its thing again and again, each in its own way.",
    source: "torchvision.transforms.RandomCrop, CenterCrop; lucid crop_or_pad_to",
    params: &[
        Param::new("size", Type::Size, Presence::Required, "Width x height of the window, in pixels."),
        Param::new(
            "place",
            Type::Choice(&["random", "center"]),
            Presence::Default("random"),
            "`random` draws the window's place, all alike; `center` takes the middle (the pixel left and above of it, where it can't be met).",
        ),
    ],
    positional: 1,
    block: false,
    example: "transform { crop(224x224) }",
};

impl Crop {
    fn size(args: &Args) -> (usize, usize) {
        args.size("size").unwrap_or((usize::MAX, usize::MAX))
    }
}

impl Transform for Crop {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn apply(&self, picture: &Tensor, args: &Args, at: &Moment) -> Result<Tensor> {
        let (width, height) = Self::size(args);
        let window = |picture: &Tensor, dim: usize, axis: &str, length: usize| {
            let whole = picture.dim(dim)?;
            let length = length.min(whole);
            let first = match args.choice("place") {
                "center" => (whole - length) / 2,
                _ => at.rng(axis).below(whole - length + 1),
            };
            picture.narrow(dim, first, length)
        };
        window(&window(picture, 2, "y", height)?, 3, "x", width)?.contiguous()
    }

    fn sizes(&self, args: &Args, sizes: Sizes) -> Sizes {
        let (width, height) = Self::size(args);
        sizes.map(|length| length.min(height), |length| length.min(width))
    }
}
