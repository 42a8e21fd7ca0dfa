//! A blur that stops at edges.

use candle_core::{Result, Tensor};

use crate::ops::bilateral;
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::Filter;

pub(super) struct Bilateral;

static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "bilateral",
    aliases: &["bilateral_filter", "bilateralFilter", "edge_preserving"],
    summary: "a blur that stops at edges",
    doc: "Each pixel becomes the mean of those in the window round it, weighted by e^(−d²/2σₛ²) · e^(−c²/2σ꜀²): d is their distance in pixels, c the length of the difference of their colours (R, G, B together, so colours stay pure). The picture is mirrored about its outermost pixels.\n\nSmooths grain that is fainter than σ꜀ and keeps edges that are stronger, so it can act more often than a Gaussian blur without taking the forms. With σ꜀ far above 1 it is a Gaussian blur.",
    source: "Tomasi, Manduchi 1998, Bilateral Filtering for Gray and Color Images; Tyka 2016, Class visualization with bilateral filters",
    params: &[
        Param::new(
            "size",
            Type::Odd { min: 1, max: 31 },
            Presence::Default("5"),
            "Pixels that the window is wide and high, an odd number. The time grows with its square.",
        )
        .alias(&["kernel", "kernel_size", "ksize", "d", "width"]),
        Param::new(
            "sigma_space",
            Type::Number { unit: Unit::None, min: 0.05, max: 50.0 },
            Presence::Default("1.5"),
            "σₛ: how far it blurs, in pixels.",
        )
        .drawn()
        .animated()
        .alias(&["sigma", "sigmaSpace", "sigma_spatial"]),
        Param::new(
            "sigma_color",
            Type::Number { unit: Unit::None, min: 0.001, max: 1000.0 },
            Presence::Default("0.1"),
            "σ꜀: differences of colour below it are smoothed; black and white differ by √3.",
        )
        .drawn()
        .animated()
        .alias(&["sigma_colour", "sigmaColor", "sigma_range", "sigma_intensity"]),
    ],
    positional: 0,
    block: false,
    example: "blur bilateral(size = 5, sigma_space = 1.5, sigma_color = 0.1) every 4 steps",
};

impl Filter for Bilateral {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn apply(&self, picture: &Tensor, args: &Args, at: &Moment) -> Result<Tensor> {
        let radius = (args.integer("size").max(1) / 2) as usize;
        bilateral(picture, radius, args.number("sigma_space", at), args.number("sigma_color", at))
    }
}
