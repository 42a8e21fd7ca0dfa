//! The numbers of a step.

/// What a variant scored in one step: of the canvas before the optimizer moved it, as the network saw it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scores {
    /// −Σ weight · term + Σ penalty: what the optimizer lowers.
    pub loss: f64,
    /// Each term's value in file order, unweighted, mean over the views.
    pub terms: Vec<f64>,
    /// Each penalty's value in file order, its weight included.
    pub penalties: Vec<f64>,
    /// Σ weight · term.
    pub activation: f64,
    /// For each network the softmax's share of the classes of its first maximized `class` term together, mean over the
    /// views; nothing where there is no such term.
    pub probabilities: Vec<Option<f64>>,
}
