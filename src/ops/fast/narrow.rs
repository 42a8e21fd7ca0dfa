//! The gradient of a picture of few channels: pixels side by side make the vectors, as channels would leave them empty.
//!
//! A network's first layer sees three colours. For this the result's gradient is turned, so that each channel of a row is
//! a run of its own; a product's rows are then the colours of all phases of the stride.

use pulp::{Simd, WithSimd};

use super::finish::Finisher;
use super::memory::Sums;
use super::sweep::{Kernel, Reach, place};
use super::team::{Part, Stage, Target};
use super::tile::{Columns, Rows, SUMS, most_rows, multiply};
use super::{Finish, Grid, Slot, Vectors};

/// Weights for the way back to a picture of few channels.
pub(super) struct Narrow {
    stride: usize,
    channels: usize,
    /// Channels of the result.
    results: usize,
    high: Reach,
    wide: Reach,
    /// `[stride, stride, channels]` × `[rows, columns, results]` of the window
    weights: Vec<f32>,
}

impl Narrow {
    /// None where vectors of channels serve better.
    pub fn new(kernel: Kernel<'_>) -> Option<Self> {
        let Kernel { window, inputs: channels, outputs: results, .. } = kernel;
        let stride = window.stride;
        if kernel.groups > 1 || channels > 4 || stride > 4 {
            return None;
        }
        let (high, wide) = (Reach::of(window, 0..stride), Reach::of(window, 0..stride));
        let mut weights = Vec::new();
        for n in 0..stride * stride * channels {
            let (a, b, channel) = (n / channels / stride, n / channels % stride, n % channels);
            for (y, x) in (0..high.count).flat_map(|y| (0..wide.count).map(move |x| (y, x))) {
                let (ky, kx) = (place(window, a, high.first + y as isize), place(window, b, wide.first + x as isize));
                weights.extend((0..results).map(|result| match (ky, kx) {
                    (Some(ky), Some(kx)) => kernel.weight(result, channel, ky, kx),
                    _ => 0.0,
                }));
            }
        }
        Some(Self { stride, channels, results, high, wide, weights })
    }

    /// The turned gradient: a row for each channel of each row, and room for the last vector.
    fn turned(&self, from: Grid) -> Grid {
        let length = from.width + 2 * from.pad + MOST_LANES;
        Grid { height: from.height + 2 * from.pad, width: from.channels, channels: length.next_multiple_of(16), pad: 0 }
    }

    /// Numbers of it.
    pub fn scratch(&self, from: Grid) -> usize {
        self.turned(from).size()
    }

    /// From the result's gradient to the picture's.
    pub fn stages<'a>(
        &'a self,
        from: Slot,
        to: Slot,
        scratch: usize,
        finish: Finish<'a>,
        vectors: Vectors,
    ) -> Vec<Box<dyn Stage + 'a>> {
        let threads = rayon::current_num_threads();
        let turned = self.turned(from.grid);
        let rows = Target::of_rows(to.buffer, to.grid, threads);
        let down = rows.down.min(to.grid.height.div_ceil(self.stride)).max(1);
        let target = Target { rows: self.stride, down, ..rows };
        vec![
            Box::new(Turn { from, target: Target::of_rows(scratch, turned, threads) }),
            Box::new(Back { of: self, pad: from.grid.pad, turned, scratch, target, finish, vectors }),
        ]
    }
}

/// Lanes of the two vectors of a product at most.
const MOST_LANES: usize = 32;

/// Rows of pixels → rows of channels.
struct Turn {
    from: Slot,
    target: Target,
}

impl Stage for Turn {
    fn target(&self) -> Target {
        self.target
    }

    fn piece(&self, part: &mut Part<'_>) {
        let (from, grid) = (part.read(self.from.buffer), self.from.grid);
        let (row, length) = (grid.row(), self.target.grid.channels);
        for y in part.rows() {
            let from = &from[y * row..][..row];
            let (_, to) = part.row(y);
            // In squares, whose lines stay in the cache.
            for first in (0..grid.channels).step_by(16) {
                let channels = first..(first + 16).min(grid.channels);
                for (x, pixel) in from.chunks_exact(grid.channels).enumerate() {
                    let to = to[first * length + x..].iter_mut().step_by(length);
                    to.zip(&pixel[channels.clone()]).for_each(|(to, from)| *to = *from);
                }
            }
        }
    }
}

struct Back<'a> {
    of: &'a Narrow,
    /// Border of the result's gradient.
    pad: usize,
    turned: Grid,
    scratch: usize,
    target: Target,
    finish: Finish<'a>,
    vectors: Vectors,
}

impl Stage for Back<'_> {
    fn target(&self) -> Target {
        self.target
    }

    fn piece(&self, part: &mut Part<'_>) {
        debug_assert!(self.finish.bias.is_empty() && self.finish.scale.is_empty(), "a row is no pixel");
        let (from, finish) = (part.read(self.scratch), self.finish.open(part));
        self.vectors.arch.dispatch(BackPiece { of: self, from, part, finish });
    }
}

struct BackPiece<'a, 'p> {
    of: &'a Back<'a>,
    from: &'a [f32],
    part: &'a mut Part<'p>,
    finish: Finisher<'a>,
}

impl WithSimd for BackPiece<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { of: Back { of, pad, turned, target, .. }, from, part, finish } = self;
        let (grid, stride, channels, width) = (target.grid, of.stride, of.channels, 2 * S::F32_LANES);
        let (results, length, taps) = (of.results, turned.channels, of.high.count * of.wide.count);
        let (terms, positions) = (taps * results, grid.width.div_ceil(stride));
        let starts: Vec<usize> = (0..taps).map(|tap| tap * results).collect();
        let columns: Vec<usize> =
            (0..taps).map(|tap| tap / of.wide.count * turned.row() + tap % of.wide.count).collect();
        let origin = |first: isize| (*pad as isize + first).max(0) as usize;
        let mut lines = vec![0.0; stride * grid.width * channels];
        let mut sums = Sums([0.0; SUMS]);
        let (all, most) = (stride * stride * channels, most_rows::<S>(width));
        for y in part.rows().step_by(stride) {
            let row = (origin(of.high.first) + y / stride) * turned.row() + origin(of.wide.first);
            for x in (0..positions).step_by(width) {
                let data = from.get(row + x..).unwrap_or_default();
                for first in (0..all).step_by(most) {
                    let count = most.min(all - first);
                    let rows = Rows { data: &of.weights[first * terms..], down: terms, taps: &starts, run: results };
                    let columns = Columns { data, down: length, taps: &columns, width };
                    multiply(simd, &mut sums.0, count, rows, columns, &[]);
                    for (n, sums) in (first..first + count).zip(sums.0.chunks_exact(width)) {
                        let (a, b, channel) = (n / channels / stride, n / channels % stride, n % channels);
                        let line = &mut lines[a * grid.width * channels..(a + 1) * grid.width * channels];
                        let to = line.iter_mut().skip((x * stride + b) * channels + channel);
                        to.step_by(stride * channels).zip(sums).for_each(|(to, sum)| *to = *sum);
                    }
                }
            }
            for (line, y) in lines.chunks_exact(grid.width * channels).zip(y..grid.height) {
                let to = part.row(y);
                finish.store(simd, to, 0, line);
            }
        }
    }
}
