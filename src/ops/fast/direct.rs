//! Convolution straight from the picture: a window's row is one run of numbers, so nothing is gathered.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::finish::Finisher;
use super::memory::Sums;
use super::panels::{Panels, share};
use super::team::{Part, Stage, Target};
use super::tile::{Columns, Rows, SUMS, most_rows, multiply};
use super::{Finish, Slot, Vectors};
use crate::ops::Window;

/// A sum over a window of the source for each of the positions that fill the target: the results of position (y, x) go
/// to pixel `(y · stride + to.0, x · stride + to.1)`. Those outside of the picture are dropped.
pub(super) struct Pass {
    panels: Panels,
    /// Rows of a window.
    lines: usize,
    /// Pixels of such a row.
    across: usize,
    blocks: Blocks,
    /// Pixel of the source at which the first position's window begins; may lie in the border.
    first: (isize, isize),
    /// Pixels of the source from one position to the next.
    step: usize,
    stride: usize,
    to: (usize, usize),
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

/// Kernel, channels and weights of a convolution.
#[derive(Clone, Copy)]
pub(super) struct Kernel<'a> {
    pub window: Window,
    pub inputs: usize,
    pub outputs: usize,
    pub groups: usize,
    /// `[outputs, inputs / groups, kernel, kernel]`
    pub weights: &'a [f32],
}

impl Kernel<'_> {
    /// The weight of two channels, 0 where they are of two groups.
    pub fn weight(&self, output: usize, input: usize, ky: usize, kx: usize) -> f32 {
        let (kernel, inputs) = (self.window.kernel, self.inputs / self.groups);
        if self.groups > 1 && output / (self.outputs / self.groups) != input / inputs {
            return 0.0;
        }
        self.weights[((output * inputs + input % inputs) * kernel + ky) * kernel + kx]
    }
}

/// From a picture to the convolution's result.
pub(super) fn forward(kernel: Kernel<'_>, vectors: Vectors) -> Pass {
    let Window { kernel: side, stride, padding, .. } = kernel.window;
    let width = vectors.width(kernel.outputs);
    let blocks = Blocks::of(kernel.outputs, kernel.inputs, kernel.groups, width);
    let weight = |output: usize, term: usize| {
        let (place, input) = (term / blocks.length, blocks.starts[output / width] + term % blocks.length);
        kernel.weight(output, input, place / side, place % side)
    };
    Pass {
        panels: Panels::pack(kernel.outputs, side * side * blocks.length, width, weight),
        lines: side,
        across: side,
        blocks,
        first: (-(padding as isize), -(padding as isize)),
        step: stride,
        stride: 1,
        to: (0, 0),
    }
}

/// Pixels of border that [`backward`] reads round the result's gradient: of a result of `results` pixels a side that
/// came of a picture of `cells` pixels.
pub(super) fn backward_pad(window: Window, cells: usize, results: usize) -> usize {
    let Reach { first, count } = Reach::of(window, 0..window.stride);
    let positions = cells.div_ceil(window.stride);
    let below = (first + (count + positions) as isize - 1) - results as isize;
    (-first).max(below).max(0) as usize
}

/// Which results, counted from position i, see the cells `i · stride + phase` of some phases.
pub(super) struct Reach {
    pub first: isize,
    pub count: usize,
}

impl Reach {
    pub fn of(window: Window, phases: Range<usize>) -> Self {
        let offsets =
            || phases.clone().flat_map(|phase| (0..window.kernel).filter_map(move |k| seen(window, phase, k)));
        match (offsets().min(), offsets().max()) {
            (Some(first), Some(last)) => Self { first, count: (last - first) as usize + 1 },
            _ => Self { first: 0, count: 0 },
        }
    }
}

/// The place in the window at which a cell of a phase is seen by the result `offset` further.
pub(super) fn place(window: Window, phase: usize, offset: isize) -> Option<usize> {
    let k = (phase + window.padding) as isize - offset * window.stride as isize;
    usize::try_from(k).ok().filter(|&k| k < window.kernel)
}

