//! The one way in.

use pest::Parser;

use super::ast::Ast;
use super::build::Builder;
use super::grammar::{Grammar, Rule};
use super::problems::Problems;
use super::scan::scan;
use crate::source::{Diagnostic, FileId, codes};

/// The edition of the language that this program knows: `fviz 1`.
pub const EDITION: u32 = 1;

/// So many brackets and blocks may stand in each other. Held by the scan, before anything recurses.
pub const DEEPEST_BRACKET: usize = 64;

/// So many operators may stand in each other: a sum of 129 terms is one too many. Together with
/// [`DEEPEST_BRACKET`] it bounds the depth of the tree, and with it the recursion of all who walk it.
pub const DEEPEST_EXPRESSION: usize = 128;

/// Reads a file. Never fails: lines that can't be read are told in the diagnostics, which are in the order of the text,
/// and listed in [`Ast::unread`]; everything else is in the tree. A missing edition is no problem of the parser.
pub fn parse(file: FileId, text: &str) -> (Ast, Vec<Diagnostic>) {
    let mut problems = Problems::new(file, text);
    let scan = scan(text, &mut problems);
    let ast = match Grammar::parse(Rule::file, &scan.text) {
        Ok(pairs) => Builder::new(&scan, &mut problems).file(pairs),
        // The grammar takes every text; should it ever not, the recipe is at fault for no one's sake but is not run.
        Err(error) => {
            let at = match error.location {
                pest::error::InputLocation::Pos(at) => at,
                pest::error::InputLocation::Span((at, _)) => at,
            };
            problems.hard(at, |problems| {
                Diagnostic::error(&codes::SYNTAX, problems.span(at, at), "this can't be read", "from here on")
            });
            Ast::default()
        }
    };
    (ast, problems.finish())
}
