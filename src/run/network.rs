//! The network as the loop sees it.

use candle_core::{Result, Tensor, Var};

use super::pullback::{plus, seeded};
use crate::nets::Back;
use crate::words::Taps;

/// A frozen network that computes the nodes it was loaded for.
///
/// Invariant: an image's values and gradient are the same bytes whatever else is in the batch.
pub trait Network: Sync {
    /// `[N, 3, H, W]` → the tensors of the nodes that the recipe reads, by name; the graph leads back to the input.
    /// With `redirect`, gradients that die behind a ReLU are redirected on the way back.
    fn forward(&self, pictures: &Tensor, redirect: bool) -> Result<Taps>;

    /// As `forward`, for pictures whose gradient is wanted and not that of anything before them.
    fn ask<'n>(&'n self, pictures: &Tensor, redirect: bool) -> Result<Asked<'n>> {
        Asked::by_graph(pictures, |input| self.forward(input, redirect))
    }

    /// As `forward`, but a node that is read gives `held`, and what comes after it leads back to that.
    fn forward_from(&self, pictures: &Tensor, node: &str, held: &Tensor) -> Result<Taps>;

    /// The running mean and variance, `[C]` each, of the batch norm that reads a node; the node must have been read for.
    fn running(&self, node: &str) -> Option<[Tensor; 2]>;

    /// Nodes at which a gradient was redirected since this was last asked.
    fn redirected(&self) -> Vec<String>;
}

/// What a network made of pictures.
pub struct Asked<'n> {
    /// The tensors of the nodes that the recipe reads.
    pub taps: Taps,
    way: Way<'n>,
}

enum Way<'n> {
    /// The taps' graph leads back to it.
    Graph(Var),
    Direct(Back<'n>),
}

impl Asked<'_> {
    fn by_graph(pictures: &Tensor, forward: impl FnOnce(&Tensor) -> Result<Taps>) -> Result<Self> {
        let input = Var::from_tensor(&pictures.detach())?;
        Ok(Self { taps: forward(&input)?, way: Way::Graph(input) })
    }

    /// The gradients of some taps → that of the pictures.
    ///
    /// # Errors
    /// One has not the shape of its tap.
    pub fn back(&self, gradients: &Taps) -> Result<Tensor> {
        let input = match &self.way {
            Way::Direct(back) => return back.gradient(gradients),
            Way::Graph(input) => input,
        };
        let mut loss = None;
        for (node, gradient) in gradients {
            let Some(tap) = self.taps.get(node) else { continue };
            loss = plus(loss, seeded(tap, gradient)?)?;
        }
        let gradient = match loss {
            Some(loss) => loss.backward()?.remove(input),
            None => None,
        };
        gradient.map_or_else(|| input.zeros_like(), Ok)
    }
}

impl Network for crate::nets::Network {
    fn forward(&self, pictures: &Tensor, redirect: bool) -> Result<Taps> {
        self.forward(pictures, redirect)
    }

    fn ask<'n>(&'n self, pictures: &Tensor, redirect: bool) -> Result<Asked<'n>> {
        match self.ask(pictures, redirect)? {
            Some((taps, back)) => Ok(Asked { taps, way: Way::Direct(back) }),
            None => Asked::by_graph(pictures, |input| self.forward(input, redirect)),
        }
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
