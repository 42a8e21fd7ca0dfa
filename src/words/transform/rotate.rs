//! Turning.

use candle_core::{Result, Tensor};

use super::{EDGE, FILL, SAMPLE, edge, is_always, sample};
use crate::ops::{Operation, Placement, warp, warp_operation};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::Transform;

pub(super) struct Rotate;

static SPEC: Spec = Spec {
    kind: Kind::Transform,
    name: "rotate",
    aliases: &["rotation", "random_rotate", "random_rotation", "RandomRotation", "turn"],
    summary: "turns the picture about its centre",
    doc: "The size stays: corners leave the picture and what lies outside comes in. With `scale` beside it, `affine` does both with one resampling.",
    source: "torchvision.transforms.RandomRotation; lucid random_rotate: −10..10",
    params: &[
        Param::new(
            "angle",
            Type::Number { unit: Unit::Deg, min: -3600.0, max: 3600.0 },
            Presence::Required,
            "Angle, counter-clockwise as seen.",
        )
        .drawn()
        .animated()
        .alias(&["degrees", "rotate", "rotation"]),
        SAMPLE,
        EDGE,
        FILL,
    ],
    positional: 1,
    block: false,
    example: "transform { rotate(±15deg) }",
};

fn placement(args: &Args, at: &Moment) -> Placement {
    Placement { degrees: args.number("angle", at), ..Placement::default() }
}

impl Transform for Rotate {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn apply(&self, picture: &Tensor, args: &Args, at: &Moment) -> Result<Tensor> {
        warp(picture, &placement(args, at), sample(args), edge(args, at))
    }

    fn operation(&self, picture: &Tensor, args: &Args, at: &Moment) -> Result<Option<Operation>> {
        warp_operation(picture, &placement(args, at), sample(args), edge(args, at))
    }

    fn is_identity(&self, args: &Args) -> bool {
        is_always(args, "angle", 0.0)
    }
}
