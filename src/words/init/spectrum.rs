//! Noise in the canvas's own parameters.

use candle_core::Result;

use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::{Init, Photos, Start};

pub(super) struct Spectrum;

static SPEC: Spec = Spec {
    kind: Kind::Init,
    name: "spectrum",
    aliases: &["fft", "parameters", "random_fft"],
    summary: "noise in the canvas's own parameters",
    doc: "Every parameter of the canvas starts as sd · n, n normal. What a canvas that is no `pixels` starts as where nothing is said: on `fourier(decay = 1)` it is 1/f noise so faint that the picture is flat gray to the eye (deviation about 0.003). On `pixels` it is the picture that `fourier` would have.",
    source: "lucid optvis/param/spatial.py: sd 0.01",
    params: &[Param::new(
        "sd",
        Type::Number { unit: Unit::None, min: 0.0, max: 1000.0 },
        Presence::Default("0.01"),
        "The deviation of every parameter.",
    )
    .drawn()
    .alias(&["sigma", "std", "scale"])],
    positional: 1,
    block: false,
    example: "init spectrum(0.01)",
};

impl Init for Spectrum {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn start(&self, _: usize, _: usize, args: &Args, at: &Moment, _: Photos) -> Result<Start> {
        let sd = args.number("sd", at);
        let mut rng = at.rng("parameters");
        Ok(Start::Parameters(Box::new(move || sd * rng.normal())))
    }
}
