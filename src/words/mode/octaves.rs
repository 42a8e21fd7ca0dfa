//! DeepDream's sizes, from small to large.

use crate::spec::{Kind, Param, Presence, Spec, Type, Unit};
use crate::words::Mode;

pub(super) struct Octaves;

static SPEC: Spec = Spec {
    kind: Kind::Mode,
    name: "octaves",
    aliases: &["octave", "multiscale", "deep_dream_octaves", "pyramid"],
    summary: "runs at several sizes, from small to large",
    doc: "The stage runs `count` times, at sizes W/scale^k, k = count − 1 … 0, each for all of its steps; optimizer and tweens start anew each time. From one size to the next the picture is made larger, bicubic. Where it started from a photo, only what was dreamed into it is: the photo's own detail comes from the photo at each size, so it stays sharp.\n\nForms that are small at a large size are large at a small one, so one unit dreams at several scales. The original: `init image`, `maximize layer(…)`, `transform { jitter(32px, edge = wrap) }`, `optimize sgd(lr = 0.02, normalize = mean_abs) for 10 steps`, 4 octaves of 1.4.",
    source: "Mordvintsev, Olah, Tyka 2015, google/deepdream dream.ipynb (octave_n 4, octave_scale 1.4, 10 iterations, jitter 32, step 1.5 of 255)",
    params: &[
        Param::new(
            "count",
            Type::Integer { unit: Unit::None, min: 1, max: 16 },
            Presence::Default("4"),
            "How many sizes there are, the canvas's own included.",
        )
        .alias(&["n", "octave_n", "levels", "number"]),
        Param::new(
            "scale",
            Type::Number { unit: Unit::None, min: 1.05, max: 4.0 },
            Presence::Default("1.4"),
            "The factor from one size to the next.",
        )
        .alias(&["octave_scale", "factor", "ratio"]),
    ],
    positional: 1,
    block: false,
    example: "mode octaves(4, scale = 1.4)",
};

/// The checker makes stages of it.
impl Mode for Octaves {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn acts(&self) -> bool {
        false
    }
}
