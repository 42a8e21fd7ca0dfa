//! Rotations and mirror images that are all alike.

use candle_core::{Result, Tensor};

use crate::ops::{Edge, Placement, Sample, Taps, separable, warp};
use crate::spec::{Call, Kind, Param, Presence, Spec, Type, Unit};
use crate::words::Mode;

pub(super) struct Kaleidoscope;

static SPEC: Spec = Spec {
    kind: Kind::Mode,
    name: "kaleidoscope",
    aliases: &["symmetry", "mandala", "mirror", "rosette"],
    summary: "makes the picture symmetric about its centre",
    doc: "The picture is the mean of the canvas turned by k · 360°/segments, k = 0 … segments − 1, and with `mirror = on` of the mirror images of all of these. Files, penalties and the network see this picture, and gradients flow through it, so the network composes with the symmetry instead of against it. The canvas itself stays as it is, so it works with every parametrization. Turned copies are bilinear, and mirrored at the rim.",
    source: "the dihedral group's mean (Reynolds operator)",
    params: &[
        Param::new(
            "segments",
            Type::Integer { unit: Unit::None, min: 1, max: 24 },
            Presence::Default("6"),
            "How many times the picture repeats in a turn. 1, 2 and 4 need no resampling.",
        )
        .alias(&["n", "fold", "count", "order"]),
        Param::new(
            "mirror",
            Type::Switch,
            Presence::Default("on"),
            "Whether each segment is its own mirror image, as between real mirrors.",
        )
        .alias(&["reflect", "flip"]),
    ],
    positional: 1,
    block: false,
    example: "mode kaleidoscope(6)",
};

impl Mode for Kaleidoscope {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn acts(&self) -> bool {
        false
    }

    fn shape(&self, picture: &Tensor, call: &Call) -> Result<Tensor> {
        let segments = call.args.integer("segments").max(1);
        let (_, _, height, width) = picture.dims4()?;
        let mut sum = picture.clone();
        if call.args.switch("mirror") {
            let same = Taps::pick(0..height as i64, height, Edge::Replicate);
            let turned = Taps::pick((0..width as i64).rev(), width, Edge::Replicate);
            sum = (sum + separable(picture, &same, &turned, Edge::Replicate)?)?;
        }
        let mut all = sum.clone();
        for k in 1..segments {
            let placement = Placement { degrees: 360.0 * k as f64 / segments as f64, ..Placement::default() };
            all = (all + warp(&sum, &placement, Sample::Bilinear, Edge::Reflect)?)?;
        }
        let copies = if call.args.switch("mirror") { 2 * segments } else { segments };
        all / copies as f64
    }
}
