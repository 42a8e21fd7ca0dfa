//! The first words of statements. They have no code of their own: the checker knows what each does.

mod attribute;
mod clauses;
mod step;
mod whole;

pub use clauses::{CLAUSES, LEAST_FPS, MOST_FPS, MOST_STEPS};
pub use step::MOST_VIEWS;

use crate::spec::{Kind, Param, Spec};

/// All statements, in the order in which a recipe has them.
pub static STATEMENTS: &[&Spec] = &[
    &whole::USE,
    &whole::LET,
    &whole::MODEL,
    &whole::CANVAS,
    &whole::SEED,
    &whole::INIT,
    &step::MAXIMIZE,
    &step::MINIMIZE,
    &attribute::ATTRIBUTE,
    &step::TRANSFORM,
    &step::REGULARIZE,
    &step::BLUR,
    &step::MODE,
    &step::OPTIMIZE,
    &whole::STAGE,
    &step::RENDER,
];

/// A statement with one operand and no block; the rest is set by `..`.
const fn statement(
    name: &'static str,
    summary: &'static str,
    doc: &'static str,
    params: &'static [Param],
    example: &'static str,
) -> Spec {
    Spec {
        kind: Kind::Statement,
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
