//! Winograd's method for 3x3 windows of stride 1: a tile of 4x4 or 2x2 results takes 36 or 16 products for each pair of
//! channels instead of 144 or 36.
//!
//! Lavin, Gray, "Fast Algorithms for Convolutional Neural Networks", 2016: Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A with the
//! points 0, ±1/√2, ±√2, ∞ (F(4x4)) or 0, ±1, ∞ (F(2x2)). Weights are transformed in f64.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::panels::Panels;
use super::tile::{Rows, most_rows, multiply};
use super::{Finish, Grid, Vectors};
use crate::ops::product::Factor;

/// Channels are transformed so many at a time, whatever the vectors' length.
pub(super) const TOGETHER: usize = 16;

/// Weights after the transform.
pub(super) struct Winograd {
    /// Results of a tile, down and across: 4 or 2.
    side: usize,
    inputs: usize,
    outputs: usize,
    /// For each point of the transformed tile.
    points: Vec<Panels>,
}

/// The points of F(4x4) besides 0 and ∞ are ±A and ±B: 1/√2 and √2 lose half as much to rounding as 1 and 2 do.
const A: f64 = std::f64::consts::FRAC_1_SQRT_2;
const B: f64 = std::f64::consts::SQRT_2;

/// Row p: 1, p, p² over the product of p's distances from the other points: 1 for 0, 2A²(A² − B²), 2B²(B² − A²).
const G4: [[f64; 3]; 6] = [
    [1.0, 0.0, 0.0],
    [-2.0 / 3.0, -2.0 / 3.0 * A, -1.0 / 3.0],
    [-2.0 / 3.0, 2.0 / 3.0 * A, -1.0 / 3.0],
    [1.0 / 6.0, 1.0 / 6.0 * B, 1.0 / 3.0],
    [1.0 / 6.0, -1.0 / 6.0 * B, 1.0 / 3.0],
    [0.0, 0.0, 1.0],
];
const G2: [[f64; 3]; 4] = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]];

impl Winograd {
    /// For weights `weight(output, input, ky, kx)`.
    pub fn new(
        side: usize,
        inputs: usize,
        outputs: usize,
        weight: impl Fn(usize, usize, usize, usize) -> f32 + Sync,
        vectors: Vectors,
    ) -> Self {
        let g: &[[f64; 3]] = if side == 4 { &G4 } else { &G2 };
        let wide = g.len();
        let at = |point: usize, output: usize, input: usize| {
            let (row, column) = (&g[point / wide], &g[point % wide]);
            let mut sum = 0.0;
            for (ky, a) in row.iter().enumerate() {
                for (kx, b) in column.iter().enumerate() {
                    sum += a * b * f64::from(weight(output, input, ky, kx));
                }
            }
            sum as f32
        };
        let pack = |point| Panels::pack(outputs, inputs, vectors.width(), |output, input| at(point, output, input));
        let points = (0..wide * wide).into_par_iter().map(pack).collect();
        Self { side, inputs, outputs, points }
    }

    /// From a picture to one of the same size.
    pub fn run(
        &self,
        (from, from_grid): (&[f32], Grid),
        (to, to_grid): (&mut [f32], Grid),
        finish: Finish<'_>,
        vectors: Vectors,
    ) {
        let (high, wide) = (to_grid.height.div_ceil(self.side), to_grid.width.div_ceil(self.side));
        let threads = rayon::current_num_threads();
        let points = self.points.len();
        let work = Work { of: self, from, from_grid, to_grid, finish, high, wide };
        if self.inputs.max(self.outputs) < 256 {
            // A band's tiles and sums fit a core's cache, and so do the weights.
            let rows = (high.div_ceil(threads * (high * wide).div_ceil(threads * 40).max(1))).max(1);
            let chunk = rows * self.side * to_grid.row();
            to[to_grid.inside()].par_chunks_mut(chunk).enumerate().for_each(|(band, to)| {
                let rows = band * rows..((band + 1) * rows).min(high);
                let tiles = rows.len() * wide;
                // A little apart, so that the points of a tile don't compete for the same lines of the cache.
                let apart = (tiles * self.inputs + 16, tiles * vectors.width() + 16);
                f32::scratch([points * apart.0, points * apart.1], |seen, sums| {
                    // Inside of the closure, so that all below is compiled for the vectors.
                    vectors.arch.dispatch(Band { work, to, rows, seen, sums, apart });
                });
            });
            return;
        }
        // Weights are what does not fit: each is used for all tiles at once.
        let tiles = high * wide;
        let block = tiles.div_ceil(tiles.div_ceil(14));
        let mut seen = vec![0.0; tiles.div_ceil(block) * block * points * self.inputs];
        seen.par_chunks_mut(block * points * self.inputs).enumerate().for_each(|(k, to)| {
            let tiles = k * block..((k + 1) * block).min(tiles);
            vectors.arch.dispatch(Transform { work, to, tiles });
        });
        let panels = self.points.first().map_or(0, Panels::count);
        let cells = self.side * self.side * vectors.width();
        let mut sums = vec![0.0; panels * tiles * cells];
        sums.par_chunks_mut(tiles * cells).enumerate().for_each(|(panel, to)| {
            let apart = tiles * vectors.width() + 16;
            f32::scratch([points * apart, 0], |sums, _| {
                vectors.arch.dispatch(Sums { work, seen: &seen, block, to, panel, sums, apart });
            });
        });
        let (width, row) = (vectors.width(), self.side * to_grid.row());
        to[to_grid.inside()].par_chunks_mut(row).enumerate().for_each(|(y, to)| {
            for panel in 0..panels {
                for x in 0..wide {
                    let sums = &sums[(panel * tiles + y * wide + x) * cells..][..cells];
                    work.store(to, y * self.side, (y, x), panel * width, width, sums);
                }
            }
        });
    }
}

