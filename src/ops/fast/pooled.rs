//! The gradient of a picture of few channels whose convolution goes straight into a max pool.
//!
//! A pool hands a gradient to the winner of its window alone, and a rectifier before it lets only part of them pass: most
//! of a first layer's results get nothing. So no gradient of the results is made. Each result that has one adds its
//! window of weights to the picture, once for all channels that won there.

use std::ops::Range;

use bytemuck::cast_slice;
use pulp::{Simd, WithSimd};

use super::finish::{Finisher, save, whole};
use super::memory::{Floats, floats, scratch};
use super::pool::{first, winners_grid};
use super::sweep::Kernel;
use super::team::{Part, Stage, Target};
use super::{Finish, Grid, Slot, Vectors};
use crate::ops::Window;

/// A max pool, as the convolution before it sees it.
#[derive(Clone, Copy, Debug)]
pub struct Winners {
    /// The pool's window.
    pub window: Window,
    /// The gradient of the pool's result. Where a rectifier stands before the pool, its mask is in it: a winner is what the
    /// pool gave.
    pub gradient: Slot,
    /// The buffer of the winners' places, as the pool filled it.
    pub places: usize,
    /// Where the convolution's results lie.
    pub results: Grid,
}

/// Weights for the way back from a pool's winners.
pub(super) struct Pooled {
    window: Window,
    /// `[results, kernel, kernel · channels]`, each result's in whole lines of the cache.
    weights: Floats,
    /// Numbers of a result.
    each: usize,
    /// Numbers of a row of the window.
    run: usize,
}

impl Pooled {
    /// Whether a convolution's gradient can go so. Of more channels, a dense product is as good.
    pub fn serves(kernel: Kernel<'_>) -> bool {
        kernel.groups == 1 && kernel.inputs <= 4
    }

    pub fn new(kernel: Kernel<'_>) -> Self {
        let (window, run) = (kernel.window, kernel.window.kernel * kernel.inputs);
        let each = (window.kernel * run).next_multiple_of(16);
        let mut weights = floats(each * kernel.outputs);
        for (result, weights) in weights.chunks_exact_mut(each).enumerate() {
            for (at, weight) in weights[..window.kernel * run].iter_mut().enumerate() {
                let (ky, kx, channel) = (at / run, at % run / kernel.inputs, at % kernel.inputs);
                *weight = kernel.weight(result, channel, ky, kx);
            }
        }
        Self { window, weights, each, run }
    }

    /// From the gradient of the pool's result to the picture's.
    pub fn stage<'a>(&'a self, of: Winners, to: Slot, finish: Finish<'a>, vectors: Vectors) -> Box<dyn Stage + 'a> {
        let threads = rayon::current_num_threads();
        // Few bands: what two of them see is summed twice.
        let down = to.grid.height.clamp(1, 2 * threads);
        let target = Target { down, ..Target::of_rows(to.buffer, to.grid, threads) };
        Box::new(Back { by: self, of, target, finish, vectors })
    }
}

struct Back<'a> {
    by: &'a Pooled,
    of: Winners,
    target: Target,
    finish: Finish<'a>,
    vectors: Vectors,
}

impl Stage for Back<'_> {
    fn target(&self) -> Target {
        self.target
    }

    fn piece(&self, part: &mut Part<'_>) {
        let (gradient, places) = (part.read(self.of.gradient.buffer), cast_slice(part.read(self.of.places)));
        let (finish, frame) = (self.finish.open(part), Frame::new(self, part.rows()));
        scratch([frame.rows.len() * frame.length, self.by.each], |lines, patch| {
            self.vectors.arch.dispatch(Piece { of: self, part, gradient, places, finish, frame, lines, patch });
        });
    }
}

/// The part of the picture that some rows' results see, with a border for what they see beyond it.
struct Frame {
    /// Rows of results.
    results: Range<usize>,
    /// Rows, counted from the first of the border.
    rows: Range<usize>,
    /// Numbers of a row.
    length: usize,
}

impl Frame {
    fn new(of: &Back<'_>, rows: Range<usize>) -> Self {
        let (results, grid) = (of.of.results, of.target.grid);
        let Window { kernel, stride, padding, .. } = of.by.window;
        let length = grid.channels * (grid.width + padding).max(results.width * stride + kernel);
        let results = first(of.by.window, rows.start)..((rows.end - 1 + padding) / stride + 1).min(results.height);
        let top = (results.start * stride).min(rows.start + padding);
        let bottom = (results.end * stride + kernel).max(rows.end + padding);
        Self { results, rows: top..bottom, length }
    }
}

