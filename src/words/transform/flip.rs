//! Mirroring.

use candle_core::{Result, Tensor};

use super::is_always;
use crate::ops::{Edge, Taps, separable};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::Transform;

pub(super) struct Flip;

const fn chance(name: &'static str, default: &'static str, doc: &'static str) -> Param {
    Param::new(name, Type::Number { unit: Unit::None, min: 0.0, max: 1.0 }, Presence::Default(default), doc).animated()
}

static SPEC: Spec = Spec {
    kind: Kind::Transform,
    name: "flip",
    aliases: &["mirror", "random_horizontal_flip", "RandomHorizontalFlip", "hflip", "vflip"],
    summary: "mirrors the picture now and then",
    doc: "The chances are drawn each for itself. Networks are trained on pictures and their mirror images, so a horizontal flip half of the time costs little and makes forms more robust. Writing that must be read (a face of a clock, letters) suffers.",
    source: "torchvision.transforms.RandomHorizontalFlip, RandomVerticalFlip",
    params: &[
        chance("horizontal", "0.5", "The chance, 0..1, that left and right are swapped."),
        chance("vertical", "0", "The chance, 0..1, that top and bottom are swapped."),
    ],
    positional: 1,
    block: false,
    example: "transform { flip(50%) }",
};

impl Transform for Flip {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn apply(&self, picture: &Tensor, args: &Args, at: &Moment) -> Result<Tensor> {
        let flips = |name: &str| at.rng(name).uniform() < args.number(name, at);
        let (across, down) = (flips("horizontal"), flips("vertical"));
        if !across && !down {
            return Ok(picture.clone());
        }
        let (_, _, height, width) = picture.dims4()?;
        let taps = |length: usize, flipped: bool| {
            let last = length as i64 - 1;
            Taps::pick((0..length as i64).map(|i| if flipped { last - i } else { i }), length, Edge::Replicate)
        };
        separable(picture, &taps(height, down), &taps(width, across), Edge::Replicate)
    }

    fn is_identity(&self, args: &Args) -> bool {
        is_always(args, "horizontal", 0.0) && is_always(args, "vertical", 0.0)
    }
}
