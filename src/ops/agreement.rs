//! A kernel against its portable form: the same values and the same gradients.

use candle_core::{Device, Result, Tensor, Var};

/// A picture of f64 values from −0.2 to 1.2, no two of them alike.
pub(super) fn picture(shape: (usize, usize, usize, usize)) -> Tensor {
    let count = shape.0 * shape.1 * shape.2 * shape.3;
    // Multiples of the golden ratio, folded: evenly spread and without a pattern on any grid.
    let values = (1..=count).map(|i| (i as f64 * 0.618_033_988_749_894_9).fract() * 1.4 - 0.2);
    Tensor::from_iter(values, &Device::Cpu).unwrap().reshape(shape).unwrap()
}

/// Asserts that both give the same values and the same gradient of Σ result³ (which weighs each value differently).
pub(super) fn assert_agree(
    what: &str,
    kernel: impl Fn(&Tensor) -> Result<Tensor>,
    portable: impl Fn(&Tensor) -> Result<Tensor>,
    x: &Tensor,
) {
    let both = |op: &dyn Fn(&Tensor) -> Result<Tensor>| -> Result<[Tensor; 2]> {
        let x = Var::from_tensor(x)?;
        let result = op(&x)?;
        let gradients = (result.sqr()? * &result)?.sum_all()?.backward()?;
        let gradient = gradients.get(&x).cloned().unwrap_or(x.zeros_like()?);
        Ok([result.detach(), gradient])
    };
    let values = |x: &Tensor| x.flatten_all().unwrap().to_vec1::<f64>().unwrap();
    for (a, b) in both(&kernel).unwrap().iter().zip(both(&portable).unwrap()) {
        assert_eq!(a.dims(), b.dims(), "{what}");
        for (i, (a, b)) in values(a).iter().zip(values(&b)).enumerate() {
            assert!((a - b).abs() < 1e-10 * (1.0 + b.abs()), "{what}: number {i} is {a}, portable {b}");
        }
    }
}
