//! Batch normalization and ReLU in one pass over the numbers.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;
use std::sync::{Arc, Mutex};

/// Added to a variance before its root is taken.
pub const EPSILON: f32 = 1e-5;

/// Mean and variance of every channel.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// The means.
    pub mean: Vec<f32>,
    /// The variances.
    pub var: Vec<f32>,
}

/// Normalizes every channel of `[n, c, h, w]`, scales and shifts it and cuts off what is negative.
#[derive(Clone)]
pub struct NormRelu {
    /// The statistics to use; without any, those of the batch.
    pub fixed: Option<Stats>,
    /// Where the statistics that were used are left.
    pub used: Arc<Mutex<Stats>>,
}

/// Mean and variance of a channel, summed in double precision.
fn moments(x: &[f32], dims: &[usize], c: usize) -> (f32, f32) {
    let plane = dims[2] * dims[3];
    let (mut sum, mut square) = (0f64, 0f64);
    for part in x.chunks(plane).skip(c).step_by(dims[1]) {
        // Short sums in single precision are exact enough, and fast.
        for run in part.chunks(64) {
            sum += run.iter().sum::<f32>() as f64;
            square += run.iter().map(|v| v * v).sum::<f32>() as f64;
        }
    }
    let count = (dims[0] * plane) as f64;
    let mean = sum / count;
    (mean as f32, (square / count - mean * mean).max(0.) as f32)
}

impl CustomOp3 for NormRelu {
    fn name(&self) -> &'static str {
        "norm-relu"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        layout: &Layout,
        scale: &CpuStorage,
        _: &Layout,
        shift: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, dims) = (x.as_slice::<f32>()?, layout.dims());
        let (scale, shift) = (scale.as_slice::<f32>()?, shift.as_slice::<f32>()?);
        let stats = match &self.fixed {
            Some(stats) => stats.clone(),
            None => {
                let each = (0..dims[1]).into_par_iter().map(|c| moments(x, dims, c));
                let (mean, var) = each.unzip();
                Stats { mean, var }
            }
        };
        let mut out = vec![0f32; x.len()];
        let plane = dims[2] * dims[3];
        out.par_chunks_mut(plane).zip(x.par_chunks(plane)).enumerate().for_each(|(i, (out, x))| {
            let c = i % dims[1];
            let factor = scale[c] / (stats.var[c] + EPSILON).sqrt();
            let offset = shift[c] - stats.mean[c] * factor;
            out.iter_mut().zip(x).for_each(|(o, x)| *o = (x * factor + offset).max(0.));
        });
        *self.used.lock().expect("no thread panics here") = stats;
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        scale: &Tensor,
        shift: &Tensor,
        out: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (n, channels, h, w) = x.dims4()?;
        let plane = h * w;
        let flat = |t: &Tensor| t.flatten_all()?.to_vec1::<f32>();
        let (xs, ys, gs, scales) = (flat(x)?, flat(out)?, flat(grad)?, flat(scale)?);
        let stats = self.used.lock().expect("no thread panics here").clone();
        let root = |c: usize| 1. / (stats.var[c] + EPSILON).sqrt();
        // Per channel: the sums of the gradient, plain and times the normalized input.
        let sums: Vec<(f32, f32)> = (0..channels)
            .into_par_iter()
            .map(|c| {
                let (mut plain, mut times) = (0f64, 0f64);
                for i in (c..n * channels).step_by(channels).map(|i| i * plane) {
                    let (mut a, mut b) = (0f32, 0f32);
                    let range = i..i + plane;
                    for ((x, y), g) in xs[range.clone()].iter().zip(&ys[range.clone()]).zip(&gs[range]) {
                        let g = if *y > 0. { *g } else { 0. };
                        a += g;
                        b += g * (x - stats.mean[c]);
                    }
                    plain += a as f64;
                    times += b as f64;
                }
                (plain as f32, times as f32 * root(c))
            })
            .collect();
        let mut dx = vec![0f32; xs.len()];
        dx.par_chunks_mut(plane).enumerate().for_each(|(i, dx)| {
            let c = i % channels;
            let (factor, count) = (scales[c] * root(c), (n * plane) as f32);
            // Fixed statistics don't depend on the input; a batch's do.
            let (a, b) = match self.fixed {
                Some(_) => (0., 0.),
                None => (sums[c].0 / count, sums[c].1 / count * root(c)),
            };
            let range = i * plane..(i + 1) * plane;
            let inputs = xs[range.clone()].iter().zip(&ys[range.clone()]).zip(&gs[range]);
            for (dx, ((x, y), g)) in dx.iter_mut().zip(inputs) {
                let g = if *y > 0. { *g } else { 0. };
                *dx = factor * (g - a - b * (x - stats.mean[c]));
            }
        });
        let (d_shift, d_scale): (Vec<f32>, Vec<f32>) = sums.into_iter().unzip();
        let device = x.device();
        Ok((
            Some(Tensor::from_vec(dx, x.shape(), device)?),
            Some(Tensor::from_vec(d_scale, scale.shape(), device)?),
            Some(Tensor::from_vec(d_shift, shift.shape(), device)?),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{D, Device, Var};

    #[test]
    fn agrees_with_candle() -> Result<()> {
        let x = Var::randn(1f32, 2., (4, 3, 5, 7), &Device::Cpu)?;
        let scale = Var::randn(1f32, 0.3, 3, &Device::Cpu)?;
        let shift = Var::randn(0f32, 0.3, 3, &Device::Cpu)?;
        let op = NormRelu { fixed: None, used: Default::default() };
        let ours = x.apply_op3(&scale, &shift, op)?;
        let flat = x.transpose(0, 1)?.flatten_from(1)?;
        let from = flat.broadcast_sub(&flat.mean_keepdim(D::Minus1)?)?;
        let var = from.sqr()?.mean_keepdim(D::Minus1)?;
        let normal = from.broadcast_div(&(var + EPSILON as f64)?.sqrt()?)?;
        let theirs = normal.broadcast_mul(&scale.unsqueeze(1)?)?.broadcast_add(&shift.unsqueeze(1)?)?.relu()?;
        let theirs = theirs.reshape((3, 4, 5, 7))?.transpose(0, 1)?;
        let want = ours.randn_like(0., 1.)?;
        let a = (&ours * &want)?.sum_all()?.backward()?;
        let b = (&theirs * &want)?.sum_all()?.backward()?;
        for var in [&x, &scale, &shift] {
            let far = (a.get(var).unwrap() - b.get(var).unwrap())?.abs()?;
            assert!(far.flatten_all()?.max(0)?.to_scalar::<f32>()? < 1e-3);
        }
        Ok(())
    }
}
