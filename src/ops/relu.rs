//! ReLU, and lucid's way out of a dead start.
//!
//! Where no unit behind a ReLU is active for a picture, its gradient is zero everywhere and nothing ever moves: the gray
//! picture. Then, for that picture alone, the gradient is let through where it would raise the activation: where it is
//! negative, as a loss is minimized. After lucid, `misc/redirected_relu_grad.py`, by what it does.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::real::{Dims, Kernel, Kernel2, Real, run, run2};

/// Where a gradient was redirected: nodes, in order of their names, and images. Clones share the record.
#[derive(Clone, Debug, Default)]
pub struct Redirected(Arc<Mutex<BTreeSet<(String, usize)>>>);

impl Redirected {
    /// The nodes, each with an image of the batch, for which a gradient was let through since the record was made or
    /// taken; the record is empty afterwards.
    pub fn take(&self) -> Vec<(String, usize)> {
        // A panic of another thread can't leave a set half changed.
        let mut record = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *record).into_iter().collect()
    }

    fn add(&self, node: &str, image: usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((node.to_string(), image));
    }
}

/// max(x, 0) of `[N, C, H, W]`; NaN stays NaN.
pub fn relu(x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Relu { redirect: None })
}

/// The same, whose gradient is redirected for the images for which it would be zero everywhere; `node` goes into the
/// record.
pub fn redirected_relu(x: &Tensor, node: &str, record: &Redirected) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Relu { redirect: Some((node.into(), record.clone())) })
}

/// [`relu`] in candle's own operations, on any device.
pub fn relu_portable(x: &Tensor) -> Result<Tensor> {
    x.relu()
}

struct Relu {
    redirect: Option<(String, Redirected)>,
}

impl CustomOp1 for Relu {
    fn name(&self) -> &'static str {
        "relu"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((run(self, storage, layout)?, layout.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, result: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        result.apply_op2_no_bwd(&grad.contiguous()?, &Gate { redirect: self.redirect.as_ref() }).map(Some)
    }
}

/// Numbers that a task takes on: enough to be worth a thread's while.
const TASK: usize = 1 << 15;

impl Kernel for Relu {
    fn run<T: Real>(&self, input: &[T], _: Dims) -> Vec<T> {
        let mut result = vec![T::ZERO; input.len()];
        result.par_chunks_mut(TASK).zip(input.par_chunks(TASK)).for_each(|(to, from)| {
            to.iter_mut().zip(from).for_each(|(to, &x)| *to = if x <= T::ZERO { T::ZERO } else { x });
        });
        result
    }
}

/// Lets the gradient through where the result is above 0, or redirects it.
struct Gate<'a> {
    redirect: Option<&'a (String, Redirected)>,
}

impl CustomOp2 for Gate<'_> {
    fn name(&self) -> &'static str {
        "relu's gradient"
    }

    fn cpu_fwd(
        &self,
        y: &CpuStorage,
        y_layout: &Layout,
        grad: &CpuStorage,
        layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        Ok((run2(self, (y, y_layout), (grad, layout))?, layout.shape().clone()))
    }
}

impl Kernel2 for Gate<'_> {
    fn run<T: Real>(&self, y: &[T], grad: &[T], (_, c, h, w): Dims) -> Vec<T> {
        let mut result = vec![T::ZERO; grad.len()];
        result.par_chunks_mut(TASK).zip(y.par_chunks(TASK)).zip(grad.par_chunks(TASK)).for_each(|((to, y), grad)| {
            to.iter_mut()
                .zip(y)
                .zip(grad)
                .for_each(|((to, &y), &grad)| *to = if y <= T::ZERO { T::ZERO } else { grad });
        });
        let Some((node, record)) = self.redirect else { return result };
        let image = (c * h * w).max(1);
        for (i, (to, grad)) in result.chunks_mut(image).zip(grad.chunks(image)).enumerate() {
            if to.iter().all(|&passed| passed == T::ZERO) && grad.iter().any(|&grad| grad < T::ZERO) {
                to.iter_mut().zip(grad).for_each(|(to, &grad)| *to = if grad < T::ZERO { grad } else { T::ZERO });
                record.add(node, i);
            }
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{assert_same, check_gradient, gradient, random, values};
    use candle_core::{DType, Device};

    #[test]
    fn is_the_portable_form_and_its_gradient_that_of_differences() {
        let x = random(&[2, 3, 5, 7], 1);
        assert_same(&relu(&x).unwrap(), &relu_portable(&x).unwrap());
        check_gradient(relu, &x);
        check_gradient(|x| redirected_relu(x, "relu", &Redirected::default()), &x);
        let x = Tensor::new(&[[[[0.0f32, -0.0, f32::NAN, -1.0]]]], &Device::Cpu).unwrap();
        let y = values(&relu(&x).unwrap());
        assert!(y[..2] == [0.0, 0.0] && y[2].is_nan() && y[3] == 0.0);
    }

    /// Image 0 is dead, image 1 has one active unit with a gradient, image 2's only active unit has none.
    #[test]
    fn only_dead_images_are_redirected_and_only_upwards() {
        let x = Tensor::new(&[[-1.0f32, -2.0, -3.0], [-1.0, 2.0, -3.0], [1.0, -2.0, -3.0]], &Device::Cpu).unwrap();
        let weights = Tensor::new(&[[-1.0f32, 2.0, 0.0], [-1.0, 2.0, 0.0], [0.0, 0.5, -0.25]], &Device::Cpu).unwrap();
        let (x, weights) = (x.reshape((3, 3, 1, 1)).unwrap(), weights.reshape((3, 3, 1, 1)).unwrap());
        let record = Redirected::default();
        let found = gradient(|x| redirected_relu(x, "relu", &record), &x, &weights);
        assert_eq!(values(&found), [-1.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, -0.25]);
        assert_eq!(record.take(), [("relu".to_string(), 0), ("relu".to_string(), 2)]);
        assert_eq!(record.take(), []);
        let plain = gradient(relu, &x, &weights);
        assert_eq!(values(&plain), [0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn nothing_is_redirected_where_nothing_would_rise() {
        let x = Tensor::full(-1.0f32, (1, 2, 2, 2), &Device::Cpu).unwrap();
        for weight in [0.0, 1.0] {
            let record = Redirected::default();
            let weights = (x.ones_like().unwrap() * weight).unwrap().to_dtype(DType::F32).unwrap();
            let found = gradient(|x| redirected_relu(x, "relu", &record), &x, &weights);
            assert_eq!((values(&found), record.take()), (vec![0.0; 8], vec![]));
        }
    }
}
