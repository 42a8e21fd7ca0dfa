//! Differences of neighbours.

use candle_core::{Result, Tensor};

use super::{WEIGHT, sum_of_magnitudes};
use crate::spec::{Args, Kind, Moment, Spec};
use crate::words::Penalty;

pub(super) struct Tv;

static SPEC: Spec = Spec {
    kind: Kind::Penalty,
    name: "tv",
    aliases: &["total_variation", "variation", "smoothness"],
    summary: "makes neighbouring pixels alike",
    doc: "weight · Σ (|v(x+1, y) − v(x, y)| + |v(x, y+1) − v(x, y)|), summed over pixels and channels of the canvas.\n\nNoise costs most, an edge costs its height and not its sharpness: flat patches with crisp borders come out, like a painting of few colours. Too much of it leaves nothing. It measures along the axes, so slanted edges cost up to 1.4 times as much.",
    source: "Rudin, Osher, Fatemi 1992; Mahendran, Vedaldi 2014; lucid objectives.total_variation: weight 0.25 on 64 pixels",
    params: &[WEIGHT],
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
