//! How much of the picture is opaque.

use candle_core::{Result, Tensor};

use super::MOST;
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::Penalty;

pub(super) struct Opacity;

static SPEC: Spec = Spec {
    kind: Kind::Penalty,
    name: "opacity",
    aliases: &["alpha", "mean_alpha", "transparency", "alpha_mean"],
    summary: "makes clear what the objective does not need",
    doc: "weight · A · mean alpha, A = what is maximized (Σ weight · term, as a number: no gradient flows through it), and nothing while A is negative. So a wholly opaque picture costs `weight` times what it scores and a clear one nothing: the same weight fits every network and objective. The canvas must have alpha: `as fourier(alpha = on)`.\n\nlucid maximizes A · (1 − mean alpha), which is weight 1 / (1 − mean alpha) of this: between 1 and 2. More of it leaves only the most telling parts.",
    source: "lucid recipes, neuron and channel visualizations with alpha: obj *= 1 − mean(alpha)",
    params: &[Param::new(
        "weight",
        Type::Number { unit: Unit::None, min: 0.0, max: MOST },
        Presence::Default("1"),
        "The share of what is maximized that an opaque picture costs.",
    )
    .animated()
    .alias(&["strength", "lambda", "factor", "coefficient", "w"])],
    positional: 1,
    block: false,
    example: "regularize opacity(1)",
};

impl Penalty for Opacity {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn reads_alpha(&self) -> bool {
        true
    }

    fn is_share(&self) -> bool {
        true
    }

    fn value(&self, alpha: &Tensor, args: &Args, at: &Moment) -> Result<Tensor> {
        alpha.mean_all()? * args.number("weight", at)
    }
}
