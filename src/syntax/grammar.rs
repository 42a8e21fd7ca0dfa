//! The parser that pest makes of `grammar/fviz.pest`.

use pest_derive::Parser;

/// Reads any text at all as a `file`.
#[derive(Parser)]
#[grammar = "grammar/fviz.pest"]
pub struct Grammar;
