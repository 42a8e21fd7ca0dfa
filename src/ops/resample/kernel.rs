//! The kernel: where pixels come from is found for many at once, and serves four planes together.
//!
//! For each pixel of the result it takes K × K pixels of the picture, or gives back to them. Plain loops find these and
//! their weights for a block of pixels, and become vectors; no multiply-add is fused, so each number is the same with
//! any vectors and with none. Planes are interleaved, four numbers a pixel, so that all four are taken at once.

use std::cell::Cell;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::reach::{FAR, weights};
use super::{Sample, Warp};
use crate::ops::edge::Edge;
use crate::ops::filled::zeros;
use crate::ops::strips::{rows_of_a_strip, strips};

/// Planes that go together.
const PLANES: usize = 4;

/// What these have at one place.
type Pixel = [f32; PLANES];

/// Pixels of one row whose taps are found together.
pub(super) const BLOCK: usize = 64;

/// A pixel that takes from no row of the strip: from outside only, or from other strips.
pub(super) const NOWHERE: u32 = u32::MAX;

/// A pixel some of whose taps lie outside the picture or the strip.
pub(super) const MIXED: u32 = u32::MAX - 1;

/// Where the pixels of a block come from.
pub(super) struct Taps<const K: usize> {
    /// The number of the first tap in the strip, if all of them lie there one after another; or one of the above.
    pub first: [u32; BLOCK],
    /// Column and row of the first tap, outside the picture too.
    pub x: [i32; BLOCK],
    pub y: [i32; BLOCK],
    /// Weights of the columns and of the rows.
    across: [[f32; BLOCK]; K],
    down: [[f32; BLOCK]; K],
}

/// A picture's size, and the strip of it that is worked on.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub warp: Warp,
    pub arch: Arch,
    pub height: usize,
    pub width: usize,
    /// The first row of the strip, and the first after it.
    pub low: usize,
    pub high: usize,
}

impl Frame {
    /// Whether the kernel can count such a picture's pixels.
    pub fn fits(height: usize, width: usize) -> bool {
        height.checked_mul(width).is_some_and(|area| (1..i32::MAX as usize).contains(&area))
    }

    pub fn new(warp: Warp, height: usize, width: usize, arch: Arch) -> Self {
        Self { warp, arch, height, width, low: 0, high: height }
    }

    /// The strip of so many rows from `low` on, as far as there are any.
    pub fn strip(&self, low: usize, rows: usize) -> Self {
        Self { low, high: (low + rows).min(self.height), ..*self }
    }

    /// What lies outside, if the edge is a constant.
    #[inline(always)]
    pub fn fill(&self) -> f32 {
        self.warp.edge.fill().unwrap_or(0.0) as f32
    }

    /// Planes → the planes that are made of them.
    pub fn gather(&self, planes: &[f32]) -> Vec<f32> {
        match self.warp.sample {
            Sample::Nearest => self.pick(planes),
            Sample::Bilinear => self.gather_of::<2>(planes),
            Sample::Bicubic => self.gather_of::<4>(planes),
        }
    }

    /// The gradient for the planes of the result → that for the planes they were made of.
    pub fn scatter(&self, grads: &[f32]) -> Vec<f32> {
        match self.warp.sample {
            Sample::Nearest => self.put_back(grads),
            Sample::Bilinear => self.scatter_of::<2>(grads),
            Sample::Bicubic => self.scatter_of::<4>(grads),
        }
    }

    fn gather_of<const K: usize>(&self, planes: &[f32]) -> Vec<f32> {
        let area = self.height * self.width;
        let rows = rows_of_a_strip(self.height, self.width);
        let mut output = zeros(planes.len());
        with_pixels(area, |pixels| {
            for (output, planes) in output.chunks_mut(PLANES * area).zip(planes.chunks(PLANES * area)) {
                let entered = pixels.par_chunks_mut(rows * self.width).enumerate();
                entered.for_each(|(strip, pixels)| {
                    self.arch.dispatch(Enter { planes, area, at: strip * rows * self.width, pixels });
                });
                let (pixels, strips) = (&*pixels, strips(output, area, rows * self.width));
                strips.into_par_iter().enumerate().for_each(|(strip, planes)| {
                    self.arch.dispatch(Gather::<K> { frame: *self, pixels, from: strip * rows, planes });
                });
            }
        });
        output
    }