/// The result, counted from position i, whose window has cell `i · stride + phase` at place k.
fn seen(window: Window, phase: usize, k: usize) -> Option<isize> {
    let offset = (phase + window.padding) as isize - k as isize;
    (offset.rem_euclid(window.stride as isize) == 0).then_some(offset.div_euclid(window.stride as isize))
}

/// From the result's gradient to the picture's: one pass for each phase of the stride.
pub(super) fn backward(kernel: Kernel<'_>, vectors: Vectors) -> Vec<Pass> {
    let stride = kernel.window.stride;
    let all = (0..stride).flat_map(|a| (0..stride).map(move |b| (a, b)));
    all.map(|(a, b)| phase(kernel, (a, b), vectors)).collect()
}

/// For the pixels at `(a, b)` of each square of the stride.
fn phase(kernel: Kernel<'_>, (a, b): (usize, usize), vectors: Vectors) -> Pass {
    let Kernel { window, inputs, outputs, .. } = kernel;
    let (high, wide) = (Reach::of(window, a..a + 1), Reach::of(window, b..b + 1));
    let width = vectors.width(inputs);
    let blocks = Blocks::of(inputs, outputs, kernel.groups, width);
    let weight = |input: usize, term: usize| {
        let (y, x) = (term / blocks.length / wide.count, term / blocks.length % wide.count);
        let output = blocks.starts[input / width] + term % blocks.length;
        match (place(window, a, high.first + y as isize), place(window, b, wide.first + x as isize)) {
            (Some(ky), Some(kx)) => kernel.weight(output, input, ky, kx),
            _ => 0.0,
        }
    };
    let lines = if wide.count * outputs == 0 { 0 } else { high.count };
    Pass {
        panels: Panels::pack(inputs, lines * wide.count * blocks.length, width, weight),
        lines,
        across: wide.count,
        blocks,
        first: (high.first, wide.first),
        step: 1,
        stride: window.stride,
        to: (a, b),
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
    let stride = passes.first().map_or(1, |pass| pass.stride);
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
        let positions = to.width.div_ceil(pass.stride);
        let row = from.row();
        let (runs, run) = pass.blocks.runs(pass.across);
        let all = (0..pass.lines).flat_map(|line| (0..runs).map(move |k| (line, k)));
        let taps: Vec<usize> = all.clone().map(|(line, k)| line * row + k * from.channels).collect();
        let columns: Vec<usize> = all.map(|(line, k)| (line * runs + k) * run * width).collect();
        // A pass without a single line sums up nothing, wherever it would begin.
        let origin = |first: isize| (from.pad as isize + first).max(0) as usize;
        let origin = (origin(pass.first.0), origin(pass.first.1));
        let blocks = positions.div_ceil(most_rows::<S>(width)).max(1);
        let down = pass.step * from.channels;
        let rows = self.part.rows();
        let rows = rows.start / pass.stride..rows.end.div_ceil(pass.stride);
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
                let line = (origin.0 + y * pass.step) * row;
                for block in 0..blocks {
                    let (x, end) = (block * positions / blocks, (block + 1) * positions / blocks);
                    if x == end {
                        continue;
                    }
                    let channel = pass.blocks.starts.get(panel).copied().unwrap_or_default();
                    let start = line + (origin.1 + x * pass.step) * from.channels + channel;
                    let data = self.from.get(start..).unwrap_or_default();
                    let terms = Rows { data, down, taps: &taps, run };
                    let next = share(following, index * blocks + block, calls);
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
    /// Puts the results from `first` on of one position where they belong.
    #[inline(always)]
    fn store<S: Simd>(&mut self, simd: S, (y, x): (usize, usize), first: usize, sums: &[f32]) {
        let (pass, grid) = (self.pass, self.of.target.grid);
        let (row, pixel) = (y * pass.stride + pass.to.0, x * pass.stride + pass.to.1);
        if row < grid.height && pixel < grid.width {
            let to = self.part.pixel((row, pixel), first, sums.len().min(grid.channels - first));
            self.finish.store(simd, to, first, sums);
        }
    }
}
