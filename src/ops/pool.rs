//! Pooling: the greatest of each window, and the mean of everything.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::Window;
use super::real::{Dims, Kernel, Real, dense, run};

/// The greatest of each window, `[N, C, H, W]` → `[N, C, H', W']`. Padding is −∞; among equals the first in reading
/// order wins and alone gets the gradient, as in PyTorch; NaN wins over everything.
///
/// # Errors
/// No window fits, or one would see nothing but padding.
pub fn max_pool(x: &Tensor, window: Window) -> Result<Tensor> {
    if x.device().is_cpu() {
        return x.contiguous()?.apply_op1(MaxPool::new(window));
    }
    max_pool_portable(x, window)
}

/// The same in candle's own operations, on any device. Equals share the gradient.
pub fn max_pool_portable(x: &Tensor, window: Window) -> Result<Tensor> {
    let mut greatest: Option<Tensor> = None;
    for seen in cells(x, window, f64::NEG_INFINITY)? {
        greatest = Some(match greatest {
            Some(greatest) => greatest.maximum(&seen)?,
            None => seen,
        });
    }
    greatest.map_or_else(|| bail!("a window of no cells"), Ok)
}

/// For each place in the window what all windows have there, `[N, C, H', W']`; outside of the picture is `outside`.
pub(super) fn cells(x: &Tensor, window: Window, outside: f64) -> Result<Vec<Tensor>> {
    let (n, c, h, w) = x.dims4()?;
    let (high, wide) = positions(window, h, w)?;
    let Window { kernel, stride, padding, .. } = window;
    let wall = |dims: [usize; 4]| Tensor::full(outside, &dims, x.device())?.to_dtype(x.dtype());
    // As far as the last window reaches, beyond the padding too.
    let reach = |count: usize| (count - 1) * stride + kernel;
    let (below, right) = (reach(high).saturating_sub(h + padding), reach(wide).saturating_sub(w + padding));
    let x = Tensor::cat(&[&wall([n, c, padding, w])?, x, &wall([n, c, below, w])?], 2)?;
    let tall = x.dim(2)?;
    let x = Tensor::cat(&[&wall([n, c, tall, padding])?, &x, &wall([n, c, tall, right])?], 3)?;
    let step = |from: usize, count: usize| {
        let indices: Vec<u32> = (0..count).map(|i| (from + i * stride) as u32).collect();
        Tensor::new(indices, x.device())
    };
    let places = (0..kernel).flat_map(|ky| (0..kernel).map(move |kx| (ky, kx)));
    places.map(|(ky, kx)| x.index_select(&step(ky, high)?, 2)?.index_select(&step(kx, wide)?, 3)).collect()
}

pub(super) fn positions(window: Window, height: usize, width: usize) -> Result<(usize, usize)> {
    let Window { kernel, stride, padding, .. } = window;
    if stride == 0 || padding >= kernel {
        bail!("a pool's window of {kernel} with padding {padding} sees nothing but padding");
    }
    match (window.positions(height), window.positions(width)) {
        (Some(high), Some(wide)) => Ok((high, wide)),
        _ => bail!("{width}x{height} cells are too few for a pool of {kernel}x{kernel}"),
    }
}

pub(super) struct MaxPool {
    window: Window,
    /// For each result the winner's place in its plane, from forward to backward.
    winners: OnceLock<Vec<u32>>,
}

impl MaxPool {
    pub fn new(window: Window) -> Self {
        Self { window, winners: OnceLock::new() }
    }

    /// Results and winners.
    fn greatest<T: Real>(
        &self,
        input: &[T],
        (h, w): (usize, usize),
        (high, wide): (usize, usize),
    ) -> (Vec<T>, Vec<u32>) {
        let Window { kernel, stride, padding, .. } = self.window;
        let planes = input.len().checked_div(h * w).unwrap_or(0);
        let mut result = vec![T::ZERO; planes * high * wide];
        let mut winners = vec![0; planes * high * wide];
        let to = result.par_chunks_mut(high * wide).zip(winners.par_chunks_mut(high * wide));
        // For each column of a row of windows its greatest cell, and where that cell's row starts.
        let columns = || (vec![T::ZERO; w], vec![0u32; w]);
        to.zip(input.par_chunks(h * w)).for_each_init(columns, |(best, starts), ((result, winners), plane)| {
            // The part of a window that lies inside.
            let seen = |at: usize, side: usize| {
                let start = at * stride;
                start.saturating_sub(padding)..(start + kernel).saturating_sub(padding).min(side)
            };
            for (y, (result, winners)) in result.chunks_mut(wide).zip(winners.chunks_mut(wide)).enumerate() {
                let rows = seen(y, h);
                best.copy_from_slice(&plane[rows.start * w..][..w]);
                starts.fill((rows.start * w) as u32);
                for row in rows.skip(1) {
                    let start = (row * w) as u32;
                    for ((best, place), &cell) in best.iter_mut().zip(starts.iter_mut()).zip(&plane[row * w..][..w]) {
                        let wins = (cell > *best) | is_nan(cell);
                        *best = if wins { cell } else { *best };
                        *place = if wins { start } else { *place };
                    }
                }
                for (x, (result, winner)) in result.iter_mut().zip(winners).enumerate() {
                    let columns = seen(x, w);
                    (*result, *winner) = (best[columns.start], starts[columns.start] + columns.start as u32);
                    for column in columns.skip(1) {
                        let (cell, at) = (best[column], starts[column] + column as u32);
                        // The first in reading order may stand in a later column, in an earlier row.
                        let wins = (cell > *result) | is_nan(cell) | ((cell == *result) & (at < *winner));
                        *result = if wins { cell } else { *result };
                        *winner = if wins { at } else { *winner };
                    }
                }
            }
        });
        (result, winners)
    }
}

