//! Signed values.

use candle_core::{Result, Tensor};

use super::{AROUND, MOST, deviation};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::Penalty;

pub(super) struct Sum;

static SPEC: Spec = Spec {
    kind: Kind::Penalty,
    name: "sum",
    aliases: &["mean", "brightness", "darkness", "signed_l1"],
    summary: "makes the picture darker, or brighter",
    doc: "weight · Σ (v − around), summed over pixels and channels of the canvas; the sign of the colour is kept, which is what the guide calls a sort of L1.\n\nIts gradient is the weight itself, everywhere: each step of `sgd(lr)` makes every value darker by lr · weight (brighter, with a negative weight), and what the network needs rises against it. It has no least value: without `clamp` on the canvas or an end of the run it goes on. `around` only moves the score, never the picture.",
    source: "the guide: 0.003, on its eternal zoom",
    params: &[
        Param::new(
            "weight",
            Type::Number { unit: Unit::None, min: -MOST, max: MOST },
            Presence::Required,
            "The factor before the sum: positive darkens, negative brightens.",
        )
        .animated()
        .alias(&["strength", "lambda", "factor", "coefficient", "w"]),
        AROUND,
    ],
    positional: 1,
    block: false,
    example: "regularize sum(0.003)",
};

impl Penalty for Sum {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn value(&self, picture: &Tensor, args: &Args, at: &Moment) -> Result<Tensor> {
        deviation(picture, args, at)?.sum_all()? * args.number("weight", at)
    }
}
