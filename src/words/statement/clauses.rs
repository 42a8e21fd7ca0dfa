//! The words inside a statement and what belongs to each. The statements' own specs repeat the parameters.

use crate::spec::{Kind, Param, Presence, Spec, Type, Unit};

/// Steps that a stage may have.
pub const MOST_STEPS: i64 = 1_000_000;
/// Least frames a second of an animation.
pub const LEAST_FPS: f64 = 0.1;
/// Browsers slow down what is faster: the hundredths of a second that a GIF counts in end here.
pub const MOST_FPS: f64 = 50.0;

const fn steps(name: &'static str, min: i64, presence: Presence, doc: &'static str) -> Param {
    Param::new(name, Type::Integer { unit: Unit::Steps, min, max: MOST_STEPS }, presence, doc)
}

/// `every n steps`
pub(super) const EVERY: Param = steps(
    "every",
    1,
    Presence::Optional(
        "a filter acts at the end of every iteration; an animation takes every ceil(N/50), so that about 50 frames come out; a still is the final canvas",
    ),
    "n: fires at the end of iteration i = 0 … N−1 when (i − from) mod n = 0. `every 10 steps` of 200 means i = 0, 10 … 190.",
);
/// `from k`
pub(super) const FROM: Param = steps(
    "from",
    0,
    Presence::Default("0 steps"),
    "k: the first iteration at whose end it may fire; iterations count from 0.",
);
/// `until m`
pub(super) const UNTIL: Param = steps(
    "until",
    0,
    Presence::Optional("until the stage's end, m = N"),
    "m: it fires only while i < m, so iteration m itself is left out.",
);
/// `at 12 fps`
pub(super) const AT: Param = Param::new(
    "at",
    Type::Number { unit: Unit::Fps, min: LEAST_FPS, max: MOST_FPS },
    Presence::Default("12 fps"),
    "Frames a second of an animation. GIF counts in 1/100 s: delays are rounded so that the total length is right, and browsers slow down above 50.",
);
/// `for 200 steps`
pub(super) const FOR: Param = steps(
    "for",
    1,
    Presence::Default("256 steps"),
    "N: how many iterations the stage has. Tweens run over them: u = i/(N−1).",
);
/// `as LAYOUT`
pub(super) const AS_LAYOUT: Param = Param::new(
    "as",
    Type::Word(Kind::Layout),
    Presence::Default("frames"),
    "How the pictures are put together. It has no meaning for `.csv` and `.svg`.",
);
/// `as CANVAS`
pub(super) const AS_CANVAS: Param = Param::new(
    "as",
    Type::Word(Kind::Canvas),
    Presence::Default("pixels"),
    "The parametrization: which numbers the optimizer moves, and how a picture comes of them.",
);

/// `as METHOD`
pub(super) const AS_ATTRIBUTION: Param = Param::new(
    "as",
    Type::Word(Kind::Attribution),
    Presence::Default("integrated_gradients"),
    "The method: how the value is put down to the parts of the photo.",
);
/// `on PHOTO`
pub(super) const ON: Param =
    Param::new("on", Type::Word(Kind::Photo), Presence::Required, "The photo: `image(\"photo.jpg\")`.");

const fn clause(
    name: &'static str,
    summary: &'static str,
    doc: &'static str,
    params: &'static [Param],
    example: &'static str,
) -> Spec {
    Spec {
        kind: Kind::Clause,
        name,
        aliases: &[],
        summary,
        doc,
        source: "",
        params,
        positional: 1,
        block: false,
        example,
    }
}

/// All clauses.
pub static CLAUSES: &[&Spec] = &[
    &clause(
        "every",
        "how often a filter acts or a frame is taken",
        "`every n steps from k until m` fires at the end of iteration i when k ≤ i < m and (i − k) mod n = 0. k = 0 and m = N by default, so `every 10 steps` of 200 fires after i = 0, 10 … 190: twenty times, the first time at once.",
        &[EVERY],
        "blur gaussian every 10 steps",
    ),
    &clause(
        "from",
        "the first iteration at whose end something happens",
        "Iterations count from 0. `every 10 steps from 9` fires after i = 9, 19, 29 …",
        &[FROM],
        "blur gaussian every 4 steps from 20",
    ),
    &clause(
        "until",
        "the iteration before which something happens for the last time",
        "The iteration itself is left out: `until 150` ends with i = 149. The last, unblurred steps sharpen a picture.",
        &[UNTIL],
        "blur gaussian every 4 steps until 150",
    ),
    &clause(
        "at",
        "how fast an animation plays",
        "Frames a second, 50 at most. The final canvas is always the last frame and is held as long as the layout's `hold` says.",
        &[AT],
        "render \"hen.gif\" every 10 steps at 12 fps",
    ),
    &clause(
        "for",
        "how many iterations a stage has",
        "Each stage has its own; optimizer state and tweens start anew.",
        &[FOR],
        "optimize sgd(lr = 1.5) for 200 steps",
    ),
    &clause(
        "as",
        "the layout of a file, the parametrization of a canvas, the method of an attribution",
        "After `render` a layout follows (`as grid(4x2)`), after `canvas` a parametrization (`as pixels(clamp = 0..1)`), after `attribute` a method (`as grad_cam`).",
        &[Param::new(
            "word",
            Type::Any,
            Presence::Required,
            "A layout after `render`, a parametrization after `canvas`, a method after `attribute`.",
        )],
        "canvas 299x299 as pixels(clamp = 0..1)",
    ),
    &clause(
        "on",
        "the photo that is asked about",
        "After `attribute` and its objective.",
        &[ON],
        "attribute class(\"hen\") on image(\"photo.jpg\")",
    ),
];
