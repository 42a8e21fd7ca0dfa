//! Gaussian blur.

use candle_core::{Result, Tensor};

use crate::ops::{Edge, Taps, separable};
use crate::spec::{Arg, Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::Filter;

pub(super) struct Gaussian;

static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "gaussian",
    aliases: &["gaussian_blur", "GaussianBlur", "blur", "gauss"],
    summary: "a Gaussian blur",
    doc: "Each value becomes the mean of those round it, weighted by e^(−d²/2σ²) with d the distance in pixels; the picture is mirrored about its outermost pixels. Along an axis the weights are cut off after (size − 1)/2 pixels and sum to 1.\n\nTakes the fine grain away and leaves what is coarser than about σ: with `every 10 steps` and σ 1.5 only forms that the network rebuilds at once survive. Edges go as well; `bilateral` and `median` spare them.",
    source: "torchvision.transforms.functional.gaussian_blur; the guide: size 5, σ 1.5; Yosinski et al. 2015: radius 0.5 to 1 every 4 steps",
    params: &[
        Param::new(
            "size",
            Type::Odd { min: 1, max: 101 },
            Presence::Optional("2 · ceil(3 σ) + 1, at most 101: hardly anything is cut off"),
            "Pixels that the window is wide and high, an odd number.",
        )
        .alias(&["kernel", "kernel_size", "ksize", "width"]),
        Param::new(
            "sigma",
            Type::Number { unit: Unit::None, min: 0.05, max: 50.0 },
            Presence::Default("1.5"),
            "σ, the width of the blur, in pixels.",
        )
        .drawn()
        .animated()
        .alias(&["sd", "std", "radius"]),
    ],
    positional: 0,
    block: false,
    example: "blur gaussian(size = 5, sigma = 1.5) every 10 steps",
};

impl Filter for Gaussian {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn apply(&self, picture: &Tensor, args: &Args, at: &Moment) -> Result<Tensor> {
        let sigma = args.number("sigma", at);
        let radius = match args.get("size") {
            Arg::None => (3.0 * sigma).ceil().min(50.0) as i64,
            _ => args.integer("size") / 2,
        };
        let (_, _, height, width) = picture.dims4()?;
        let weights = bell(radius, sigma);
        let taps = |length: usize| Taps::window(&weights, length, Edge::Reflect);
        separable(&picture.detach(), &taps(height), &taps(width), Edge::Reflect)
    }
}

/// e^(−d²/2σ²) for d = −radius … radius, of sum 1.
fn bell(radius: i64, sigma: f64) -> Vec<f64> {
    let weights: Vec<f64> =
        (-radius..=radius).map(|d| libm::exp(-0.5 * (d as f64 / sigma) * (d as f64 / sigma))).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}
