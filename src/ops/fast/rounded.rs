//! Convolution of numbers that are rounded to bf16, in the processor's tiles. Sums and results are f32 as everywhere:
//! nothing but the multiplications is less exact.
//!
//! The source is rounded into a buffer of its own, whose rows follow each other without a gap. So where positions are
//! neighbours, they are one run over the rows, border and all, and tiles are full however short a row is; what is computed
//! for the border is dropped.

use bytemuck::{cast_slice, cast_slice_mut};
use pulp::{Simd, WithSimd};

use super::finish::Finisher;
use super::memory::{Floats, floats};
use super::sweep::{Kernel, Sweep};
use super::team::{Part, Stage, Target};
use super::tiles::{COLUMNS, Left, Open, Products, ROWS, Right, TERMS, round};
use super::{Finish, Grid, Slot, Tiles, Vectors};

/// A convolution one way.
pub(super) struct Rounded {
    passes: Vec<Pass>,
    /// Channels of the source.
    channels: usize,
    tiles: Tiles,
}

/// A [`Sweep`] with its weights.
struct Pass {
    sweep: Sweep,
    /// Channels of the target, for each of so many phases of the stride.
    channels: usize,
    phases: usize,
    /// Columns of a panel.
    width: usize,
    /// Tiles of a window's row. Beyond the row, weights are zeros.
    run: usize,
    /// For each panel of columns, what [`Right`] says.
    panels: Floats,
}

impl Rounded {
    /// From a picture to the convolution's result. No groups.
    pub fn forward(kernel: Kernel<'_>, tiles: Tiles) -> Self {
        let Kernel { window, inputs, outputs, .. } = kernel;
        let pass = Pass::of(kernel, Sweep::forward(window), [inputs, outputs], 1);
        Self { passes: vec![pass], channels: inputs, tiles }
    }

    /// From the result's gradient to the picture's. Few channels are computed for all phases of the stride together, as
    /// they would leave columns empty.
    pub fn backward(kernel: Kernel<'_>, tiles: Tiles) -> Self {
        let Kernel { window, inputs, outputs, .. } = kernel;
        let phases = window.stride * window.stride;
        let passes = match inputs * phases <= 2 * COLUMNS {
            true => vec![Pass::of(kernel, Sweep::together(window), [outputs, inputs], phases)],
            false => {
                let sweeps = Sweep::backward(window).into_iter();
                sweeps.map(|sweep| Pass::of(kernel, sweep, [outputs, inputs], 1)).collect()
            }
        };
        Self { passes, channels: outputs, tiles }
    }

    /// Numbers of a buffer for the source, rounded.
    pub fn scratch(&self, from: Grid) -> usize {
        self.rounded(from).size()
    }

    /// The rounded source, two numbers in one: its rows, border included, and below them as many zeros as the last tile
    /// may reach beyond them.
    fn rounded(&self, from: Grid) -> Grid {
        let row = self.row(from);
        let step = self.passes.iter().map(|pass| pass.sweep.step).max().unwrap_or(1);
        let beyond = ROWS * step * self.channels + TERMS;
        Grid { height: from.height + 2 * from.pad + beyond.div_ceil(row), width: 1, channels: row / 2, pad: 0 }
    }

    /// Numbers of a row: of an even number, by a pixel more if need be.
    fn row(&self, from: Grid) -> usize {
        let wide = from.width + 2 * from.pad;
        (wide + wide * self.channels % 2) * self.channels
    }

    /// From a picture to its result, or from the result's gradient to the picture's.
    pub fn stages<'a>(
        &'a self,
        from: Slot,
        to: Slot,
        scratch: usize,
        finish: Finish<'a>,
        vectors: Vectors,
    ) -> Vec<Box<dyn Stage + 'a>> {
        let threads = rayon::current_num_threads();
        let rounded = Target::of_rows(scratch, self.rounded(from.grid), threads);
        let stride = self.passes.first().map_or(1, |pass| pass.sweep.stride);
        let rows = to.grid.height.div_ceil(stride).max(1);
        let panels = self.passes.iter().map(Pass::count).min().unwrap_or(1).max(1);
        let whole = self.passes.iter().any(|pass| pass.phases > 1);
        // What fits a core's cache is read again by every band; what does not is read once, by one thread.
        let large = self.passes.iter().map(|pass| 4 * pass.panels.len()).sum::<usize>() > CACHE && !whole;
        let (down, across) = match large {
            true => ((2 * threads).div_ceil(panels).min(rows), panels.min(8 * threads)),
            false => ((4 * threads).min(rows), 1),
        };
        let channels = if across > 1 { self.passes.iter().map(|pass| pass.width).max().unwrap_or(1) } else { 1 };
        let target = Target { rows: stride, channels, down, across, ..Target::of_rows(to.buffer, to.grid, threads) };
        vec![
            Box::new(Round { from, row: self.row(from.grid), target: rounded, vectors }),
            Box::new(Multiply { of: self, from: from.grid, scratch, target, finish, vectors }),
        ]
    }
}