struct Piece<'a, 'p> {
    of: &'a Back<'a>,
    part: &'a mut Part<'p>,
    gradient: &'a [f32],
    places: &'a [u8],
    finish: Finisher<'a>,
    frame: Frame,
    lines: &'a mut [f32],
    patch: &'a mut [f32],
}

/// A window of the pool.
#[derive(Clone, Copy, Default)]
struct Seen<'a> {
    /// The channels whose winner is the result in question, a bit each.
    bits: &'a [u64],
    /// The gradient of each channel.
    gradient: &'a [f32],
}

impl WithSimd for Piece<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { of: &Back { by, of, target, .. }, part, gradient, places, finish, frame, lines, patch } = self;
        let Window { kernel, stride, padding, .. } = by.window;
        let (grid, small, top, length) = (target.grid, of.gradient.grid, frame.rows.start, frame.length);
        let mut claims = Claims::new(of, gradient, places);
        let pool = of.window;
        let windows = |at: usize, side: usize| first(pool, at)..((at + pool.padding) / pool.stride + 1).min(side);
        let across: Vec<Range<usize>> = (0..of.results.width).map(|x| windows(x, small.width)).collect();
        lines.fill(0.0);
        for y in frame.results {
            let down = windows(y, small.height);
            claims.reach(down.end);
            // A result lies in so many windows at most.
            let mut seen = vec![Seen::default(); claims.rows * claims.rows];
            for (x, across) in across.iter().enumerate() {
                let (mut count, mut any) = (0, 0);
                for py in down.clone() {
                    let line = claims.line(py);
                    for px in across.clone() {
                        let (row, column) = (y + pool.padding - py * pool.stride, x + pool.padding - px * pool.stride);
                        let gradient = &gradient[small.at(py, px)..][..small.channels];
                        let bits = claims.at(line, px, row * pool.kernel + column);
                        any |= bits.iter().fold(0, |any, bits| any | bits);
                        seen[count] = Seen { bits, gradient };
                        count += 1;
                    }
                }
                if any == 0 {
                    continue;
                }
                by.sum(simd, &seen[..count], patch);
                let at = (y * stride - top) * length + x * stride * grid.channels;
                for (k, run) in patch[..kernel * by.run].chunks_exact(by.run).enumerate() {
                    add(simd, &mut lines[at + k * length..][..by.run], run);
                }
            }
        }
        for y in part.rows() {
            let line = (y + padding - top) * length + padding * grid.channels;
            finish.store(simd, part.row(y), 0, &lines[line..][..grid.width * grid.channels]);
        }
    }
}

impl Pooled {
    /// Σ gradient · weights, in as many vectors at a time as there are registers for.
    #[inline(always)]
    fn sum<S: Simd>(&self, simd: S, seen: &[Seen<'_>], patch: &mut [f32]) {
        let most = if S::REGISTER_COUNT >= 32 { 14 } else { 12 };
        let vectors = self.each / S::F32_LANES;
        let mut at = 0;
        while at < vectors {
            let count = most.min(vectors - at);
            let (weights, to) = (&self.weights[at * S::F32_LANES..], &mut patch[at * S::F32_LANES..]);
            macro_rules! of {
                ($($n:literal)*) => {
                    match count {
                        $($n => simd.vectorize(Sum::<'_, $n> { seen, each: self.each, weights, to }),)*
                        _ => {}
                    }
                };
            }
            of!(1 2 3 4 5 6 7 8 9 10 11 12 13 14);
            at += count;
        }
    }
}

/// N vectors of a sum: a function of its own, so that they live in registers.
struct Sum<'a, const N: usize> {
    seen: &'a [Seen<'a>],
    each: usize,
    weights: &'a [f32],
    to: &'a mut [f32],
}

impl<const N: usize> WithSimd for Sum<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let mut sums = [simd.splat_f32s(0.0); N];
        for seen in self.seen {
            for (word, bits) in seen.bits.iter().enumerate() {
                let mut bits = *bits;
                while bits != 0 {
                    let channel = 64 * word + bits.trailing_zeros() as usize;
                    bits &= bits - 1;
                    let weights = &self.weights[channel * self.each..];
                    let Some(weights) = S::as_simd_f32s(weights).0.first_chunk::<N>() else { return };
                    let gradient = simd.splat_f32s(seen.gradient[channel]);
                    for (sum, weights) in sums.iter_mut().zip(weights) {
                        *sum = simd.mul_add_f32s(gradient, *weights, *sum);
                    }
                }
            }
        }
        if let Some(to) = S::as_mut_simd_f32s(self.to).0.first_chunk_mut::<N>() {
            *to = sums;
        }
    }
}

