//! Shifting by whole pixels.

use candle_core::{Result, Tensor};

use super::{FILL, edge, edges, is_always};
use crate::ops::{Taps, separable};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::Transform;

pub(super) struct Jitter;

static SPEC: Spec = Spec {
    kind: Kind::Transform,
    name: "jitter",
    aliases: &["random_translate", "shake", "roll", "random_jitter"],
    summary: "shifts the picture by a few whole pixels",
    doc: "dx and dy are whole numbers, drawn alike from −distance … distance, ends included, to both sides. The size stays. It costs nothing in sharpness: no value is mixed with another. What it breaks up are patterns that hold on to the network's own grid of strides. Several jitters after one another are rounder than one: their sum is nearly normal. `edge = wrap` is the original DeepDream's roll.",
    source: "Mordvintsev et al. 2015 (roll by ±32); lucid transform.jitter: 8 px, then 4 px (it crops, so it draws one side only)",
    params: &[
        Param::new(
            "distance",
            Type::Integer { unit: Unit::Px, min: 0, max: 1024 },
            Presence::Required,
            "The greatest shift along each axis, in pixels. Tweened, it is rounded.",
        )
        .animated()
        .alias(&["d", "by", "pixels", "amount"]),
        edges(
            Type::Choice(&["constant", "reflect", "replicate", "wrap"]),
            "What comes in from outside the picture: the value of `fill`, the picture mirrored about its outermost pixels, its outermost pixels again and again, or what left on the other side.",
        ),
        FILL,
    ],
    positional: 1,
    block: false,
    example: "transform { jitter(8px) }",
};

impl Transform for Jitter {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn apply(&self, picture: &Tensor, args: &Args, at: &Moment) -> Result<Tensor> {
        let distance = args.number("distance", at).round().max(0.0) as i64;
        let draw = |axis: &str| at.rng(axis).below(2 * distance as usize + 1) as i64 - distance;
        let edge = edge(args, at);
        let (_, _, height, width) = picture.dims4()?;
        let shift = |length: usize, by: i64| Taps::pick((0..length as i64).map(|i| i - by), length, edge);
        separable(picture, &shift(height, draw("y")), &shift(width, draw("x")), edge)
    }

    fn is_identity(&self, args: &Args) -> bool {
        is_always(args, "distance", 0.0)
    }
}
