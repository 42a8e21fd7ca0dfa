//! Convolution straight from the picture: a window's row is one run of numbers, so nothing is gathered.

use pulp::{Simd, WithSimd};

use super::finish::Finisher;
use super::memory::Sums;
use super::panels::{Panels, share};
use super::sweep::{Kernel, Sweep};
use super::team::{Part, Stage, Target};
use super::tile::{Columns, Rows, SUMS, most_rows, multiply};
use super::{Finish, Slot, Vectors};

/// A [`Sweep`] with its weights.
pub(super) struct Pass {
    sweep: Sweep,
    panels: Panels,
    blocks: Blocks,
}

impl Pass {
    /// From a picture to the convolution's result.
    pub fn forward(kernel: Kernel<'_>, vectors: Vectors) -> Self {
        Self::of(kernel, Sweep::forward(kernel.window), [kernel.inputs, kernel.outputs], vectors)
    }

    /// From the result's gradient to the picture's.
    pub fn backward(kernel: Kernel<'_>, vectors: Vectors) -> Vec<Self> {
        let channels = [kernel.outputs, kernel.inputs];
        Sweep::backward(kernel.window).into_iter().map(|sweep| Self::of(kernel, sweep, channels, vectors)).collect()
    }

    fn of(kernel: Kernel<'_>, sweep: Sweep, [from, to]: [usize; 2], vectors: Vectors) -> Self {
        let width = vectors.width(to);
        let blocks = Blocks::of(to, from, kernel.groups, width);
        let weight = |to: usize, term: usize| {
            let (cell, from) = (term / blocks.length, blocks.starts[to / width] + term % blocks.length);
            sweep.weight(kernel, to, from, (cell / sweep.across, cell % sweep.across))
        };
        let panels = Panels::pack(to, sweep.lines * sweep.across * blocks.length, width, weight);
        Self { sweep, panels, blocks }
    }
}

/// Which channels of the source the results of each panel see. All of them make one run of numbers with their neighbours
/// in a window's row; a part of them is a run by itself. Where groups are smaller than a panel, it sees those of others
/// too, times zero.
struct Blocks {
    /// For each panel, the first.
    starts: Vec<usize>,
    /// How many, of all.
    length: usize,
    all: usize,
}

impl Blocks {
    fn of(results: usize, seen: usize, groups: usize, width: usize) -> Self {
        let (each, own) = (results / groups, seen / groups);
        let spans = (0..results.div_ceil(width)).map(|panel| {
            let (first, last) = (panel * width / each, (results.min((panel + 1) * width) - 1) / each);
            first * own..(last + 1) * own
        });
        let length = spans.clone().map(|span| span.len()).max().unwrap_or(0);
        Self { starts: spans.map(|span| span.start.min(seen - length)).collect(), length, all: seen }
    }

    /// Runs of a row of so many pixels, and numbers of a run.
    fn runs(&self, across: usize) -> (usize, usize) {
        if self.length == self.all { (1, across * self.all) } else { (across, self.length) }
    }
}

/// Passes that together fill a picture.
pub(super) fn stage<'a>(
    passes: &'a [Pass],
    from: Slot,
    to: Slot,
    finish: Finish<'a>,
    vectors: Vectors,
) -> Box<dyn Stage + 'a> {
    let threads = rayon::current_num_threads();
    let stride = passes.first().map_or(1, |pass| pass.sweep.stride);
    let rows = to.grid.height.div_ceil(stride).max(1);
    let panels = passes.iter().map(|pass| pass.panels.count()).min().unwrap_or(1).max(1);
    // What fits a core's cache is read again by every band; what does not is read once, by one thread.
    let large = passes.iter().map(|pass| pass.panels.bytes()).sum::<usize>() > CACHE;
    let (down, across) = match large {
        true => ((2 * threads).div_ceil(panels).min(rows), panels.min(8 * threads)),
        false => ((4 * threads).min(rows), 1),
    };
    let channels = if across > 1 { passes.iter().map(|pass| pass.panels.width).max().unwrap_or(1) } else { 1 };
    let target = Target { rows: stride, channels, down, across, ..Target::of_rows(to.buffer, to.grid, threads) };
    Box::new(Direct { passes, from, target, finish, vectors })
}

/// Bytes of weights that stay in a core's cache while pictures pass.
const CACHE: usize = 1 << 20;

struct Direct<'a> {
    passes: &'a [Pass],
    from: Slot,
    target: Target,
    finish: Finish<'a>,
    vectors: Vectors,
}

