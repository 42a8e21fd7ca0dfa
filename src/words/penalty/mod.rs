//! Terms that keep the picture in bounds: sums over pixels and channels, as in the guide.

mod alpha_blur;
mod boundary;
mod high_frequency;
mod l1;
mod l2;
mod lp;
mod opacity;
mod sum;
mod tv;

use candle_core::{Result, Tensor};

use super::Penalty;
use crate::spec::{Args, Moment, Param, Presence, Type, Unit};

/// All penalties.
pub static PENALTIES: &[&dyn Penalty] = &[
    &l2::L2,
    &l1::L1,
    &lp::Lp,
    &sum::Sum,
    &tv::Tv,
    &high_frequency::HighFrequency,
    &boundary::Boundary,
    &opacity::Opacity,
    &alpha_blur::AlphaBlur,
];

/// More than any use.
const MOST: f64 = 1e6;

const WEIGHT: Param = Param::new(
    "weight",
    Type::Number { unit: Unit::None, min: 0.0, max: MOST },
    Presence::Required,
    "The factor before the sum. The sum grows with the number of pixels, the gradient of each pixel doesn't: a weight works alike at every size.",
)
.animated().alias(&["strength", "lambda", "factor", "coefficient", "w"]);

const AROUND: Param = Param::new(
    "around",
    Type::Number { unit: Unit::None, min: -10.0, max: 10.0 },
    Presence::Default("0.5"),
    "The value that costs nothing: 0.5 is gray.",
)
.animated()
.alias(&["about", "center", "centre", "constant", "target", "mean"]);

/// picture − around
fn deviation(picture: &Tensor, args: &Args, at: &Moment) -> Result<Tensor> {
    picture.affine(1.0, -args.number("around", at))
}

/// Σ |x|, with gradient 0 at 0: candle's own `abs` has 1 there, which would tilt a flat picture.
fn sum_of_magnitudes(x: &Tensor) -> Result<Tensor> {
    (x * x.detach().sign()?)?.sum_all()
}
