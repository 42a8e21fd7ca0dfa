//! The identity, whose gradient is multiplied by a factor.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::real::{Dims, Kernel, Real, run};

/// `x` as it is, `[N, C, H, W]`; what flows back through it is multiplied by `factor`.
pub fn scale_gradient(x: &Tensor, factor: f64) -> Result<Tensor> {
    if x.device().is_cpu() {
        return x.contiguous()?.apply_op1(ScaleGradient(factor));
    }
    // The difference is zero, but not its gradient.
    let still = x.detach();
    ((x - &still)? * factor)? + still
}

struct ScaleGradient(f64);

impl CustomOp1 for ScaleGradient {
    fn name(&self) -> &'static str {
        "gradient-scale"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((run(self, storage, layout)?, layout.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        (grad * self.0).map(Some)
    }
}

impl Kernel for ScaleGradient {
    fn run<T: Real>(&self, input: &[T], _: Dims) -> Vec<T> {
        input.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{assert_close, assert_same, gradient, random};

    #[test]
    fn only_the_gradient_is_scaled() {
        let (x, weights) = (random(&[1, 2, 3, 4], 1), random(&[1, 2, 3, 4], 2));
        assert_same(&scale_gradient(&x, 0.5).unwrap(), &x);
        let found = gradient(|x| scale_gradient(x, 0.5), &x, &weights);
        assert_close(&found, &(weights * 0.5).unwrap(), 1e-15);
    }
}
