//! Tree + vocabulary + facts of the network → [`Recipe`], or every problem of the file at once.

pub mod recipe;

use std::path::PathBuf;

use crate::source::{Diagnostic, Sources, World};
pub use recipe::Recipe;

/// What is to be checked.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// Name as shown in messages: the path as typed, `<stdin>`.
    pub name: String,
    /// The recipe's name: the file's stem.
    pub stem: String,
    /// The folder to which relative paths in it are joined.
    pub folder: PathBuf,
    /// The text.
    pub text: String,
    /// What the command line puts above it.
    pub overrides: Overrides,
}

/// `--set`, `--seed`, `--steps`: one more layer above the recipe's.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--set name=value`, in order.
    pub set: Vec<(String, String)>,
    /// `--seed`
    pub seed: Option<u64>,
    /// `--steps`: every stage runs so many.
    pub steps: Option<usize>,
}

/// What the checker found.
#[derive(Debug, Default)]
pub struct Checked {
    /// All files and their texts, the recipe first.
    pub sources: Sources,
    /// Every problem, in order of place.
    pub diagnostics: Vec<Diagnostic>,
    /// The recipe, if there is no error.
    pub recipe: Option<Recipe>,
    /// Every file it depends on, also where there are errors: what `watch` watches.
    pub files: Vec<PathBuf>,
}

/// Checks a recipe. Reads files through `world` only and never fails: problems are diagnostics.
pub fn check(input: &Input, world: &dyn World) -> Checked;
