//! Winograd's method for 3x3 windows of stride 1: a tile of 4x4 or 2x2 results takes 36 or 16 products for each pair of
//! channels instead of 144 or 36.
//!
//! Lavin, Gray, "Fast Algorithms for Convolutional Neural Networks", 2016: Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A with the
//! points 0, ±1/√2, ±√2, ∞ (F(4x4)) or 0, ±1, ∞ (F(2x2)). Weights are transformed in f64.

mod method;
mod weights;

use std::ops::Range;

use pulp::{Simd, WithSimd};

use self::method::{Four, Method, Two};
use super::finish::{Finisher, save, whole};
use super::memory::{Sums as Cells, scratch};
use super::panels::{Panels, share};
use super::sweep::Kernel;
use super::team::{Part, Stage, Target};
use super::tile::{Columns, Rows, SUMS, most_rows, multiply};
use super::{Finish, Grid, Slot, Vectors};

/// Channels are transformed so many at a time, whatever the vectors' length.
pub(super) const TOGETHER: usize = 16;

/// Tiles before it is stored, the memory of a tile's results is asked for: by then it is there, and not gone again.
const AHEAD: usize = 2;

/// Numbers of half a core's cache: 512 KB.
const CACHE: usize = 1 << 17;

/// Weights after the transform.
pub(super) struct Winograd {
    /// Results of a tile, down and across: 4 or 2.
    side: usize,
    inputs: usize,
    outputs: usize,
    /// Points of the transformed tile, down and across.
    wide: usize,
    /// `[panels][points][inputs][width]`
    panels: Panels,
}

impl Winograd {
    /// For a convolution, or for its gradient: that is the same with each window turned by half a turn and channels
    /// exchanged.
    pub fn new(side: usize, kernel: Kernel<'_>, back: bool, vectors: Vectors) -> Self {
        let (inputs, outputs) = weights::channels(kernel, back);
        Self { side, inputs, outputs, wide: side + 2, panels: weights::panels(side, kernel, back, vectors) }
    }

    /// Whether its weights, which are then all that does not fit a core's cache, are each used for all tiles at once.
    fn by_panels(&self) -> bool {
        self.inputs.max(self.outputs) >= 256
    }

    /// Numbers of the tiles of a picture of that size before they are multiplied, where they are kept for all threads.
    pub fn scratch(&self, to: Grid) -> usize {
        let tiles = to.height.div_ceil(self.side) * to.width.div_ceil(self.side);
        if self.by_panels() { Tiles::of(tiles).padded() * self.wide * self.wide * self.inputs } else { 0 }
    }

    /// From a picture to one of the same size.
    pub fn stages<'a>(
        &'a self,
        from: Slot,
        to: Slot,
        scratch: usize,
        finish: Finish<'a>,
        vectors: Vectors,
    ) -> Vec<Box<dyn Stage + 'a>> {
        let (high, wide) = (to.grid.height.div_ceil(self.side), to.grid.width.div_ceil(self.side));
        let threads = rayon::current_num_threads();
        let work = Work { of: self, from, to, finish, wide, vectors };
        if !self.by_panels() {
            // A band's tiles and sums fit a core's cache, and so do the weights.
            let share = threads * (high * wide).div_ceil(threads * 40);
            let target =
                Target { rows: self.side, down: share.clamp(1, high), ..Target::of_rows(to.buffer, to.grid, 1) };
            return vec![Box::new(Bands { work, target })];
        }
        let (tiles, block) = (Tiles::of(high * wide), self.wide * self.wide * self.inputs);
        let blocks = Grid { height: tiles.blocks, width: 1, channels: tiles.each * block, pad: 0 };
        // As many panels at once as have their sums in half of a usual core's cache.
        let group = (CACHE / (self.wide * self.wide * tiles.apart(self.panels.width))).max(1);
        let panels = self.panels.count();
        let across = panels.div_ceil(group).max(panels.min(threads));
        let target = Target { channels: self.panels.width, down: 1, across, ..Target::of_rows(to.buffer, to.grid, 1) };
        vec![
            Box::new(Transform { work, tiles, target: Target::of_rows(scratch, blocks, threads) }),
            Box::new(Sums { work, tiles, scratch, target }),
        ]
    }
}

/// Tiles in blocks of the rows of one product.
#[derive(Clone, Copy)]
struct Tiles {
    all: usize,
    each: usize,
    blocks: usize,
}

