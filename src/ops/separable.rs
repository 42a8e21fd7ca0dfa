//! Linear maps of rows and columns: blurring, resizing, padding, shifting, mirroring.
//!
//! A map along one axis is a list of taps for each result. Its adjoint is the list turned round, so the gradient is the
//! same kernel with other taps, and exact.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::edge::Edge;
use super::real::{Dims, Kernel, Real, run};

/// A linear map of one axis: each result is a weighted sum of a few inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Taps {
    /// How many inputs there are.
    length: usize,
    /// For each result its inputs and their weights, in order.
    taps: Vec<Vec<(usize, f64)>>,
}

impl Taps {
    /// Result i is input number `indices[i]`, which may lie outside.
    pub fn pick(indices: impl Iterator<Item = i64>, length: usize, edge: Edge) -> Self {
        let taps = indices.map(|at| edge.index(at, length).map(|index| (index, 1.0)).into_iter().collect());
        Self { length, taps: taps.collect() }
    }

    /// Result i is the sum of the inputs round i, with these weights; the middle one is i's own.
    pub fn window(weights: &[f64], length: usize, edge: Edge) -> Self {
        let radius = weights.len() as i64 / 2;
        let taps = (0..length as i64).map(|i| {
            let inside = weights.iter().zip(i - radius..);
            inside.filter_map(|(weight, at)| edge.index(at, length).map(|index| (index, *weight))).collect()
        });
        Self { length, taps: taps.collect() }
    }

    /// Given taps.
    pub(super) fn new(length: usize, taps: Vec<Vec<(usize, f64)>>) -> Self {
        Self { length, taps }
    }

    /// The map that goes back: what result i took of input j with a weight, result j takes of input i.
    fn adjoint(&self) -> Self {
        let mut taps = vec![Vec::new(); self.length];
        for (i, own) in self.taps.iter().enumerate() {
            for (j, weight) in own {
                taps[*j].push((i, *weight));
            }
        }
        Self { length: self.taps.len(), taps }
    }

    fn is_identity(&self) -> bool {
        self.length == self.taps.len() && self.taps.iter().enumerate().all(|(i, taps)| taps[..] == [(i, 1.0)])
    }

    /// For each result the sum of its weights.
    fn covered(&self) -> Vec<f64> {
        self.taps.iter().map(|taps| taps.iter().map(|(_, weight)| weight).sum()).collect()
    }

    /// As a matrix `[results, inputs]`.
    fn matrix(&self, like: &Tensor) -> Result<Tensor> {
        let mut rows = vec![0.0; self.taps.len() * self.length];
        for (row, taps) in rows.chunks_mut(self.length.max(1)).zip(&self.taps) {
            for (j, weight) in taps {
                row[*j] += weight;
            }
        }
        Tensor::from_vec(rows, (self.taps.len(), self.length), like.device())?.to_dtype(like.dtype())
    }
}

/// Applies one map to the columns and one to the rows: `[N, C, H, W]` → `[N, C, H', W']`. What the weights lack to 1,
/// the edge's constant has. Differentiable.
pub fn separable(picture: &Tensor, down: &Taps, across: &Taps, edge: Edge) -> Result<Tensor> {
    let op = Separable { down: down.clone(), across: across.clone(), fill: edge.fill().unwrap_or(0.0) };
    if picture.device().is_cpu() { picture.contiguous()?.apply_op1(op) } else { op.portable(picture) }
}

struct Separable {
    down: Taps,
    across: Taps,
    fill: f64,
}

impl CustomOp1 for Separable {
    fn name(&self) -> &'static str {
        "separable"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, c, height, width) = layout.shape().dims4()?;
        if (height, width) != (self.down.length, self.across.length) {
            candle_core::bail!("the taps are for another size");
        }
        let shape = (n, c, self.down.taps.len(), self.across.taps.len());
        Ok((run(self, storage, layout)?, shape.into()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let adjoint = Self { down: self.down.adjoint(), across: self.across.adjoint(), fill: 0.0 };
        grad.contiguous()?.apply_op1_no_bwd(&adjoint).map(Some)
    }
}