    fn scatter_of<const K: usize>(&self, grads: &[f32]) -> Vec<f32> {
        let area = self.height * self.width;
        let rows = rows_of_a_strip(self.height, self.width);
        let mut output = zeros(grads.len());
        for (output, grads) in output.chunks_mut(PLANES * area).zip(grads.chunks(PLANES * area)) {
            let strips = strips(output, area, rows * self.width).into_par_iter().enumerate();
            strips.for_each(|(strip, planes)| {
                let frame = self.strip(strip * rows, rows);
                with_pixels((frame.high - frame.low) * self.width, |sums| {
                    self.arch.dispatch(Scatter::<K> { frame, grads, sums, planes });
                });
            });
        }
        output
    }

    /// Finds the taps of the pixels of row `y` from column `from` on.
    #[inline(always)]
    pub fn find<const K: usize>(&self, from: usize, y: usize, taps: &mut Taps<K>) {
        let [a, b, c, d, e, f] = self.warp.map;
        let constant = matches!(self.warp.edge, Edge::Constant(_));
        let (width, height) = (self.width as i32, self.height as i32);
        let (low, high, reach) = (self.low as i32, self.high as i32, K as i32);
        let y = y as f64;
        for i in 0..BLOCK {
            let x = f64::from(from as u32 + i as u32);
            let (column, across) = weights::<K>(clamp(a * x + b * y + c));
            let (row, down) = weights::<K>(clamp(d * x + e * y + f));
            for k in 0..K {
                taps.across[k][i] = across[k] as f32;
                taps.down[k][i] = down[k] as f32;
            }
            let (column, row) = (whole(column), whole(row));
            let inside = (column >= 0) & (column <= width - reach) & (row >= low) & (row <= high - reach);
            let beside = (row <= low - reach) | (row >= high);
            // An edge that isn't constant folds columns and rows back; rows in the picture stay where they are.
            let out = if constant { (column <= -reach) | (column >= width) } else { false };
            let settled = if constant { true } else { (row >= 0) & (row <= height - reach) };
            let otherwise = if out | (beside & settled) { NOWHERE } else { MIXED };
            let first = row.wrapping_sub(low).wrapping_mul(width).wrapping_add(column);
            taps.first[i] = if inside { first as u32 } else { otherwise };
            taps.x[i] = column;
            taps.y[i] = row;
        }
    }

    /// Whether some of the `count` pixels of row `y` from column `from` on may take from the strip: they come from a
    /// line, so the rows of its ends tell.
    #[inline(always)]
    pub fn touches<const K: usize>(&self, from: usize, count: usize, y: usize) -> bool {
        let [_, _, _, d, e, f] = self.warp.map;
        let begin = weights::<K>(clamp(d * from as f64 + e * y as f64 + f)).0;
        let end = weights::<K>(clamp(d * (from + count - 1) as f64 + e * y as f64 + f)).0;
        let (first, last) = (begin.min(end), begin.max(end) + K as f64);
        let beside = last <= self.low as f64 || first >= self.high as f64;
        let folded = first < 0.0 || last > self.height as f64;
        !beside || (folded && !matches!(self.warp.edge, Edge::Constant(_)))
    }

