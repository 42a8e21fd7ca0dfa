//! Log-sum-exp over positions minus the log of their number: near the maximum where one position stands out, the mean
//! where all are alike.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};

use super::real::{Dims, Kernel, Kernel2, Real, run, run2};

/// `y = ln (Σ e^x / n)` over all n positions, `[N, C, H, W]` → `[N, C]`, with libm's functions.
pub fn log_mean_exp(x: &Tensor) -> Result<Tensor> {
    let (n, c, ..) = x.dims4()?;
    if !x.device().is_cpu() {
        return log_mean_exp_portable(x);
    }
    x.contiguous()?.apply_op1(LogMeanExp)?.reshape((n, c))
}

/// The same in candle's own operations, on any device.
pub fn log_mean_exp_portable(x: &Tensor) -> Result<Tensor> {
    let x = x.flatten_from(2)?;
    let greatest = x.max_keepdim(2)?.detach();
    (x.broadcast_sub(&greatest)?.exp()?.mean_keepdim(2)?.log()? + greatest)?.squeeze(2)
}

struct LogMeanExp;

impl CustomOp1 for LogMeanExp {
    fn name(&self) -> &'static str {
        "log-mean-exp"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, c, ..) = layout.shape().dims4()?;
        Ok((run(self, storage, layout)?, (n, c, 1, 1).into()))
    }

    fn bwd(&self, x: &Tensor, result: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let share = x.contiguous()?.apply_op2_no_bwd(&result.broadcast_as(x.shape())?.contiguous()?, &Share)?;
        share.broadcast_mul(grad).map(Some)
    }
}

impl Kernel for LogMeanExp {
    fn run<T: Real>(&self, input: &[T], (n, c, h, w): Dims) -> Vec<T> {
        let cells = h * w;
        let score = |plane: &[T]| {
            let greatest = plane.iter().fold(f64::NEG_INFINITY, |greatest, x| greatest.max(x.to_f64()));
            let sum: f64 = plane.iter().map(|x| libm::exp(x.to_f64() - greatest)).sum();
            T::from_f64(greatest + libm::log(sum / cells as f64))
        };
        if cells == 0 { vec![T::ZERO; n * c] } else { input.chunks(cells).map(score).collect() }
    }
}

/// Each position's part of the sum: e^(x − y) / n.
struct Share;

impl CustomOp2 for Share {
    fn name(&self) -> &'static str {
        "log-mean-exp's gradient"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        y: &CpuStorage,
        y_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        Ok((run2(self, (x, x_layout), (y, y_layout))?, x_layout.shape().clone()))
    }
}

impl Kernel2 for Share {
    fn run<T: Real>(&self, x: &[T], y: &[T], (_, _, h, w): Dims) -> Vec<T> {
        let share = |(x, y): (&T, &T)| T::from_f64(libm::exp(x.to_f64() - y.to_f64()) / (h * w) as f64);
        x.iter().zip(y).map(share).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{assert_close, check_gradient, random, values};
    use candle_core::DType;

    #[test]
    fn is_the_portable_form_and_its_gradient_that_of_differences() {
        for (h, w) in [(6, 6), (5, 7), (1, 1)] {
            let x = (random(&[2, 3, h, w], 1) * 5.0).unwrap();
            assert_close(&log_mean_exp(&x).unwrap(), &log_mean_exp_portable(&x).unwrap(), 1e-14);
            assert_close(
                &log_mean_exp(&x.to_dtype(DType::F32).unwrap()).unwrap(),
                &log_mean_exp_portable(&x).unwrap(),
                1e-6,
            );
            check_gradient(log_mean_exp, &x);
        }
    }

    #[test]
    fn large_scores_do_not_overflow() {
        let x = (random(&[1, 1, 3, 3], 1) + 1e4).unwrap();
        let y = values(&log_mean_exp(&x).unwrap())[0];
        assert!((y - 1e4).abs() < 1.0);
        assert!(values(&log_mean_exp(&(&x * f64::NAN).unwrap()).unwrap())[0].is_nan());
    }
}
