//! Changes of brightness, contrast, saturation and hue, after torchvision's `adjust_…` functions, with exact gradients.

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::real::{Dims, Kernel, Kernel2, Real, run, run2};

mod hue;

/// One change of all pixels' colours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Adjust {
    /// v ← f v
    Brightness(f64),
    /// v ← f v + (1 − f) M, with M the mean of the picture's luminance
    Contrast(f64),
    /// v ← f v + (1 − f) L, with L the pixel's luminance
    Saturation(f64),
    /// The hue is turned, in turns; HSV's saturation and value stay.
    Hue(f64),
}

/// Weights of R, G and B in the luminance: ITU-R BT.601, rounded as torchvision does (they sum to 0.9999).
const LUMINANCE: [f64; 3] = [0.2989, 0.587, 0.114];

/// Changes the colours of `[N, 3, H, W]`. With `clamp` the result is clamped to 0..1, except that a hue leaves the
/// greatest of a pixel's three values alone, as torchvision does. Differentiable: a clamp passes the gradient where it
/// cuts nothing off, and where r = g = b, which has no hue, a hue passes it unchanged.
pub fn adjust(picture: &Tensor, change: Adjust, clamp: bool) -> Result<Tensor> {
    let op = Color { change, clamp };
    if picture.device().is_cpu() { picture.contiguous()?.apply_op1(op) } else { op.portable(picture) }
}

#[derive(Clone, Copy)]
struct Color {
    change: Adjust,
    clamp: bool,
}

/// What goes back through a [`Color`].
struct Adjoint(Color);

impl CustomOp1 for Color {
    fn name(&self) -> &'static str {
        "color"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        if layout.shape().dims4()?.1 != 3 {
            candle_core::bail!("colours need 3 channels");
        }
        Ok((run(self, storage, layout)?, layout.shape().clone()))
    }

    fn bwd(&self, picture: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        picture.contiguous()?.apply_op2_no_bwd(&grad.contiguous()?, &Adjoint(*self)).map(Some)
    }
}

impl CustomOp2 for Adjoint {
    fn name(&self) -> &'static str {
        "color-adjoint"
    }

    fn cpu_fwd(
        &self,
        picture: &CpuStorage,
        picture_layout: &Layout,
        grad: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let result = run2(self, (picture, picture_layout), (grad, grad_layout))?;
        Ok((result, picture_layout.shape().clone()))
    }
}

impl Kernel for Color {
    fn run<T: Real>(&self, input: &[T], (_, _, height, width): Dims) -> Vec<T> {
        let area = height * width;
        let mut output = vec![T::zero(); input.len()];
        for (output, input) in output.chunks_mut(3 * area).zip(input.chunks(3 * area)) {
            let colors = Planes::of(input, area);
            match self.change {
                Adjust::Brightness(factor) => {
                    let factor = T::from_f64(factor);
                    write(output, area, |i| colors.at(i).map(|v| self.clamped(factor * v)));
                }
                Adjust::Contrast(factor) => {
                    let (factor, gray) = (T::from_f64(factor), T::from_f64((1.0 - factor) * colors.mean_luminance()));
                    write(output, area, |i| colors.at(i).map(|v| self.clamped(factor * v + gray)));
                }
                Adjust::Saturation(factor) => {
                    let (factor, rest) = (T::from_f64(factor), T::from_f64(1.0 - factor));
                    write(output, area, |i| {
                        let color = colors.at(i);
                        let gray = rest * luminance(color);
                        color.map(|v| self.clamped(factor * v + gray))
                    });
                }
                Adjust::Hue(turns) => {
                    let sixths = T::from_f64(6.0 * turns);
                    write(output, area, |i| hue::turn(colors.at(i), sixths, self.clamp));
                }
            }
        }
        output
    }
}

