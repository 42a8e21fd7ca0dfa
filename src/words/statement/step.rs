//! Statements about what happens in each step, in the order in which it happens, and what is written.

use super::clauses::{AS_LAYOUT, AT, EVERY, FOR, FROM, UNTIL};
use super::statement;
use crate::spec::{Kind, Param, Presence, Spec, Type, Unit};

/// Views that an iteration may have.
pub const MOST_VIEWS: i64 = 64;

pub(super) const OBJECTIVE: Param = Param::new(
    "objective",
    Type::Word(Kind::Objective),
    Presence::Required,
    "An objective, or several with `+`, `-` and numbers times them: `class(\"hen\") + 0.5 * channel(layer4, 12)`.",
);

pub(super) static MAXIMIZE: Spec = Spec {
    aliases: &["objective", "goal", "activate", "loss"],
    ..statement(
        "maximize",
        "what the picture shall excite",
        "The loss is −Σ maximize + Σ minimize + Σ regularize; the optimizer moves the picture against its gradient. Several statements add up. Times an objective only a number or a tween can stand.",
        &[OBJECTIVE],
        "maximize class(\"hen\")",
    )
};

pub(super) static MINIMIZE: Spec = Spec {
    aliases: &["suppress"],
    ..statement(
        "minimize",
        "what the picture shall not excite",
        "As `maximize`, with the other sign. It is one kind with `maximize`: a layer that has either replaces both below it.",
        &[OBJECTIVE],
        "minimize channel(layer4, 12)",
    )
};

pub(super) static TRANSFORM: Spec = Spec {
    aliases: &["transforms", "augment", "augmentation", "robustness"],
    positional: 0,
    block: true,
    ..statement(
        "transform",
        "what the network sees of the picture",
        "The transforms in the block act in their order, drawn anew each iteration; gradients flow back through them, the canvas itself is not changed. A picture that still works when it is turned, moved and coloured a little has larger, smoother forms than one that needn't: a network's fine grain rarely survives. `transform none` empties the list.",
        &[Param::new(
            "views",
            Type::Integer { unit: Unit::None, min: 1, max: MOST_VIEWS },
            Presence::Default("1"),
            "How many differently drawn views of the picture each step sees; the objective is their mean and the time is views times as long.",
        )],
        "transform { affine(rotate = ±15deg, scale = 0.96..1.04) }",
    )
};

pub(super) static REGULARIZE: Spec = Spec {
    aliases: &["penalty", "penalize", "regularizer", "decay"],
    ..statement(
        "regularize",
        "a term that keeps the picture in bounds",
        "Penalties read the canvas itself, untransformed, and are sums over its pixels and channels, so their weights depend on its size. `regularize none` empties the list.",
        &[Param::new("penalty", Type::Word(Kind::Penalty), Presence::Required, "`l1`, `l2`, `sum` or `tv`.")],
        "regularize l2(0.05, around = 0.5)",
    )
};

pub(super) static BLUR: Spec = Spec {
    aliases: &["filter", "smooth"],
    ..statement(
        "blur",
        "smooths the canvas now and then",
        "Filters act on the canvas at the end of an iteration, after the optimizer, in file order; no gradient flows through them. Blurring takes the grain away that the optimizer can't help making, and large forms survive it.",
        &[
            Param::new("filter", Type::Word(Kind::Filter), Presence::Required, "`gaussian`, `bilateral` or `median`."),
            EVERY,
            FROM,
            UNTIL,
        ],
        "blur gaussian(size = 5, sigma = 1.5) every 10 steps",
    )
};

pub(super) static MODE: Spec = Spec {
    aliases: &["motion", "animate", "camera"],
    ..statement(
        "mode",
        "changes the canvas itself between steps",
        "Modes act at the start of every iteration, in file order. They make motion: the picture is moved a little and the optimizer fills in what is missing.",
        &[Param::new("mode", Type::Word(Kind::Mode), Presence::Required, "`eternal_zoom` or `drift { … }`.")],
        "mode eternal_zoom(zoom = 1.02, rotate = 0.4deg)",
    )
};

pub(super) static OPTIMIZE: Spec = Spec {
    aliases: &["optimizer", "steps", "iterations", "train"],
    ..statement(
        "optimize",
        "how the picture moves, and for how long",
        "One iteration: modes, draws, transforms, network, loss, gradient, this step, clamp if asked, filters, frame.",
        &[
            Param::new(
                "optimizer",
                Type::Word(Kind::Optimizer),
                Presence::Default("adam"),
                "`sgd`, `momentum` or `adam`.",
            ),
            FOR,
        ],
        "optimize sgd(lr = 1.5) for 200 steps",
    )
};

pub(super) static RENDER: Spec = Spec {
    aliases: &["output", "save", "write", "export"],
    ..statement(
        "render",
        "a file to write",
        "The extension picks the encoder: `.gif` an animation, `.png` a still, `.csv` the score of every term at every step, `.svg` the same, plotted. A frame is the canvas at the end of an iteration; the final canvas is always the last one. `{label}`, `{recipe}`, `{stage}`, `{step}` and lets in the name are filled in; a still with `every` needs `{step}`. Files stay inside the output folder.",
        &[
            Param::new("file", Type::Text, Presence::Required, "The name of the file; folders in it are made."),
            AS_LAYOUT,
            EVERY,
            FROM,
            UNTIL,
            AT,
        ],
        "render \"hen.gif\" every 10 steps at 12 fps",
    )
};
