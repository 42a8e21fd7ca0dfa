//! Parametrizations of the picture, as words. What they do is in the runner.

use crate::spec::{Kind, Param, Presence, Spec, Type};

/// All parametrizations.
pub static CANVASES: &[&Spec] = &[&PIXELS];

static PIXELS: Spec = Spec {
    kind: Kind::Canvas,
    name: "pixels",
    aliases: &["pixel", "rgb", "raw", "naive"],
    summary: "the picture's own pixels",
    doc: "The optimizer moves the sRGB-encoded values themselves, each with the same rate. Nothing favours large forms over grain, so a recipe on pixels needs transforms, a penalty and a blur: that is the guide's road. Modes and filters act on it without loss, which makes it the safe choice for motion.",
    source: "Erhan et al. 2009, Visualizing Higher-Layer Features of a Deep Network; Simonyan et al. 2013",
    params: &[Param::new(
        "clamp",
        Type::Interval,
        Presence::Default("off"),
        "Bounds to which every value is clamped after each step. `off`, as in the guide: values may leave 0..1 while the run lasts, the network sees them so, and only files are clamped.",
    ).alias(&["clip", "bounds", "range"])],
    positional: 0,
    block: false,
    example: "canvas 299x299 as pixels(clamp = 0..1)",
};
