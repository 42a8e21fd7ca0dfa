//! The greatest of each window, pixel by pixel.

use rayon::prelude::*;

use super::{Finish, Grid};
use crate::ops::Window;

/// As [`crate::ops::max_pool`]. `winners` gets for each result the winner's place in its window, row by row; it has a
/// place for each number of the inside of `to_grid`.
pub fn pool(window: Window, (from, from_grid): (&[f32], Grid), (to, to_grid): (&mut [f32], Grid), winners: &mut [u8]) {
    let (channels, row) = (to_grid.channels, to_grid.row());
    let across = to_grid.width * channels;
    let inside = &mut to[to_grid.inside()];
    inside.par_chunks_mut(row).zip(winners.par_chunks_mut(across.max(1))).enumerate().for_each(|(y, (to, winners))| {
        let to = &mut to[to_grid.pad * channels..][..across];
        for (x, (to, winners)) in to.chunks_exact_mut(channels).zip(winners.chunks_exact_mut(channels)).enumerate() {
            let mut first = true;
            for (k, (row, column)) in cells(window, (y, x), from_grid) {
                let cell = &from[from_grid.at(row, column)..][..channels];
                if first {
                    to.copy_from_slice(cell);
                    winners.fill(k);
                    first = false;
                    continue;
                }
                for ((to, winner), &cell) in to.iter_mut().zip(winners.iter_mut()).zip(cell) {
                    // NaN wins over everything, the first of equals over the others.
                    let wins = (cell > *to || cell.is_nan()) && !to.is_nan();
                    *to = if wins { cell } else { *to };
                    *winner = if wins { k } else { *winner };
                }
            }
        }
    });
}

/// The cells inside of the picture that the window at a position sees, with their places in the window.
fn cells(window: Window, (y, x): (usize, usize), grid: Grid) -> impl Iterator<Item = (u8, (usize, usize))> {
    let Window { kernel, stride, padding } = window;
    (0..kernel * kernel).filter_map(move |k| {
        let row = (y * stride + k / kernel).checked_sub(padding).filter(|row| *row < grid.height)?;
        let column = (x * stride + k % kernel).checked_sub(padding).filter(|column| *column < grid.width)?;
        Some((k as u8, (row, column)))
    })
}

/// The gradient of [`pool`]'s picture, into `to`, from that of its result.
pub fn unpool(
    window: Window,
    (from, from_grid): (&[f32], Grid),
    (to, to_grid): (&mut [f32], Grid),
    winners: &[u8],
    finish: Finish<'_>,
) {
    let Window { kernel, stride, padding } = window;
    let (channels, row) = (to_grid.channels, to_grid.row());
    let inside = to_grid.inside();
    let start = inside.start;
    to[inside].par_chunks_mut(row).enumerate().for_each_init(
        || vec![0.0; channels],
        |sums, (y, to)| {
            // Positions whose window has cell y: from (y + padding − kernel + 1) / stride, rounded up.
            let range = |at: usize, side: usize| {
                let first = (at + padding).saturating_sub(kernel - 1).div_ceil(stride);
                first..((at + padding) / stride + 1).min(side)
            };
            for x in 0..to_grid.width {
                sums.fill(0.0);
                for py in range(y, from_grid.height) {
                    for px in range(x, from_grid.width) {
                        let place = ((y + padding - py * stride) * kernel + x + padding - px * stride) as u8;
                        let gradient = &from[from_grid.at(py, px)..][..channels];
                        let winners = &winners[(py * from_grid.width + px) * channels..][..channels];
                        for ((sum, &gradient), &winner) in sums.iter_mut().zip(gradient).zip(winners) {
                            *sum += if winner == place { gradient } else { 0.0 };
                        }
                    }
                }
                let offset = (to_grid.pad + x) * channels;
                finish.store(&mut to[offset..][..channels], start + y * row + offset, 0, sums);
            }
        },
    );
}