impl Kernel for Separable {
    fn run<T: Real>(&self, input: &[T], (n, c, height, width): Dims) -> Vec<T> {
        let (rows, columns) = (self.down.taps.len(), self.across.taps.len());
        let mut output = vec![T::zero(); n * c * rows * columns];
        if output.is_empty() || input.is_empty() {
            return output;
        }
        let outside = self.outside::<T>();
        output.par_chunks_mut(rows * columns).zip(input.par_chunks(height * width)).for_each(|(output, input)| {
            let mut lines = Vec::new();
            let lines = match self.across.is_identity() {
                true => input,
                false => {
                    lines.resize(height * columns, T::zero());
                    for (line, row) in lines.chunks_mut(columns).zip(input.chunks(width)) {
                        for (value, taps) in line.iter_mut().zip(&self.across.taps) {
                            *value = taps.iter().fold(T::zero(), |sum, (j, w)| sum + T::from_f64(*w) * row[*j]);
                        }
                    }
                    &lines[..]
                }
            };
            for (row, taps) in output.chunks_mut(columns).zip(&self.down.taps) {
                for (j, weight) in taps {
                    let weight = T::from_f64(*weight);
                    for (value, line) in row.iter_mut().zip(&lines[j * columns..][..columns]) {
                        *value += weight * *line;
                    }
                }
            }
            if let Some(outside) = &outside {
                output.iter_mut().zip(outside).for_each(|(value, outside)| *value += *outside);
            }
        });
        output
    }
}

impl Separable {
    /// What the edge's constant adds to each result, if anything.
    fn outside<T: Real>(&self) -> Option<Vec<T>> {
        let (down, across) = (self.down.covered(), self.across.covered());
        if self.fill == 0.0 || down.iter().chain(&across).all(|covered| *covered == 1.0) {
            return None;
        }
        let rests = down.iter().flat_map(|d| across.iter().map(move |a| 1.0 - d * a));
        Some(rests.map(|rest| T::from_f64(rest * self.fill)).collect())
    }

    /// The same as matrix products, for devices without a kernel.
    fn portable(&self, picture: &Tensor) -> Result<Tensor> {
        let (down, across) = (self.down.matrix(picture)?, self.across.matrix(picture)?);
        let result = down.broadcast_matmul(&picture.broadcast_matmul(&across.t()?)?)?;
        match self.outside::<f64>() {
            None => Ok(result),
            Some(outside) => {
                let shape = (1, 1, self.down.taps.len(), self.across.taps.len());
                let outside = Tensor::from_vec(outside, shape, picture.device())?;
                result.broadcast_add(&outside.to_dtype(picture.dtype())?)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::agreement::{assert_agree, picture};

    #[test]
    fn the_kernel_agrees_with_the_portable_form() {
        for edge in [Edge::Constant(0.3), Edge::Reflect, Edge::Replicate, Edge::Wrap] {
            let pairs = [
                (Taps::window(&[0.25, 0.5, 0.25], 5, edge), Taps::pick(0..7, 7, edge)),
                (Taps::pick(-3..9, 5, edge), Taps::pick((0..7).rev(), 7, edge)),
                (Taps::pick([4, 4, 0].into_iter(), 5, edge), Taps::window(&[0.1; 9], 7, edge)),
            ];
            for (down, across) in pairs {
                let op = || Separable { down: down.clone(), across: across.clone(), fill: edge.fill().unwrap_or(0.0) };
                let kernel = |x: &Tensor| separable(x, &down, &across, edge);
                assert_agree(&format!("{edge:?}"), kernel, |x| op().portable(x), &picture((2, 3, 5, 7)));
            }
        }
    }

    #[test]
    fn taps_for_another_size_are_refused() {
        let taps = Taps::pick(0..5, 5, Edge::Replicate);
        assert!(separable(&picture((1, 3, 5, 7)), &taps, &taps, Edge::Replicate).is_err());
    }
}
