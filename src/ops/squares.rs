//! A sum of squares, and a step along a gradient: each in one pass over the picture.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, DType, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::fast::vectorized;
use super::filled::filled;
use super::real::{Real, dense};

/// Numbers that are summed on their own, by one thread.
const RUN: usize = 1 << 14;

/// Σ (v − around)² over all values, a scalar of the tensor's type. Differentiable.
pub fn squares(x: &Tensor, around: f64) -> Result<Tensor> {
    if x.device().is_cpu() { x.contiguous()?.apply_op1(Squares(around)) } else { squares_portable(x, around) }
}

/// The same in candle's own operations, on any device.
pub fn squares_portable(x: &Tensor, around: f64) -> Result<Tensor> {
    x.affine(1.0, -around)?.sqr()?.sum_all()
}

/// `gradient + factor · ∂squares(x)/∂x`: 2 (v − around) for each value.
pub fn add_squares_gradient(gradient: &Tensor, x: &Tensor, around: f64, factor: f64) -> Result<Tensor> {
    let factor = 2.0 * factor;
    join(gradient, x, "squares' gradient", Line { times: factor, plus: -factor * around })
}

/// `x + factor · y`, of one shape; no gradient flows through it.
pub fn add_scaled(x: &Tensor, y: &Tensor, factor: f64) -> Result<Tensor> {
    join(x, y, "add-scaled", Line { times: factor, plus: 0.0 })
}

fn join(x: &Tensor, y: &Tensor, name: &'static str, line: Line) -> Result<Tensor> {
    let (x, y) = (x.detach(), y.detach());
    if x.device().is_cpu() && matches!(x.dtype(), DType::F32 | DType::F64) {
        x.contiguous()?.apply_op2_no_bwd(&y.contiguous()?, &Add { name, line })
    } else {
        x + y.affine(line.times, line.plus)?
    }
}

struct Squares(f64);

impl CustomOp1 for Squares {
    fn name(&self) -> &'static str {
        "squares"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let sum = match storage {
            CpuStorage::F32(all) => {
                let all = dense(all, layout)?;
                CpuStorage::F32(vec![self.sum(all) as f32])
            }
            CpuStorage::F64(all) => CpuStorage::F64(vec![self.sum(dense(all, layout)?)]),
            _ => bail!("pictures are f32 or f64"),
        };
        Ok((sum, ().into()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        // 2 (v − around) times the gradient of the sum
        let factor = 2.0 * gradient.to_dtype(DType::F64)?.to_scalar::<f64>()?;
        x.detach().affine(factor, -factor * self.0).map(Some)
    }
}

impl Squares {
    /// In f64, run by run, and those summed in their order: the same with any number of threads.
    fn sum<T: Real>(&self, values: &[T]) -> f64 {
        let runs = values.par_chunks(RUN).map(|run| vectorized(|| self.sum_of_run(run)));
        runs.collect::<Vec<f64>>().iter().sum()
    }

    /// Partial sums of a number that no machine decides, so that they fit any vectors.
    #[inline(always)]
    fn sum_of_run<T: Real>(&self, values: &[T]) -> f64 {
        let mut sums = [0.0; 16];
        let runs = values.chunks_exact(16);
        let rest = runs.remainder();
        for run in runs {
            for (sum, value) in sums.iter_mut().zip(run) {
                let off = value.to_f64() - self.0;
                *sum += off * off;
            }
        }
        let rest = rest.iter().map(|value| (value.to_f64() - self.0) * (value.to_f64() - self.0));
        sums.iter().sum::<f64>() + rest.sum::<f64>()
    }
}

/// times · v + plus
#[derive(Clone, Copy)]
struct Line {
    times: f64,
    plus: f64,
}

/// x + line(y)
struct Add {
    name: &'static str,
    line: Line,
}

impl CustomOp2 for Add {
    fn name(&self) -> &'static str {
        self.name
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        y: &CpuStorage,
        y_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        if x_layout.shape() != y_layout.shape() {
            bail!("the two differ in shape");
        }
        let sum = match (x, y) {
            (CpuStorage::F32(x), CpuStorage::F32(y)) => {
                CpuStorage::F32(self.line.add(dense(x, x_layout)?, dense(y, y_layout)?))
            }
            (CpuStorage::F64(x), CpuStorage::F64(y)) => {
                CpuStorage::F64(self.line.add(dense(x, x_layout)?, dense(y, y_layout)?))
            }
            _ => bail!("both are f32 or both f64"),
        };
        Ok((sum, x_layout.shape().clone()))
    }
}

impl Line {
    fn add<T: Real>(self, x: &[T], y: &[T]) -> Vec<T> {
        let (times, plus) = (T::from_f64(self.times), T::from_f64(self.plus));
        filled(x.len(), |at, to| {
            for ((to, x), y) in to.iter_mut().zip(&x[at..]).zip(&y[at..]) {
                *to = *x + (times * *y + plus);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use candle_core::DType;

    use super::*;
    use crate::ops::testing::{assert_close, check_gradient, gradient, random};

    #[test]
    fn squares_agree_with_the_portable_form() {
        for shape in [[1, 3, 5, 7], [2, 1, 1, 1], [1, 3, 16, 16]] {
            let x = random(&shape, 1);
            check_gradient(|x| squares(x, 0.3)?.reshape((1, 1)), &x);
            for x in [x.clone(), x.to_dtype(DType::F32).unwrap()] {
                assert_close(&squares(&x, 0.5).unwrap(), &squares_portable(&x, 0.5).unwrap(), 1e-6);
                let weight = Tensor::new(3.0, x.device()).unwrap().to_dtype(x.dtype()).unwrap();
                let found = gradient(|x| squares(x, 0.5), &x, &weight);
                assert_close(&found, &gradient(|x| squares_portable(x, 0.5), &x, &weight), 1e-6);
            }
        }
    }

    #[test]
    fn a_gradient_is_added_as_a_graph_would() {
        // More than a thread's share, and a rest.
        let (x, behind) = (random(&[1, 3, 131, 137], 1), random(&[1, 3, 131, 137], 2));
        let weight = Tensor::new(0.05, x.device()).unwrap();
        let own = gradient(|x| squares_portable(x, 0.5), &x, &weight);
        let found = add_squares_gradient(&behind, &x, 0.5, 0.05).unwrap();
        assert_close(&found, &(behind + own).unwrap(), 1e-12);
    }

    #[test]
    fn a_step_is_a_sum() {
        let (x, y) = (random(&[1, 3, 5, 7], 1), random(&[1, 3, 5, 7], 2));
        let want = (&x + (&y * -1.5).unwrap()).unwrap();
        assert_close(&add_scaled(&x, &y, -1.5).unwrap(), &want, 1e-12);
        assert!(add_scaled(&x, &random(&[1, 3, 7, 5], 2), 1.0).is_err());
    }
}