impl Tiles {
    fn of(all: usize) -> Self {
        let each = all.div_ceil(all.div_ceil(14).max(1)).max(1);
        Self { all, each, blocks: all.div_ceil(each) }
    }

    fn padded(self) -> usize {
        self.blocks * self.each
    }

    /// From one point to the next, of `width` numbers a tile: a little apart, so that the points of a tile don't
    /// compete for the same lines of the cache.
    fn apart(self, width: usize) -> usize {
        self.all * width + 16
    }

    fn block(self, index: usize) -> Range<usize> {
        (index * self.each).min(self.all)..((index + 1) * self.each).min(self.all)
    }
}

/// What all pieces share.
#[derive(Clone, Copy)]
struct Work<'a> {
    of: &'a Winograd,
    from: Slot,
    to: Slot,
    finish: Finish<'a>,
    /// Tiles of a row.
    wide: usize,
    vectors: Vectors,
}

impl Work<'_> {
    /// Transforms the cells of tile (y, x): point p, channel c goes to `p · apart + c`.
    #[inline(always)]
    fn transform<S: Simd>(&self, simd: S, from: &[f32], tile: usize, to: &mut [f32], apart: usize) {
        let place = (tile / self.wide, tile % self.wide);
        match self.of.side {
            4 => self.transform_of::<S, 6, 4, Four>(simd, from, place, to, apart),
            _ => self.transform_of::<S, 4, 2, Two>(simd, from, place, to, apart),
        }
    }

    #[inline(always)]
    #[allow(clippy::needless_range_loop)] // rows and columns of matrices
    fn transform_of<S: Simd, const N: usize, const M: usize, W: Method<N, M>>(
        &self,
        simd: S,
        from: &[f32],
        (y, x): (usize, usize),
        to: &mut [f32],
        apart: usize,
    ) {
        let grid = self.from.grid;
        // Cells beyond the picture are its border, which is zero.
        let (mut rows, mut columns) = ([0; N], [0; N]);
        for k in 0..N {
            rows[k] = ((y * M + k).min(grid.height + 1) + grid.pad - 1) * grid.row();
            columns[k] = ((x * M + k).min(grid.width + 1) + grid.pad - 1) * grid.channels;
        }
        let mut cells = [[simd.splat_f32s(0.0); N]; N];
        for c in (0..grid.channels).step_by(S::F32_LANES) {
            for i in 0..N {
                let line = &from[rows[i] + c..];
                let mut d = [simd.splat_f32s(0.0); N];
                for j in 0..N {
                    d[j] = whole(simd, &line[columns[j]..]);
                }
                cells[i] = W::forth(simd, d);
            }
            for j in 0..N {
                let mut d = [simd.splat_f32s(0.0); N];
                for i in 0..N {
                    d[i] = cells[i][j];
                }
                let points = W::forth(simd, d);
                let to = &mut to[j * apart + c..];
                for i in 0..N {
                    save(simd, &mut to[i * N * apart..][..S::F32_LANES], points[i]);
                }
            }
        }
    }

    /// Asks for the memory that the results of a tile go to.
    #[inline(always)]
    fn fetch(&self, store: &Store<'_, '_>, tile: usize, first: usize) {
        let (side, count) = (self.of.side, self.of.panels.width.min(self.of.outputs - first));
        let (y, x) = (tile / self.wide * side, tile % self.wide * side);
        for row in y..self.to.grid.height.min(y + side) {
            for column in x..self.to.grid.width.min(x + side) {
                let at = store.part.fetch((row, column), first, count);
                store.finish.fetch(at, count);
            }
        }
    }

    /// Transforms the sums of one tile back, `apart` from point to point, and stores them.
    #[inline(always)]
    fn back<S: Simd>(&self, simd: S, from: &[f32], apart: usize, store: &mut Store<'_, '_>, tile: usize, first: usize) {
        match self.of.side {
            4 => self.back_of::<S, 6, 4, Four>(simd, from, apart, store, tile, first),
            _ => self.back_of::<S, 4, 2, Two>(simd, from, apart, store, tile, first),
        }
    }

    #[inline(always)]
    #[allow(clippy::needless_range_loop)] // rows and columns of matrices
    fn back_of<S: Simd, const N: usize, const M: usize, W: Method<N, M>>(
        &self,
        simd: S,
        from: &[f32],
        apart: usize,
        store: &mut Store<'_, '_>,
        tile: usize,
        first: usize,
    ) {
        let width = self.of.panels.width;
        let mut lines = [[simd.splat_f32s(0.0); M]; N];
        for half in (0..width).step_by(S::F32_LANES) {
            for i in 0..N {
                let line = &from[i * N * apart + half..];
                let mut m = [simd.splat_f32s(0.0); N];
                for j in 0..N {
                    m[j] = whole(simd, &line[j * apart..]);
                }
                lines[i] = W::back(simd, m);
            }
            for j in 0..M {
                let mut m = [simd.splat_f32s(0.0); N];
                for i in 0..N {
                    m[i] = lines[i][j];
                }
                let results = W::back(simd, m);
                for i in 0..M {
                    save(simd, &mut store.cells.0[(i * M + j) * width + half..][..S::F32_LANES], results[i]);
                }
            }
        }
        let (y, x) = (tile / self.wide * M, tile % self.wide * M);
        let count = width.min(self.of.outputs - first);
        for (i, row) in (y..self.to.grid.height.min(y + M)).enumerate() {
            for (j, column) in (x..self.to.grid.width.min(x + M)).enumerate() {
                let to = store.part.pixel((row, column), first, count);
                store.finish.store(simd, to, first, &store.cells.0[(i * M + j) * width..][..width]);
            }
        }
    }
}