impl Stage for Direct<'_> {
    fn target(&self) -> Target {
        self.target
    }

    fn piece(&self, part: &mut Part<'_>) {
        let (from, finish) = (part.read(self.from.buffer), self.finish.open(part));
        for (index, pass) in self.passes.iter().enumerate() {
            // What nobody sees adds nothing.
            if pass.sweep.lines == 0 && self.finish.only_adds() {
                continue;
            }
            let after = self.passes.get(index + 1);
            self.vectors.arch.dispatch(Piece { pass, after, of: self, from, part, finish });
        }
    }
}

/// What one pass does for some rows and panels.
struct Piece<'a, 'p> {
    pass: &'a Pass,
    /// The pass that follows.
    after: Option<&'a Pass>,
    of: &'a Direct<'a>,
    from: &'a [f32],
    part: &'a mut Part<'p>,
    finish: Finisher<'a>,
}

impl WithSimd for Piece<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let (pass, from, to) = (self.pass, self.of.from.grid, self.of.target.grid);
        let mut sums = Sums([0.0; SUMS]);
        let width = pass.panels.width;
        let positions = to.width.div_ceil(pass.sweep.stride);
        let row = from.row();
        let (runs, run) = pass.blocks.runs(pass.sweep.across);
        let all = (0..pass.sweep.lines).flat_map(|line| (0..runs).map(move |k| (line, k)));
        let taps: Vec<usize> = all.clone().map(|(line, k)| line * row + k * from.channels).collect();
        let columns: Vec<usize> = all.map(|(line, k)| (line * runs + k) * run * width).collect();
        // A pass without a single line sums up nothing, wherever it would begin.
        let origin = |first: isize| (from.pad as isize + first).max(0) as usize;
        let origin = (origin(pass.sweep.first.0), origin(pass.sweep.first.1));
        let blocks = positions.div_ceil(most_rows::<S>(width)).max(1);
        let down = pass.sweep.step * from.channels;
        let rows = self.part.rows();
        let rows = rows.start / pass.sweep.stride..rows.end.div_ceil(pass.sweep.stride);
        let panels = match self.of.target.across {
            1 => 0..pass.panels.count(),
            _ => self.part.channels().start / width..self.part.channels().end.div_ceil(width),
        };
        let calls = rows.len() * blocks;
        for panel in panels.clone() {
            let weights = Columns { data: pass.panels.panel(panel), down: width, taps: &columns, width };
            let following = match self.after {
                _ if panel + 1 < panels.end => pass.panels.panel(panel + 1),
                Some(after) => after.panels.panel(panels.start),
                None => self.of.passes[0].panels.panel(panels.end),
            };
            for (index, y) in rows.clone().enumerate() {
                let line = (origin.0 + y * pass.sweep.step) * row;
                for block in 0..blocks {
                    let (x, end) = (block * positions / blocks, (block + 1) * positions / blocks);
                    if x == end {
                        continue;
                    }
                    let channel = pass.blocks.starts.get(panel).copied().unwrap_or_default();
                    let start = line + (origin.1 + x * pass.sweep.step) * from.channels + channel;
                    let data = self.from.get(start..).unwrap_or_default();
                    let terms = Rows { data, down, taps: &taps, run };
                    let next = share(following, index * blocks + block, calls);
                    if self.finish.reads() {
                        (x..end).for_each(|x| self.fetch((y, x), panel * width, width));
                    }
                    multiply(simd, &mut sums.0, end - x, terms, weights, next);
                    for (x, sums) in (x..end).zip(sums.0.chunks_exact(width)) {
                        self.store(simd, (y, x), panel * width, sums);
                    }
                }
            }
        }
    }
}

impl Piece<'_, '_> {
    /// The pixel that a position's results belong to, if there is one.
    #[inline(always)]
    fn pixel(&self, (y, x): (usize, usize)) -> Option<(usize, usize)> {
        let (sweep, grid) = (self.pass.sweep, self.of.target.grid);
        let (row, pixel) = (y * sweep.stride + sweep.to.0, x * sweep.stride + sweep.to.1);
        (row < grid.height && pixel < grid.width).then_some((row, pixel))
    }

    /// Asks for the memory that the results of a position go to.
    #[inline(always)]
    fn fetch(&self, position: (usize, usize), first: usize, count: usize) {
        if let Some(pixel) = self.pixel(position) {
            let at = self.part.fetch(pixel, first, count);
            self.finish.fetch(at, count);
        }
    }

    /// Puts the results from `first` on of one position where they belong.
    #[inline(always)]
    fn store<S: Simd>(&mut self, simd: S, position: (usize, usize), first: usize, sums: &[f32]) {
        if let Some(pixel) = self.pixel(position) {
            let to = self.part.pixel(pixel, first, sums.len().min(self.of.target.grid.channels - first));
            self.finish.store(simd, to, first, sums);
        }
    }
}
