//! The rim of the picture.

use candle_core::{Result, Tensor};

use super::{AROUND, WEIGHT, deviation};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::Penalty;

pub(super) struct Boundary;

static SPEC: Spec = Spec {
    kind: Kind::Penalty,
    name: "boundary",
    aliases: &["border", "rim", "frame", "edges"],
    summary: "keeps the rim of the picture gray",
    doc: "weight · Σ (v − around)² over the pixels that are less than `width` away from the rim, summed over channels too. The picture's thing comes into its middle and ends before the rim: what icons on a sheet want.",
    source: "lucid recipes/activation_atlas/render.py: weight 5, width 20 of 96 (which blurs the rim as well)",
    params: &[
        WEIGHT,
        Param::new(
            "width",
            Type::Integer { unit: Unit::Px, min: 1, max: 4096 },
            Presence::Default("20px"),
            "How wide the rim is, on each side.",
        ),
        AROUND,
    ],
    positional: 1,
    block: false,
    example: "regularize boundary(5, width = 16px)",
};

impl Penalty for Boundary {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn value(&self, picture: &Tensor, args: &Args, at: &Moment) -> Result<Tensor> {
        let (_, _, height, width) = picture.dims4()?;
        let rim = args.integer("width").max(1) as usize;
        let inside = |at: usize, length: usize| at >= rim && at + rim < length;
        let mask = (0..height * width).map(|p| match inside(p / width, height) && inside(p % width, width) {
            true => 0.0,
            false => 1.0,
        });
        let mask = Tensor::from_iter(mask, picture.device())?.reshape((1, 1, height, width))?;
        let squares = deviation(picture, args, at)?.sqr()?;
        squares.broadcast_mul(&mask.to_dtype(picture.dtype())?)?.sum_all()? * args.number("weight", at)
    }
}