/// NaN differs from itself.
#[allow(clippy::eq_op)]
fn is_nan<T: Real>(x: T) -> bool {
    x != x
}

impl CustomOp1 for MaxPool {
    fn name(&self) -> &'static str {
        "max-pool"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, c, h, w) = layout.shape().dims4()?;
        let to = positions(self.window, h, w)?;
        let (result, winners) = match storage {
            CpuStorage::F32(all) => {
                let (result, winners) = self.greatest(dense(all, layout)?, (h, w), to);
                (CpuStorage::F32(result), winners)
            }
            CpuStorage::F64(all) => {
                let (result, winners) = self.greatest(dense(all, layout)?, (h, w), to);
                (CpuStorage::F64(result), winners)
            }
            _ => bail!("activations are f32 or f64"),
        };
        // Each call of `max_pool` makes its own operation, so nothing is there yet.
        let _ = self.winners.set(winners);
        Ok((result, (n, c, to.0, to.1).into()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (_, _, height, width) = x.dims4()?;
        let Some(winners) = self.winners.get() else { bail!("a pool's gradient before its result") };
        grad.contiguous()?.apply_op1_no_bwd(&Unpool { winners, height, width }).map(Some)
    }
}

/// Gives each winner its gradient.
struct Unpool<'a> {
    winners: &'a [u32],
    height: usize,
    width: usize,
}

impl CustomOp1 for Unpool<'_> {
    fn name(&self) -> &'static str {
        "max-pool's gradient"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, c, ..) = layout.shape().dims4()?;
        Ok((run(self, storage, layout)?, (n, c, self.height, self.width).into()))
    }
}

impl Kernel for Unpool<'_> {
    fn run<T: Real>(&self, grad: &[T], (n, c, high, wide): Dims) -> Vec<T> {
        let cells = self.height * self.width;
        let mut result = vec![T::ZERO; n * c * cells];
        let from = grad.par_chunks((high * wide).max(1)).zip(self.winners.par_chunks((high * wide).max(1)));
        result.par_chunks_mut(cells.max(1)).zip(from).for_each(|(plane, (grad, winners))| {
            grad.iter().zip(winners).for_each(|(&grad, &winner)| plane[winner as usize] += grad);
        });
        result
    }
}

/// The mean over all positions, `[N, C, H, W]` → `[N, C, 1, 1]`.
pub fn average_pool(x: &Tensor) -> Result<Tensor> {
    if x.device().is_cpu() { x.contiguous()?.apply_op1(AveragePool) } else { average_pool_portable(x) }
}

/// The same in candle's own operations, on any device.
pub fn average_pool_portable(x: &Tensor) -> Result<Tensor> {
    x.mean_keepdim(3)?.mean_keepdim(2)
}

struct AveragePool;

impl CustomOp1 for AveragePool {
    fn name(&self) -> &'static str {
        "average-pool"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, c, ..) = layout.shape().dims4()?;
        Ok((run(self, storage, layout)?, (n, c, 1, 1).into()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (_, _, h, w) = x.dims4()?;
        (grad / (h * w) as f64)?.broadcast_as(x.shape())?.contiguous().map(Some)
    }
}

impl Kernel for AveragePool {
    fn run<T: Real>(&self, input: &[T], (n, c, h, w): Dims) -> Vec<T> {
        let cells = h * w;
        let mean = |plane: &[T]| sum(plane) / T::from_f64(cells as f64);
        if cells == 0 { vec![T::ZERO; n * c] } else { input.chunks(cells).map(mean).collect() }
    }
}

