//! A factor and an addend for each channel: batch norm at inference, and a network's preprocessing.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::real::{Dims, Kernel, Real, run};

/// `y[c] = scale[c] · x[c] + shift[c]`, `[N, C, H, W]` → the same.
#[derive(Clone, Debug)]
pub struct ScaleShift {
    scale: Vec<f64>,
    shift: Vec<f64>,
}

impl ScaleShift {
    /// Those factors and addends, one of each a channel.
    ///
    /// # Errors
    /// There are not as many of the one as of the other.
    pub fn new(scale: Vec<f64>, shift: Vec<f64>) -> Result<Self> {
        if scale.len() != shift.len() {
            bail!("{} factors and {} addends", scale.len(), shift.len());
        }
        Ok(Self { scale, shift })
    }

    /// `(x − mean) / std`, as networks want their pictures.
    ///
    /// # Errors
    /// A deviation is 0 or not finite.
    pub fn normalize(mean: &[f64], std: &[f64]) -> Result<Self> {
        if std.iter().any(|std| *std == 0.0 || !std.is_finite()) {
            bail!("a deviation is 0 or not finite");
        }
        let shift = mean.iter().zip(std).map(|(mean, std)| -mean / std).collect();
        Self::new(std.iter().map(|std| 1.0 / std).collect(), shift)
    }

    /// Factors and addends.
    pub(crate) fn parts(&self) -> (&[f64], &[f64]) {
        (&self.scale, &self.shift)
    }

    /// Applies it, f32 or f64.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if x.dim(1)? != self.scale.len() {
            bail!("{} factors for {} channels", self.scale.len(), x.dim(1)?);
        }
        if x.device().is_cpu() { x.contiguous()?.apply_op1(self.clone()) } else { self.portable(x) }
    }

    /// The same in candle's own operations, on any device.
    pub fn portable(&self, x: &Tensor) -> Result<Tensor> {
        let channels = |values: &[f64]| Tensor::new(values, x.device())?.reshape((1, (), 1, 1))?.to_dtype(x.dtype());
        x.broadcast_mul(&channels(&self.scale)?)?.broadcast_add(&channels(&self.shift)?)
    }
}

impl CustomOp1 for ScaleShift {
    fn name(&self) -> &'static str {
        "scale-shift"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((run(self, storage, layout)?, layout.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        Self { scale: self.scale.clone(), shift: vec![0.0; self.shift.len()] }.forward(grad).map(Some)
    }
}

impl Kernel for ScaleShift {
    fn run<T: Real>(&self, input: &[T], (_, c, h, w): Dims) -> Vec<T> {
        let mut result = vec![T::ZERO; input.len()];
        let planes = result.par_chunks_mut((h * w).max(1)).zip(input.par_chunks((h * w).max(1)));
        planes.enumerate().for_each(|(i, (to, from))| {
            let (scale, shift) = (T::from_f64(self.scale[i % c]), T::from_f64(self.shift[i % c]));
            to.iter_mut().zip(from).for_each(|(to, &x)| *to = x * scale + shift);
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
        let op = ScaleShift::normalize(&[0.485, 0.456, 0.406], &[0.229, 0.224, 0.225]).unwrap();
        let x = random(&[2, 3, 5, 4], 1);
        assert_close(&op.forward(&x).unwrap(), &op.portable(&x).unwrap(), 1e-15);
        assert_close(&op.forward(&x.to_dtype(DType::F32).unwrap()).unwrap(), &op.portable(&x).unwrap(), 1e-6);
        check_gradient(|x| op.forward(x), &x);
        let mean = Tensor::new(&[0.485, 0.456, 0.406], &Device::Cpu).unwrap().reshape((1, 3, 1, 1)).unwrap();
        assert!(values(&op.forward(&mean).unwrap()).iter().all(|x| x.abs() < 1e-15));
    }

    #[test]
    fn wrong_shapes_are_errors() {
        assert!(ScaleShift::normalize(&[0.0; 3], &[0.0; 3]).is_err());
        assert!(ScaleShift::new(vec![1.0], vec![]).is_err());
        assert!(ScaleShift::new(vec![1.0], vec![1.0]).unwrap().forward(&random(&[1, 3, 2, 2], 1)).is_err());
    }
}