    /// The value of a pixel.
    #[expect(clippy::needless_range_loop, reason = "`skip` takes a fifth more time")]
    #[inline(always)]
    fn take<const K: usize>(&self, pixels: &[Pixel], taps: &Taps<K>, i: usize, fill: f32) -> Pixel {
        let first = taps.first[i];
        if first >= MIXED {
            return if first == MIXED { self.take_mixed(pixels, taps, i, fill) } else { [fill; PLANES] };
        }
        let mut sum = [0.0; PLANES];
        for k in 0..K {
            let row = &pixels[first as usize + k * self.width..][..K];
            let mut line = times(taps.across[0][i], &row[0]);
            for l in 1..K {
                add(&mut line, taps.across[l][i], &row[l]);
            }
            if k == 0 {
                sum = times(taps.down[k][i], &line);
            } else {
                add(&mut sum, taps.down[k][i], &line);
            }
        }
        sum
    }

    /// Gives a pixel's gradient to what it took from.
    #[inline(always)]
    fn give<const K: usize>(&self, grad: &Pixel, strip: &mut [Pixel], taps: &Taps<K>, i: usize) {
        let first = taps.first[i];
        if first >= MIXED {
            if first == MIXED {
                self.give_mixed(grad, strip, taps, i);
            }
            return;
        }
        for k in 0..K {
            let row = &mut strip[first as usize + k * self.width..][..K];
            let line = times(taps.down[k][i], grad);
            for (across, pixel) in taps.across.iter().zip(row) {
                add(pixel, across[i], &line);
            }
        }
    }

    fn take_mixed<const K: usize>(&self, pixels: &[Pixel], taps: &Taps<K>, i: usize, fill: f32) -> Pixel {
        let (mut sum, mut covered) = ([0.0; PLANES], 0.0);
        for (at, down, across) in self.found(taps, i) {
            add(&mut sum, down * across, &pixels[at]);
            covered += down * across;
        }
        add(&mut sum, 1.0 - covered, &[fill; PLANES]);
        sum
    }

    fn give_mixed<const K: usize>(&self, grad: &Pixel, strip: &mut [Pixel], taps: &Taps<K>, i: usize) {
        for (at, down, across) in self.found(taps, i) {
            // As `give` rounds it: what spans two strips gives the same as if it lay in one.
            add(&mut strip[at], across, &times(down, grad));
        }
    }

    /// The taps of a pixel that lie in the strip, and the weights of their rows and columns.
    fn found<const K: usize>(&self, taps: &Taps<K>, i: usize) -> impl Iterator<Item = (usize, f32, f32)> {
        let (edge, low) = (self.warp.edge, self.low);
        let rows = (0..K).filter_map(move |k| Some((k, edge.index(i64::from(taps.y[i]) + k as i64, self.height)?)));
        rows.filter(move |(_, row)| (low..self.high).contains(row)).flat_map(move |(k, row)| {
            (0..K).filter_map(move |l| {
                let column = edge.index(i64::from(taps.x[i]) + l as i64, self.width)?;
                Some(((row - low) * self.width + column, taps.down[k][i], taps.across[l][i]))
            })
        })
    }
}

/// Lends pixels of the current thread, as fresh memory costs more than the work. They hold what was left there.
fn with_pixels<R>(count: usize, work: impl FnOnce(&mut [Pixel]) -> R) -> R {
    thread_local! {
        static PIXELS: Cell<Vec<Pixel>> = const { Cell::new(Vec::new()) };
    }
    // Taken and put back: a thread that waits for others may take up other work that wants pixels too.
    let mut pixels = PIXELS.take();
    if pixels.len() < count {
        pixels.resize(count, [0.0; PLANES]);
    }
    let result = work(&mut pixels[..count]);
    PIXELS.set(pixels);
    result
}

/// NaN stays NaN.
#[inline(always)]
fn clamp(at: f64) -> f64 {
    let at = if -FAR > at { -FAR } else { at };
    if FAR < at { FAR } else { at }
}

/// A whole number below 2³¹ as such. Added to 1.5 · 2⁵² it stands in the last bits; `as` would look at each number for
/// NaN, one after another.
#[inline(always)]
fn whole(at: f64) -> i32 {
    (at + 6_755_399_441_055_744.0).to_bits() as i32
}

/// weight · from
#[inline(always)]
fn times(weight: f32, from: &Pixel) -> Pixel {
    let mut to = *from;
    for v in &mut to {
        *v *= weight;
    }
    to
}