/// A sum in an order that compilers can spread over lanes and that no machine changes: sixteen running sums, then those
/// from the first to the last.
pub(super) fn sum<T: Real>(values: &[T]) -> T {
    let (chunks, rest) = values.as_chunks::<16>();
    let mut sums = [T::ZERO; 16];
    for chunk in chunks {
        sums.iter_mut().zip(chunk).for_each(|(sum, &x)| *sum += x);
    }
    sums.iter_mut().zip(rest).for_each(|(sum, &x)| *sum += x);
    sums.into_iter().fold(T::ZERO, |total, sum| total + sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{assert_close, assert_same, check_gradient, gradient, random, values};
    use candle_core::{DType, Device};

    const WINDOWS: [(usize, usize, usize); 6] = [(3, 2, 1), (2, 2, 0), (3, 2, 0), (3, 1, 1), (2, 3, 0), (5, 3, 2)];

    #[test]
    fn is_the_portable_form_and_its_gradient_that_of_differences() {
        for (kernel, stride, padding) in WINDOWS {
            let window = Window::new(kernel, stride, padding);
            for (h, w) in [(7, 8), (8, 9), (5, 5)] {
                let x = random(&[2, 3, h, w], 1);
                assert_same(&max_pool(&x, window).unwrap(), &max_pool_portable(&x, window).unwrap());
                let single = x.to_dtype(DType::F32).unwrap();
                assert_same(&max_pool(&single, window).unwrap(), &max_pool_portable(&single, window).unwrap());
                check_gradient(|x| max_pool(x, window), &x);
            }
        }
    }

    /// PyTorch 2.15: `F.max_pool2d(torch.zeros(1, 1, 5, 5), 3, 2, 1)`, gradient of the sum.
    #[test]
    fn the_first_of_equals_gets_the_gradient() {
        let x = Tensor::zeros((1, 1, 5, 5), DType::F64, &Device::Cpu).unwrap();
        let ones = Tensor::ones((1, 1, 3, 3), DType::F64, &Device::Cpu).unwrap();
        let gradient = gradient(|x| max_pool(x, Window::new(3, 2, 1)), &x, &ones);
        let mut expected = [0.0; 25];
        for i in [0, 1, 3, 5, 6, 8, 15, 16, 18] {
            expected[i] = 1.0;
        }
        assert_eq!(values(&gradient), expected);
    }

    /// Among cells of three values nearly every window has ties.
    #[test]
    fn the_first_of_equals_is_first_in_reading_order() {
        let x = (random(&[1, 2, 9, 10], 5) * 1.5).unwrap().round().unwrap();
        let cells = values(&x);
        for (kernel, stride, padding) in WINDOWS {
            let window = Window::new(kernel, stride, padding);
            let y = max_pool(&x, window).unwrap();
            let found = gradient(|x| max_pool(x, window), &x, &y.ones_like().unwrap());
            let mut expected = vec![0.0; cells.len()];
            let (_, _, high, wide) = y.dims4().unwrap();
            for (plane, y, x) in (0..2).flat_map(|p| (0..high).flat_map(move |y| (0..wide).map(move |x| (p, y, x)))) {
                let side = |at: usize, side: usize| {
                    (at * stride..at * stride + kernel).filter(move |&i| i >= padding && i < side + padding)
                };
                let places = side(y, 9).flat_map(|row| side(x, 10).map(move |column| (row, column)));
                let places = places.map(|(row, column)| plane * 90 + (row - padding) * 10 + column - padding);
                // `max_by` keeps the last of equals, so it goes backwards.
                let places: Vec<usize> = places.collect();
                let first = places.iter().rev().max_by(|&&a, &&b| cells[a].partial_cmp(&cells[b]).unwrap());
                expected[*first.unwrap()] += 1.0;
            }
            assert_eq!(values(&found), expected);
        }
    }

    #[test]
    fn nan_is_not_swallowed_and_padding_never_wins() {
        let x = Tensor::new(&[[[[-3.0, f64::NAN], [-1.0, -2.0]]]], &Device::Cpu).unwrap();
        assert!(values(&max_pool(&x, Window::new(2, 2, 0)).unwrap())[0].is_nan());
        let x = Tensor::full(-5.0, (1, 1, 3, 3), &Device::Cpu).unwrap();
        assert_eq!(values(&max_pool(&x, Window::new(3, 2, 1)).unwrap()), [-5.0; 4]);
        assert!(max_pool(&x, Window::new(2, 2, 2)).is_err());
        assert!(max_pool(&x, Window::new(4, 1, 0)).is_err());
    }

    #[test]
    fn the_mean_of_everything() {
        for (h, w) in [(7, 5), (1, 1), (8, 8)] {
            let x = random(&[2, 3, h, w], 2);
            assert_close(&average_pool(&x).unwrap(), &average_pool_portable(&x).unwrap(), 1e-14);
            check_gradient(average_pool, &x);
        }
    }
}
