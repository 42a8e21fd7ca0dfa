//! A matrix product with frozen weights: only the input gets a gradient.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::real::{Real, dense};
use super::{Convolution, Window};

/// `y[o] = bias[o] + Σ weights[o, i] · x[i]`, `[N, inputs]` → `[N, outputs]`. Clones share the weights.
///
/// They are those of a convolution of one cell, which it is where a picture has one position.
#[derive(Clone)]
pub struct Linear(Convolution);

impl Linear {
    /// A layer of those weights, `[outputs, inputs]`, and that bias, `[outputs]`.
    ///
    /// # Errors
    /// The lengths do not agree.
    pub fn new(inputs: usize, outputs: usize, weights: Vec<f32>, bias: Vec<f32>) -> Result<Self> {
        if weights.len() != inputs * outputs || bias.len() != outputs {
            bail!("a linear layer's weights don't have its shape");
        }
        Convolution::new(Window::new(1, 1, 0), inputs, outputs, weights, bias).map(Self)
    }

    /// The same as a convolution, `[N, inputs, 1, 1]` → `[N, outputs, 1, 1]`.
    pub fn convolution(&self) -> &Convolution {
        &self.0
    }

    /// Applies it to `[N, inputs]`, f32 or f64.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if x.device().is_cpu() { x.contiguous()?.apply_op1(self.clone()) } else { self.portable(x) }
    }

    /// The same in candle's own operations, on any device.
    pub fn portable(&self, x: &Tensor) -> Result<Tensor> {
        let (_, inputs, outputs, weights, bias) = self.0.parts();
        let weights = Tensor::from_slice(weights, (outputs, inputs), x.device())?.to_dtype(x.dtype())?;
        let bias = Tensor::from_slice(bias, outputs, x.device())?.to_dtype(x.dtype())?;
        x.matmul(&weights.t()?)?.broadcast_add(&bias)
    }
}

impl CustomOp1 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, inputs) = layout.shape().dims2()?;
        let (_, expected, outputs, ..) = self.0.parts();
        if inputs != expected {
            bail!("a linear layer of {expected} channels got {inputs}");
        }
        let result = match storage {
            CpuStorage::F32(all) => CpuStorage::F32(self.apply(dense(all, layout)?)),
            CpuStorage::F64(all) => CpuStorage::F64(self.apply(dense(all, layout)?)),
            _ => bail!("activations are f32 or f64"),
        };
        Ok((result, (n, outputs).into()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        grad.contiguous()?.apply_op1_no_bwd(&Gradient(self.clone())).map(Some)
    }
}

impl Linear {
    fn apply<T: Real>(&self, input: &[T]) -> Vec<T> {
        let (_, inputs, outputs, weights, bias) = self.0.parts();
        let (weights, bias, inputs) = (T::exact(weights), T::exact(bias), inputs.max(1));
        let mut result = vec![T::ZERO; input.len() / inputs * outputs];
        for (result, x) in result.chunks_mut(outputs.max(1)).zip(input.chunks(inputs)) {
            let rows = result.par_iter_mut().zip(weights.par_chunks(inputs).zip(bias.par_iter()));
            rows.with_min_len(TASK.div_ceil(inputs)).for_each(|(to, (weights, &bias))| *to = dot(weights, x) + bias);
        }
        result
    }

    /// `gradᵀ · weights`, row after row; a class that gets no gradient, as nearly all do, is passed over.
    fn back<T: Real>(&self, grad: &[T]) -> Vec<T> {
        let (_, inputs, outputs, weights, _) = self.0.parts();
        let (weights, inputs) = (T::exact(weights), inputs.max(1));
        let mut result = vec![T::ZERO; grad.len() / outputs.max(1) * inputs];
        for (to, grad) in result.chunks_mut(inputs).zip(grad.chunks(outputs.max(1))) {
            to.par_chunks_mut(COLUMNS).enumerate().for_each(|(index, to)| {
                for (weights, &grad) in weights.chunks(inputs).zip(grad).filter(|(_, grad)| **grad != T::ZERO) {
                    let weights = &weights[index * COLUMNS..];
                    to.iter_mut().zip(weights).for_each(|(to, &weight)| *to += weight * grad);
                }
            });
        }
        result
    }
}