/// Bytes of weights that stay in a core's cache while pictures pass.
const CACHE: usize = 1 << 20;

impl Pass {
    fn of(kernel: Kernel<'_>, sweep: Sweep, [from, channels]: [usize; 2], phases: usize) -> Self {
        let columns = channels * phases;
        let width = if columns <= COLUMNS { COLUMNS } else { 2 * COLUMNS };
        let run = (sweep.across * from).div_ceil(TERMS);
        let tile = TERMS * COLUMNS;
        let mut panels = floats(columns.div_ceil(width) * sweep.lines * run * TERMS * width / 2);
        for (index, to) in cast_slice_mut::<f32, u16>(&mut panels).chunks_exact_mut(tile).enumerate() {
            let (half, step) = (index % (width / COLUMNS), index / (width / COLUMNS));
            let (line, k, panel) = (step / run % sweep.lines, step % run, step / run / sweep.lines);
            for (place, to) in to.iter_mut().enumerate() {
                let term = k * TERMS + place / (2 * COLUMNS) * 2 + place % 2;
                let column = panel * width + half * COLUMNS + place / 2 % COLUMNS;
                if term < sweep.across * from && column < columns {
                    let (phase, channel) = (column / channels, column % channels);
                    let sweep = if phases > 1 { sweep.phase(phase) } else { sweep };
                    *to = round(sweep.weight(kernel, channel, term % from, (line, term / from)));
                }
            }
        }
        Self { sweep, channels, phases, width, run, panels }
    }

    /// How many panels.
    fn count(&self) -> usize {
        (self.channels * self.phases).div_ceil(self.width)
    }

    fn panel(&self, index: usize) -> Right<'_> {
        let length = self.sweep.lines * self.run * TERMS * self.width;
        let data = cast_slice(&self.panels).get(index * length..(index + 1) * length).unwrap_or_default();
        Right { data, width: self.width }
    }
}

/// Rounds the source, border and all.
struct Round {
    from: Slot,
    /// Numbers of a rounded row.
    row: usize,
    target: Target,
    vectors: Vectors,
}

impl Stage for Round {
    fn target(&self) -> Target {
        self.target
    }

    fn piece(&self, part: &mut Part<'_>) {
        let (from, row) = (part.read(self.from.buffer), self.from.grid.row());
        for y in part.rows() {
            let from = from.get(y * row..(y + 1) * row).unwrap_or_default();
            let to: &mut [u16] = cast_slice_mut(part.row(y).1);
            debug_assert!(to.len() == self.row);
            self.vectors.arch().dispatch(RoundRow { from, to });
        }
    }
}

struct RoundRow<'a> {
    from: &'a [f32],
    to: &'a mut [u16],
}

impl WithSimd for RoundRow<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (to, rest) = self.to.split_at_mut(self.from.len());
        for (to, from) in to.iter_mut().zip(self.from) {
            *to = round(*from);
        }
        rest.fill(0);
    }
}

struct Multiply<'a> {
    of: &'a Rounded,
    /// Of the source.
    from: Grid,
    scratch: usize,
    target: Target,
    finish: Finish<'a>,
    vectors: Vectors,
}

impl Stage for Multiply<'_> {
    fn target(&self) -> Target {
        self.target
    }

    fn piece(&self, part: &mut Part<'_>) {
        let (data, finish) = (cast_slice(part.read(self.scratch)), self.finish.open(part));
        let tiles = self.of.tiles.open();
        for pass in &self.of.passes {
            self.vectors.arch().dispatch(Piece { pass, of: self, data, part, finish, tiles: &tiles });
        }
    }
}

