//! All changes of a picture in few passes over it, forward and backward.
//!
//! Only a contrast looks at the whole picture, for the mean of what came before it; its gradient needs one sum more.
//! So a pass goes from one contrast to the next, and in it a block of pixels goes through all changes at once. Sums
//! are made run by run, and those summed in their order: the same with any number of threads.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::pixels::{BLOCK, Block, Bounds, Step, sum};
use super::{Adjust, LUMINANCE};
use crate::ops::strips::strips;

/// Pixels that are summed on their own, by one thread; about 50 µs of work.
const RUN: usize = 64 * BLOCK;

/// The changes of many pictures.
pub(super) struct Changes<'a> {
    pub list: &'a [Adjust],
    pub bounds: Bounds,
    pub arch: Arch,
    /// Pixels of one picture.
    pub area: usize,
}

impl Changes<'_> {
    /// Changes pictures; returns the steps that each of them took.
    pub fn apply(&self, pictures: &mut [f32]) -> Vec<Vec<Step>> {
        pictures.chunks_mut(3 * self.area).map(|picture| self.apply_to(picture)).collect()
    }

    fn apply_to(&self, picture: &mut [f32]) -> Vec<Step> {
        let (mut steps, mut done) = (Vec::new(), 0);
        for change in self.list {
            let mut mean = 0.0;
            if let Adjust::Contrast(_) = change {
                mean = self.forward(picture, &steps[done..], LUMINANCE.map(|w| w as f32)) / self.area as f64;
                done = steps.len();
            }
            steps.push(change.step(mean));
        }
        self.forward(picture, &steps[done..], [0.0; 3]);
        steps
    }

    /// Takes a picture through `steps`; returns the sum of its weighed channels after them.
    fn forward(&self, picture: &mut [f32], steps: &[Step], weights: [f32; 3]) -> f64 {
        let runs = strips(picture, self.area, RUN).into_par_iter();
        let sums = runs.map(|planes| self.arch.dispatch(Forward { planes, steps, bounds: self.bounds, weights }));
        sums.collect::<Vec<f64>>().iter().sum()
    }

    /// Makes of the gradient for the changed pictures that for `pictures`.
    pub fn back(&self, pictures: &[f32], steps: &[Vec<Step>], grads: &mut [f32]) {
        let size = 3 * self.area;
        for ((grad, picture), steps) in grads.chunks_mut(size).zip(pictures.chunks(size)).zip(steps) {
            self.back_to(picture, steps, grad);
        }
    }

    fn back_to(&self, picture: &[f32], steps: &[Step], grad: &mut [f32]) {
        let (mut until, mut times, mut plus) = (steps.len(), 1.0, [0.0; 3]);
        loop {
            let contrast = self.list[..until].iter().rposition(|change| matches!(change, Adjust::Contrast(_)));
            let from = contrast.map_or(0, |contrast| contrast + 1);
            let pass = Backward { picture, steps: &steps[..until], from, bounds: self.bounds, times, plus };
            let runs = strips(grad, self.area, RUN).into_par_iter().enumerate();
            let sums = runs.map(|(run, planes)| self.arch.dispatch(BackwardRun { pass, at: run * RUN, planes }));
            let sum: f64 = sums.collect::<Vec<f64>>().iter().sum();
            let Some(contrast) = contrast else { return };
            if let Adjust::Contrast(factor) = self.list[contrast] {
                // Each pixel moves the mean, and the mean moves each value that no clamp holds.
                times = factor as f32;
                plus = LUMINANCE.map(|weight| (weight * (1.0 - factor) * sum / self.area as f64) as f32);
            }
            until = contrast;
        }
    }
}

/// Pixels go through steps.
struct Forward<'a> {
    planes: Vec<&'a mut [f32]>,
    steps: &'a [Step],
    bounds: Bounds,
    weights: [f32; 3],
}

impl WithSimd for Forward<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) -> f64 {
        let mut block = [[0.0; BLOCK]; 3];
        let mut whole = 0.0;
        let length = self.planes[0].len();
        let mut at = 0;
        while at < length {
            let count = BLOCK.min(length - at);
            for (block, plane) in block.iter_mut().zip(&self.planes) {
                block[..count].copy_from_slice(&plane[at..at + count]);
            }
            for step in self.steps {
                step.apply(self.bounds, &mut block);
            }
            whole += sum(self.weights, &block, count);
            for (plane, block) in self.planes.iter_mut().zip(&block) {
                plane[at..at + count].copy_from_slice(&block[..count]);
            }
            at += BLOCK;
        }
        whole
    }
}

/// A gradient goes back from after the last of `steps` to before number `from`.
#[derive(Clone, Copy)]
struct Backward<'a> {
    picture: &'a [f32],
    steps: &'a [Step],
    from: usize,
    bounds: Bounds,
    /// What it is multiplied by before, and what then is added: the rest of the contrast that follows.
    times: f32,
    plus: [f32; 3],
}

struct BackwardRun<'a> {
    pass: Backward<'a>,
    /// Number of the first pixel.
    at: usize,
    planes: Vec<&'a mut [f32]>,
}

impl WithSimd for BackwardRun<'_> {
    /// The sum of what the clamp of the contrast before `from` lets through, if there is one.
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) -> f64 {
        let Backward { picture, steps, from, bounds, times, plus } = self.pass;
        let area = picture.len() / 3;
        let mut before: Vec<Block> = vec![[[0.0; BLOCK]; 3]; steps.len()];
        let mut grad: Block = [[0.0; BLOCK]; 3];
        let mut whole = 0.0;
        let length = self.planes[0].len();
        let mut at = 0;
        while at < length {
            let count = BLOCK.min(length - at);
            for ((grad, plane), plus) in grad.iter_mut().zip(&self.planes).zip(plus) {
                grad[..count].copy_from_slice(&plane[at..at + count]);
                for g in grad {
                    *g = times * *g + plus;
                }
            }
            for k in 0..steps.len() {
                if k == 0 {
                    for (before, plane) in before[0].iter_mut().zip(picture.chunks(area)) {
                        before[..count].copy_from_slice(&plane[self.at + at..][..count]);
                    }
                } else {
                    before[k] = before[k - 1];
                    steps[k - 1].apply(bounds, &mut before[k]);
                }
            }
            for k in (from..steps.len()).rev() {
                steps[k].back(bounds, &before[k], &mut grad);
            }
            if from > 0 {
                steps[from - 1].mask(bounds, &before[from - 1], &mut grad);
                whole += sum([1.0; 3], &grad, count);
            }
            for (plane, grad) in self.planes.iter_mut().zip(&grad) {
                plane[at..at + count].copy_from_slice(&grad[..count]);
            }
            at += BLOCK;
        }
        whole
    }
}
