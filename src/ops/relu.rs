//! ReLU, and lucid's way out of a dead start.
//!
//! Where no unit behind a ReLU is active for a picture, its gradient is zero everywhere and nothing ever moves: the gray
//! picture. Then, for that picture alone, the gradient is let through where it would raise the activation: where it is
//! negative, as a loss is minimized. After lucid, `misc/redirected_relu_grad.py`, by what it does. ReLU6, which stops at
//! 6, has a second dead side: there it is let through where it would lower the activation.

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

/// The least a unit may be is 0; what is the most?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rectifier {
    /// max(x, 0)
    Relu,
    /// min(max(x, 0), 6)
    Relu6,
}

impl Rectifier {
    /// The greatest value; infinite where there is no bound.
    pub fn most(self) -> f32 {
        match self {
            Self::Relu => f32::INFINITY,
            Self::Relu6 => 6.0,
        }
    }
}

/// `x` within the bounds, of any shape; NaN stays NaN. No gradient passes on a bound or beyond.
pub fn relu(x: &Tensor, kind: Rectifier) -> Result<Tensor> {
    shaped(x, Relu { kind, redirect: None })
}

/// The same, whose gradient is redirected for the images for which it would be zero everywhere; `node` goes into the
/// record.
pub fn redirected_relu(x: &Tensor, kind: Rectifier, node: &str, record: &Redirected) -> Result<Tensor> {
    shaped(x, Relu { kind, redirect: Some((node.into(), record.clone())) })
}

/// Behind a matrix product a picture has no positions.
fn shaped(x: &Tensor, relu: Relu) -> Result<Tensor> {
    match *x.dims() {
        [n, c] => x.reshape((n, c, 1, 1))?.apply_op1(relu)?.reshape((n, c)),
        _ => x.contiguous()?.apply_op1(relu),
    }
}

/// [`relu`] in candle's own operations, on any device.
pub fn relu_portable(x: &Tensor, kind: Rectifier) -> Result<Tensor> {
    match kind {
        Rectifier::Relu => x.relu(),
        Rectifier::Relu6 => x.relu()?.minimum(6.0),
    }
}

struct Relu {
    kind: Rectifier,
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
        result
            .apply_op2_no_bwd(&grad.contiguous()?, &Gate { kind: self.kind, redirect: self.redirect.as_ref() })
            .map(Some)
    }
}

/// Numbers that a task takes on: enough to be worth a thread's while.
const TASK: usize = 1 << 15;

impl Kernel for Relu {
    fn run<T: Real>(&self, input: &[T], _: Dims) -> Vec<T> {
        let mut result = vec![T::ZERO; input.len()];
        let most = T::from_f64(self.kind.most().into());
        result.par_chunks_mut(TASK).zip(input.par_chunks(TASK)).for_each(|(to, from)| {
            let bounded = |x: T| if x > most { most } else { x };
            to.iter_mut().zip(from).for_each(|(to, &x)| *to = if x <= T::ZERO { T::ZERO } else { bounded(x) });
        });
        result
    }
}

