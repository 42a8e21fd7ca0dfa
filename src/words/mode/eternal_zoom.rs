//! A zoom without end.

use candle_core::{Result, Tensor};

use crate::ops::{Edge, Placement, Sample, warp};
use crate::spec::{Call, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::Mode;

pub(super) struct EternalZoom;

const fn drift(name: &'static str, doc: &'static str) -> Param {
    Param::new(name, Type::Number { unit: Unit::Px, min: -1024.0, max: 1024.0 }, Presence::Default("0px"), doc)
        .drawn()
        .animated()
}

static SPEC: Spec = Spec {
    kind: Kind::Mode,
    name: "eternal_zoom",
    aliases: &["zoom", "infinite_zoom", "endless_zoom", "ouroboros", "deep_zoom"],
    summary: "zooms into the picture for ever",
    doc: "Before each step the canvas is zoomed about its centre, turned, and then moved; one resampling, bicubic (a = −0.5), mirrored at the edges. What becomes too coarse the optimizer refines, so new detail keeps coming. Two steps make zoom² and twice the angle.\n\nAll numbers are per iteration: frames that are taken every n steps show the power zoomⁿ. 1.02 doubles the size every 35 iterations. The zoom must leave the optimizer time: far above 1.05 the picture melts. A `zoom` below 1 goes backwards, and the mirrored rim becomes the new picture.",
    source: "Mordvintsev, Olah, Tyka 2015, Inceptionism: the dream of 5 % a frame; the guide: 1.02",
    params: &[
        Param::new(
            "zoom",
            Type::Number { unit: Unit::None, min: 0.5, max: 2.0 },
            Presence::Default("1.02"),
            "Factor of size per iteration.",
        )
        .drawn()
        .animated()
        .alias(&["scale", "factor", "speed"]),
        Param::new(
            "rotate",
            Type::Number { unit: Unit::Deg, min: -180.0, max: 180.0 },
            Presence::Default("0deg"),
            "Angle per iteration, counter-clockwise as seen.",
        )
        .drawn()
        .animated()
        .alias(&["rotation", "angle", "turn"]),
        drift("drift_x", "Shift to the right per iteration, in pixels; parts of a pixel too.")
            .alias(&["drift", "shift_x", "x"]),
        drift("drift_y", "Shift downwards per iteration, in pixels; parts of a pixel too.").alias(&["shift_y", "y"]),
    ],
    positional: 0,
    block: false,
    example: "mode eternal_zoom(zoom = 1.02, rotate = 0.4deg)",
};

impl Mode for EternalZoom {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn apply(&self, picture: &Tensor, call: &Call, at: &Moment) -> Result<Tensor> {
        let args = &call.args;
        let placement = Placement {
            degrees: args.number("rotate", at),
            scale: args.number("zoom", at),
            shift: (args.number("drift_x", at), args.number("drift_y", at)),
            shear: (0.0, 0.0),
        };
        warp(&picture.detach(), &placement, Sample::Bicubic, Edge::Reflect)
    }
}
