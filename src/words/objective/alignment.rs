//! Neighbouring variants that have the same things in the same places.

use candle_core::{Result, Tensor};

use super::NODE;
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::{Against, Objective, Other};

pub(super) struct Alignment;

/// Variants farther away than this are not looked at (lucid: offsets 1 to 4).
const REACH: i64 = 4;

static SPEC: Spec = Spec {
    kind: Kind::Objective,
    name: "alignment",
    aliases: &["align", "aligned_interpolation"],
    summary: "neighbouring variants that look alike in the same places",
    doc: "−Σ over the variants at most 4 places away of mean (a − b)² / decay^places, a this variant's and b the other's activation; mean over channels, positions and views.\n\nFor a row of variants that goes from one thing to another (`let t = each [0, 0.25, 0.5, 0.75, 1]`, `maximize lerp(class(\"hen\"), class(\"cock\"), t = $t)`): without it each finds a picture of its own, with it they are steps of one change. All variants run together; alone it is 0.",
    source: "Olah, Mordvintsev, Schubert 2017, Feature Visualization (Distill), section on interaction between neurons; lucid objectives.alignment (decay_ratio 2)",
    params: &[
        NODE,
        Param::new(
            "decay",
            Type::Number { unit: Unit::None, min: 0.01, max: 1000.0 },
            Presence::Default("2"),
            "By how much less a variant matters that is one place farther away.",
        )
        .animated()
        .alias(&["decay_ratio", "ratio"]),
    ],
    positional: 1,
    block: false,
    example: "maximize lerp(class(\"hen\"), class(\"cock\"), t = 0.5) + 0.1 * alignment(layer3)",
};

impl Objective for Alignment {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn against<'a>(&self, _: &'a Args) -> Against<'a> {
        Against::Variants
    }

    fn value(&self, tap: &Tensor, others: &[Other], args: &Args, at: &Moment) -> Result<Tensor> {
        let decay = args.number("decay", at);
        let mut sum = (tap.sum_all()? * 0.0)?;
        for other in others.iter().filter(|other| other.offset.abs() <= REACH) {
            let apart = (tap - &other.tap.detach())?.sqr()?.mean_all()?;
            sum = (sum - (apart / libm::pow(decay, other.offset.abs() as f64))?)?;
        }
        Ok(sum)
    }
}
