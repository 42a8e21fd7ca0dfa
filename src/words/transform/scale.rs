//! Zooming.

use candle_core::{Result, Tensor};

use super::{EDGE, FILL, SAMPLE, edge, is_always, sample};
use crate::ops::{Operation, Placement, warp, warp_operation};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::Transform;

pub(super) struct Scale;

static SPEC: Spec = Spec {
    kind: Kind::Transform,
    name: "scale",
    aliases: &["zoom", "random_scale", "RandomScale"],
    summary: "zooms into the picture, or out of it, about its centre",
    doc: "The size of the picture stays (`resize` changes it). A network knows things at several sizes; a picture that must work at all of them has parts of all of them. Shrinking doesn't average first, so below about 0.5 fine grain aliases.",
    source: "torchvision.transforms.RandomAffine(scale); lucid random_scale: 0.90, 0.92 … 1.10, which changes the size",
    params: &[
        Param::new(
            "factor",
            Type::Number { unit: Unit::None, min: 0.01, max: 100.0 },
            Presence::Required,
            "Factor of size: above 1 zooms in. `90%..110%` is 0.9..1.1.",
        )
        .drawn()
        .animated()
        .alias(&["scale", "zoom", "by"]),
        SAMPLE,
        EDGE,
        FILL,
    ],
    positional: 1,
    block: false,
    example: "transform { scale(90%..110%) }",
};

fn placement(args: &Args, at: &Moment) -> Placement {
    Placement { scale: args.number("factor", at), ..Placement::default() }
}

impl Transform for Scale {
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
        is_always(args, "factor", 1.0)
    }
}
