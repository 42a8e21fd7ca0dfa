//! Weights in the order in which they are used.

use std::ops::Range;

use rayon::prelude::*;

use super::memory::{Floats, floats};

/// `[ceil(outputs / width)][terms][width]`; outputs beyond the last are zeros.
pub(super) struct Panels {
    data: Floats,
    /// Outputs of a panel.
    pub width: usize,
    /// Outputs in all.
    pub outputs: usize,
    terms: usize,
}

impl Panels {
    /// Packs what `fill` makes of the outputs of each panel.
    pub fn fill(outputs: usize, terms: usize, width: usize, fill: impl Fn(Range<usize>, &mut [f32]) + Sync) -> Self {
        let mut data = floats(outputs.div_ceil(width) * terms * width);
        data.par_chunks_mut((terms * width).max(1)).enumerate().for_each(|(panel, to)| {
            let first = panel * width;
            fill(first..outputs.min(first + width), to);
        });
        Self { data, width, outputs, terms }
    }

    /// Packs the weight of each output and term.
    pub fn pack(outputs: usize, terms: usize, width: usize, weight: impl Fn(usize, usize) -> f32 + Sync) -> Self {
        Self::fill(outputs, terms, width, |outputs, to| {
            for (term, to) in to.chunks_exact_mut(width).enumerate() {
                to.iter_mut().zip(outputs.clone()).for_each(|(to, output)| *to = weight(output, term));
            }
        })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.outputs.div_ceil(self.width)
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        4 * self.data.len()
    }

    /// One of them; empty beyond the last.
    pub fn panel(&self, index: usize) -> &[f32] {
        let length = self.terms * self.width;
        self.data.get(index * length..(index + 1) * length).unwrap_or_default()
    }
}

/// The part of a panel that is fetched during part `index` of `count` of the work before it.
pub(super) fn share(next: &[f32], index: usize, count: usize) -> &[f32] {
    let at = |index: usize| index * next.len() / count.max(1);
    next.get(at(index)..at(index + 1)).unwrap_or_default()
}