impl Kernel2 for Adjoint {
    fn run<T: Real>(&self, picture: &[T], grad: &[T], (_, _, height, width): Dims) -> Vec<T> {
        let area = height * width;
        let op = self.0;
        let mut output = vec![T::zero(); picture.len()];
        for ((output, picture), grad) in
            output.chunks_mut(3 * area).zip(picture.chunks(3 * area)).zip(grad.chunks(3 * area))
        {
            let (colors, grads) = (Planes::of(picture, area), Planes::of(grad, area));
            match op.change {
                Adjust::Brightness(factor) => {
                    let factor = T::from_f64(factor);
                    write(output, area, |i| op.passed(colors.at(i), grads.at(i), |v| factor * v).map(|g| factor * g));
                }
                Adjust::Contrast(factor) => {
                    let (times, gray) = (T::from_f64(factor), T::from_f64((1.0 - factor) * colors.mean_luminance()));
                    write(output, area, |i| op.passed(colors.at(i), grads.at(i), |v| times * v + gray));
                    // Each pixel moves the mean, and the mean moves each value that no clamp holds.
                    let passed: f64 = output.iter().map(|v| v.to_f64()).sum();
                    let share = (1.0 - factor) * passed / area as f64;
                    for (plane, weight) in output.chunks_mut(area).zip(LUMINANCE) {
                        let share = T::from_f64(weight * share);
                        plane.iter_mut().for_each(|v| *v = times * *v + share);
                    }
                }
                Adjust::Saturation(factor) => {
                    let (factor, rest) = (T::from_f64(factor), T::from_f64(1.0 - factor));
                    write(output, area, |i| {
                        let gray = rest * luminance(colors.at(i));
                        let passed = op.passed(colors.at(i), grads.at(i), |v| factor * v + gray);
                        let share = rest * (passed[0] + passed[1] + passed[2]);
                        [0, 1, 2].map(|c| factor * passed[c] + share * T::from_f64(LUMINANCE[c]))
                    });
                }
                Adjust::Hue(turns) => {
                    let sixths = T::from_f64(6.0 * turns);
                    write(output, area, |i| hue::turn_back(colors.at(i), grads.at(i), sixths, op.clamp));
                }
            }
        }
        output
    }
}

impl Color {
    #[inline]
    fn clamped<T: Real>(&self, v: T) -> T {
        if self.clamp { v.most(T::zero()).least(T::one()) } else { v }
    }

    /// The part of a gradient that the clamp lets through, for a pixel that `change` changed.
    #[inline]
    fn passed<T: Real>(&self, color: [T; 3], grad: [T; 3], change: impl Fn(T) -> T) -> [T; 3] {
        if !self.clamp {
            return grad;
        }
        let pass = |v: T, g: T| if (T::zero()..=T::one()).contains(&v) { g } else { T::zero() };
        [0, 1, 2].map(|c| pass(change(color[c]), grad[c]))
    }
}

/// The planes R, G and B of one picture.
#[derive(Clone, Copy)]
struct Planes<'a, T>([&'a [T]; 3]);

impl<'a, T: Real> Planes<'a, T> {
    fn of(values: &'a [T], area: usize) -> Self {
        Self([&values[..area], &values[area..2 * area], &values[2 * area..]])
    }

    #[inline]
    fn at(&self, i: usize) -> [T; 3] {
        [self.0[0][i], self.0[1][i], self.0[2][i]]
    }

    /// In f64 and in the order of the pixels.
    fn mean_luminance(&self) -> f64 {
        let area = self.0[0].len();
        (0..area).map(|i| luminance(self.at(i).map(|v| v.to_f64()))).sum::<f64>() / area as f64
    }
}

/// The gray of a colour.
#[inline]
fn luminance<T: Real>(color: [T; 3]) -> T {
    let [r, g, b] = LUMINANCE.map(T::from_f64);
    r * color[0] + g * color[1] + b * color[2]
}

/// Writes a picture pixel by pixel; a thread takes a run of them.
fn write<T: Real>(output: &mut [T], area: usize, pixel: impl Fn(usize) -> [T; 3] + Sync) {
    const RUN: usize = 8192;
    let (red, rest) = output.split_at_mut(area);
    let (green, blue) = rest.split_at_mut(area);
    let runs = red.par_chunks_mut(RUN).zip(green.par_chunks_mut(RUN)).zip(blue.par_chunks_mut(RUN));
    runs.enumerate().for_each(|(run, ((red, green), blue))| {
        for (i, ((r, g), b)) in red.iter_mut().zip(green).zip(blue).enumerate() {
            [*r, *g, *b] = pixel(run * RUN + i);
        }
    });
}

impl Color {
    /// The same in candle's own operations, for devices without a kernel.
    fn portable(&self, picture: &Tensor) -> Result<Tensor> {
        let luminance = || -> Result<Tensor> {
            let weights = Tensor::new(&LUMINANCE, picture.device())?.to_dtype(picture.dtype())?;
            picture.broadcast_mul(&weights.reshape((1, 3, 1, 1))?)?.sum_keepdim(1)
        };
        let changed = match self.change {
            Adjust::Brightness(factor) => (picture * factor)?,
            Adjust::Contrast(factor) => {
                let mean = luminance()?.mean_keepdim(3)?.mean_keepdim(2)?;
                (picture * factor)?.broadcast_add(&(mean * (1.0 - factor))?)?
            }
            Adjust::Saturation(factor) => (picture * factor)?.broadcast_add(&(luminance()? * (1.0 - factor))?)?,
            Adjust::Hue(turns) => return hue::portable(picture, turns, self.clamp),
        };
        if self.clamp { changed.clamp(0.0, 1.0) } else { Ok(changed) }
    }
}

#[cfg(test)]
mod tests;
