//! Differences of neighbours.

use candle_core::{Result, Tensor};

use super::{WEIGHT, sum_of_magnitudes};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type};
use crate::words::Penalty;

pub(super) struct Tv;

static SPEC: Spec = Spec {
    kind: Kind::Penalty,
    name: "tv",
    aliases: &["total_variation", "variation", "smoothness"],
    summary: "makes neighbouring pixels alike",
    doc: "weight · Σ (|v(x+1, y) − v(x, y)| + |v(x, y+1) − v(x, y)|), summed over pixels and channels of the canvas.\n\nNoise costs most, an edge costs its height and not its sharpness: flat patches with crisp borders come out, like a painting of few colours. Too much of it leaves nothing. It measures along the axes, so slanted edges cost up to 1.4 times as much; with `isotropic = on` it is Σ √(dx² + dy²), which costs alike in all directions.",
    source: "Rudin, Osher, Fatemi 1992; Mahendran, Vedaldi 2014; lucid objectives.total_variation: weight 0.25 on 64 pixels",
    params: &[
        WEIGHT,
        Param::new(
            "isotropic",
            Type::Switch,
            Presence::Default("off"),
            "Whether the two differences of a pixel are taken as one length. Past the last row and column there is none.",
        ),
    ],
    positional: 1,
    block: false,
    example: "regularize tv(0.25)",
};

impl Penalty for Tv {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn value(&self, picture: &Tensor, args: &Args, at: &Moment) -> Result<Tensor> {
        let (_, _, height, width) = picture.dims4()?;
        if args.switch("isotropic") {
            return isotropic(picture)? * args.number("weight", at);
        }
        let mut total = picture.zeros_like()?.sum_all()?;
        if width > 1 {
            let steps = (picture.narrow(3, 1, width - 1)? - picture.narrow(3, 0, width - 1)?)?;
            total = (total + sum_of_magnitudes(&steps)?)?;
        }
        if height > 1 {
            let steps = (picture.narrow(2, 1, height - 1)? - picture.narrow(2, 0, height - 1)?)?;
            total = (total + sum_of_magnitudes(&steps)?)?;
        }
        total * args.number("weight", at)
    }
}

/// Under the root, so that it has a slope where nothing differs: 0.001 of a step of 8 bits.
const EPSILON: f64 = 1.6e-11;

/// Σ √(dx² + dy²), less what flat patches would cost.
fn isotropic(picture: &Tensor) -> Result<Tensor> {
    let (_, _, height, width) = picture.dims4()?;
    let step = |dim: usize, length: usize| -> Result<Tensor> {
        let difference = (picture.narrow(dim, 1, length - 1)? - picture.narrow(dim, 0, length - 1)?)?;
        difference.pad_with_zeros(dim, 0, 1)
    };
    let squares = match (width > 1, height > 1) {
        (true, true) => (step(3, width)?.sqr()? + step(2, height)?.sqr()?)?,
        (true, false) => step(3, width)?.sqr()?,
        (false, true) => step(2, height)?.sqr()?,
        (false, false) => return picture.zeros_like()?.sum_all(),
    };
    squares.affine(1.0, EPSILON)?.sqrt()?.affine(1.0, -EPSILON.sqrt())?.sum_all()
}
