//! Softmax over classes, its logarithm and `e^x`, with libm's functions: the same on every machine.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

use super::real::dense;

/// ln p of `[N, classes]`: x − ln Σ e^x. Differentiable.
pub fn log_softmax(logits: &Tensor) -> Result<Tensor> {
    logits.contiguous()?.apply_op1(LogSoftmax)
}

/// e^x. Differentiable.
pub fn exp(x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Exp)
}

struct LogSoftmax;

impl CustomOp1 for LogSoftmax {
    fn name(&self) -> &'static str {
        "log-softmax"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, classes) = layout.shape().dims2()?;
        let rows = |all: &mut dyn Iterator<Item = f64>| {
            let mut values: Vec<f64> = all.collect();
            for row in values.chunks_mut(classes.max(1)) {
                let greatest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = row.iter().map(|x| libm::exp(x - greatest)).sum();
                let total = greatest + libm::log(sum);
                row.iter_mut().for_each(|x| *x -= total);
            }
            values
        };
        let result = match storage {
            CpuStorage::F32(all) => {
                let values = rows(&mut dense(all, layout)?.iter().map(|x| f64::from(*x)));
                CpuStorage::F32(values.into_iter().map(|x| x as f32).collect())
            }
            CpuStorage::F64(all) => CpuStorage::F64(rows(&mut dense(all, layout)?.iter().copied())),
            _ => bail!("logits are f32 or f64"),
        };
        Ok((result, layout.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, result: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let p = exp(result)?;
        (grad - p.broadcast_mul(&grad.sum_keepdim(1)?)?).map(Some)
    }
}

struct Exp;

impl CustomOp1 for Exp {
    fn name(&self) -> &'static str {
        "exp"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let result = match storage {
            CpuStorage::F32(all) => {
                CpuStorage::F32(dense(all, layout)?.iter().map(|x| libm::exp(f64::from(*x)) as f32).collect())
            }
            CpuStorage::F64(all) => CpuStorage::F64(dense(all, layout)?.iter().map(|x| libm::exp(*x)).collect()),
            _ => bail!("numbers are f32 or f64"),
        };
        Ok((result, layout.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, result: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        (grad * result).map(Some)
    }
}
