//! Noise.

use candle_core::{Result, Tensor};

use super::is_always;
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::Transform;

pub(super) struct Noise;

static SPEC: Spec = Spec {
    kind: Kind::Transform,
    name: "noise",
    aliases: &["gaussian_noise", "random_noise", "GaussianNoise"],
    summary: "adds noise to what the network sees",
    doc: "v + sd · n for every value, n normal, drawn anew each iteration. What survives noise is what stands above it: the fine, faint patterns that fool a network don't. From 0.1 on it costs contrast and colour as well.",
    source: "Smilkov et al. 2017, SmoothGrad; Fel et al. 2023, MACO: 0.08; Fort, Whitaker 2025, Direct Ascent Synthesis: 0.2",
    params: &[Param::new(
        "sd",
        Type::Number { unit: Unit::None, min: 0.0, max: 10.0 },
        Presence::Default("0.05"),
        "The noise's deviation; the picture's values span 0..1.",
    )
    .drawn()
    .animated()
    .alias(&["sigma", "std", "level", "amount"])],
    positional: 1,
    block: false,
    example: "transform { noise(0.05) }",
};

impl Transform for Noise {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn apply(&self, picture: &Tensor, args: &Args, at: &Moment) -> Result<Tensor> {
        let sd = args.number("sd", at);
        let (_, channels, height, width) = picture.dims4()?;
        let mut rng = at.rng("noise");
        let noise: Vec<f64> = (0..channels * height * width).map(|_| sd * rng.normal()).collect();
        let noise = Tensor::from_vec(noise, (1, channels, height, width), picture.device())?;
        picture.broadcast_add(&noise.to_dtype(picture.dtype())?)
    }

    fn is_identity(&self, args: &Args) -> bool {
        is_always(args, "sd", 0.0)
    }
}
