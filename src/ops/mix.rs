//! Channels mixed by a matrix, and a sigmoid with its inverse.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::real::{Dims, Kernel, Real, dense, run};

/// Rows: what of each channel goes into R, G and B.
pub type Matrix3 = [[f64; 3]; 3];

/// `y[i] = Σ_j matrix[i][j] · x[j] + plus[i]` for every pixel of `[N, 3, H, W]`. Differentiable.
pub fn mix(x: &Tensor, matrix: Matrix3, plus: [f64; 3]) -> Result<Tensor> {
    if x.dims4()?.1 != 3 {
        bail!("colours need 3 channels");
    }
    x.contiguous()?.apply_op1(Mix { matrix, plus })
}

/// The inverse of a matrix, which must have one.
pub fn invert(m: Matrix3) -> Matrix3 {
    let minor = |i: usize, j: usize| {
        let (a, b, c, d) = ((i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3);
        m[a][c] * m[b][d] - m[a][d] * m[b][c]
    };
    let determinant = (0..3).map(|j| m[0][j] * minor(0, j)).sum::<f64>();
    std::array::from_fn(|i| std::array::from_fn(|j| minor(j, i) / determinant))
}

/// The product of two matrices.
pub fn product(a: Matrix3, b: Matrix3) -> Matrix3 {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..3).map(|k| a[i][k] * b[k][j]).sum()))
}

struct Mix {
    matrix: Matrix3,
    plus: [f64; 3],
}

impl CustomOp1 for Mix {
    fn name(&self) -> &'static str {
        "mix"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((run(self, storage, layout)?, layout.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let matrix = std::array::from_fn(|i| std::array::from_fn(|j| self.matrix[j][i]));
        mix(grad, matrix, [0.0; 3]).map(Some)
    }
}

impl Kernel for Mix {
    fn run<T: Real>(&self, input: &[T], (.., h, w): Dims) -> Vec<T> {
        let area = (h * w).max(1);
        let matrix = self.matrix.map(|row| row.map(T::from_f64));
        let plus = self.plus.map(T::from_f64);
        let mut result = vec![T::ZERO; input.len()];
        result.par_chunks_mut(area).enumerate().for_each(|(plane, to)| {
            let from = &input[plane / 3 * 3 * area..][..3 * area];
            let (row, plus) = (matrix[plane % 3], plus[plane % 3]);
            let (r, rest) = from.split_at(area);
            let (g, b) = rest.split_at(area);
            for (((to, r), g), b) in to.iter_mut().zip(r).zip(g).zip(b) {
                *to = row[0] * *r + row[1] * *g + row[2] * *b + plus;
            }
        });
        result
    }
}

/// 1 / (1 + e^−x). Differentiable.
pub fn sigmoid(x: &Tensor) -> Result<Tensor> {
    x.contiguous()?.apply_op1(Sigmoid)
}

/// The inverse of [`sigmoid`], ln(y / (1 − y)), for values between 0 and 1. No gradient flows through it.
pub fn logit(y: &Tensor) -> Result<Tensor> {
    y.detach().contiguous()?.apply_op1_no_bwd(&Logit)
}

/// Numbers that one thread works on at a time.
const RUN: usize = 1 << 13;

fn each<T: Real>(all: &[T], f: impl Fn(T) -> T + Sync) -> Vec<T> {
    let mut result = all.to_vec();
    result.par_chunks_mut(RUN).for_each(|run| run.iter_mut().for_each(|x| *x = f(*x)));
    result
}

struct Sigmoid;

impl CustomOp1 for Sigmoid {
    fn name(&self) -> &'static str {
        "sigmoid"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let result = match storage {
            CpuStorage::F32(all) => CpuStorage::F32(each(dense(all, layout)?, |x| 1.0 / (1.0 + libm::expf(-x)))),
            CpuStorage::F64(all) => CpuStorage::F64(each(dense(all, layout)?, |x| 1.0 / (1.0 + libm::exp(-x)))),
            _ => bail!("numbers are f32 or f64"),
        };
        Ok((result, layout.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, result: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let y = result.detach();
        (grad * (&y - y.sqr()?)?).map(Some)
    }
}

struct Logit;

impl CustomOp1 for Logit {
    fn name(&self) -> &'static str {
        "logit"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let result = match storage {
            CpuStorage::F32(all) => CpuStorage::F32(each(dense(all, layout)?, |y| libm::logf(y / (1.0 - y)))),
            CpuStorage::F64(all) => CpuStorage::F64(each(dense(all, layout)?, |y| libm::log(y / (1.0 - y)))),
            _ => bail!("numbers are f32 or f64"),
        };
        Ok((result, layout.shape().clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{assert_close, check_gradient, random};

    const M: Matrix3 = [[1.0, 2.0, -1.0], [0.5, -1.0, 3.0], [2.0, 0.25, 1.0]];

    #[test]
    fn mixing_is_undone_by_the_inverse() {
        let x = random(&[2, 3, 4, 5], 1);
        let mixed = mix(&x, M, [0.0; 3]).unwrap();
        assert_close(&mix(&mixed, invert(M), [0.0; 3]).unwrap(), &x, 1e-12);
        assert_close(&mix(&mixed, M, [0.0; 3]).unwrap(), &mix(&x, product(M, M), [0.0; 3]).unwrap(), 1e-12);
        check_gradient(|x| mix(x, M, [0.1, 0.2, 0.3]), &x);
        assert!(mix(&random(&[1, 2, 4, 5], 1), M, [0.0; 3]).is_err());
    }

    #[test]
    fn a_sigmoid_is_undone_by_its_inverse() {
        let x = (random(&[2, 3, 4, 5], 1) * 4.0).unwrap();
        assert_close(&logit(&sigmoid(&x).unwrap()).unwrap(), &x, 1e-12);
        check_gradient(sigmoid, &x);
        let x = x.to_dtype(candle_core::DType::F32).unwrap();
        assert_close(&logit(&sigmoid(&x).unwrap()).unwrap(), &x, 1e-5);
    }
}
