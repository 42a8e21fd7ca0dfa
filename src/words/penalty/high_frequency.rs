//! Fine detail.

use candle_core::{Result, Tensor};

use super::WEIGHT;
use crate::ops::{Edge, Taps, separable};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::Penalty;

pub(super) struct HighFrequency;

static SPEC: Spec = Spec {
    kind: Kind::Penalty,
    name: "high_frequency",
    aliases: &["high_frequencies", "hf", "blur_each_step", "highpass", "detail"],
    summary: "weighs against fine detail",
    doc: "weight · Σ (v − G v)², summed over pixels and channels of the canvas; G is a Gaussian blur of deviation sigma over the picture mirrored at its rim. A frequency of f cycles a pixel weighs (1 − e^(−2π²σ²f²))²: what is larger than some sigmas costs nothing.\n\nAs a blur at every step, but with a gradient: it yields where the network insists.",
    source: "lucid objectives.blur_input_each_step (3x3 window, gradient through the unblurred picture only)",
    params: &[
        WEIGHT,
        Param::new(
            "sigma",
            Type::Number { unit: Unit::None, min: 0.2, max: 50.0 },
            Presence::Default("1"),
            "The blur's deviation in pixels: the scale below which detail costs.",
        )
        .animated()
        .alias(&["sd", "radius"]),
    ],
    positional: 1,
    block: false,
    example: "regularize high_frequency(0.5, sigma = 1)",
};

impl Penalty for HighFrequency {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn value(&self, picture: &Tensor, args: &Args, at: &Moment) -> Result<Tensor> {
        let (_, _, height, width) = picture.dims4()?;
        let weights = gaussian(args.number("sigma", at));
        let taps = |length| Taps::window(&weights, length, Edge::Reflect);
        let smooth = separable(picture, &taps(height), &taps(width), Edge::Reflect)?;
        (picture - smooth)?.sqr()?.sum_all()? * args.number("weight", at)
    }
}

/// A Gaussian's weights up to 3 deviations, which sum to 1.
fn gaussian(sigma: f64) -> Vec<f64> {
    let radius = (3.0 * sigma).ceil() as i64;
    let weights = (-radius..=radius).map(|x| libm::exp(-((x * x) as f64) / (2.0 * sigma * sigma)));
    let sum: f64 = weights.clone().sum();
    weights.map(|weight| weight / sum).collect()
}