/// Where results go.
struct Store<'a, 'p> {
    part: &'a mut Part<'p>,
    finish: Finisher<'a>,
    /// Those of one tile.
    cells: Cells,
}

/// The way in which a band of tiles is computed from the first to the last step.
struct Bands<'a> {
    work: Work<'a>,
    target: Target,
}

impl Stage for Bands<'_> {
    fn target(&self) -> Target {
        self.target
    }

    fn piece(&self, part: &mut Part<'_>) {
        let Work { of, wide, .. } = self.work;
        let rows = part.rows();
        let tiles = rows.start / of.side * wide..rows.end.div_ceil(of.side) * wide;
        let points = of.wide * of.wide;
        let all = Tiles::of(tiles.len());
        let apart = (all.apart(of.inputs), all.apart(of.panels.width));
        let from = part.read(self.work.from.buffer);
        let store = Store { finish: self.work.finish.open(part), part, cells: Cells([0.0; SUMS]) };
        scratch([points * apart.0, points * apart.1], |seen, sums| {
            // Inside of the closure, so that all below is compiled for the vectors.
            self.work.vectors.arch.dispatch(Band { work: self.work, from, store, tiles, seen, sums, apart });
        });
    }
}

struct Band<'a, 'p> {
    work: Work<'a>,
    from: &'a [f32],
    store: Store<'a, 'p>,
    tiles: Range<usize>,
    /// Cells after the transform.
    seen: &'a mut [f32],
    /// Sums before the transform back.
    sums: &'a mut [f32],
    /// Numbers from one point to the next in either.
    apart: (usize, usize),
}

impl WithSimd for Band<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { work, from, mut store, tiles, seen, sums, apart: (apart, sums_apart) } = self;
        let (inputs, panels) = (work.of.inputs, &work.of.panels);
        let (width, points) = (panels.width, work.of.wide * work.of.wide);
        let count = tiles.len();
        for (k, tile) in tiles.clone().enumerate() {
            work.transform(simd, from, tile, &mut seen[k * inputs..], apart);
        }
        let blocks = count.div_ceil(most_rows::<S>(width));
        for panel in 0..panels.count() {
            let weights = panels.panel(panel);
            for point in 0..points {
                let here = &weights[point * inputs * width..];
                for block in 0..blocks {
                    let (first, end) = (block * count / blocks, (block + 1) * count / blocks);
                    let data = &seen[point * apart + first * inputs..];
                    let rows = Rows { data, down: inputs, taps: &[0], run: inputs };
                    let to = &mut sums[point * sums_apart + first * width..];
                    let next = here.get(inputs * width..2 * inputs * width).unwrap_or_default();
                    let next = share(next, block, blocks);
                    multiply(simd, to, end - first, rows, Columns::panel(&here[..inputs * width], width), next);
                }
            }
            for (k, tile) in tiles.clone().enumerate() {
                work.fetch(&store, (tile + AHEAD).min(tiles.end - 1), panel * width);
                work.back(simd, &sums[k * width..], sums_apart, &mut store, tile, panel * width);
            }
        }
    }
}

/// The transform of all tiles: point p of the tile t of a block of n at `(p · n + t) · inputs` of the block.
struct Transform<'a> {
    work: Work<'a>,
    tiles: Tiles,
    target: Target,
}