/// What all tasks share.
#[derive(Clone, Copy)]
struct Work<'a> {
    of: &'a Winograd,
    from: &'a [f32],
    from_grid: Grid,
    to_grid: Grid,
    finish: Finish<'a>,
    /// Tiles down and across.
    high: usize,
    wide: usize,
}

impl Work<'_> {
    /// Transforms the cells of tile (y, x): point p, channel c goes to `p · apart + c`.
    #[inline(always)]
    fn transform<S: Simd>(&self, simd: S, (y, x): (usize, usize), to: &mut [f32], apart: usize) {
        match self.of.side {
            4 => self.transform_of::<S, 6, 4, Four>(simd, (y, x), to, apart),
            _ => self.transform_of::<S, 4, 2, Two>(simd, (y, x), to, apart),
        }
    }

    #[inline(always)]
    fn transform_of<S: Simd, const N: usize, const M: usize, W: Method<N, M>>(
        &self,
        simd: S,
        (y, x): (usize, usize),
        to: &mut [f32],
        apart: usize,
    ) {
        let (grid, side) = (self.from_grid, self.of.side);
        // Cells beyond the picture are its border, which is zero.
        let row = |k: usize| ((y * side + k).min(grid.height + 1) + grid.pad - 1) * grid.row();
        let column = |k: usize| ((x * side + k).min(grid.width + 1) + grid.pad - 1) * grid.channels;
        for c in (0..grid.channels).step_by(S::F32_LANES) {
            let mut cells = [[simd.splat_f32s(0.0); N]; N];
            for (i, line) in cells.iter_mut().enumerate() {
                let mut d = [simd.splat_f32s(0.0); N];
                for (j, d) in d.iter_mut().enumerate() {
                    *d = load(simd, &self.from[row(i) + column(j) + c..]);
                }
                *line = W::forth(simd, d);
            }
            for j in 0..N {
                let mut d = [simd.splat_f32s(0.0); N];
                for (d, line) in d.iter_mut().zip(&cells) {
                    *d = line[j];
                }
                for (i, value) in W::forth(simd, d).into_iter().enumerate() {
                    save(simd, &mut to[(i * N + j) * apart + c..], value);
                }
            }
        }
    }

    /// Transforms the sums of one tile back: point p at `p · apart`; the cells go to `to` one after another.
    #[inline(always)]
    fn back<S: Simd>(&self, simd: S, from: &[f32], apart: usize, to: &mut [f32]) {
        match self.of.side {
            4 => Self::back_of::<S, 6, 4, Four>(simd, from, apart, to),
            _ => Self::back_of::<S, 4, 2, Two>(simd, from, apart, to),
        }
    }

    #[inline(always)]
    fn back_of<S: Simd, const N: usize, const M: usize, W: Method<N, M>>(
        simd: S,
        from: &[f32],
        apart: usize,
        to: &mut [f32],
    ) {
        let width = 2 * S::F32_LANES;
        for half in [0, S::F32_LANES] {
            let mut lines = [[simd.splat_f32s(0.0); M]; N];
            for (i, line) in lines.iter_mut().enumerate() {
                let mut m = [simd.splat_f32s(0.0); N];
                for (j, m) in m.iter_mut().enumerate() {
                    *m = load(simd, &from[(i * N + j) * apart + half..]);
                }
                *line = W::back(simd, m);
            }
            for j in 0..M {
                let mut m = [simd.splat_f32s(0.0); N];
                for (m, line) in m.iter_mut().zip(&lines) {
                    *m = line[j];
                }
                for (i, value) in W::back(simd, m).into_iter().enumerate() {
                    save(simd, &mut to[(i * M + j) * width + half..], value);
                }
            }
        }
    }

    /// Stores the cells of tile (y, x); `to` begins with row `top` of the picture.
    #[inline(always)]
    fn store(&self, to: &mut [f32], top: usize, (y, x): (usize, usize), first: usize, width: usize, cells: &[f32]) {
        let (grid, side) = (self.to_grid, self.of.side);
        let base = grid.at(top, 0) - grid.pad * grid.channels;
        let count = width.min(self.of.outputs - first);
        for (k, sums) in cells.chunks_exact(width).enumerate() {
            let (row, column) = (y * side + k / side, x * side + k % side);
            if row < grid.height && column < grid.width {
                let at = grid.at(row, column) + first;
                self.finish.store(&mut to[at - base..][..count], at, first, sums);
            }
        }
    }
}

