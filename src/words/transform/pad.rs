//! A border.

use candle_core::{Result, Tensor};

use super::{EDGE, FILL, edge};
use crate::ops::{Taps, separable};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::{Sizes, Transform};

pub(super) struct Pad;

static SPEC: Spec = Spec {
    kind: Kind::Transform,
    name: "pad",
    aliases: &["padding", "border", "margin"],
    summary: "puts a border round the picture",
    doc: "The picture becomes larger by twice as many pixels each way. Before `jitter`, `rotate` and `scale` it gives them something to move in, so that the picture itself doesn't leave; a network also sees the borders of a picture, and a border of gray keeps forms off them.",
    source: "lucid transform.pad: 12 px of 0.5 before its jitter",
    params: &[
        Param::new(
            "by",
            Type::Integer { unit: Unit::Px, min: 0, max: 1024 },
            Presence::Required,
            "Pixels on each of the four sides.",
        )
        .alias(&["padding", "width", "pixels", "w"]),
        EDGE,
        FILL,
    ],
    positional: 1,
    block: false,
    example: "transform { pad(12px) ; jitter(8px) }",
};

impl Transform for Pad {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn apply(&self, picture: &Tensor, args: &Args, at: &Moment) -> Result<Tensor> {
        let (by, edge) = (args.integer("by"), edge(args, at));
        let (_, _, height, width) = picture.dims4()?;
        let padded = |length: usize| Taps::pick(-by..length as i64 + by, length, edge);
        separable(picture, &padded(height), &padded(width), edge)
    }

    fn sizes(&self, args: &Args, sizes: Sizes) -> Sizes {
        let more = 2 * args.integer("by").max(0) as usize;
        sizes.map(|length| length + more, |length| length + more)
    }

    fn is_identity(&self, args: &Args) -> bool {
        args.integer("by") == 0
    }
}
