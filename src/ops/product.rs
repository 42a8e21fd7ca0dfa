//! Matrix products on one thread, by the crate `gemm`, which has no safe entry: behind a check that no
//! index can leave its slice.
//!
//! One product sums over `k` in an order that depends on its shape alone. Whoever splits work into products must split
//! it by shape too, never by the number of threads or images.

use std::borrow::Cow;
use std::cell::RefCell;

/// Numbers that can be multiplied fast.
pub(super) trait Factor: Copy + 'static {
    /// 0
    const ZERO: Self;
    /// Weights, which are kept as f32, as numbers of this type.
    fn exact(weights: &[f32]) -> Cow<'_, [Self]>
    where
        [Self]: ToOwned<Owned = Vec<Self>>;
    /// Lends two buffers of the current thread. What they hold is left over from whoever used them last.
    fn scratch<R>(lengths: [usize; 2], work: impl FnOnce(&mut [Self], &mut [Self]) -> R) -> R;
    /// As [`multiply`], for checked matrices of at least one row, column and term.
    fn product(to: &mut [Self], left: Matrix<'_, Self>, right: Matrix<'_, Self>);
}

/// A matrix in a slice: element (i, j) at `i · down + j · across`.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a, T> {
    /// The numbers.
    pub data: &'a [T],
    /// Rows and columns.
    pub size: [usize; 2],
    /// Numbers from one row to the next.
    pub down: usize,
    /// Numbers from one column to the next.
    pub across: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// Row after row, `down` numbers from one to the next.
    pub fn rows(data: &'a [T], size: [usize; 2], down: usize) -> Self {
        Self { data, size, down, across: 1 }
    }

    /// How long the slice must be.
    fn reach(&self) -> Option<usize> {
        let [rows, columns] = self.size;
        let last = |n: usize, step: usize| n.checked_sub(1)?.checked_mul(step);
        last(rows, self.down)?.checked_add(last(columns, self.across)?)?.checked_add(1)
    }
}

/// `to` = left · right, row after row. Sizes that do not agree, or a slice that is too short, are a mistake of the
/// program and panic.
pub(super) fn multiply<T: Factor>(to: &mut [T], left: Matrix<'_, T>, right: Matrix<'_, T>) {
    let ([m, k], [inner, n]) = (left.size, right.size);
    assert!(k == inner && m.checked_mul(n) == Some(to.len()), "sizes of a product agree");
    if to.is_empty() {
        return;
    }
    if k == 0 {
        return to.fill(T::ZERO);
    }
    let fits = |matrix: &Matrix<'_, T>| matrix.reach().is_some_and(|reach| reach <= matrix.data.len());
    assert!(fits(&left) && fits(&right), "a matrix lies within its slice");
    T::product(to, left, right);
}

macro_rules! factor {
    ($number:ty, $weights:expr) => {
        impl Factor for $number {
            const ZERO: Self = 0.0;

            fn exact(weights: &[f32]) -> Cow<'_, [Self]> {
                $weights(weights)
            }

            fn scratch<R>(lengths: [usize; 2], work: impl FnOnce(&mut [Self], &mut [Self]) -> R) -> R {
                thread_local! {
                    static SCRATCH: RefCell<Vec<$number>> = const { RefCell::new(Vec::new()) };
                }
                SCRATCH.with_borrow_mut(|buffer| {
                    let length = lengths[0] + lengths[1];
                    if buffer.len() < length {
                        buffer.resize(length, 0.0);
                    }
                    let (first, second) = buffer[..length].split_at_mut(lengths[0]);
                    work(first, second)
                })
            }

            #[allow(unsafe_code)]
            fn product(to: &mut [Self], left: Matrix<'_, Self>, right: Matrix<'_, Self>) {
                let ([m, k], n) = (left.size, right.size[1]);
                let steps = |matrix: &Matrix<'_, Self>| (matrix.across as isize, matrix.down as isize);
                let ((left_across, left_down), (right_across, right_down)) = (steps(&left), steps(&right));
                // SAFETY: `multiply` checked that `to` holds m·n numbers and that the last element of either matrix
                // lies within its slice; steps are not negative, so every other lies before it. `to` is borrowed
                // mutably, so it overlaps neither. `gemm` writes `to` without reading it (`read_dst` is false).
                unsafe {
                    gemm::gemm(
                        m,
                        n,
                        k,
                        to.as_mut_ptr(),
                        1,
                        n as isize,
                        false,
                        left.data.as_ptr(),
                        left_across,
                        left_down,
                        right.data.as_ptr(),
                        right_across,
                        right_down,
                        0.0,
                        1.0,
                        false,
                        false,
                        false,
                        gemm::Parallelism::None,
                    );
                }
            }
        }
    };
}

factor!(f32, Cow::Borrowed);
factor!(f64, |weights: &[f32]| Cow::Owned(weights.iter().map(|&weight| weight.into()).collect()));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strided_products_are_right() {
        // 2x3 · 3x2, the left one stored by columns, the right one with a gap after each row.
        let left = Matrix { data: &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0], size: [2, 3], down: 1, across: 2 };
        let right = Matrix::rows(&[1.0, 2.0, 9.0, 3.0, 4.0, 9.0, 5.0, 6.0], [3, 2], 3);
        let mut to = [f64::NAN; 4];
        multiply(&mut to, left, right);
        assert_eq!(to, [22.0, 28.0, 49.0, 64.0]);
        multiply(&mut to, Matrix::rows(&[], [2, 0], 0), Matrix::rows(&[], [0, 2], 2));
        assert_eq!(to, [0.0; 4]);
    }

    #[test]
    #[should_panic(expected = "a matrix lies within its slice")]
    fn a_slice_that_is_too_short_is_noticed() {
        multiply(&mut [0.0f32; 4], Matrix::rows(&[0.0; 3], [2, 2], 2), Matrix::rows(&[0.0; 4], [2, 2], 2));
    }
}
