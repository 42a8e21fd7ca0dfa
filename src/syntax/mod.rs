//! Text → tree. [`parse`] never fails: what can't be read becomes a diagnostic, the rest a tree.
//!
//! In: a file's text. Out: an [`ast::Ast`] and the problems of its syntax, one for each bad line. On the way `scan` mends
//! what would mislead the grammar (brackets without a partner, wrong quotes, too deep a nesting), `grammar/fviz.pest`
//! reads any text at all, and `build` turns its pairs into the tree.
//!
//! Invariants: linear time; recursion bounded by the nesting cap; every span lies in the text, on character boundaries.

pub mod ast;

mod brackets;
mod build;
mod expr;
mod grammar;
mod hints;
mod members;
mod parse;
pub mod print;
mod problems;
mod scan;
mod values;

#[cfg(test)]
mod tests;

pub use parse::{DEEPEST_BRACKET, DEEPEST_EXPRESSION, EDITION, parse};
