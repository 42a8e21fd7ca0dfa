//! Gradients against finite differences, in f64.

use candle_core::{DType, Device, Result, Tensor, Var};

/// Numbers from −1 to 1 that a seed decides.
pub(crate) fn random(shape: &[usize], seed: u64) -> Tensor {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    let values: Vec<f64> = (0..shape.iter().product()).map(|_| next()).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// The numbers of a tensor as f64.
pub(crate) fn values(x: &Tensor) -> Vec<f64> {
    x.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// The gradient of `Σ weights · op(x)`.
pub(crate) fn gradient(op: impl Fn(&Tensor) -> Result<Tensor>, x: &Tensor, weights: &Tensor) -> Tensor {
    let x = Var::from_tensor(x).unwrap();
    let loss = (op(&x).unwrap() * weights).unwrap().sum_all().unwrap();
    loss.backward().unwrap().remove(&x).unwrap()
}

/// Asserts that the gradient of `op` at `x`, f64, is that of finite differences. `op` must be smooth within 1e-5 of x.
pub(crate) fn check_gradient(op: impl Fn(&Tensor) -> Result<Tensor>, x: &Tensor) {
    let weights = random(op(x).unwrap().dims(), 99);
    let gradient = values(&gradient(&op, x, &weights));
    let loss = |x: Vec<f64>, shape: &[usize]| {
        let x = Tensor::from_vec(x, shape, &Device::Cpu).unwrap();
        (op(&x).unwrap() * &weights).unwrap().sum_all().unwrap().to_scalar::<f64>().unwrap()
    };
    let start = values(x);
    for (i, found) in gradient.iter().enumerate() {
        let moved = |step: f64| {
            let mut moved = start.clone();
            moved[i] += step;
            loss(moved, x.dims())
        };
        let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        assert!((found - expected).abs() <= 1e-6 * (1.0 + expected.abs()), "{i}: {found}, by differences {expected}");
    }
}

/// Asserts that two tensors have one shape and nowhere differ by more than `tolerance` of the greatest number.
pub(crate) fn assert_close(found: &Tensor, expected: &Tensor, tolerance: f64) {
    assert_eq!(found.dims(), expected.dims());
    let (found, expected) = (values(found), values(expected));
    let greatest = expected.iter().fold(1e-30f64, |greatest, x| greatest.max(x.abs()));
    for (i, (a, b)) in found.iter().zip(&expected).enumerate() {
        assert!((a - b).abs() <= tolerance * greatest, "{i}: {a}, expected {b}");
    }
}

/// Asserts that two tensors have the same bytes.
pub(crate) fn assert_same(found: &Tensor, expected: &Tensor) {
    assert_eq!(found.dims(), expected.dims());
    let bits = |x: &Tensor| values(x).into_iter().map(f64::to_bits).collect::<Vec<_>>();
    assert!(bits(found) == bits(expected), "the bytes differ");
}
