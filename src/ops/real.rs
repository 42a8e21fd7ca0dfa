//! One kernel for f32 and f64.

use candle_core::{CpuStorage, Layout, Result, WithDType, bail};

/// f32 in a run, f64 in tests.
pub(super) trait Real: WithDType + Default + super::product::Factor {
    /// The lesser of two numbers; no care is taken of NaN.
    fn least(self, other: Self) -> Self {
        if other < self { other } else { self }
    }

    /// The greater of two numbers; no care is taken of NaN.
    fn most(self, other: Self) -> Self {
        if other > self { other } else { self }
    }
}

impl Real for f32 {}
impl Real for f64 {}

/// A kernel of one input.
pub(super) trait Kernel {
    /// `[N, C, H, W]`, dense, and its dims → the values of the result.
    fn run<T: Real>(&self, input: &[T], dims: Dims) -> Vec<T>;
}

/// A kernel of two inputs of one shape.
pub(super) trait Kernel2 {
    /// Two dense `[N, C, H, W]` and their dims → the values of the result.
    fn run<T: Real>(&self, first: &[T], second: &[T], dims: Dims) -> Vec<T>;
}

/// N, C, H, W
pub(super) type Dims = (usize, usize, usize, usize);

/// Runs a kernel on a tensor of reals.
pub(super) fn run(kernel: &impl Kernel, storage: &CpuStorage, layout: &Layout) -> Result<CpuStorage> {
    let dims = layout.shape().dims4()?;
    Ok(match storage {
        CpuStorage::F32(all) => CpuStorage::F32(kernel.run(dense(all, layout)?, dims)),
        CpuStorage::F64(all) => CpuStorage::F64(kernel.run(dense(all, layout)?, dims)),
        _ => bail!("pictures are f32 or f64"),
    })
}

/// Runs a kernel on two tensors of reals.
pub(super) fn run2(
    kernel: &impl Kernel2,
    (first, first_layout): (&CpuStorage, &Layout),
    (second, second_layout): (&CpuStorage, &Layout),
) -> Result<CpuStorage> {
    let dims = first_layout.shape().dims4()?;
    if second_layout.shape().dims4()? != dims {
        bail!("the inputs differ in shape");
    }
    Ok(match (first, second) {
        (CpuStorage::F32(a), CpuStorage::F32(b)) => {
            CpuStorage::F32(kernel.run(dense(a, first_layout)?, dense(b, second_layout)?, dims))
        }
        (CpuStorage::F64(a), CpuStorage::F64(b)) => {
            CpuStorage::F64(kernel.run(dense(a, first_layout)?, dense(b, second_layout)?, dims))
        }
        _ => bail!("pictures are both f32 or both f64"),
    })
}

/// The values of a dense tensor.
pub(super) fn dense<'a, T>(all: &'a [T], layout: &Layout) -> Result<&'a [T]> {
    match layout.contiguous_offsets() {
        Some((from, until)) => Ok(&all[from..until]),
        None => bail!("the tensor is not dense"),
    }
}
