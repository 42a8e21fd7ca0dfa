//! A power of the distance from a value.

use candle_core::{Result, Tensor};

use super::{AROUND, WEIGHT, deviation};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::Penalty;

pub(super) struct Lp;

static SPEC: Spec = Spec {
    kind: Kind::Penalty,
    name: "lp",
    aliases: &["l_p", "p_norm", "alpha_norm", "l6", "norm"],
    summary: "holds values together by a high power of their distance",
    doc: "weight · Σ |v − around|^power, summed over pixels and channels of the canvas.\n\nWith a power of 4 to 8 values are free near the middle and hit a wall where they leave it: it holds a picture in range and costs little contrast, which `l2` does.",
    source: "Mahendran, Vedaldi 2014, Understanding Deep Image Representations by Inverting Them: power 6",
    params: &[
        WEIGHT,
        Param::new(
            "power",
            Type::Integer { unit: Unit::None, min: 2, max: 16 },
            Presence::Default("6"),
            "The power, a whole number; 2 is `l2`.",
        )
        .alias(&["p", "alpha", "exponent"]),
        AROUND,
    ],
    positional: 1,
    block: false,
    example: "regularize lp(1, power = 6)",
};

impl Penalty for Lp {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn value(&self, picture: &Tensor, args: &Args, at: &Moment) -> Result<Tensor> {
        let off = deviation(picture, args, at)?;
        let square = off.sqr()?;
        let power = args.integer("power").max(2);
        // |x|^p of an odd p: x² … times |x|, whose sign is no variable.
        let mut product = if power % 2 == 1 { (&off * off.detach().sign()?)? } else { off.ones_like()? };
        for _ in 0..power / 2 {
            product = (product * &square)?;
        }
        product.sum_all()? * args.number("weight", at)
    }
}
