//! Weights in the order in which they are used.

/// `[ceil(outputs / width)][terms][width]`; outputs beyond the last are zeros.
pub(super) struct Panels {
    data: Vec<f32>,
    /// Outputs of a panel.
    pub width: usize,
    /// Outputs in all.
    pub outputs: usize,
    terms: usize,
}

impl Panels {
    /// Packs the weight of each output and term.
    pub fn pack(outputs: usize, terms: usize, width: usize, weight: impl Fn(usize, usize) -> f32) -> Self {
        let mut data = Vec::with_capacity(outputs.div_ceil(width) * terms * width);
        for first in (0..outputs).step_by(width) {
            for term in 0..terms {
                data.extend((first..first + width).map(|n| if n < outputs { weight(n, term) } else { 0.0 }));
            }
        }
        Self { data, width, outputs, terms }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.outputs.div_ceil(self.width)
    }

    /// One of them.
    pub fn panel(&self, index: usize) -> &[f32] {
        let length = self.terms * self.width;
        &self.data[index * length..][..length]
    }
}