/// Some rows of tiles from the first to the last step.
struct Band<'a> {
    work: Work<'a>,
    to: &'a mut [f32],
    rows: std::ops::Range<usize>,
    /// Cells after the transform.
    seen: &'a mut [f32],
    /// Sums before the transform back.
    sums: &'a mut [f32],
    /// Numbers from one point to the next in either.
    apart: (usize, usize),
}

impl WithSimd for Band<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { work, to, rows, seen, sums, apart: (apart, sums_apart) } = self;
        let (inputs, side, width) = (work.of.inputs, work.of.side, 2 * S::F32_LANES);
        let tiles = rows.len() * work.wide;
        let place = |tile: usize| (rows.start + tile / work.wide, tile % work.wide);
        for tile in 0..tiles {
            work.transform(simd, place(tile), &mut seen[tile * inputs..], apart);
        }
        let blocks = tiles.div_ceil(most_rows::<S>());
        let mut cells = [0.0; 16 * 32];
        for panel in 0..work.of.points.first().map_or(0, Panels::count) {
            for (point, weights) in work.of.points.iter().enumerate() {
                for block in 0..blocks {
                    let (first, end) = (block * tiles / blocks, (block + 1) * tiles / blocks);
                    let data = &seen[point * apart + first * inputs..];
                    let rows = Rows { data, down: inputs, taps: &[0], run: inputs };
                    let to = &mut sums[point * sums_apart + first * width..];
                    multiply(simd, to, end - first, rows, weights.panel(panel));
                }
            }
            for tile in 0..tiles {
                work.back(simd, &sums[tile * width..], sums_apart, &mut cells);
                let cells = &cells[..side * side * width];
                work.store(to, rows.start * side, place(tile), panel * width, width, cells);
            }
        }
    }
}

/// The transform of a block of tiles: point p of the block's tile t at `(p · tiles + t) · inputs`.
struct Transform<'a> {
    work: Work<'a>,
    to: &'a mut [f32],
    tiles: std::ops::Range<usize>,
}

impl WithSimd for Transform<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (wide, inputs, count) = (self.work.wide, self.work.of.inputs, self.tiles.len());
        for (k, tile) in self.tiles.enumerate() {
            self.work.transform(simd, (tile / wide, tile % wide), &mut self.to[k * inputs..], count * inputs);
        }
    }
}

/// The sums of one panel of outputs for all tiles, transformed back.
struct Sums<'a> {
    work: Work<'a>,
    seen: &'a [f32],
    block: usize,
    to: &'a mut [f32],
    panel: usize,
    /// Sums before the transform back.
    sums: &'a mut [f32],
    /// Numbers from one point to the next in them.
    apart: usize,
}

impl WithSimd for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { work, seen, block, to, panel, sums, apart } = self;
        let (inputs, points, width) = (work.of.inputs, work.of.points.len(), 2 * S::F32_LANES);
        let (tiles, cells) = (work.high * work.wide, work.of.side * work.of.side * width);
        for (point, weights) in work.of.points.iter().enumerate() {
            for first in (0..tiles).step_by(block) {
                let count = block.min(tiles - first);
                let start = first * points * inputs + point * count * inputs;
                // Short vectors take fewer rows at a time than a block has.
                let parts = count.div_ceil(most_rows::<S>());
                for part in 0..parts {
                    let (from, end) = (part * count / parts, (part + 1) * count / parts);
                    let data = &seen[start + from * inputs..];
                    let rows = Rows { data, down: inputs, taps: &[0], run: inputs };
                    let to = &mut sums[point * apart + (first + from) * width..];
                    multiply(simd, to, end - from, rows, weights.panel(panel));
                }
            }
        }
        for (tile, to) in to.chunks_exact_mut(cells).enumerate() {
            work.back(simd, &sums[tile * width..], apart, to);
        }
    }
}

