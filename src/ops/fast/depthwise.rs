//! Convolution of each channel by itself: a pixel's channels are the vectors, and no product of matrices is to be found.

use pulp::{Simd, WithSimd};

use super::finish::{Finisher, save, whole};
use super::memory::{Floats, floats};
use super::sweep::Kernel;
use super::team::{Part, Stage, Target};
use super::{Finish, Slot, Vectors};
use crate::ops::Window;

/// Weights of a convolution of as many groups as channels.
pub(super) struct Depthwise {
    window: Window,
    channels: usize,
    /// `[kernel, kernel, channels]`
    weights: Floats,
}

/// Which way it goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Forward,
    Back,
}

impl Depthwise {
    /// None where channels are not by themselves.
    pub fn new(kernel: Kernel<'_>) -> Option<Self> {
        let Kernel { window, inputs: channels, outputs, groups, weights: given } = kernel;
        if groups != channels || outputs != channels {
            return None;
        }
        let cells = window.kernel * window.kernel;
        let mut weights = floats(cells * channels);
        for (channel, kernel) in given.chunks_exact(cells).enumerate() {
            for (tap, weight) in kernel.iter().enumerate() {
                weights[tap * channels + channel] = *weight;
            }
        }
        Some(Self { window, channels, weights })
    }

    /// From a picture to the result, or from the result's gradient to the picture's.
    pub fn stage<'a>(
        &'a self,
        way: Way,
        from: Slot,
        to: Slot,
        finish: Finish<'a>,
        vectors: Vectors,
    ) -> Box<dyn Stage + 'a> {
        let target = Target::of_rows(to.buffer, to.grid, rayon::current_num_threads());
        Box::new(Rows { of: self, way, from, target, finish, vectors })
    }

    /// The rows, or columns, of the source that a pixel of the target is a sum of, each with its place in the window.
    fn along(&self, way: Way, at: usize, side: usize) -> impl Iterator<Item = (usize, usize)> {
        let Window { kernel, stride, padding, .. } = self.window;
        (0..kernel).filter_map(move |k| {
            let cell = match way {
                Way::Forward => (at * stride + k).checked_sub(padding)?,
                Way::Back => {
                    let reached = (at + padding).checked_sub(k)?;
                    (reached % stride == 0).then_some(reached / stride)?
                }
            };
            (cell < side).then_some((cell, k))
        })
    }
}

struct Rows<'a> {
    of: &'a Depthwise,
    way: Way,
    from: Slot,
    target: Target,
    finish: Finish<'a>,
    vectors: Vectors,
}

impl Stage for Rows<'_> {
    fn target(&self) -> Target {
        self.target
    }

    fn piece(&self, part: &mut Part<'_>) {
        let (from, finish) = (part.read(self.from.buffer), self.finish.open(part));
        let mut sums = floats(self.of.channels);
        self.vectors.arch.dispatch(Piece { of: self, part, from, finish, sums: &mut sums });
    }
}

struct Piece<'a, 'p> {
    of: &'a Rows<'a>,
    part: &'a mut Part<'p>,
    from: &'a [f32],
    finish: Finisher<'a>,
    sums: &'a mut [f32],
}

impl WithSimd for Piece<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { of: Rows { of, way, from: source, target, .. }, part, from, finish, sums } = self;
        let (channels, kernel) = (of.channels, of.window.kernel);
        // Where the pixels of the sum begin, and their weights.
        let mut taps: Vec<(&[f32], &[f32])> = Vec::with_capacity(kernel * kernel);
        for y in part.rows() {
            for x in 0..target.grid.width {
                taps.clear();
                for (row, ky) in of.along(*way, y, source.grid.height) {
                    taps.extend(of.along(*way, x, source.grid.width).map(|(column, kx)| {
                        let weights = &of.weights[(ky * kernel + kx) * channels..][..channels];
                        (&from[source.grid.at(row, column)..][..channels], weights)
                    }));
                }
                let mut c = 0;
                // Several sums at a time, as one alone would wait for itself.
                while c + 4 * S::F32_LANES <= channels {
                    vectors::<S, 4>(simd, &taps, c, sums);
                    c += 4 * S::F32_LANES;
                }
                while c + S::F32_LANES <= channels {
                    vectors::<S, 1>(simd, &taps, c, sums);
                    c += S::F32_LANES;
                }
                for c in c..channels {
                    sums[c] = taps.iter().fold(0.0, |sum, (cells, weights)| cells[c].mul_add(weights[c], sum));
                }
                let to = part.pixel((y, x), 0, channels);
                finish.store(simd, to, 0, sums);
            }
        }
    }
}

/// The sums of N vectors of channels from `c` on.
#[inline(always)]
fn vectors<S: Simd, const N: usize>(simd: S, taps: &[(&[f32], &[f32])], c: usize, to: &mut [f32]) {
    let mut sums = [simd.splat_f32s(0.0); N];
    for (cells, weights) in taps {
        let (cells, weights) = (&cells[c..c + N * S::F32_LANES], &weights[c..c + N * S::F32_LANES]);
        for (n, sum) in sums.iter_mut().enumerate() {
            let at = n * S::F32_LANES;
            *sum = simd.mul_add_f32s(whole(simd, &cells[at..]), whole(simd, &weights[at..]), *sum);
        }
    }
    for (n, sum) in sums.into_iter().enumerate() {
        save(simd, &mut to[c + n * S::F32_LANES..][..S::F32_LANES], sum);
    }
}
