//! Brightness, contrast, saturation and hue by one matrix.

use candle_core::{Result, Tensor};

use super::is_always;
use crate::ops::{Matrix3, invert, mix, product};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::Transform;

pub(super) struct ColorMatrix;

const fn factor(name: &'static str, doc: &'static str) -> Param {
    Param::new(name, Type::Number { unit: Unit::None, min: 0.0, max: 10.0 }, Presence::Default("1"), doc)
        .drawn()
        .animated()
}

static SPEC: Spec = Spec {
    kind: Kind::Transform,
    name: "color_matrix",
    aliases: &["colour_matrix", "yiq", "color_twist"],
    summary: "changes brightness, contrast, saturation and hue by one linear map",
    doc: "v ← c (b M v − 0.5) + 0.5 with b = `brightness`, c = `contrast` and M = Y⁻¹ R(h) S(s) Y, where Y goes from R, G and B to YIQ (luma and the two axes of colour), S multiplies the colour by s = `saturation` and R turns it by h = `hue`.\n\nUnlike `color_jitter` it cuts nothing off and has no kinks, contrast is about fixed gray and not about the picture's own mean, and hue turns in the plane of YIQ: gradients pass everywhere. For wide ranges it is the better one; for the guide's recipe take `color_jitter`.",
    source: "YIQ as Python's colorsys (NTSC, FCC 1953, rounded); DALI's color_twist",
    params: &[
        factor("brightness", "Factor of all values: 1 changes nothing, 0 is black."),
        factor("contrast", "Factor of the distance from gray 0.5: 1 changes nothing, 0 is gray."),
        factor("saturation", "Factor of the colour: 1 changes nothing, 0 takes it away."),
        Param::new(
            "hue",
            Type::Number { unit: Unit::None, min: -0.5, max: 0.5 },
            Presence::Default("0"),
            "By how much the hue is turned, in turns: 0 changes nothing, ±0.5 is the opposite colour.",
        )
        .drawn()
        .animated(),
    ],
    positional: 0,
    block: false,
    example: "transform { color_matrix(brightness = 80%..120%, contrast = 80%..120%, saturation = 60%..140%, hue = ±0.03) }",
};

/// R, G, B → Y, I, Q.
const YIQ: Matrix3 = [[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]];

/// What leaves each without effect.
const NEUTRAL: [(&str, f64); 4] = [("brightness", 1.0), ("contrast", 1.0), ("saturation", 1.0), ("hue", 0.0)];

impl Transform for ColorMatrix {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn apply(&self, picture: &Tensor, args: &Args, at: &Moment) -> Result<Tensor> {
        let (brightness, contrast) = (args.number("brightness", at), args.number("contrast", at));
        let (saturation, turn) = (args.number("saturation", at), std::f64::consts::TAU * args.number("hue", at));
        if (brightness, contrast, saturation, turn) == (1.0, 1.0, 1.0, 0.0) {
            return Ok(picture.clone());
        }
        let (sin, cos) = (saturation * libm::sin(turn), saturation * libm::cos(turn));
        let colour = product(invert(YIQ), product([[1.0, 0.0, 0.0], [0.0, cos, -sin], [0.0, sin, cos]], YIQ));
        let matrix = colour.map(|row| row.map(|entry| contrast * brightness * entry));
        mix(picture, matrix, [0.5 * (1.0 - contrast); 3])
    }

    fn is_identity(&self, args: &Args) -> bool {
        NEUTRAL.iter().all(|(name, neutral)| is_always(args, name, *neutral))
    }
}
