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
        let work = Work { of: self, from, from_grid, to_grid, finish, high, wide };
        if self.inputs.max(self.outputs) < 256 {
            // A band's tiles and sums fit a core's cache, and so do the weights.
            let rows = (high.div_ceil(threads * (high * wide).div_ceil(threads * 40).max(1))).max(1);
            let chunk = rows * self.side * to_grid.row();
            to[to_grid.inside()].par_chunks_mut(chunk).enumerate().for_each(|(band, to)| {
                let rows = band * rows..((band + 1) * rows).min(high);
                vectors.arch.dispatch(Band { work, to, rows });
            });
            return;
        }
        // Weights are what does not fit: each is used for all tiles at once.
        let tiles = high * wide;
        let block = tiles.div_ceil(tiles.div_ceil(14));
        let points = self.points.len();
        let mut seen = vec![0.0; tiles.div_ceil(block) * block * points * self.inputs];
        seen.par_chunks_mut(block * points * self.inputs).enumerate().for_each(|(k, to)| {
            let tiles = k * block..((k + 1) * block).min(tiles);
            vectors.arch.dispatch(Transform { work, to, tiles });
        });
        let panels = self.points.first().map_or(0, Panels::count);
        let cells = self.side * self.side * vectors.width();
        let mut sums = vec![0.0; panels * tiles * cells];
        sums.par_chunks_mut(tiles * cells).enumerate().for_each(|(panel, to)| {
            vectors.arch.dispatch(Sums { work, seen: &seen, block, to, panel });
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
            4 => self.transform_of::<S, 6>(simd, (y, x), to, apart, |simd, d| forth4(simd, d)),
            _ => self.transform_of::<S, 4>(simd, (y, x), to, apart, |simd, d| forth2(simd, d)),
        }
    }

    #[inline(always)]
    fn transform_of<S: Simd, const N: usize>(
        &self,
        simd: S,
        (y, x): (usize, usize),
        to: &mut [f32],
        apart: usize,
        forth: impl Fn(S, [S::f32s; N]) -> [S::f32s; N],
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
                    *d = simd.partial_load_f32s(&self.from[row(i) + column(j) + c..][..S::F32_LANES]);
                }
                *line = forth(simd, d);
            }
            for j in 0..N {
                let mut d = [simd.splat_f32s(0.0); N];
                for (d, line) in d.iter_mut().zip(&cells) {
                    *d = line[j];
                }
                for (i, value) in forth(simd, d).into_iter().enumerate() {
                    simd.partial_store_f32s(&mut to[(i * N + j) * apart + c..][..S::F32_LANES], value);
                }
            }
        }
    }

    /// Transforms the sums of one tile back: point p at `p · apart`; the cells go to `to` one after another.
    #[inline(always)]
    fn back<S: Simd>(&self, simd: S, from: &[f32], apart: usize, to: &mut [f32]) {
        match self.of.side {
            4 => Self::back_of::<S, 6, 4>(simd, from, apart, to, |simd, m| back4(simd, m)),
            _ => Self::back_of::<S, 4, 2>(simd, from, apart, to, |simd, m| back2(simd, m)),
        }
    }

    #[inline(always)]
    fn back_of<S: Simd, const N: usize, const M: usize>(
        simd: S,
        from: &[f32],
        apart: usize,
        to: &mut [f32],
        back: impl Fn(S, [S::f32s; N]) -> [S::f32s; M],
    ) {
        let width = 2 * S::F32_LANES;
        for half in [0, S::F32_LANES] {
            let mut lines = [[simd.splat_f32s(0.0); M]; N];
            for (i, line) in lines.iter_mut().enumerate() {
                let mut m = [simd.splat_f32s(0.0); N];
                for (j, m) in m.iter_mut().enumerate() {
                    *m = simd.partial_load_f32s(&from[(i * N + j) * apart + half..][..S::F32_LANES]);
                }
                *line = back(simd, m);
            }
            for j in 0..M {
                let mut m = [simd.splat_f32s(0.0); N];
                for (m, line) in m.iter_mut().zip(&lines) {
                    *m = line[j];
                }
                for (i, value) in back(simd, m).into_iter().enumerate() {
                    simd.partial_store_f32s(&mut to[(i * M + j) * width + half..][..S::F32_LANES], value);
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
}

impl WithSimd for Band<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { work, to, rows } = self;
        let (inputs, points, width) = (work.of.inputs, work.of.points.len(), 2 * S::F32_LANES);
        let tiles = rows.len() * work.wide;
        if tiles == 0 {
            return;
        }
        // A little apart, so that the points of a tile don't compete for the same lines of the cache.
        let (apart, sums_apart) = (tiles * inputs + 16, tiles * width + 16);
        f32::scratch([points * apart, points * sums_apart], |seen, sums| {
            for tile in 0..tiles {
                let place = (rows.start + tile / work.wide, tile % work.wide);
                work.transform(simd, place, &mut seen[tile * inputs..], apart);
            }
            let blocks = tiles.div_ceil(most_rows::<S>());
            let panels = work.of.points.first().map_or(0, Panels::count);
            let mut cells = [0.0; 16 * 32];
            for panel in 0..panels {
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
                    let place = (rows.start + tile / work.wide, tile % work.wide);
                    let side = work.of.side;
                    work.store(to, rows.start * side, place, panel * width, width, &cells[..side * side * width]);
                }
            }
        });
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
}

impl WithSimd for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { work, seen, block, to, panel } = self;
        let (inputs, points, width) = (work.of.inputs, work.of.points.len(), 2 * S::F32_LANES);
        let (tiles, cells) = (work.high * work.wide, work.of.side * work.of.side * width);
        let apart = tiles * width + 16;
        f32::scratch([points * apart, 0], |sums, _| {
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
        });
    }
}

