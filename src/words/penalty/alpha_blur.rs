//! Grain of the picture's opacity.

use candle_core::{Result, Tensor};

use super::MOST;
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::Penalty;

pub(super) struct AlphaBlur;

/// What a neighbour counts in lucid's blur of 3x3, whose middle counts twice as much: they sum to 1.
const NEIGHBOUR: f64 = 0.1;

static SPEC: Spec = Spec {
    kind: Kind::Penalty,
    name: "alpha_blur",
    aliases: &["blur_alpha", "blur_alpha_each_step", "smooth_alpha"],
    summary: "makes the picture's opacity smooth",
    doc: "weight · 0.05 · Σ (α(p) − α(q))² over all pairs of neighbours p, q, diagonal ones too. Its gradient is weight · (α − blur α), blur a window of 3x3 whose middle counts twice as much as each of the rest: a step of plain descent blurs alpha by as much. The canvas must have alpha: `as pixels(alpha = on)`.\n\nWithout it `pixels` leaves alpha as grain; `fourier` and `pyramid` are smooth by themselves.",
    source: "lucid objectives.blur_alpha_each_step: weight 0.1",
    params: &[Param::new(
        "weight",
        Type::Number { unit: Unit::None, min: 0.0, max: MOST },
        Presence::Required,
        "The factor before the sum; lucid's is 0.1.",
    )
    .animated()
    .alias(&["strength", "lambda", "factor", "coefficient", "w"])],
    positional: 1,
    block: false,
    example: "regularize alpha_blur(0.1)",
};

impl Penalty for AlphaBlur {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn reads_alpha(&self) -> bool {
        true
    }

    fn value(&self, alpha: &Tensor, args: &Args, at: &Moment) -> Result<Tensor> {
        let (_, _, height, width) = alpha.dims4()?;
        let mut total = alpha.zeros_like()?.sum_all()?;
        // To the right, below, and below on either side: each pair once.
        for (down, from, to) in [(0, 0, 1), (1, 0, 0), (1, 0, 1), (1, 1, 0)] {
            if height <= down || width <= from.max(to) {
                continue;
            }
            let (rows, columns) = (height - down, width - from.max(to));
            let first = alpha.narrow(2, 0, rows)?.narrow(3, from, columns)?;
            let second = alpha.narrow(2, down, rows)?.narrow(3, to, columns)?;
            total = (total + (first - second)?.sqr()?.sum_all()?)?;
        }
        total * (0.5 * NEIGHBOUR * args.number("weight", at))
    }
}
