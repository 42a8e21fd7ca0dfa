//! What the network sees of the picture. Gradients flow through all of them, and one draw serves all pictures of a
//! tensor: variants see the same transforms.

mod affine;

mod color_jitter;
mod color_matrix;
mod crop;
mod flip;
mod gaussian_blur;
mod jitter;
mod noise;
mod pad;
mod random_crop;
mod resize;
mod rotate;
mod scale;
mod smooth_gradient;

use super::Transform;
use crate::ops::{Edge, Sample};
use crate::spec::{Args, Moment, Param, Presence, Type, Unit};

/// All transforms.
pub static TRANSFORMS: &[&dyn Transform] = &[
    &color_jitter::ColorJitter,
    &color_matrix::ColorMatrix,
    &affine::Affine,
    &rotate::Rotate,
    &scale::Scale,
    &jitter::Jitter,
    &pad::Pad,
    &crop::Crop,
    &random_crop::RandomCrop,
    &resize::Resize,
    &noise::Noise,
    &gaussian_blur::GaussianBlur,
    &smooth_gradient::SmoothGradient,
    &flip::Flip,
];

const SAMPLE: Param = Param::new(
    "sample",
    Type::Choice(&["bilinear", "nearest", "bicubic"]),
    Presence::Default("bilinear"),
    "How values between pixels are found: `nearest` takes the nearest pixel (torchvision's default, and the guide's), `bilinear` weighs 4, `bicubic` 16 (Keys 1981, a = −0.5) and may overshoot.",
)
.alias(&["interpolation", "interpolate", "mode", "resample", "filter"]);
const EDGE: Param = edges(
    Type::Choice(&["constant", "reflect", "replicate"]),
    "What lies outside the picture: the value of `fill`, the picture mirrored about its outermost pixels, or its outermost pixels again and again.",
);

const fn edges(ty: Type, doc: &'static str) -> Param {
    Param::new("edge", ty, Presence::Default("constant"), doc).alias(&["padding_mode", "border", "outside"])
}

const FILL: Param = Param::new(
    "fill",
    Type::Number { unit: Unit::None, min: -10.0, max: 10.0 },
    Presence::Default("0.5"),
    "The value outside the picture where `edge = constant`; 0.5 is gray.",
)
.drawn()
.animated()
.alias(&["fillcolor", "fill_value", "value", "pad_value", "cval"]);

/// The parameter [`SAMPLE`].
fn sample(args: &Args) -> Sample {
    Sample::of(args.choice("sample"))
}

/// The parameters [`EDGE`] and [`FILL`].
fn edge(args: &Args, at: &Moment) -> Edge {
    match args.choice("edge") {
        "reflect" => Edge::Reflect,
        "replicate" => Edge::Replicate,
        "wrap" => Edge::Wrap,
        _ => Edge::Constant(args.number("fill", at)),
    }
}

/// Whether a parameter always has the value that changes nothing.
fn is_always(args: &Args, name: &str, neutral: f64) -> bool {
    args.dial(name).is_none_or(|dial| dial.bounds() == (neutral, neutral))
}
