//! Uniform noise.

use candle_core::Result;

use super::fill;
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::{Init, Photos, Start};

pub(super) struct Uniform;

static SPEC: Spec = Spec {
    kind: Kind::Init,
    name: "uniform",
    aliases: &["rand", "random", "noise"],
    summary: "noise, every value alike between two bounds",
    doc: "low + (high − low) · u for every value, u uniform in 0..1 and drawn for each channel alone.\n\nThe guide's first, naive start. Most of that noise is still there at the end: nothing but a penalty or a blur takes it away.",
    source: "torch.rand; the guide's first recipe",
    params: &[
        Param::new(
            "low",
            Type::Number { unit: Unit::None, min: -10.0, max: 10.0 },
            Presence::Default("0"),
            "The least value.",
        )
        .alias(&["min", "from"]),
        Param::new(
            "high",
            Type::Number { unit: Unit::None, min: -10.0, max: 10.0 },
            Presence::Default("1"),
            "The greatest value.",
        )
        .alias(&["max", "to"]),
    ],
    positional: 2,
    block: false,
    example: "init uniform(0, 1)",
};

impl Init for Uniform {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn start(&self, height: usize, width: usize, args: &Args, at: &Moment, _: Photos) -> Result<Start> {
        let (low, high) = (args.number("low", at), args.number("high", at));
        let mut rng = at.rng("pixels");
        fill(height, width, || low + (high - low) * rng.uniform())
    }
}