/// What one pass does for some rows and panels.
struct Piece<'a, 'p> {
    pass: &'a Pass,
    of: &'a Multiply<'a>,
    data: &'a [u16],
    part: &'a mut Part<'p>,
    finish: Finisher<'a>,
    tiles: &'a Open,
}

impl WithSimd for Piece<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let Self { pass: &Pass { sweep, phases, width, run, .. }, of, .. } = self;
        let (from, to) = (of.from, of.target.grid);
        let (channels, row) = (of.of.channels, of.of.row(from));
        let taps: Vec<usize> = (0..sweep.lines).map(|line| line * row).collect();
        let positions = to.width.div_ceil(sweep.stride);
        let rows = self.part.rows();
        let rows = rows.start / sweep.stride..rows.end.div_ceil(sweep.stride);
        // A pass without a single line sums up nothing, wherever it would begin.
        let origin = |first: isize| (from.pad as isize + first).max(0) as usize;
        let origin = origin(sweep.first.0) * row + origin(sweep.first.1) * channels;
        // Rows in one run, or each by itself.
        let flat = sweep.step == 1 && phases == 1;
        let wide = if flat { row / channels.max(1) } else { positions };
        let runs = if flat { 1 } else { rows.len() };
        let each = if flat && !rows.is_empty() { (rows.len() - 1) * wide + positions } else { positions };
        let panels = match of.target.across {
            1 => 0..self.pass.count(),
            _ => self.part.channels().start / width..self.part.channels().end.div_ceil(width),
        };
        let mut lines = vec![0.0; if phases > 1 { sweep.stride * to.width * self.pass.channels } else { 0 }];
        let mut products = Products([0.0; 2 * COLUMNS * ROWS]);
        for panel in panels {
            let right = self.pass.panel(panel);
            for line in rows.clone().take(runs) {
                for first in (0..each).step_by(ROWS) {
                    let count = ROWS.min(each - first);
                    let start = origin + line * sweep.step * row + first * sweep.step * channels;
                    let data = self.data.get(start..).unwrap_or_default();
                    let left = Left { data, down: sweep.step * channels, taps: &taps, run };
                    self.tiles.multiply(&mut products, count, left, right);
                    let (mut y, mut x) = (line + first / wide, first % wide);
                    for sums in products.0.chunks_exact(width).take(count) {
                        if phases > 1 {
                            self.spread(&mut lines, x, sums);
                        } else if x < positions {
                            self.store(simd, (y, x), panel * width, sums);
                        }
                        x += 1;
                        if x == wide {
                            (y, x) = (y + 1, 0);
                        }
                    }
                }
                if phases > 1 {
                    for (index, line_of) in lines.chunks_exact(to.width * self.pass.channels).enumerate() {
                        if line * sweep.stride + index < to.height {
                            let to = self.part.row(line * sweep.stride + index);
                            self.finish.store(simd, to, 0, line_of);
                        }
                    }
                }
            }
        }
    }
}

impl Piece<'_, '_> {
    /// Puts the results from `first` on of one position where they belong.
    #[inline(always)]
    fn store<S: Simd>(&mut self, simd: S, (y, x): (usize, usize), first: usize, sums: &[f32]) {
        let (sweep, grid) = (self.pass.sweep, self.of.target.grid);
        let (row, pixel) = (y * sweep.stride + sweep.to.0, x * sweep.stride + sweep.to.1);
        if row < grid.height && pixel < grid.width {
            let to = self.part.pixel((row, pixel), first, sums.len().min(grid.channels - first));
            self.finish.store(simd, to, first, sums);
        }
    }

    /// Puts the results of all phases of one position where they belong in the rows.
    #[inline(always)]
    fn spread(&self, lines: &mut [f32], x: usize, sums: &[f32]) {
        let Pass { channels, phases, sweep: Sweep { stride, .. }, .. } = *self.pass;
        let width = self.of.target.grid.width;
        for (phase, sums) in sums.chunks_exact(channels).take(phases).enumerate() {
            let pixel = x * stride + phase % stride;
            if pixel < width {
                lines[(phase / stride * width + pixel) * channels..][..channels].copy_from_slice(sums);
            }
        }
    }
}