/// Products that a task takes on: enough to be worth a thread's while.
const TASK: usize = 1 << 15;

/// Columns whose gradients a task sums up: the layers of common networks below 4096 inputs are too small to share.
const COLUMNS: usize = 2048;

/// The sum of products, in the order of [`sum`](super::pool::sum).
fn dot<T: Real>(weights: &[T], x: &[T]) -> T {
    let mut sums = [T::ZERO; 16];
    for (weights, x) in weights.chunks(16).zip(x.chunks(16)) {
        sums.iter_mut().zip(weights.iter().zip(x)).for_each(|(sum, (&weight, &x))| *sum += weight * x);
    }
    sums.into_iter().fold(T::ZERO, |total, sum| total + sum)
}

struct Gradient(Linear);

impl CustomOp1 for Gradient {
    fn name(&self) -> &'static str {
        "linear's gradient"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, _) = layout.shape().dims2()?;
        let linear = &self.0;
        let result = match storage {
            CpuStorage::F32(all) => CpuStorage::F32(linear.back(dense(all, layout)?)),
            CpuStorage::F64(all) => CpuStorage::F64(linear.back(dense(all, layout)?)),
            _ => bail!("activations are f32 or f64"),
        };
        Ok((result, (n, linear.0.parts().1).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{assert_close, assert_same, check_gradient, random, values};
    use candle_core::DType;

    fn layer(inputs: usize, outputs: usize) -> Linear {
        let floats = |shape: &[usize], seed| values(&random(shape, seed)).into_iter().map(|x| x as f32).collect();
        Linear::new(inputs, outputs, floats(&[outputs, inputs], 1), floats(&[outputs], 2)).unwrap()
    }

    #[test]
    fn is_the_portable_form_and_its_gradient_that_of_differences() {
        for (inputs, outputs) in [(1, 1), (17, 3), (40, 33)] {
            let layer = layer(inputs, outputs);
            let x = random(&[3, inputs], 3);
            assert_close(&layer.forward(&x).unwrap(), &layer.portable(&x).unwrap(), 1e-14);
            assert_close(&layer.forward(&x.to_dtype(DType::F32).unwrap()).unwrap(), &layer.portable(&x).unwrap(), 1e-6);
            check_gradient(|x| layer.forward(x), &x);
            let alone = layer.forward(&x.narrow(0, 1, 1).unwrap()).unwrap();
            assert_same(&alone, &layer.forward(&x).unwrap().narrow(0, 1, 1).unwrap());
        }
    }

    /// Large enough to be shared.
    #[test]
    fn a_result_depends_not_on_threads() {
        let (layer, x) = (layer(5000, 37), random(&[2, 5000], 3).to_dtype(DType::F32).unwrap());
        let of = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let y = layer.forward(&x).unwrap();
                let back = crate::ops::testing::gradient(|x| layer.forward(x), &x, &y);
                (y, back)
            })
        };
        let ((y, back), (other, other_back)) = (of(1), of(3));
        assert_same(&other, &y);
        assert_same(&other_back, &back);
        let exact = x.to_dtype(DType::F64).unwrap();
        assert_close(&y, &layer.portable(&exact).unwrap(), 1e-5);
        let weights = y.to_dtype(DType::F64).unwrap();
        assert_close(&back, &crate::ops::testing::gradient(|x| layer.portable(x), &exact, &weights), 1e-5);
    }

    #[test]
    fn wrong_shapes_are_errors() {
        assert!(Linear::new(2, 2, vec![0.0; 3], vec![0.0; 2]).is_err());
        assert!(layer(2, 2).forward(&random(&[1, 3], 1)).is_err());
    }
}
