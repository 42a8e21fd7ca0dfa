//! What was measured while a recipe ran: the value of every term at every step.

/// A table of scores, one row for each variant and step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scores {
    /// The labels of the variants; empty texts if there is only one.
    pub variants: Vec<String>,
    /// The names of the values: the terms as the recipe writes them, penalties, last the loss.
    pub terms: Vec<String>,
    /// The rows, in the order they were measured.
    pub rows: Vec<Row>,
}

/// The scores of one variant at one step.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// Which variant, an index into [`Scores::variants`].
    pub variant: usize,
    /// The stage's name; empty if the recipe has none.
    pub stage: String,
    /// The iteration within the stage, from 0.
    pub step: usize,
    /// One value for each term; NaN where a stage has no such term.
    pub values: Vec<f64>,
}
