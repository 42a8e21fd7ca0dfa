//! Gray, with a breath of noise.

use candle_core::Result;

use super::fill;
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::{Init, Photos, Start};

pub(super) struct Gray;

static SPEC: Spec = Spec {
    kind: Kind::Init,
    name: "gray",
    aliases: &["grey", "constant", "flat", "zeros"],
    summary: "one gray, with a little noise",
    doc: "level + noise · u for every value, u uniform in −1..1 and drawn for each channel alone.\n\nThe start for almost everything: whatever is seen at the end was put there by the network. The noise gives the gradient something to begin with; without any, a network may answer to flat gray with nothing at all.",
    source: "the guide: 0.5 ± 0.005",
    params: &[
        Param::new(
            "level",
            Type::Number { unit: Unit::None, min: 0.0, max: 1.0 },
            Presence::Default("0.5"),
            "The gray: 0 is black, 1 is white.",
        )
        .drawn()
        .alias(&["value", "mean"]),
        Param::new(
            "noise",
            Type::Number { unit: Unit::None, min: 0.0, max: 10.0 },
            Presence::Default("0.005"),
            "Half the width of the noise.",
        )
        .drawn(),
    ],
    positional: 1,
    block: false,
    example: "init gray(0.5, noise = 0.005)",
};

impl Init for Gray {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn start(&self, height: usize, width: usize, args: &Args, at: &Moment, _: Photos) -> Result<Start> {
        let (level, noise) = (args.number("level", at), args.number("noise", at));
        let mut rng = at.rng("pixels");
        fill(height, width, || level + noise * (2.0 * rng.uniform() - 1.0))
    }
}
