//! Convolution straight from the picture: a window's row is one run of numbers, so nothing is gathered.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::panels::Panels;
use super::tile::{Rows, most_rows, multiply};
use super::{Finish, Grid, Vectors};
use crate::ops::Window;

/// A sum over a window of the source for each of the positions that fill the target.
///
/// Result n of position (y, x) goes to row `y · stride + to.0 + n / group`, and in it to number `n mod group` counted
/// from the first of pixel `x · stride + to.1`. Results outside of the picture are dropped.
pub(super) struct Pass {
    panels: Panels,
    /// Runs of a window, one below the other.
    lines: usize,
    /// Numbers of a run.
    run: usize,
    /// Pixel of the source at which the first position's window begins; may lie in the border.
    first: (isize, isize),
    /// Pixels of the source from one position to the next.
    step: usize,
    stride: usize,
    to: (usize, usize),
    group: usize,
}

impl Pass {
    /// Positions down and across that fill a target.
    fn positions(&self, to: Grid) -> (usize, usize) {
        (to.height.div_ceil(self.stride), to.width.div_ceil(self.stride))
    }
}

/// Kernel, channels and weights of a convolution.
#[derive(Clone, Copy)]
pub(super) struct Kernel<'a> {
    pub window: Window,
    pub inputs: usize,
    pub outputs: usize,
    /// `[outputs, inputs, kernel, kernel]`
    pub weights: &'a [f32],
}

impl Kernel<'_> {
    pub fn weight(&self, output: usize, input: usize, ky: usize, kx: usize) -> f32 {
        let kernel = self.window.kernel;
        self.weights[((output * self.inputs + input) * kernel + ky) * kernel + kx]
    }
}

/// From a picture to the convolution's result.
pub(super) fn forward(kernel: Kernel<'_>, vectors: Vectors) -> Pass {
    let Window { kernel: side, stride, padding } = kernel.window;
    let run = side * kernel.inputs;
    let weight = |output: usize, term: usize| {
        let (ky, rest) = (term / run, term % run);
        kernel.weight(output, rest % kernel.inputs, ky, rest / kernel.inputs)
    };
    Pass {
        panels: Panels::pack(kernel.outputs, side * run, vectors.width(), weight),
        lines: side,
        run,
        first: (-(padding as isize), -(padding as isize)),
        step: stride,
        stride: 1,
        to: (0, 0),
        group: kernel.outputs,
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
struct Reach {
    first: isize,
    count: usize,
}

impl Reach {
    fn of(window: Window, phases: std::ops::Range<usize>) -> Self {
        let offsets =
            || phases.clone().flat_map(|phase| (0..window.kernel).filter_map(move |k| seen(window, phase, k)));
        match (offsets().min(), offsets().max()) {
            (Some(first), Some(last)) => Self { first, count: (last - first) as usize + 1 },
            _ => Self { first: 0, count: 0 },
        }
    }
}

/// The result, counted from position i, whose window has cell `i · stride + phase` at place k.
fn seen(window: Window, phase: usize, k: usize) -> Option<isize> {
    let offset = (phase + window.padding) as isize - k as isize;
    (offset.rem_euclid(window.stride as isize) == 0).then_some(offset.div_euclid(window.stride as isize))
}

/// From the result's gradient to the picture's: one pass for each phase of the stride, or one for all where a pixel has
/// few channels.
pub(super) fn backward(kernel: Kernel<'_>, vectors: Vectors) -> Vec<Pass> {
    let stride = kernel.window.stride;
    if stride > 1 && stride * stride * kernel.inputs <= 64 {
        return vec![phases(kernel, 0..stride, 0..stride, vectors)];
    }
    let all = (0..stride).flat_map(|a| (0..stride).map(move |b| (a, b)));
    all.map(|(a, b)| phases(kernel, a..a + 1, b..b + 1, vectors)).collect()
}

fn phases(kernel: Kernel<'_>, down: std::ops::Range<usize>, across: std::ops::Range<usize>, vectors: Vectors) -> Pass {
    let Kernel { window, inputs, outputs, .. } = kernel;
    let stride = window.stride;
    let (high, wide) = (Reach::of(window, down.clone()), Reach::of(window, across.clone()));
    let run = wide.count * outputs;
    let group = across.len() * inputs;
    // The place in the window at which a cell of this phase is seen by the result `offset` further.
    let place = |phase: usize, offset: isize| -> Option<usize> {
        let k = (phase + window.padding) as isize - offset * stride as isize;
        usize::try_from(k).ok().filter(|&k| k < window.kernel)
    };
    let weight = |n: usize, term: usize| {
        let (a, b, input) = (down.start + n / group, across.start + n % group / inputs, n % inputs);
        let (y, x, output) = (term / run, term % run / outputs, term % outputs);
        match (place(a, high.first + y as isize), place(b, wide.first + x as isize)) {
            (Some(ky), Some(kx)) => kernel.weight(output, input, ky, kx),
            _ => 0.0,
        }
    };
    let lines = if run == 0 { 0 } else { high.count };
    Pass {
        panels: Panels::pack(down.len() * group, lines * run, vectors.width(), weight),
        lines,
        run,
        first: (high.first, wide.first),
        step: 1,
        stride,
        to: (down.start, across.start),
        group,
    }
}

/// Runs passes that together fill `to`.
pub(super) fn run(
    passes: &[Pass],
    (from, from_grid): (&[f32], Grid),
    (to, to_grid): (&mut [f32], Grid),
    finish: Finish<'_>,
    vectors: Vectors,
) {
    let Some(first) = passes.first() else { return };
    let rows = first.positions(to_grid).0.max(1);
    let each = rows.div_ceil(2 * rayon::current_num_threads()).max(1);
    let chunk = each * first.stride * to_grid.row();
    to[to_grid.inside()].par_chunks_mut(chunk.max(1)).enumerate().for_each(|(task, to)| {
        let rows = task * each..((task + 1) * each).min(rows);
        vectors.arch.dispatch(Task { passes, from, from_grid, to, to_grid, rows, finish });
    });
}

/// Some rows of positions of all passes.
struct Task<'a> {
    passes: &'a [Pass],
    from: &'a [f32],
    from_grid: Grid,
    /// The rows of the target that these positions fill.
    to: &'a mut [f32],
    to_grid: Grid,
    rows: std::ops::Range<usize>,
    finish: Finish<'a>,
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for pass in self.passes {
            self.pass(simd, pass);
        }
    }
}

