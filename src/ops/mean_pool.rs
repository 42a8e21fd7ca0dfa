//! The mean of each part of a picture: of a window's positions, or of as many even parts as are wanted.

use std::ops::Range;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::real::{Dims, Kernel, Real, run};
use super::{Window, average_pool};

/// How a picture is parted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parts {
    /// By a window without padding.
    Window(Window),
    /// Into so many parts down and across, which overlap where cells don't come out even: PyTorch's adaptive pool.
    Even(usize),
}

impl Parts {
    /// The cells of each part along a side of so many; none where none fits.
    pub fn along(self, side: usize) -> Option<Vec<Range<usize>>> {
        match self {
            Self::Window(Window { padding: 1.., .. } | Window { ceil: true, .. }) => None,
            Self::Window(window) => {
                let first = |index: usize| index * window.stride;
                Some((0..window.positions(side)?).map(|i| first(i)..first(i) + window.kernel).collect())
            }
            Self::Even(parts) if parts > 0 && side > 0 => {
                Some((0..parts).map(|i| i * side / parts..((i + 1) * side).div_ceil(parts)).collect())
            }
            Self::Even(_) => None,
        }
    }
}

/// The mean of each part, `[N, C, H, W]` → `[N, C, H', W']`.
///
/// # Errors
/// There is not a single part.
pub fn mean_pool(x: &Tensor, parts: Parts) -> Result<Tensor> {
    if parts == Parts::Even(1) {
        return average_pool(x);
    }
    if !x.device().is_cpu() {
        return mean_pool_portable(x, parts);
    }
    let (_, _, height, width) = x.dims4()?;
    x.contiguous()?.apply_op1(MeanPool::new(parts, height, width)?)
}

/// The same in candle's own operations, on any device: a product with a matrix of shares from either side.
pub fn mean_pool_portable(x: &Tensor, parts: Parts) -> Result<Tensor> {
    let (n, c, height, width) = x.dims4()?;
    let MeanPool { rows, columns, .. } = MeanPool::new(parts, height, width)?;
    let shares = |parts: &[Range<usize>], side: usize| {
        let share = |part: &Range<usize>, cell: usize| match part.contains(&cell) {
            true => 1.0 / part.len() as f64,
            false => 0.0,
        };
        let shares: Vec<f64> = parts.iter().flat_map(|part| (0..side).map(move |cell| share(part, cell))).collect();
        Tensor::from_vec(shares, (parts.len(), side), x.device())?.to_dtype(x.dtype())
    };
    let across = x.reshape((n * c * height, width))?.matmul(&shares(&columns, width)?.t()?)?;
    let across = across.reshape((n * c, height, columns.len()))?;
    shares(&rows, height)?.broadcast_matmul(&across)?.reshape((n, c, rows.len(), columns.len()))
}

#[derive(Clone)]
struct MeanPool {
    rows: Vec<Range<usize>>,
    columns: Vec<Range<usize>>,
    height: usize,
    width: usize,
}

impl MeanPool {
    fn new(parts: Parts, height: usize, width: usize) -> Result<Self> {
        match (parts.along(height), parts.along(width)) {
            (Some(rows), Some(columns)) => Ok(Self { rows, columns, height, width }),
            _ => bail!("{width}x{height} cells can't be parted by {parts:?}"),
        }
    }
}

impl CustomOp1 for MeanPool {
    fn name(&self) -> &'static str {
        "mean-pool"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, c, ..) = layout.shape().dims4()?;
        Ok((run(self, storage, layout)?, (n, c, self.rows.len(), self.columns.len()).into()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        grad.contiguous()?.apply_op1_no_bwd(&Gradient(self)).map(Some)
    }
}

impl Kernel for MeanPool {
    fn run<T: Real>(&self, input: &[T], (n, c, h, w): Dims) -> Vec<T> {
        let (cells, results) = ((h * w).max(1), (self.rows.len() * self.columns.len()).max(1));
        let mut result = vec![T::ZERO; n * c * results];
        result.par_chunks_mut(results).zip(input.par_chunks(cells)).for_each(|(to, plane)| {
            let parts = self.rows.iter().flat_map(|rows| self.columns.iter().map(move |columns| (rows, columns)));
            for (to, (rows, columns)) in to.iter_mut().zip(parts) {
                let cells = rows.clone().flat_map(|row| &plane[row * w..][columns.clone()]);
                let sum = cells.fold(T::ZERO, |sum, &cell| sum + cell);
                *to = sum / T::from_f64((rows.len() * columns.len()) as f64);
            }
        });
        result
    }
}

/// Gives each cell its share.
struct Gradient<'a>(&'a MeanPool);

impl CustomOp1 for Gradient<'_> {
    fn name(&self) -> &'static str {
        "mean-pool's gradient"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, c, ..) = layout.shape().dims4()?;
        Ok((run(self, storage, layout)?, (n, c, self.0.height, self.0.width).into()))
    }
}

impl Kernel for Gradient<'_> {
    fn run<T: Real>(&self, grad: &[T], (n, c, high, wide): Dims) -> Vec<T> {
        let MeanPool { rows, columns, height, width } = self.0;
        let mut result = vec![T::ZERO; n * c * height * width];
        let planes = result.par_chunks_mut((height * width).max(1)).zip(grad.par_chunks((high * wide).max(1)));
        planes.for_each(|(plane, grad)| {
            let parts = rows.iter().flat_map(|rows| columns.iter().map(move |columns| (rows, columns)));
            for (&grad, (rows, columns)) in grad.iter().zip(parts) {
                let share = grad / T::from_f64((rows.len() * columns.len()) as f64);
                for row in rows.clone() {
                    plane[row * width..][columns.clone()].iter_mut().for_each(|cell| *cell += share);
                }
            }
        });
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{assert_close, check_gradient, random, values};
    use candle_core::{DType, Device};

    #[test]
    fn is_the_portable_form_and_its_gradient_that_of_differences() {
        let window = |kernel, stride| Parts::Window(Window::new(kernel, stride, 0));
        for parts in [window(2, 2), window(3, 1), window(2, 3), Parts::Even(1), Parts::Even(2), Parts::Even(7)] {
            for (h, w) in [(7, 8), (8, 5), (3, 3)] {
                let x = random(&[2, 3, h, w], 1);
                let y = mean_pool(&x, parts).unwrap();
                assert_close(&y, &mean_pool_portable(&x, parts).unwrap(), 1e-14);
                assert_close(&mean_pool(&x.to_dtype(DType::F32).unwrap(), parts).unwrap(), &y, 1e-6);
                check_gradient(|x| mean_pool(x, parts), &x);
            }
        }
    }

    /// PyTorch 2.15: `F.adaptive_avg_pool2d(torch.arange(10.).reshape(1, 1, 1, 10).expand(1, 1, 4, 10), 4)`, a row.
    #[test]
    fn even_parts_are_pytorchs() {
        let x = Tensor::arange(0f64, 10., &Device::Cpu).unwrap().reshape((1, 1, 1, 10)).unwrap();
        let y = mean_pool(&x.broadcast_as((1, 1, 4, 10)).unwrap(), Parts::Even(4)).unwrap();
        assert_eq!(values(&y)[..4], [1.0, 3.0, 6.0, 8.0]);
        assert!(mean_pool(&x, Parts::Window(Window::new(2, 2, 0))).is_err());
        assert!(mean_pool(&x, Parts::Window(Window::new(3, 2, 1))).is_err());
    }
}