/// to += from
#[inline(always)]
fn add<S: Simd>(simd: S, to: &mut [f32], from: &[f32]) {
    let Some(last) = from.len().checked_sub(S::F32_LANES) else {
        to.iter_mut().zip(from).for_each(|(to, from)| *to += *from);
        return;
    };
    // The last vector overlaps the one before: both are summed before either is stored.
    let rest = simd.add_f32s(whole(simd, &to[last..]), whole(simd, &from[last..]));
    for at in (0..last).step_by(S::F32_LANES) {
        let sum = simd.add_f32s(whole(simd, &to[at..]), whole(simd, &from[at..]));
        save(simd, &mut to[at..at + S::F32_LANES], sum);
    }
    save(simd, &mut to[last..], rest);
}

/// Which channels won at which place of the windows of the last rows, a bit each; those that get nothing did not.
struct Claims<'a> {
    of: Winners,
    gradient: &'a [f32],
    winners: &'a [u8],
    /// For each window, each place and each 64 channels; by rows.
    bits: Vec<u64>,
    /// Rows that are kept: one for each that a cell can lie in.
    rows: usize,
    /// Places of a window.
    places: usize,
    /// Numbers of 64 bits of a window's place, and of a row of windows.
    words: usize,
    row: usize,
    /// The row after the last that is there.
    next: usize,
}

impl<'a> Claims<'a> {
    fn new(of: Winners, gradient: &'a [f32], winners: &'a [u8]) -> Self {
        let (window, grid) = (of.window, of.gradient.grid);
        let (rows, places) = (window.kernel.div_ceil(window.stride), window.kernel * window.kernel);
        let words = grid.channels.div_ceil(64);
        let row = grid.width * places * words;
        Self { of, gradient, winners, bits: vec![0; rows * row], rows, places, words, row, next: 0 }
    }

    /// Where a row of windows begins.
    #[inline(always)]
    fn line(&self, py: usize) -> usize {
        py % self.rows * self.row
    }

    /// Those of a place of a window; `line` is that of its row.
    #[inline(always)]
    fn at(&self, line: usize, px: usize, place: usize) -> &[u64] {
        &self.bits[line + (px * self.places + place) * self.words..][..self.words]
    }

    /// Looks at rows up to before `end`.
    #[inline(always)]
    fn reach(&mut self, end: usize) {
        let Self { rows, row, words, places, .. } = *self;
        let grid = self.of.gradient.grid;
        let across = 4 * winners_grid(grid).width;
        for py in self.next.max(end.saturating_sub(rows))..end {
            let line = self.line(py);
            for (px, bits) in self.bits[line..][..row].chunks_exact_mut(places * words).enumerate() {
                let gradient = &self.gradient[grid.at(py, px)..][..grid.channels];
                let winners = &self.winners[py * across + px * grid.channels..][..grid.channels];
                for (word, (gradient, winners)) in gradient.chunks(64).zip(winners.chunks(64)).enumerate() {
                    // No place is so large.
                    let mut bytes = [u8::MAX; 64];
                    for ((byte, winner), gradient) in bytes.iter_mut().zip(winners).zip(gradient) {
                        *byte = if *gradient == 0.0 { u8::MAX } else { *winner };
                    }
                    for (place, bits) in bits[word..].iter_mut().step_by(words).enumerate() {
                        *bits = equal(&bytes, place as u8);
                    }
                }
            }
        }
        self.next = end;
    }
}

/// A bit for each byte that is `value`.
#[inline(always)]
fn equal(bytes: &[u8; 64], value: u8) -> u64 {
    let same = bytes.map(|byte| u8::from(byte == value));
    let (eights, mut bits) = (same.as_chunks::<8>().0, 0);
    for (n, eight) in eights.iter().enumerate() {
        // The lowest bits of eight bytes, side by side.
        bits |= (u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56) << (8 * n);
    }
    bits
}

#[cfg(test)]
mod tests;
