//! Turning, zooming, shifting and shearing at once.

use candle_core::{Result, Tensor};

use super::{EDGE, FILL, SAMPLE, edge, is_always, sample};
use crate::ops::{Operation, Placement, warp, warp_operation};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::Transform;

pub(super) struct Affine;

const fn shift(name: &'static str, doc: &'static str) -> Param {
    Param::new(name, Type::Number { unit: Unit::Px, min: -4096.0, max: 4096.0 }, Presence::Default("0px"), doc)
        .drawn()
        .animated()
}

const fn shear(name: &'static str, doc: &'static str) -> Param {
    Param::new(name, Type::Number { unit: Unit::Deg, min: -80.0, max: 80.0 }, Presence::Default("0deg"), doc)
        .drawn()
        .animated()
}

static SPEC: Spec = Spec {
    kind: Kind::Transform,
    name: "affine",
    aliases: &["random_affine", "RandomAffine", "translate", "shear", "warp"],
    summary: "turns, zooms, shifts and shears the picture, about its centre",
    doc: "In this order: shear, zoom and turn about the centre, then shift; the size stays. All of it is one resampling, so it blurs once, where `rotate` and `scale` one after another blur twice.\n\nThe most useful of all transforms: forms that are recognized turned and zoomed are large and connected. Wide ranges give clearer pictures of whole objects (`rotate = ±25deg, scale = 0.5..1.4`), narrow ones keep detail. Outside the picture lies gray by default; mirrored edges show no border but double what lies there.",
    source: "torchvision.transforms.RandomAffine (which turns the other way, takes shifts as shares of the size, and darkens the rim when it interpolates against a fill); the guide: ±15°, 0.96..1.04",
    params: &[
        Param::new(
            "rotate",
            Type::Number { unit: Unit::Deg, min: -3600.0, max: 3600.0 },
            Presence::Default("0deg"),
            "Angle, counter-clockwise as seen.",
        )
        .drawn()
        .animated()
        .alias(&["rotation", "angle", "degrees"]),
        Param::new(
            "scale",
            Type::Number { unit: Unit::None, min: 0.01, max: 100.0 },
            Presence::Default("1"),
            "Factor of size: above 1 zooms in, below 1 shrinks the picture and shows what lies outside.",
        )
        .drawn()
        .animated()
        .alias(&["zoom", "factor"]),
        shift("shift_x", "Shift to the right, in pixels; parts of a pixel too.").alias(&[
            "translate",
            "translate_x",
            "shift",
            "x",
            "dx",
        ]),
        shift("shift_y", "Shift downwards, in pixels; parts of a pixel too.").alias(&["translate_y", "y", "dy"]),
        shear("shear_x", "Shear along x: the upper half leans to the right by this angle (torchvision's).")
            .alias(&["shear"]),
        shear("shear_y", "Shear along y: the right half leans upwards by this angle (torchvision's)."),
        SAMPLE,
        EDGE,
        FILL,
    ],
    positional: 0,
    block: false,
    example: "transform { affine(rotate = ±15deg, scale = 0.96..1.04, fill = 0.5, sample = nearest) }",
};

fn placement(args: &Args, at: &Moment) -> Placement {
    Placement {
        degrees: args.number("rotate", at),
        scale: args.number("scale", at),
        shift: (args.number("shift_x", at), args.number("shift_y", at)),
        shear: (args.number("shear_x", at), args.number("shear_y", at)),
    }
}

impl Transform for Affine {
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
        ["rotate", "shift_x", "shift_y", "shear_x", "shear_y"].iter().all(|name| is_always(args, name, 0.0))
            && is_always(args, "scale", 1.0)
    }
}
