//! Magnitudes.

use candle_core::{Result, Tensor};

use super::{AROUND, WEIGHT, deviation, sum_of_magnitudes};
use crate::spec::{Args, Kind, Moment, Spec};
use crate::words::Penalty;

pub(super) struct L1;

static SPEC: Spec = Spec {
    kind: Kind::Penalty,
    name: "l1",
    aliases: &["lasso", "l1_norm", "abs"],
    summary: "pulls every pixel to gray, all alike",
    doc: "weight · Σ |v − around|, summed over pixels and channels of the canvas.\n\nIts gradient is ± weight, 0 at `around`: small deviations are pulled back as strongly as great ones, so what isn't needed becomes quite flat and what is needed keeps its contrast. In a step of `sgd(lr)` every value moves lr · weight, and values nearer than that to `around` hop across it.",
    source: "Olah, Mordvintsev, Schubert 2017, Feature Visualization (Distill), figure on frequency penalization: weight 0.05 about 0.5; lucid objectives.L1",
    params: &[WEIGHT, AROUND],
    positional: 1,
    block: false,
    example: "regularize l1(0.05)",
};

impl Penalty for L1 {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn value(&self, picture: &Tensor, args: &Args, at: &Moment) -> Result<Tensor> {
        sum_of_magnitudes(&deviation(picture, args, at)?)? * args.number("weight", at)
    }
}
