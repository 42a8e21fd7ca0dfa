//! What is done to a sum before it is stored.

use super::Grid;

/// How results become pixels of a buffer: `mask · relu(sum + bias + more + what is there)`.
#[derive(Clone, Copy, Default)]
pub struct Finish<'a> {
    /// Added, a number for each channel; none if empty.
    pub bias: &'a [f32],
    /// Added, from a buffer of the same grid.
    pub more: Option<&'a [f32]>,
    /// Whether what is there already is added.
    pub add: bool,
    /// Whether negative results become 0.
    pub relu: bool,
    /// Results become 0 where this buffer of the same grid is not above 0: the gradient of a ReLU.
    pub mask: Option<&'a [f32]>,
}

impl Finish<'_> {
    /// Stores `sums` of the channels from `channel` on; `to` begins at number `at` of its buffer.
    #[inline(always)]
    pub(super) fn store(&self, to: &mut [f32], at: usize, channel: usize, sums: &[f32]) {
        let n = to.len().min(sums.len());
        let (to, sums) = (&mut to[..n], &sums[..n]);
        if self.add {
            to.iter_mut().zip(sums).for_each(|(to, sum)| *to += *sum);
        } else {
            to.copy_from_slice(sums);
        }
        if let Some(bias) = self.bias.get(channel..channel + n) {
            to.iter_mut().zip(bias).for_each(|(to, bias)| *to += *bias);
        }
        if let Some(more) = self.more {
            to.iter_mut().zip(&more[at..at + n]).for_each(|(to, more)| *to += *more);
        }
        if self.relu {
            to.iter_mut().for_each(|to| *to = if *to <= 0.0 { 0.0 } else { *to });
        }
        if let Some(mask) = self.mask {
            to.iter_mut().zip(&mask[at..at + n]).for_each(|(to, mask)| *to = if *mask <= 0.0 { 0.0 } else { *to });
        }
    }

    /// The same for a whole buffer of results, of which only the inside counts.
    pub fn all(&self, to: &mut [f32], grid: Grid, sums: &[f32]) {
        for y in 0..grid.height {
            let (from, length) = (grid.at(y, 0), grid.width * grid.channels);
            debug_assert!(self.bias.is_empty());
            self.store(&mut to[from..from + length], from, 0, &sums[from..from + length]);
        }
    }
}
