//! The greatest of each window, pixel by pixel.

use bytemuck::{cast_slice, cast_slice_mut};
use pulp::{Simd, WithSimd};

use super::finish::Finisher;
use super::team::{Part, Stage, Target};
use super::{Finish, Grid, Slot, Vectors};
use crate::ops::Window;

/// Where the winners of a pool's windows lie: a byte for each result, four in a number.
pub fn winners_grid(results: Grid) -> Grid {
    Grid { height: results.height, width: (results.width * results.channels).div_ceil(4), channels: 1, pad: 0 }
}

/// As [`crate::ops::max_pool`]. The buffer `winners`, of [`winners_grid`], gets for each result the winner's place in its
/// window, row by row.
pub fn pool(window: Window, from: Slot, to: Slot, winners: usize, vectors: Vectors) -> Box<dyn Stage> {
    let target = Target::of_rows(to.buffer, to.grid, rayon::current_num_threads());
    let beside = Some((winners, winners_grid(to.grid)));
    Box::new(Pool { window, from, target: Target { beside, ..target }, vectors })
}

struct Pool {
    window: Window,
    from: Slot,
    target: Target,
    vectors: Vectors,
}

impl Stage for Pool {
    fn target(&self) -> Target {
        self.target
    }

    fn piece(&self, part: &mut Part<'_>) {
        let from = part.read(self.from.buffer);
        for y in part.rows() {
            let (to, winners) = part.rows_beside(y);
            self.vectors.arch.dispatch(PoolRow { of: self, y, from, to, winners: cast_slice_mut(winners) });
        }
    }
}

struct PoolRow<'a> {
    of: &'a Pool,
    y: usize,
    from: &'a [f32],
    to: &'a mut [f32],
    winners: &'a mut [u8],
}

impl WithSimd for PoolRow<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { of, y, from, to, winners } = self;
        let channels = of.target.grid.channels;
        let results = to.chunks_exact_mut(channels).zip(winners.chunks_exact_mut(channels));
        for (x, (to, winners)) in results.enumerate() {
            let mut first = true;
            for k in 0..of.window.kernel * of.window.kernel {
                let Some(at) = cell(of.window, (y, x), k, of.from.grid) else { continue };
                let cell = &from[at..][..channels];
                let (to, winners) = (&mut to[..channels], &mut winners[..channels]);
                if first {
                    to.copy_from_slice(cell);
                    winners.fill(k as u8);
                    first = false;
                    continue;
                }
                for c in 0..channels {
                    // NaN wins over everything, the first of equals over the others.
                    let wins = ((cell[c] > to[c]) | cell[c].is_nan()) & !to[c].is_nan();
                    to[c] = if wins { cell[c] } else { to[c] };
                    winners[c] = if wins { k as u8 } else { winners[c] };
                }
            }
        }
    }
}

/// Where the cell at place k of the window at a position begins, if it is inside of the picture.
#[inline(always)]
pub(super) fn cell(window: Window, (y, x): (usize, usize), k: usize, grid: Grid) -> Option<usize> {
    let Window { kernel, stride, padding, .. } = window;
    let row = (y * stride + k / kernel).checked_sub(padding).filter(|row| *row < grid.height)?;
    let column = (x * stride + k % kernel).checked_sub(padding).filter(|column| *column < grid.width)?;
    Some(grid.at(row, column))
}

/// The gradient of [`pool`]'s picture, into `to`, from that of its result.
pub fn unpool<'a>(
    window: Window,
    from: Slot,
    to: Slot,
    winners: usize,
    finish: Finish<'a>,
    vectors: Vectors,
) -> Box<dyn Stage + 'a> {
    let target = Target::of_rows(to.buffer, to.grid, rayon::current_num_threads());
    Box::new(Unpool { window, from, target, winners, finish, vectors })
}

struct Unpool<'a> {
    window: Window,
    from: Slot,
    target: Target,
    winners: usize,
    finish: Finish<'a>,
    vectors: Vectors,
}

impl Stage for Unpool<'_> {
    fn target(&self) -> Target {
        self.target
    }

    fn piece(&self, part: &mut Part<'_>) {
        let (from, winners) = (part.read(self.from.buffer), cast_slice(part.read(self.winners)));
        let finish = self.finish.open(part);
        let sums = &mut vec![0.0; self.target.grid.channels];
        self.vectors.arch.dispatch(UnpoolPiece { of: self, part, from, winners, finish, sums });
    }
}

struct UnpoolPiece<'a, 'p> {
    of: &'a Unpool<'a>,
    part: &'a mut Part<'p>,
    from: &'a [f32],
    winners: &'a [u8],
    finish: Finisher<'a>,
    sums: &'a mut [f32],
}

impl WithSimd for UnpoolPiece<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { of, part, from, winners, finish, sums } = self;
        let Window { kernel, stride, padding, .. } = of.window;
        let (small, grid) = (of.from.grid, of.target.grid);
        let across = 4 * winners_grid(small).width;
        for y in part.rows() {
            let down = first(of.window, y)..((y + padding) / stride + 1).min(small.height);
            for x in 0..grid.width {
                sums.fill(0.0);
                for py in down.clone() {
                    for px in first(of.window, x)..((x + padding) / stride + 1).min(small.width) {
                        let place = ((y + padding - py * stride) * kernel + x + padding - px * stride) as u8;
                        let gradient = &from[small.at(py, px)..][..grid.channels];
                        let winners = &winners[py * across + px * grid.channels..][..grid.channels];
                        for ((sum, &gradient), &winner) in sums.iter_mut().zip(gradient).zip(winners) {
                            *sum += if winner == place { gradient } else { 0.0 };
                        }
                    }
                }
                let to = part.pixel((y, x), 0, grid.channels);
                finish.store(simd, to, 0, sums);
            }
        }
    }
}

/// The first position whose window has a cell: (cell + padding − kernel + 1) / stride, rounded up.
#[inline(always)]
pub(super) fn first(window: Window, cell: usize) -> usize {
    (cell + window.padding).saturating_sub(window.kernel - 1).div_ceil(window.stride)
}
