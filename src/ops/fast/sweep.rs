//! Which pixels of a picture each result of a convolution sees, on the way forward and on the way back.

use std::ops::Range;

use crate::ops::Window;

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
        let kernel = self.window.kernel;
        if self.groups == 1 {
            return self.weights[((output * self.inputs + input) * kernel + ky) * kernel + kx];
        }
        let inputs = self.inputs / self.groups;
        if output / (self.outputs / self.groups) != input / inputs {
            return 0.0;
        }
        self.weights[((output * inputs + input % inputs) * kernel + ky) * kernel + kx]
    }
}

/// A sum over a window of the source for each of the positions that fill the target: the results of position (y, x) go
/// to pixel `(y · stride + to.0, x · stride + to.1)`. Those outside of the picture are dropped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sweep {
    /// Rows of a window.
    pub lines: usize,
    /// Pixels of such a row.
    pub across: usize,
    /// Pixel of the source at which the first position's window begins; may lie in the border.
    pub first: (isize, isize),
    /// Pixels of the source from one position to the next.
    pub step: usize,
    pub stride: usize,
    pub to: (usize, usize),
    back: bool,
}

impl Sweep {
    /// From a picture to the convolution's result.
    pub fn forward(window: Window) -> Self {
        let Window { kernel, stride, padding, .. } = window;
        let first = -(padding as isize);
        Self { lines: kernel, across: kernel, first: (first, first), step: stride, stride: 1, to: (0, 0), back: false }
    }

    /// From the result's gradient to the picture's: one sweep for each phase of the stride.
    pub fn backward(window: Window) -> Vec<Self> {
        let stride = window.stride;
        let all = (0..stride).flat_map(|a| (0..stride).map(move |b| (a, b)));
        let phase = |to: (usize, usize)| {
            let (high, wide) = (Reach::of(window, to.0..to.0 + 1), Reach::of(window, to.1..to.1 + 1));
            let (lines, across) = if wide.count == 0 { (0, 0) } else { (high.count, wide.count) };
            Self { lines, across, first: (high.first, wide.first), step: 1, stride, to, back: true }
        };
        all.map(phase).collect()
    }

    /// The same for all phases together: the window has what any of them sees.
    pub fn together(window: Window) -> Self {
        let (high, wide) = (Reach::of(window, 0..window.stride), Reach::of(window, 0..window.stride));
        let (lines, across) = if wide.count == 0 { (0, 0) } else { (high.count, wide.count) };
        let first = (high.first, wide.first);
        Self { lines, across, first, step: 1, stride: window.stride, to: (0, 0), back: true }
    }

    /// One phase of what is together.
    pub fn phase(self, index: usize) -> Self {
        Self { to: (index / self.stride, index % self.stride), ..self }
    }

    /// The weight of a channel of the source, at a row and column of the window, for a channel of the target.
    pub fn weight(&self, kernel: Kernel<'_>, to: usize, from: usize, (row, column): (usize, usize)) -> f32 {
        if !self.back {
            return kernel.weight(to, from, row, column);
        }
        let place = |phase, first, k: usize| place(kernel.window, phase, first + k as isize);
        match (place(self.to.0, self.first.0, row), place(self.to.1, self.first.1, column)) {
            (Some(ky), Some(kx)) => kernel.weight(from, to, ky, kx),
            _ => 0.0,
        }
    }
}

/// Pixels of border that [`Sweep::backward`] reads round the result's gradient: of a result of `results` pixels a side that
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
