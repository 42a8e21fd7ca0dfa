//! Numbers that ran away.

use candle_core::{DType, Result, Tensor};

fn numbers(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.detach().to_dtype(DType::F32)?.flatten_all()?.to_vec1()
}

/// Whether every number is finite.
pub(super) fn is_finite(tensor: &Tensor) -> Result<bool> {
    Ok(numbers(tensor)?.iter().all(|number| number.is_finite()))
}

/// Whether every number is zero.
pub(super) fn is_zero(tensor: &Tensor) -> Result<bool> {
    Ok(numbers(tensor)?.iter().all(|&number| number == 0.0))
}

/// The greatest |value|; infinite where there is a NaN.
pub(super) fn greatest(tensor: &Tensor) -> Result<f64> {
    let greatest = numbers(tensor)?.iter().fold(0.0, |most: f32, number| match number.abs() {
        size if size.is_nan() => f32::INFINITY,
        size => most.max(size),
    });
    Ok(greatest as f64)
}
