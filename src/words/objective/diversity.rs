//! Variants that differ from each other.

use candle_core::{Result, Tensor};

use super::{NODE, gram};
use crate::spec::{Args, Kind, Moment, Spec};
use crate::words::{Against, Objective, Other};

pub(super) struct Diversity;

/// Below it a gram matrix has no direction.
const NOTHING: f64 = 1e-12;

static SPEC: Spec = Spec {
    kind: Kind::Objective,
    name: "diversity",
    aliases: &["variety", "diverse"],
    summary: "variants whose textures differ",
    doc: "−mean over all other variants of cos(G(a), G(b)), with G(a) = mean over positions of a aᵀ, a this variant's and b the other's activation. Between −1 (all alike) and 1.\n\nA unit answers to several things; from one start all variants tend to one of them. With several seeds (`seed each 1..4`) and this on an earlier layer they come out as different facets. It is one of the two objectives by which variants know of each other, so all of them run together; alone it is 0.",
    source: "Olah, Mordvintsev, Schubert 2017, Feature Visualization (Distill), section \"Diversity\"; lucid objectives.diversity",
    params: &[NODE],
    positional: 1,
    block: false,
    example: "maximize channel(layer3, 12) + 5 * diversity(layer2)",
};

impl Objective for Diversity {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn against<'a>(&self, _: &'a Args) -> Against<'a> {
        Against::Variants
    }

    fn value(&self, tap: &Tensor, others: &[Other], _: &Args, _: &Moment) -> Result<Tensor> {
        let own = gram(tap)?.flatten_all()?;
        let mut sum = (own.sum_all()? * 0.0)?;
        for other in others {
            let other = gram(&other.tap.detach())?.flatten_all()?;
            let lengths = (own.sqr()?.sum_all()? * other.sqr()?.sum_all()?)?.affine(1.0, NOTHING)?.sqrt()?;
            sum = (sum - ((&own * &other)?.sum_all()? / lengths)?)?;
        }
        sum / others.len().max(1) as f64
    }
}
