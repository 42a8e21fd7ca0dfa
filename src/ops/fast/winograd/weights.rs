//! The transform of weights, once for each way.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::super::Vectors;
use super::super::panels::Panels;
use super::super::sweep::Kernel;
use super::method::{G2, G4};

/// Those that are read and those that are made: exchanged on the way back.
pub(super) fn channels(kernel: Kernel<'_>, back: bool) -> (usize, usize) {
    let Kernel { inputs, outputs, .. } = kernel;
    if back { (outputs, inputs) } else { (inputs, outputs) }
}

/// For tiles of `side` x `side` results: `[panels][points][inputs][width]`.
pub(super) fn panels(side: usize, kernel: Kernel<'_>, back: bool, vectors: Vectors) -> Panels {
    let g: &[[f64; 3]] = if side == 4 { &G4 } else { &G2 };
    let (inputs, outputs) = channels(kernel, back);
    let width = vectors.width(outputs);
    Panels::fill(outputs, g.len() * g.len() * inputs, width, |outputs, to| {
        vectors.arch.dispatch(Fill { kernel, back, inputs, g, outputs, width, to });
    })
}

/// Transforms the weights of a panel.
struct Fill<'a> {
    kernel: Kernel<'a>,
    back: bool,
    inputs: usize,
    g: &'a [[f64; 3]],
    outputs: Range<usize>,
    width: usize,
    to: &'a mut [f32],
}

/// Outputs of a panel at most.
const WIDEST: usize = 32;

impl WithSimd for Fill<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { kernel, back, inputs, g, outputs, width, to } = self;
        let along = |g: &[f64; 3], [a, b, c]: [f64; 3]| g[0] * a + g[1] * b + g[2] * c;
        let mut taps = [[0.0; WIDEST]; 9];
        for input in 0..inputs {
            for (n, output) in outputs.clone().enumerate() {
                let pair = if back { input * kernel.inputs + output } else { output * kernel.inputs + input };
                for (k, weight) in kernel.weights[9 * pair..][..9].iter().enumerate() {
                    taps[if back { 8 - k } else { k }][n] = f64::from(*weight);
                }
            }
            for (column, g_column) in g.iter().enumerate() {
                let mut lines = [[0.0; WIDEST]; 3];
                for (line, taps) in lines.iter_mut().zip(taps.as_chunks::<3>().0) {
                    for (n, sum) in line.iter_mut().enumerate() {
                        *sum = along(g_column, [taps[0][n], taps[1][n], taps[2][n]]);
                    }
                }
                for (row, g_row) in g.iter().enumerate() {
                    let place = ((row * g.len() + column) * inputs + input) * width;
                    for (n, to) in to[place..][..width].iter_mut().enumerate() {
                        *to = along(g_row, [lines[0][n], lines[1][n], lines[2][n]]) as f32;
                    }
                }
            }
        }
    }
}
