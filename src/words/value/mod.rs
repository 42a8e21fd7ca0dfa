//! Words that make values. They have no code of their own: the checker knows what each does.

use crate::spec::{Kind, Param, Presence, Spec, Type, Unit};

const fn value(
    name: &'static str,
    summary: &'static str,
    doc: &'static str,
    params: &'static [Param],
    example: &'static str,
) -> Spec {
    Spec {
        kind: Kind::Value,
        name,
        aliases: &[],
        summary,
        doc,
        source: "",
        params,
        positional: params.len(),
        block: false,
        example,
    }
}

/// All value words.
pub static VALUES: &[&Spec] = &[
    &Spec {
        aliases: &["foreach", "sweep", "vary", "variants"],
        ..value(
            "each",
            "several values: an axis of variants",
            "Each value makes a picture of its own. `each [\"hen\", \"robin\"]` lists them, `each 0..63` counts, both ends included, `each 0..60 by 4` counts in fours. Each textual `each` is one axis, every use of the same let the same axis; axes multiply, and the first in the file varies slowest. It may stand in any value. Variants never interact: each has the bytes that it has alone.",
            &[Param::new("values", Type::Any, Presence::Required, "A list or a range of whole numbers.")],
            "maximize class(each [\"hen\", \"robin\"])",
        )
    },
    &Spec {
        aliases: &["mix", "interpolate", "channel_interpolate"],
        source: "lucid objectives.channel_interpolate",
        positional: 2,
        ..value(
            "lerp",
            "between two objectives",
            "`lerp(a, b, t = …)` is (1 − t) a + t b for objectives a and b, which may be sums. With a tween the goal wanders during the run (`0 -> 1`: what the first begins the second ends); with `each [0, 0.25, 0.5, 0.75, 1]` the variants are steps from one to the other, see `alignment`.",
            &[
                Param::new("a", Type::Any, Presence::Required, "The objective at t = 0."),
                Param::new("b", Type::Any, Presence::Required, "The objective at t = 1."),
                Param::new(
                    "t",
                    Type::Number { unit: Unit::None, min: -1e12, max: 1e12 },
                    Presence::Required,
                    "How far from the one to the other.",
                )
                .animated(),
            ],
            "maximize lerp(class(\"hen\"), class(\"cock\"), t = 0 -> 1)",
        )
    },
    &value(
        "by",
        "the stride of `each`",
        "`each 0..60 by 4` means 0, 4, 8 … 60.",
        &[Param::new(
            "stride",
            Type::Integer { unit: Unit::None, min: 1, max: 1 << 53 },
            Presence::Default("1"),
            "A whole number from 1.",
        )],
        "maximize channel(layer3, each 0..60 by 4)",
    ),
    &Spec {
        aliases: &["choice", "choose", "one_of", "random_choice", "sample"],
        ..value(
            "pick",
            "a number drawn from a list",
            "Drawn anew at every use, each with the same chance; write one twice and it comes twice as often. It may stand where a range may.",
            &[Param::new("list", Type::Any, Presence::Required, "A list of numbers.")],
            "transform { rotate(pick [-10deg, 0deg, 10deg]) }",
        )
    },
    &Spec {
        aliases: &["log", "loguniform", "logarithmic", "geometric_range"],
        source: "scipy.stats.loguniform",
        ..value(
            "log_uniform",
            "a range drawn uniformly in the logarithm",
            "`0.5..2` alone draws above 1 twice as often as below; `0.5..2 log_uniform` draws a half as often as a double: a (b/a)^r, r uniform in 0..1. What factors of size want. Both ends must be positive.",
            &[],
            "transform { affine(scale = 0.5..1.4 log_uniform) }",
        )
    },
    &value(
        "linear",
        "the curve of a tween: straight",
        "`a -> b` goes through a + (b − a) u, u = i/(N−1) of the stage. It is what a tween does when nothing is said.",
        &[],
        "regularize l2(0.1 -> 0.01 linear)",
    ),
    &Spec {
        aliases: &["cos", "smooth", "ease", "ease_in_out"],
        ..value(
            "cosine",
            "the curve of a tween: slow at both ends",
            "`a -> b cosine` goes through a + (b − a) (1 − cos πu) / 2, u = i/(N−1) of the stage. The usual schedule of a learning rate: the last, slow steps take the grain away.",
            &[],
            "optimize sgd(lr = 2.5 -> 0.5 cosine) for 200 steps",
        )
    },
    &Spec {
        aliases: &["exp", "geometric"],
        ..value(
            "exponential",
            "the curve of a tween: the same factor every step",
            "`a -> b exponential` goes through a (b/a)^u, u = i/(N−1) of the stage; both ends must be positive.",
            &[],
            "regularize l2(0.1 -> 0.001 exponential)",
        )
    },
];