/// Bᵀd for F(4): the coefficients of x(x² − A²)(x² − B²) without the factor of each point.
#[inline(always)]
fn forth4<S: Simd>(simd: S, [d0, d1, d2, d3, d4, d5]: [S::f32s; 6]) -> [S::f32s; 6] {
    let fma = |by: f64, x, to| simd.mul_add_f32s(simd.splat_f32s(by as f32), x, to);
    let (odd_a, even_a) = (fma(-2.0, d1, d3), fma(-2.0, d2, d4));
    let (odd_b, even_b) = (fma(-0.5, d1, d3), fma(-0.5, d2, d4));
    [
        fma(-2.5, d2, simd.add_f32s(d0, d4)),
        fma(A, odd_a, even_a),
        fma(-A, odd_a, even_a),
        fma(B, odd_b, even_b),
        fma(-B, odd_b, even_b),
        fma(-2.5, d3, simd.add_f32s(d1, d5)),
    ]
}

/// Aᵀm for F(4): the powers 0 to 3 of the points.
#[inline(always)]
fn back4<S: Simd>(simd: S, [m0, m1, m2, m3, m4, m5]: [S::f32s; 6]) -> [S::f32s; 4] {
    let times = |by: f64, x| simd.mul_f32s(simd.splat_f32s(by as f32), x);
    let fma = |by: f64, x, to| simd.mul_add_f32s(simd.splat_f32s(by as f32), x, to);
    let (sum_a, difference_a) = (simd.add_f32s(m1, m2), simd.sub_f32s(m1, m2));
    let (sum_b, difference_b) = (simd.add_f32s(m3, m4), simd.sub_f32s(m3, m4));
    [
        simd.add_f32s(simd.add_f32s(m0, sum_a), sum_b),
        fma(B, difference_b, times(A, difference_a)),
        fma(2.0, sum_b, times(0.5, sum_a)),
        simd.add_f32s(fma(2.0 * B, difference_b, times(0.5 * A, difference_a)), m5),
    ]
}

/// Bᵀd for F(2).
#[inline(always)]
fn forth2<S: Simd>(simd: S, [d0, d1, d2, d3]: [S::f32s; 4]) -> [S::f32s; 4] {
    [simd.sub_f32s(d0, d2), simd.add_f32s(d1, d2), simd.sub_f32s(d2, d1), simd.sub_f32s(d1, d3)]
}

/// Aᵀm for F(2).
#[inline(always)]
fn back2<S: Simd>(simd: S, [m0, m1, m2, m3]: [S::f32s; 4]) -> [S::f32s; 2] {
    let (sum, difference) = (simd.add_f32s(m1, m2), simd.sub_f32s(m1, m2));
    [simd.add_f32s(m0, sum), simd.sub_f32s(difference, m3)]
}