/// The transforms of a method of N x N points and M x M results. Functions rather than closures, as only they can be
/// made to be inlined where the vectors' instructions are allowed.
trait Method<const N: usize, const M: usize> {
    /// Bᵀd
    fn forth<S: Simd>(simd: S, cells: [S::f32s; N]) -> [S::f32s; N];
    /// Aᵀm
    fn back<S: Simd>(simd: S, sums: [S::f32s; N]) -> [S::f32s; M];
}

/// F(4x4)
struct Four;

/// F(2x2)
struct Two;

#[inline(always)]
fn fma<S: Simd>(simd: S, by: f64, x: S::f32s, to: S::f32s) -> S::f32s {
    simd.mul_add_f32s(simd.splat_f32s(by as f32), x, to)
}

#[inline(always)]
fn times<S: Simd>(simd: S, by: f64, x: S::f32s) -> S::f32s {
    simd.mul_f32s(simd.splat_f32s(by as f32), x)
}

impl Method<6, 4> for Four {
    /// The coefficients of x(x² − A²)(x² − B²) without the factor of each point.
    #[inline(always)]
    fn forth<S: Simd>(simd: S, [d0, d1, d2, d3, d4, d5]: [S::f32s; 6]) -> [S::f32s; 6] {
        let (odd_a, even_a) = (fma(simd, -2.0, d1, d3), fma(simd, -2.0, d2, d4));
        let (odd_b, even_b) = (fma(simd, -0.5, d1, d3), fma(simd, -0.5, d2, d4));
        [
            fma(simd, -2.5, d2, simd.add_f32s(d0, d4)),
            fma(simd, A, odd_a, even_a),
            fma(simd, -A, odd_a, even_a),
            fma(simd, B, odd_b, even_b),
            fma(simd, -B, odd_b, even_b),
            fma(simd, -2.5, d3, simd.add_f32s(d1, d5)),
        ]
    }

    /// The powers 0 to 3 of the points.
    #[inline(always)]
    fn back<S: Simd>(simd: S, [m0, m1, m2, m3, m4, m5]: [S::f32s; 6]) -> [S::f32s; 4] {
        let (sum_a, difference_a) = (simd.add_f32s(m1, m2), simd.sub_f32s(m1, m2));
        let (sum_b, difference_b) = (simd.add_f32s(m3, m4), simd.sub_f32s(m3, m4));
        [
            simd.add_f32s(simd.add_f32s(m0, sum_a), sum_b),
            fma(simd, B, difference_b, times(simd, A, difference_a)),
            fma(simd, 2.0, sum_b, times(simd, 0.5, sum_a)),
            simd.add_f32s(fma(simd, 2.0 * B, difference_b, times(simd, 0.5 * A, difference_a)), m5),
        ]
    }
}

impl Method<4, 2> for Two {
    #[inline(always)]
    fn forth<S: Simd>(simd: S, [d0, d1, d2, d3]: [S::f32s; 4]) -> [S::f32s; 4] {
        [simd.sub_f32s(d0, d2), simd.add_f32s(d1, d2), simd.sub_f32s(d2, d1), simd.sub_f32s(d1, d3)]
    }

    #[inline(always)]
    fn back<S: Simd>(simd: S, [m0, m1, m2, m3]: [S::f32s; 4]) -> [S::f32s; 2] {
        let (sum, difference) = (simd.add_f32s(m1, m2), simd.sub_f32s(m1, m2));
        [simd.add_f32s(m0, sum), simd.sub_f32s(difference, m3)]
    }
}

/// The vector at the beginning of a slice.
#[inline(always)]
fn load<S: Simd>(_: S, from: &[f32]) -> S::f32s {
    S::as_simd_f32s(&from[..S::F32_LANES]).0[0]
}

#[inline(always)]
fn save<S: Simd>(_: S, to: &mut [f32], value: S::f32s) {
    S::as_mut_simd_f32s(&mut to[..S::F32_LANES]).0[0] = value;
}
