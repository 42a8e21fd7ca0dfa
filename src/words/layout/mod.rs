//! How pictures are put together in a file, as words. What they do is in `render`.

use crate::spec::{Kind, Param, Presence, Spec, Type, Unit};

/// All layouts.
pub static LAYOUTS: &[&Spec] = &[&FRAMES, &GRID, &SHEET, &BEST, &STRIP, &FLIPBOOK, &VIEW];

const SCALE: Param = Param::new(
    "scale",
    Type::Integer { unit: Unit::None, min: 1, max: 16 },
    Presence::Default("1"),
    "Every pixel becomes a square of this many pixels.",
);
const HOLD: Param = Param::new(
    "hold",
    Type::Number { unit: Unit::Seconds, min: 0.0, max: 60.0 },
    Presence::Default("1s"),
    "How long an animation shows its last frame, the final canvas.",
);
const LOOP: Param = Param::new(
    "loop",
    Type::Choice(&["forever", "once"]),
    Presence::Default("forever"),
    "Whether an animation starts again.",
)
.alias(&["repeat"]);
const LABELS: Param = Param::new(
    "labels",
    Type::Switch,
    Presence::Default("on"),
    "Whether each cell is captioned: with the variant's values, or the step in a strip.",
)
.alias(&["label", "captions", "titles"]);
const COLUMNS: Param = Param::new(
    "columns",
    Type::Integer { unit: Unit::None, min: 1, max: 1000 },
    Presence::Optional("as many as make the whole about square; in a strip, all in one row"),
    "How many cells a row has.",
)
.alias(&["cols", "width", "per_row"]);

const fn layout(
    name: &'static str,
    summary: &'static str,
    doc: &'static str,
    params: &'static [Param],
    positional: usize,
    example: &'static str,
) -> Spec {
    Spec { kind: Kind::Layout, name, aliases: &[], summary, doc, source: "", params, positional, block: false, example }
}

static FRAMES: Spec = Spec {
    aliases: &["animation", "frame", "picture", "single"],
    ..layout(
        "frames",
        "the canvas itself",
        "One picture after another in an animation, the final canvas in a still. Each variant needs a file of its own: put a let or `{label}` into the name, or use `grid`.",
        &[SCALE, HOLD, LOOP],
        0,
        "render \"hen.gif\" as frames(scale = 2, hold = 2s) every 10 steps",
    )
};

static GRID: Spec = Spec {
    aliases: &["tile", "tiles", "mosaic", "montage"],
    ..layout(
        "grid",
        "variants side by side, in a grid of a given size",
        "Variants fill the cells row by row, in their order; the first axis varies slowest. It needs at least as many cells as there are variants.",
        &[
            Param::new("size", Type::Size, Presence::Required, "How many columns x how many rows."),
            LABELS,
            SCALE,
            HOLD,
            LOOP,
        ],
        1,
        "render \"conclusion.gif\" as grid(4x2) every 10 steps at 12 fps",
    )
};

static SHEET: Spec = Spec {
    aliases: &["contact_sheet", "contactsheet"],
    ..layout(
        "sheet",
        "variants side by side, as many rows as needed",
        "A contact sheet: as `grid`, with the number of columns given or chosen. Made for many channels: `channel(layer3, each 0..63)`. Of two axes or more the last runs from left to right, so that a row has one value of each other. Captions break between values where a line is too short for them.",
        &[COLUMNS, LABELS, SCALE, HOLD, LOOP],
        1,
        "render \"sheet.png\" as sheet(8)",
    )
};

static BEST: Spec = Spec {
    aliases: &["best_of", "winner", "argmax"],
    ..layout(
        "best",
        "of all variants the one with the highest score",
        "The variant whose activation, Σ weight · objective, is highest in its last step, as `frames` would show it; of those that share a file, if the name tells some apart: `seed each 1..4` and `render \"{target}.png\" as best` write one picture for each target, the best of four. The score is one step's, with its transforms, so near ties are chance. Best of N is not a mean: say so where you show it.",
        &[SCALE, HOLD, LOOP],
        0,
        "render \"hen.png\" as best",
    )
};

static STRIP: Spec = Spec {
    aliases: &["filmstrip", "timeline"],
    ..layout(
        "strip",
        "the steps of one run side by side",
        "A still that shows how the picture grew: one cell a frame, as `every` picks them, the final canvas last.",
        &[COLUMNS, LABELS, SCALE],
        1,
        "render \"growth.png\" as strip every 40 steps",
    )
};

static FLIPBOOK: Spec = Spec {
    aliases: &["flip_book", "slideshow", "morph"],
    ..layout(
        "flipbook",
        "variants one after another",
        "An animation of the variants, in their order: the final canvas of each, with `every` the steps that led there too. With a tween of variants, such as `lerp(a, b, t = each [0, 0.1, …])` and `alignment`, one becomes the other.",
        &[LABELS, SCALE, HOLD, LOOP],
        0,
        "render \"all.gif\" as flipbook at 2 fps",
    )
};

static VIEW: Spec = Spec {
    aliases: &["seen", "input", "augmented"],
    ..layout(
        "view",
        "what the network saw",
        "The canvas after the transforms of that iteration, its first view: the way to see what a transform does. Values outside 0..1 are clamped in the file only.",
        &[SCALE, HOLD, LOOP],
        0,
        "render \"seen.gif\" as view every 10 steps",
    )
};