impl Stage for Transform<'_> {
    fn target(&self) -> Target {
        self.target
    }

    fn piece(&self, part: &mut Part<'_>) {
        let from = part.read(self.work.from.buffer);
        for block in part.rows() {
            let (_, to) = part.row(block);
            let tiles = self.tiles.block(block);
            self.work.vectors.arch.dispatch(TransformBlock { work: self.work, from, to, tiles });
        }
    }
}

struct TransformBlock<'a> {
    work: Work<'a>,
    from: &'a [f32],
    to: &'a mut [f32],
    tiles: Range<usize>,
}

impl WithSimd for TransformBlock<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (inputs, count) = (self.work.of.inputs, self.tiles.len());
        for (k, tile) in self.tiles.enumerate() {
            self.work.transform(simd, self.from, tile, &mut self.to[k * inputs..], count * inputs);
        }
    }
}

/// The sums of some panels of outputs for all tiles, transformed back.
struct Sums<'a> {
    work: Work<'a>,
    tiles: Tiles,
    /// Where the transformed tiles lie.
    scratch: usize,
    target: Target,
}

impl Stage for Sums<'_> {
    fn target(&self) -> Target {
        self.target
    }

    fn piece(&self, part: &mut Part<'_>) {
        let Work { of, vectors, .. } = self.work;
        let (seen, width) = (part.read(self.scratch), of.panels.width);
        let panels = part.channels().start / width..part.channels().end.div_ceil(width);
        let apart = self.tiles.apart(width);
        scratch([panels.len() * of.wide * of.wide * apart, 0], |sums, _| {
            let store = Store { finish: self.work.finish.open(part), part, cells: Cells([0.0; SUMS]) };
            vectors.arch.dispatch(SumsOfPanels { of: self, seen, store, panels, sums, apart });
        });
    }
}

struct SumsOfPanels<'a, 'p> {
    of: &'a Sums<'a>,
    seen: &'a [f32],
    store: Store<'a, 'p>,
    panels: Range<usize>,
    /// Sums before the transform back, `[panels][points]`.
    sums: &'a mut [f32],
    /// Numbers from one point to the next in them.
    apart: usize,
}

impl WithSimd for SumsOfPanels<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { of: &Sums { work, tiles, .. }, seen, mut store, panels, sums, apart } = self;
        let (inputs, width, points) = (work.of.inputs, work.of.panels.width, work.of.wide * work.of.wide);
        // A point of all panels, then the next: its tiles come into the cache once for all of them.
        for step in 0..points * panels.len() {
            let (point, panel) = (step / panels.len(), step % panels.len());
            let (weights, next) = (work.of.weights(&panels, step), work.of.weights(&panels, step + 1));
            let sums = &mut sums[(panel * points + point) * apart..];
            for index in 0..tiles.blocks {
                let block = tiles.block(index);
                let start = (index * tiles.each * points + point * block.len()) * inputs;
                // Short vectors take fewer rows at a time than a block has.
                let parts = block.len().div_ceil(most_rows::<S>(width));
                for part in 0..parts {
                    let (from, end) = (part * block.len() / parts, (part + 1) * block.len() / parts);
                    let data = &seen[start + from * inputs..];
                    let rows = Rows { data, down: inputs, taps: &[0], run: inputs };
                    let to = &mut sums[(block.start + from) * width..];
                    let next = share(next, index * parts + part, tiles.blocks * parts);
                    multiply(simd, to, end - from, rows, Columns::panel(weights, width), next);
                }
            }
        }
        for (panel, sums) in panels.zip(sums.chunks_exact(points * apart)) {
            for tile in 0..tiles.all {
                work.fetch(&store, (tile + AHEAD).min(tiles.all - 1), panel * width);
                work.back(simd, &sums[tile * width..], apart, &mut store, tile, panel * width);
            }
        }
    }
}

impl Winograd {
    /// The weights for a step through some panels, point by point; behind the last one those that follow it.
    fn weights(&self, panels: &Range<usize>, step: usize) -> &[f32] {
        let (point, panel) = (step / panels.len(), panels.start + step % panels.len());
        let (point, panel) = if point < self.wide * self.wide { (point, panel) } else { (0, panels.end) };
        let length = self.inputs * self.panels.width;
        self.panels.panel(panel).get(point * length..(point + 1) * length).unwrap_or_default()
    }
}
