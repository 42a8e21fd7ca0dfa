//! Normal noise.

use candle_core::Result;

use super::fill;
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::{Init, Photos, Start};

pub(super) struct Gaussian;

static SPEC: Spec = Spec {
    kind: Kind::Init,
    name: "gaussian",
    aliases: &["normal", "randn"],
    summary: "noise, normal about a value",
    doc: "mean + sd · n for every value, n normal and drawn for each channel alone. Values may leave 0..1.",
    source: "Yosinski et al. 2015, Understanding Neural Networks Through Deep Visualization: deviation 10 of 255",
    params: &[
        Param::new(
            "mean",
            Type::Number { unit: Unit::None, min: -10.0, max: 10.0 },
            Presence::Default("0.5"),
            "The mean of the values; 0.5 is gray.",
        )
        .drawn(),
        Param::new(
            "sd",
            Type::Number { unit: Unit::None, min: 0.0, max: 10.0 },
            Presence::Default("0.04"),
            "Their deviation.",
        )
        .drawn()
        .alias(&["sigma", "std", "scale"]),
    ],
    positional: 2,
    block: false,
    example: "init gaussian(0.5, sd = 0.04)",
};

impl Init for Gaussian {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn start(&self, height: usize, width: usize, args: &Args, at: &Moment, _: Photos) -> Result<Start> {
        let (mean, sd) = (args.number("mean", at), args.number("sd", at));
        let mut rng = at.rng("pixels");
        fill(height, width, || mean + sd * rng.normal())
    }
}
