//! Operations one after another, with a way back that needs no graph.
//!
//! candle's graph adds what comes back to each of its nodes to zeros, as it may come from several sides. Where each
//! result goes into the next operation alone, nothing is to be added, and each takes over the gradient as it is.

use std::sync::Arc;

use candle_core::{CustomOp1, Result, Tensor, bail};

/// An operation of one input.
pub type Operation = Arc<Box<dyn CustomOp1 + Send + Sync>>;

pub(super) fn operation(op: impl CustomOp1 + Send + Sync + 'static) -> Operation {
    Arc::new(Box::new(op))
}

/// What operations made of a tensor.
pub struct Passage {
    /// Each with its result.
    links: Vec<(Operation, Tensor)>,
    from: Tensor,
}

impl Passage {
    /// From a tensor that no operation has changed yet.
    pub fn new(from: &Tensor) -> Self {
        Self { links: Vec::new(), from: from.detach() }
    }

    /// The last result.
    pub fn end(&self) -> &Tensor {
        self.links.last().map_or(&self.from, |(_, result)| result)
    }

    /// One operation more.
    ///
    /// # Errors
    /// The operation fails.
    pub fn go(&mut self, op: Operation) -> Result<()> {
        let result = self.end().contiguous()?.apply_op1_arc(op.clone())?;
        self.links.push((op, result));
        Ok(())
    }

    /// The gradient of the end → that of the beginning.
    ///
    /// # Errors
    /// It has another shape than the end.
    pub fn back(&self, gradient: &Tensor) -> Result<Tensor> {
        let mut gradient = gradient.clone();
        for (index, (op, result)) in self.links.iter().enumerate().rev() {
            let from = index.checked_sub(1).map_or(&self.from, |before| &self.links[before].1);
            let Some(before) = op.bwd(from, result, &gradient)? else { bail!("an operation lets no gradient pass") };
            gradient = before;
        }
        Ok(gradient)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::DType;

    use super::super::testing::{assert_same, gradient, random, values};
    use super::super::{Adjust, Edge, Placement, Sample, adjust, adjust_operation, warp, warp_operation};
    use super::*;

    #[test]
    fn it_is_what_a_graph_gives() {
        let x = random(&[1, 3, 21, 17], 1).to_dtype(DType::F32).unwrap();
        let weights = random(&[1, 3, 21, 17], 2).to_dtype(DType::F32).unwrap();
        let changes = [Adjust::Hue(0.1), Adjust::Contrast(0.9), Adjust::Saturation(1.2)];
        let placement = Placement { degrees: 12.0, scale: 1.1, ..Placement::default() };
        let (sample, edge) = (Sample::Bilinear, Edge::Constant(0.5));
        let through = |x: &Tensor| warp(&adjust(x, &changes, true)?, &placement, sample, edge);
        let mut passage = Passage::new(&x);
        assert_same(passage.end(), &x);
        passage.go(adjust_operation(&x, &changes, true).unwrap()).unwrap();
        passage.go(warp_operation(&x, &placement, sample, edge).unwrap().unwrap()).unwrap();
        assert_same(passage.end(), &through(&x).unwrap());
        // A graph makes 0 of −0, as it adds all to zeros.
        assert_eq!(values(&passage.back(&weights).unwrap()), values(&gradient(through, &x, &weights)));
    }
}