/// to += weight · from
#[inline(always)]
fn add(to: &mut Pixel, weight: f32, from: &Pixel) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += weight * from;
    }
}

/// Interleaves what planes of `area` have from number `at` on. Where there are less than four, some serve twice.
#[inline(always)]
fn enter(planes: &[f32], area: usize, at: usize, pixels: &mut [Pixel]) {
    let last = planes.len() / area - 1;
    let count = pixels.len();
    let a = &planes[at..][..count];
    let b = &planes[area * last.min(1) + at..][..count];
    let c = &planes[area * last.min(2) + at..][..count];
    let d = &planes[area * last.min(3) + at..][..count];
    for (i, pixel) in pixels.iter_mut().enumerate() {
        *pixel = [a[i], b[i], c[i], d[i]];
    }
}

impl<const K: usize> Taps<K> {
    #[inline(always)]
    pub fn new() -> Self {
        let numbers = [[0.0; BLOCK]; K];
        Self { first: [0; BLOCK], x: [0; BLOCK], y: [0; BLOCK], across: numbers, down: numbers }
    }
}

/// Interleaves planes, from number `at` on.
struct Enter<'a> {
    planes: &'a [f32],
    area: usize,
    at: usize,
    pixels: &'a mut [Pixel],
}

impl WithSimd for Enter<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        enter(self.planes, self.area, self.at, self.pixels);
    }
}

/// Makes the rows of the result from number `from` on.
struct Gather<'a, const K: usize> {
    frame: Frame,
    pixels: &'a [Pixel],
    from: usize,
    planes: Vec<&'a mut [f32]>,
}

impl<const K: usize> WithSimd for Gather<'_, K> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let (mut taps, mut values) = (Taps::<K>::new(), [[0.0; PLANES]; BLOCK]);
        let width = self.frame.width;
        let fill = self.frame.fill();
        for y in 0..self.planes[0].len() / width {
            for x in (0..width).step_by(BLOCK) {
                let count = BLOCK.min(width - x);
                self.frame.find(x, self.from + y, &mut taps);
                for (i, value) in values[..count].iter_mut().enumerate() {
                    *value = self.frame.take(self.pixels, &taps, i, fill);
                }
                for (c, plane) in self.planes.iter_mut().enumerate() {
                    for (v, value) in plane[y * width + x..].iter_mut().zip(&values[..count]) {
                        *v = value[c];
                    }
                }
            }
        }
    }
}

/// Makes one strip of the gradient. It goes through all pixels that gave something to the strip in the order of their
/// rows, so that the sums' order depends on no strip.
struct Scatter<'a, const K: usize> {
    frame: Frame,
    grads: &'a [f32],
    sums: &'a mut [Pixel],
    planes: Vec<&'a mut [f32]>,
}

impl<const K: usize> WithSimd for Scatter<'_, K> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (mut taps, mut values) = (Taps::<K>::new(), [[0.0; PLANES]; BLOCK]);
        let Frame { height, width, .. } = self.frame;
        self.sums.fill([0.0; PLANES]);
        for y in 0..height {
            for x in (0..width).step_by(BLOCK) {
                let count = BLOCK.min(width - x);
                if !self.frame.touches::<K>(x, count, y) {
                    continue;
                }
                self.frame.find(x, y, &mut taps);
                enter(self.grads, height * width, y * width + x, &mut values[..count]);
                // Neighbours give to the same pixels, and each would wait until the other's sums are stored. So
                // four take turns that lie apart.
                for k in 0..BLOCK {
                    let i = k % 4 * (BLOCK / 4) + k / 4;
                    if i < count {
                        self.frame.give(&values[i], self.sums, &taps, i);
                    }
                }
            }
        }
        for (c, plane) in self.planes.into_iter().enumerate() {
            for (v, pixel) in plane.iter_mut().zip(&*self.sums) {
                *v = pixel[c];
            }
        }
    }
}