impl Task<'_> {
    #[inline(always)]
    fn pass<S: Simd>(&mut self, simd: S, pass: &Pass) {
        let mut sums = [0.0; 14 * 32];
        let width = pass.panels.width;
        let across = pass.positions(self.to_grid).1;
        let row = self.from_grid.row();
        let taps: Vec<usize> = (0..pass.lines).map(|line| line * row).collect();
        // A pass without a single line sums up nothing, wherever it would begin.
        let origin = |first: isize| (self.from_grid.pad as isize + first).max(0) as usize;
        let origin = (origin(pass.first.0), origin(pass.first.1));
        let blocks = across.div_ceil(most_rows::<S>()).max(1);
        let down = pass.step * self.from_grid.channels;
        for panel in 0..pass.panels.count() {
            let weights = pass.panels.panel(panel);
            for y in self.rows.clone() {
                let line = (origin.0 + y * pass.step) * row;
                for block in 0..blocks {
                    let (x, end) = (block * across / blocks, (block + 1) * across / blocks);
                    if x == end {
                        continue;
                    }
                    let start = line + (origin.1 + x * pass.step) * self.from_grid.channels;
                    let data = self.from.get(start..).unwrap_or_default();
                    let rows = Rows { data, down, taps: &taps, run: pass.run };
                    multiply(simd, &mut sums, end - x, rows, weights);
                    for (x, sums) in (x..end).zip(sums.chunks_exact(width)) {
                        self.store(pass, (y, x), panel * width, sums);
                    }
                }
            }
        }
    }

    /// Puts the results from `first` on of one position where they belong.
    #[inline(always)]
    fn store(&mut self, pass: &Pass, (y, x): (usize, usize), first: usize, sums: &[f32]) {
        let grid = self.to_grid;
        let end = (first + sums.len()).min(pass.panels.outputs);
        let (mut n, x) = (first, x * pass.stride + pass.to.1);
        while n < end {
            let (band, offset) = (n / pass.group, n % pass.group);
            let count = (pass.group - offset).min(end - n);
            let row = y * pass.stride + pass.to.0 + band;
            // Pixels right of the picture are dropped.
            let inside = (grid.width.saturating_sub(x) * grid.channels).saturating_sub(offset).min(count);
            if row < grid.height && inside > 0 {
                let at = grid.at(row, x) + offset;
                let base = grid.at(self.rows.start * pass.stride, 0) - grid.pad * grid.channels;
                let to = &mut self.to[at - base..][..inside];
                self.finish.store(to, at, offset, &sums[n - first..][..inside]);
            }
            n += count;
        }
    }
}