/// Lets the gradient through where the result is between the bounds, or redirects it.
struct Gate<'a> {
    kind: Rectifier,
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
        let most = T::from_f64(self.kind.most().into());
        // Without a bound nothing is above it, infinity included.
        let above = |y: T| self.kind == Rectifier::Relu6 && y >= most;
        result.par_chunks_mut(TASK).zip(y.par_chunks(TASK)).zip(grad.par_chunks(TASK)).for_each(|((to, y), grad)| {
            to.iter_mut()
                .zip(y)
                .zip(grad)
                .for_each(|((to, &y), &grad)| *to = if y <= T::ZERO || above(y) { T::ZERO } else { grad });
        });
        let Some((node, record)) = self.redirect else { return result };
        let image = (c * h * w).max(1);
        // Towards the bounds' inside, where units live.
        let inwards = |y: T, grad: T| if above(y) { grad > T::ZERO } else { grad < T::ZERO };
        let images = result.chunks_mut(image).zip(y.chunks(image).zip(grad.chunks(image)));
        for (i, (to, (y, grad))) in images.enumerate() {
            let mut both = y.iter().zip(grad);
            if to.iter().all(|&passed| passed == T::ZERO) && both.any(|(&y, &grad)| inwards(y, grad)) {
                let both = y.iter().zip(grad);
                to.iter_mut().zip(both).for_each(|(to, (&y, &g))| *to = if inwards(y, g) { g } else { T::ZERO });
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
        for (kind, x) in [(Rectifier::Relu, random(&[2, 3, 5, 7], 1)), (Rectifier::Relu6, far(&[2, 3, 5, 7]))] {
            assert_same(&relu(&x, kind).unwrap(), &relu_portable(&x, kind).unwrap());
            check_gradient(|x| relu(x, kind), &x);
            check_gradient(|x| redirected_relu(x, kind, "relu", &Redirected::default()), &x);
            check_gradient(|x| relu(x, kind), &x.reshape((2, 105)).unwrap());
            let x = Tensor::new(&[[[[0.0f32, -0.0, f32::NAN, -1.0]]]], &Device::Cpu).unwrap();
            let y = values(&relu(&x, kind).unwrap());
            assert!(y[..2] == [0.0, 0.0] && y[2].is_nan() && y[3] == 0.0);
        }
    }

    /// Numbers from −12 to 12.
    fn far(shape: &[usize]) -> Tensor {
        (random(shape, 1) * 12.0).unwrap()
    }

    /// PyTorch 2.15: the gradient of `F.relu6` is 0 at 0 and at 6.
    #[test]
    fn nothing_passes_at_a_bound() {
        let x = Tensor::new(&[[0.0, 1.0, 6.0, 7.0, f64::INFINITY]], &Device::Cpu).unwrap();
        let back = |kind| values(&gradient(|x| relu(x, kind), &x, &x.ones_like().unwrap()));
        assert_eq!(back(Rectifier::Relu6), [0.0, 1.0, 0.0, 0.0, 0.0]);
        assert_eq!(back(Rectifier::Relu), [0.0, 1.0, 1.0, 1.0, 1.0]);
    }

    /// Image 0 is dead at both bounds, image 1 is dead and would only move outwards.
    #[test]
    fn a_unit_at_its_most_is_redirected_downwards() {
        let x = Tensor::new(&[[-1.0, -1.0, 7.0, 7.0], [-1.0, -2.0, 8.0, 9.0]], &Device::Cpu).unwrap();
        let weights = Tensor::new(&[[-1.0, 1.0, -2.0, 2.0], [1.0, 1.0, -1.0, -1.0]], &Device::Cpu).unwrap();
        let record = Redirected::default();
        let found = gradient(|x| redirected_relu(x, Rectifier::Relu6, "relu", &record), &x, &weights);
        assert_eq!(values(&found), [-1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(record.take(), [("relu".to_string(), 0)]);
    }

    /// Image 0 is dead, image 1 has one active unit with a gradient, image 2's only active unit has none.
    #[test]
    fn only_dead_images_are_redirected_and_only_upwards() {
        let x = Tensor::new(&[[-1.0f32, -2.0, -3.0], [-1.0, 2.0, -3.0], [1.0, -2.0, -3.0]], &Device::Cpu).unwrap();
        let weights = Tensor::new(&[[-1.0f32, 2.0, 0.0], [-1.0, 2.0, 0.0], [0.0, 0.5, -0.25]], &Device::Cpu).unwrap();
        let (x, weights) = (x.reshape((3, 3, 1, 1)).unwrap(), weights.reshape((3, 3, 1, 1)).unwrap());
        let record = Redirected::default();
        let found = gradient(|x| redirected_relu(x, Rectifier::Relu, "relu", &record), &x, &weights);
        assert_eq!(values(&found), [-1.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, -0.25]);
        assert_eq!(record.take(), [("relu".to_string(), 0), ("relu".to_string(), 2)]);
        assert_eq!(record.take(), []);
        let plain = gradient(|x| relu(x, Rectifier::Relu), &x, &weights);
        assert_eq!(values(&plain), [0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn nothing_is_redirected_where_nothing_would_rise() {
        let x = Tensor::full(-1.0f32, (1, 2, 2, 2), &Device::Cpu).unwrap();
        for weight in [0.0, 1.0] {
            let record = Redirected::default();
            let weights = (x.ones_like().unwrap() * weight).unwrap().to_dtype(DType::F32).unwrap();
            let found = gradient(|x| redirected_relu(x, Rectifier::Relu, "relu", &record), &x, &weights);
            assert_eq!((values(&found), record.take()), (vec![0.0; 8], vec![]));
        }
    }
}
