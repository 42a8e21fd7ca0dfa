//! Nearest pixels: each plane by itself, as nothing is weighed.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::kernel::{BLOCK, Frame, MIXED, NOWHERE, Taps};
use crate::ops::filled::zeros;
use crate::ops::strips::{rows_of_a_strip, strips};

impl Frame {
    /// Planes → the planes that are picked of them.
    pub(super) fn pick(&self, planes: &[f32]) -> Vec<f32> {
        let mut output = zeros(planes.len());
        let rows = rows_of_a_strip(self.height, self.width);
        let strips = strips(&mut output, self.height * self.width, rows * self.width);
        strips.into_par_iter().enumerate().for_each(|(strip, to)| {
            self.arch.dispatch(Pick { frame: *self, planes, from: strip * rows, to });
        });
        output
    }

    /// The gradient for what was picked → that for the planes it was picked of.
    pub(super) fn put_back(&self, grads: &[f32]) -> Vec<f32> {
        let mut output = zeros(grads.len());
        let rows = rows_of_a_strip(self.height, self.width);
        let strips = strips(&mut output, self.height * self.width, rows * self.width);
        strips.into_par_iter().enumerate().for_each(|(strip, to)| {
            let frame = self.strip(strip * rows, rows);
            self.arch.dispatch(PutBack { frame, grads, to });
        });
        output
    }

    /// The numbers of the pixels that are nearest, in the strip; [`NOWHERE`] where there is none.
    #[inline(always)]
    fn nearest(&self, from: usize, y: usize, taps: &mut Taps<1>) {
        self.find(from, y, taps);
        for i in 0..BLOCK {
            if taps.first[i] == MIXED {
                taps.first[i] = self.folded(taps.x[i], taps.y[i]);
            }
        }
    }

    fn folded(&self, x: i32, y: i32) -> u32 {
        let index = |at: i32, length| self.warp.edge.index(i64::from(at), length);
        match (index(x, self.width), index(y, self.height)) {
            (Some(x), Some(y)) if (self.low..self.high).contains(&y) => ((y - self.low) * self.width + x) as u32,
            _ => NOWHERE,
        }
    }
}

/// Makes the rows of the result from number `from` on.
struct Pick<'a> {
    frame: Frame,
    planes: &'a [f32],
    from: usize,
    to: Vec<&'a mut [f32]>,
}

impl WithSimd for Pick<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let mut taps = Taps::new();
        let (area, width) = (self.frame.height * self.frame.width, self.frame.width);
        let fill = self.frame.fill();
        for y in 0..self.to[0].len() / width {
            for x in (0..width).step_by(BLOCK) {
                let count = BLOCK.min(width - x);
                self.frame.nearest(x, self.from + y, &mut taps);
                for (to, plane) in self.to.iter_mut().zip(self.planes.chunks(area)) {
                    for (v, first) in to[y * width + x..].iter_mut().zip(&taps.first[..count]) {
                        *v = if let Some(v) = plane.get(*first as usize) { *v } else { fill };
                    }
                }
            }
        }
    }
}

/// Makes one strip of the gradient; in the order of all pixels, so that the sums' order depends on no strip.
struct PutBack<'a> {
    frame: Frame,
    grads: &'a [f32],
    to: Vec<&'a mut [f32]>,
}

impl WithSimd for PutBack<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let mut taps = Taps::new();
        let Frame { height, width, .. } = self.frame;
        for y in 0..height {
            for x in (0..width).step_by(BLOCK) {
                let count = BLOCK.min(width - x);
                if !self.frame.touches::<1>(x, count, y) {
                    continue;
                }
                self.frame.nearest(x, y, &mut taps);
                for (to, grads) in self.to.iter_mut().zip(self.grads.chunks(height * width)) {
                    for (grad, first) in grads[y * width + x..].iter().zip(&taps.first[..count]) {
                        if let Some(v) = to.get_mut(*first as usize) {
                            *v += *grad;
                        }
                    }
                }
            }
        }
    }
}
