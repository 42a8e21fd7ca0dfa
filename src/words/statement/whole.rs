//! Statements about the whole recipe: what it is built on, where it starts.

use super::clauses::AS_CANVAS;
use super::statement;
use crate::spec::{GREATEST_SEED, Kind, Param, Presence, Spec, Type, Unit};

pub(super) static USE: Spec = Spec {
    aliases: &["import", "include", "source", "extends", "base"],
    ..statement(
        "use",
        "builds on another recipe or a preset",
        "The other recipe lies one layer below this file: a statement of a kind here replaces ALL statements of that kind there (`maximize` and `minimize` are one kind), everything else is taken over. Several `use` lie on each other in their order. A `let` here replaces one of the same name there, so a preset's target can be set. Presets are named `std/…` and never change once released: `\"std/guide@1\"`; a bare name means the newest.",
        &[Param::new(
            "file",
            Type::File,
            Presence::Required,
            "A path, relative to the file that says it, or the name of a preset.",
        )],
        "use \"std/guide@1\"",
    )
};

pub(super) static LET: Spec = Spec {
    aliases: &["set", "var", "const", "define"],
    positional: 2,
    ..statement(
        "let",
        "names a value",
        "`$name` stands for it afterwards, and `{name}` in the names of files. It holds any value or call, stands at top level only, and `--set name=value` on the command line overrides it. A let that holds `each` is one axis of variants however often it is used.",
        &[
            Param::new("name", Type::Any, Presence::Required, "A new name, followed by `=`."),
            Param::new("value", Type::Any, Presence::Required, "Any value or call."),
        ],
        "let target = each [\"hen\", \"pelican\"]",
    )
};

pub(super) static MODEL: Spec = Spec {
    aliases: &["network", "net", "arch"],
    ..statement(
        "model",
        "the network that is looked into",
        "Without it the embedded network `motifs` is used, which needs no download. The weights are frozen: only the picture changes. Preprocessing, labels, nodes and the natural size of a picture belong to the model.\n\nSeveral networks have names, `model a = resnet18`, and every objective says which one it reads: `class(\"hen\", of = a)`. They see one picture through the same transforms, each with its own preprocessing, and their gradients add up.",
        &[Param::new("network", Type::Word(Kind::Model), Presence::Required, "An architecture with its arguments.")],
        "model resnet18(input = raw)",
    )
};

pub(super) static CANVAS: Spec = Spec {
    aliases: &["size", "image", "image_size", "picture"],
    ..statement(
        "canvas",
        "the size of the picture and how it is parametrized",
        "The canvas holds sRGB-encoded values 0..1; no gamma anywhere. A stage may have its own: the picture is then resized between stages, bicubic.",
        &[
            Param::new(
                "size",
                Type::Size,
                Presence::Optional("the size of the photo that `init image` names, else the model's own"),
                "Width x height in pixels.",
            ),
            AS_CANVAS,
        ],
        "canvas 299x299 as pixels",
    )
};

pub(super) static SEED: Spec = Spec {
    aliases: &["random_seed", "manual_seed"],
    ..statement(
        "seed",
        "where chance starts",
        "Every draw of a recipe is a function of the seed and of what the draw is for: the stage, the word, the parameter, the iteration, the view. The same recipe and seed give the same picture. `seed each 1..4` makes four variants. Variants of one seed see the same transforms, so they can be compared.",
        &[Param::new(
            "value",
            Type::Integer { unit: Unit::None, min: 0, max: GREATEST_SEED },
            Presence::Default("0"),
            "A whole number from 0.",
        )],
        "seed 7",
    )
};

pub(super) static INIT: Spec = Spec {
    aliases: &["start", "initialize", "from"],
    ..statement(
        "init",
        "what the picture starts as",
        "Only the first stage starts; the later ones go on with the canvas they find.",
        &[Param::new(
            "start",
            Type::Word(Kind::Init),
            Presence::Default("gray"),
            "`gray`, `uniform`, `gaussian` or `image`.",
        )],
        "init gray(0.5, noise = 0.005)",
    )
};

pub(super) static STAGE: Spec = Spec {
    aliases: &["phase", "octave"],
    block: true,
    ..statement(
        "stage",
        "a part of the run with its own settings",
        "Stages run one after another on the same canvas, which is resized where their sizes differ. Statements in the block replace those of the same kind outside. Optimizer state and tweens start anew; frames run on.",
        &[Param::new(
            "name",
            Type::Any,
            Presence::Required,
            "A new name: part of what its draws depend on, and `{stage}` in the names of files.",
        )],
        "stage fine { canvas 299x299 ; optimize sgd(lr = 0.5) for 100 steps }",
    )
};
