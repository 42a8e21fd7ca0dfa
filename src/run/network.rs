//! The network as the loop sees it.

use candle_core::{Result, Tensor};

use crate::words::Taps;

/// A frozen network that computes the nodes it was loaded for.
///
/// Invariant: an image's values and gradient are the same bytes whatever else is in the batch.
pub trait Network: Sync {
    /// `[N, 3, H, W]` → the tensors of the nodes that the recipe reads, by name; the graph leads back to the input.
    /// With `redirect`, gradients that die behind a ReLU are redirected on the way back.
    fn forward(&self, pictures: &Tensor, redirect: bool) -> Result<Taps>;

    /// As `forward`, but a node that is read gives `held`, and what comes after it leads back to that.
    fn forward_from(&self, pictures: &Tensor, node: &str, held: &Tensor) -> Result<Taps>;

    /// The running mean and variance, `[C]` each, of the batch norm that reads a node; the node must have been read for.
    fn running(&self, node: &str) -> Option<[Tensor; 2]>;

    /// Nodes at which a gradient was redirected since this was last asked.
    fn redirected(&self) -> Vec<String>;
}

impl Network for crate::nets::Network {
    fn forward(&self, pictures: &Tensor, redirect: bool) -> Result<Taps> {
        self.forward(pictures, redirect)
    }

    fn forward_from(&self, pictures: &Tensor, node: &str, held: &Tensor) -> Result<Taps> {
        self.forward_from(pictures, node, held)
    }

    fn running(&self, node: &str) -> Option<[Tensor; 2]> {
        self.running(node)
    }

    fn redirected(&self) -> Vec<String> {
        self.redirected()
    }
}
