//! The greatest of each window, whose gradient goes to all of the window's cells instead of to the winner alone.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::Window;
use super::pool::{MaxPool, cells, max_pool_portable, positions};
use super::real::{Real, dense};

/// What is added to the mean that divides (lucid's number).
pub(super) const EPSILON: f64 = 1e-2;

/// As [`super::max_pool`], `[N, C, H, W]` → `[N, C, H', W']`; its gradient is that of mean(x²) / (0.01 + mean|x|) over the cells
/// of each window that lie inside of the picture. A winner that changes from step to step makes gradients noisy.
///
/// Source: lucid, `notebooks/building-blocks/SpatialAttribution.ipynb`, the override of `MaxPoolGrad` that Olah et al.
/// 2018, The Building Blocks of Interpretability, use.
///
/// # Errors
/// As there.
pub fn smooth_max_pool(x: &Tensor, window: Window) -> Result<Tensor> {
    if x.device().is_cpu() {
        return x.contiguous()?.apply_op1(SmoothMaxPool(window));
    }
    smooth_max_pool_portable(x, window)
}

/// The same in candle's own operations, on any device.
pub fn smooth_max_pool_portable(x: &Tensor, window: Window) -> Result<Tensor> {
    let sum = |x: Tensor| {
        let cells = cells(&x, window, 0.0)?;
        cells.iter().skip(1).try_fold(cells[0].clone(), |sum, cell| sum + cell)
    };
    let count = sum(x.ones_like()?)?;
    // |x|, of which candle takes the slope at 0, where a ReLU leaves half of all numbers, for 1.
    let below = (sum((x * x.sign()?.detach())?)? / &count)?.affine(1.0, EPSILON)?;
    let smooth = ((sum(x.sqr()?)? / count)? / below)?;
    // The difference is zero, but not its gradient.
    (&smooth - smooth.detach())? + max_pool_portable(&x.detach(), window)?
}

struct SmoothMaxPool(Window);

impl CustomOp1 for SmoothMaxPool {
    fn name(&self) -> &'static str {
        "max-pool with a smooth gradient"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        MaxPool::new(self.0).cpu_fwd(storage, layout)
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        x.contiguous()?.apply_op2_no_bwd(&grad.contiguous()?, &Spread(self.0)).map(Some)
    }
}

/// The pool's picture and the gradient of its result → the picture's gradient.
struct Spread(Window);

impl CustomOp2 for Spread {
    fn name(&self) -> &'static str {
        "a smooth pool's gradient"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        grad: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (_, _, h, w) = x_layout.shape().dims4()?;
        let to = positions(self.0, h, w)?;
        let result = match (x, grad) {
            (CpuStorage::F32(x), CpuStorage::F32(grad)) => {
                CpuStorage::F32(self.planes(dense(x, x_layout)?, dense(grad, grad_layout)?, (h, w), to))
            }
            (CpuStorage::F64(x), CpuStorage::F64(grad)) => {
                CpuStorage::F64(self.planes(dense(x, x_layout)?, dense(grad, grad_layout)?, (h, w), to))
            }
            _ => bail!("activations are f32 or f64"),
        };
        Ok((result, x_layout.shape().clone()))
    }
}

impl Spread {
    fn planes<T: Real>(&self, x: &[T], grad: &[T], (h, w): (usize, usize), (high, wide): (usize, usize)) -> Vec<T> {
        let Window { kernel, stride, padding, .. } = self.0;
        let seen = |at: usize, side: usize| {
            let start = at * stride;
            start.saturating_sub(padding)..(start + kernel).saturating_sub(padding).min(side)
        };
        let mut result = vec![T::ZERO; x.len()];
        let planes = result.par_chunks_mut((h * w).max(1)).zip(x.par_chunks((h * w).max(1)));
        planes.zip(grad.par_chunks((high * wide).max(1))).for_each(|((to, x), grad)| {
            for (at, &grad) in grad.iter().enumerate() {
                let (rows, columns) = (seen(at / wide, h), seen(at % wide, w));
                let cells = || rows.clone().flat_map(|row| columns.clone().map(move |column| row * w + column));
                let (mut squares, mut sizes) = (T::ZERO, T::ZERO);
                for cell in cells() {
                    squares += x[cell] * x[cell];
                    sizes += if x[cell] < T::ZERO { T::ZERO - x[cell] } else { x[cell] };
                }
                let count = T::from_f64((rows.len() * columns.len()) as f64);
                // With a = mean(x²), b = ε + mean|x|: d(a / b) / dx = (2x − sign(x) · a / b) / (b · count).
                let below = T::from_f64(EPSILON) + sizes / count;
                let quotient = squares / count / below;
                let share = grad / (below * count);
                for cell in cells() {
                    let sign = if x[cell] > T::ZERO { quotient } else { T::ZERO - quotient };
                    let slope = if x[cell] == T::ZERO { T::ZERO } else { x[cell] + x[cell] - sign };
                    to[cell] += share * slope;
                }
            }
        });
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{assert_close, assert_same, gradient, random};
    use candle_core::{DType, Device};

    #[test]
    fn is_the_portable_form() {
        for (kernel, stride, padding) in [(3, 2, 1), (2, 2, 0), (3, 2, 0), (3, 1, 1), (2, 3, 0), (5, 3, 2)] {
            for window in [Window::new(kernel, stride, padding), Window::new(kernel, stride, padding).ceil()] {
                let x = random(&[2, 3, 8, 9], 4);
                let y = smooth_max_pool(&x, window).unwrap();
                assert_same(&y, &max_pool_portable(&x, window).unwrap());
                assert_close(&smooth_max_pool_portable(&x, window).unwrap(), &y, 1e-14);
                let weights = random(y.dims(), 5);
                let found = gradient(|x| smooth_max_pool(x, window), &x, &weights);
                assert_close(&found, &gradient(|x| smooth_max_pool_portable(x, window), &x, &weights), 1e-12);
            }
        }
    }

    /// Behind a ReLU half of the numbers are 0.
    #[test]
    fn zeros_have_no_slope() {
        let x = random(&[2, 3, 8, 9], 4).relu().unwrap();
        for window in [Window::new(3, 2, 1), Window::new(2, 2, 0)] {
            let weights = random(smooth_max_pool(&x, window).unwrap().dims(), 5);
            let found = gradient(|x| smooth_max_pool(x, window), &x, &weights);
            assert_close(&found, &gradient(|x| smooth_max_pool_portable(x, window), &x, &weights), 1e-12);
        }
    }

    /// PyTorch 2.15: x = 1 … 9 over 3x3, the sum of p(x²) / (0.01 + p(|x|)) with p = `F.avg_pool2d(…, 3, 2, 1,
    /// count_include_pad=False)`.
    #[test]
    fn windows_overlap_and_their_padding_does_not_count() {
        let x = Tensor::arange(1.0, 10.0, &Device::Cpu).unwrap().reshape((1, 1, 3, 3)).unwrap();
        let ones = Tensor::ones((1, 1, 2, 2), DType::F64, &Device::Cpu).unwrap();
        let found = gradient(|x| smooth_max_pool(x, Window::new(3, 2, 1)), &x, &ones);
        let expected = [
            -0.15121245902363115,
            -0.023345533021266185,
            0.08644224849347948,
            0.4134329830954948,
            1.0931868246045013,
            0.6264611646362453,
            0.3158905983095285,
            0.7076927044416034,
            0.3799341067681995,
        ];
        assert_close(&found, &Tensor::new(&expected, &Device::Cpu).unwrap().reshape((1, 1, 3, 3)).unwrap(), 1e-12);
    }
}
