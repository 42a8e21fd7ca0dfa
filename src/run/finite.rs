//! Numbers that ran away.

use candle_core::{DType, Result, Storage, Tensor};
use rayon::prelude::*;

use crate::ops::fast::vectorized;

/// Looks at all numbers, in place where that can be done.
fn look<R>(tensor: &Tensor, at: impl Fn(&[f32]) -> R) -> Result<R> {
    let tensor = tensor.detach().to_dtype(DType::F32)?.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    if let (Storage::Cpu(storage), Some((start, end))) = (&*storage, layout.contiguous_offsets()) {
        return Ok(at(&storage.as_slice()?[start..end]));
    }
    drop(storage);
    Ok(at(&tensor.flatten_all()?.to_vec1()?))
}

/// Whether it is true of all numbers: of a run of them without a branch.
fn all(numbers: &[f32], is: impl Fn(f32) -> bool + Sync) -> bool {
    let of_run = |run: &[f32]| run.iter().fold(true, |all, &number| all & is(number));
    numbers.par_chunks(1 << 14).all(|numbers| vectorized(|| numbers.chunks(1024).all(of_run)))
}

/// Whether every number is finite.
pub(super) fn is_finite(tensor: &Tensor) -> Result<bool> {
    look(tensor, |numbers| all(numbers, f32::is_finite))
}

/// Whether every number is zero.
pub(super) fn is_zero(tensor: &Tensor) -> Result<bool> {
    look(tensor, |numbers| all(numbers, |number| number == 0.0))
}

/// The greatest |value|; infinite where there is a NaN.
pub(super) fn greatest(tensor: &Tensor) -> Result<f64> {
    let greatest = |numbers: &[f32]| {
        numbers.iter().fold(0.0, |most: f32, number| match number.abs() {
            size if size.is_nan() => f32::INFINITY,
            size => most.max(size),
        })
    };
    look(tensor, |numbers| greatest(numbers).into())
}
