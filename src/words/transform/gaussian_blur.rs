//! Blurring what the network sees.

use candle_core::{Result, Tensor};

use super::is_always;
use crate::ops::{Edge, Taps, separable};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::Transform;

pub(super) struct GaussianBlur;

/// How many deviations the window reaches: beyond, less than 0.3 % of the weight lies.
const REACH: f64 = 3.0;

static SPEC: Spec = Spec {
    kind: Kind::Transform,
    name: "gaussian_blur",
    aliases: &["random_blur", "GaussianBlur", "smooth"],
    summary: "blurs what the network sees",
    doc: "A Gaussian of deviation sigma, cut off at 3 sigma and normalized; the picture goes on mirrored beyond its rim. A drawn sigma makes forms that are recognized sharp and blurred, so grain does not pay. The canvas itself stays as it is; to blur that, write `blur gaussian every 10 steps`.",
    source: "torchvision.transforms.GaussianBlur; xplique features_visualizations/transformations.py (sigma 1 to 1.1)",
    params: &[Param::new(
        "sigma",
        Type::Number { unit: Unit::None, min: 0.0, max: 100.0 },
        Presence::Required,
        "The deviation in pixels; 0 does nothing.",
    )
    .drawn()
    .animated()
    .alias(&["sd", "std", "radius", "size"])],
    positional: 1,
    block: false,
    example: "transform { gaussian_blur(0..1.5) }",
};

impl Transform for GaussianBlur {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn apply(&self, picture: &Tensor, args: &Args, at: &Moment) -> Result<Tensor> {
        blurred(picture, args.number("sigma", at))
    }

    fn is_identity(&self, args: &Args) -> bool {
        is_always(args, "sigma", 0.0)
    }
}

/// Whether a Gaussian is so narrow that the neighbours' weights vanish in f32.
pub(super) fn is_too_narrow(sigma: f64) -> bool {
    sigma < 0.15
}

/// `[N, C, H, W]` through a Gaussian of that deviation.
pub(super) fn blurred(picture: &Tensor, sigma: f64) -> Result<Tensor> {
    if is_too_narrow(sigma) {
        return Ok(picture.clone());
    }
    let radius = (REACH * sigma).ceil() as i64;
    let weights: Vec<f64> = (-radius..=radius).map(|x| libm::exp(-((x * x) as f64) / (2.0 * sigma * sigma))).collect();
    let sum: f64 = weights.iter().sum();
    let weights: Vec<f64> = weights.iter().map(|weight| weight / sum).collect();
    let (_, _, height, width) = picture.dims4()?;
    let taps = |length| Taps::window(&weights, length, Edge::Reflect);
    separable(picture, &taps(height), &taps(width), Edge::Reflect)
}
