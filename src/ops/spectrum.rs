//! Pictures by their spectra: the inverse real Fourier transform in two dimensions, and its adjoint.
//!
//! Orthonormal: `x[p] = 1/√(HW) Σ_q a[q] z[q] e^{i q·p}` over the whole spectrum, of which the half with u ≤ W/2 is
//! given and the rest its mirror image (numpy's `irfft2(norm = "ortho")`). Amplitudes a are fixed, so only z moves.

use std::cell::RefCell;
use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;
use realfft::RealFftPlanner;
use rustfft::num_complex::Complex;
use rustfft::{FftDirection, FftNum, FftPlanner};

use super::real::{Real, dense};

/// A grid of frequencies with an amplitude each.
#[derive(Clone)]
pub struct Spectrum {
    height: usize,
    width: usize,
    /// `[H, W/2 + 1]`
    amplitudes: Arc<[f64]>,
}

/// A number that can be transformed.
trait Number: Real + FftNum {
    /// Calls `work` with this thread's plans: making them takes longer than using them.
    fn planned<R>(work: impl FnOnce(&mut RealFftPlanner<Self>, &mut FftPlanner<Self>) -> R) -> R;
}

macro_rules! number {
    ($type:ty) => {
        impl Number for $type {
            fn planned<R>(work: impl FnOnce(&mut RealFftPlanner<Self>, &mut FftPlanner<Self>) -> R) -> R {
                thread_local! {
                    static PLANS: RefCell<(RealFftPlanner<$type>, FftPlanner<$type>)> =
                        RefCell::new((RealFftPlanner::new(), FftPlanner::new()));
                }
                PLANS.with_borrow_mut(|(real, complex)| work(real, complex))
            }
        }
    };
}
number!(f32);
number!(f64);

impl Spectrum {
    /// The spectrum of pictures of that size; amplitudes as [`Self::frequencies`] orders them.
    pub fn new(height: usize, width: usize, amplitudes: Vec<f64>) -> Self {
        Self { height, width, amplitudes: amplitudes.into() }
    }

    /// The frequencies of the half spectrum, row by row, in cycles a pixel: √(fx² + fy²).
    pub fn frequencies(height: usize, width: usize) -> impl Iterator<Item = f64> {
        (0..height).flat_map(move |v| {
            let down = v.min(height - v) as f64 / height as f64;
            (0..width / 2 + 1).map(move |u| {
                let across = u as f64 / width as f64;
                libm::sqrt(down * down + across * across)
            })
        })
    }

    /// `[N, C, H, W/2 + 1, 2]` (real and imaginary parts) → `[N, C, H, W]`. Differentiable.
    pub fn picture(&self, spectrum: &Tensor) -> Result<Tensor> {
        spectrum.contiguous()?.apply_op1(Synthesis(self.clone()))
    }

    /// The spectrum of a picture: what [`Self::picture`] makes it of. `[N, C, H, W]` → `[N, C, H, W/2 + 1, 2]`. Where an
    /// amplitude is 0, so is its number. No gradient flows through it.
    pub fn of(&self, picture: &Tensor) -> Result<Tensor> {
        picture.detach().contiguous()?.apply_op1_no_bwd(&Analysis { spectrum: self.clone(), adjoint: false })
    }

    fn wide(&self) -> usize {
        self.width / 2 + 1
    }

    /// Columns of frequencies that stand for their mirror image too.
    fn is_twice(&self, u: usize) -> bool {
        u > 0 && 2 * u < self.width
    }

    fn synthesize<T: Number>(&self, spectrum: &[T]) -> Vec<T> {
        let (area, wide) = (self.height * self.width, self.wide());
        let mut picture = vec![T::ZERO; spectrum.len() / (2 * self.height * wide).max(1) * area];
        let unit = libm::sqrt(area as f64);
        let factors: Vec<T> =
            self.amplitudes.iter().map(|a| <T as candle_core::WithDType>::from_f64(a / unit)).collect();
        picture.par_chunks_mut(area).zip(spectrum.par_chunks(2 * self.height * wide)).for_each(|(plane, given)| {
            let mut lines: Vec<Complex<T>> =
                given.chunks_exact(2).zip(&factors).map(|(z, a)| Complex::new(z[0] * *a, z[1] * *a)).collect();
            self.columns(&mut lines, FftDirection::Inverse);
            T::planned(|real, _| {
                let back = real.plan_fft_inverse(self.width);
                for (row, line) in plane.chunks_mut(self.width).zip(lines.chunks_mut(wide)) {
                    // What a real row can't have, its transform does not look at.
                    line[0].im = T::ZERO;
                    if self.width.is_multiple_of(2) {
                        line[wide - 1].im = T::ZERO;
                    }
                    // Lengths agree, and nothing else can go wrong.
                    let _ = back.process(line, row);
                }
            });
        });
        picture
    }

    /// `weigh` is given the amplitude and the column, and says by what a number is multiplied.
    fn analyze<T: Number>(&self, picture: &[T], weigh: impl Fn(f64, usize) -> f64) -> Vec<T> {
        let (area, wide) = (self.height * self.width, self.wide());
        let mut spectrum = vec![T::ZERO; picture.len() / area.max(1) * 2 * self.height * wide];
        let unit = libm::sqrt(area as f64);
        let weighed = self.amplitudes.iter().enumerate().map(|(k, a)| weigh(*a, k % wide) / unit);
        let factors: Vec<T> = weighed.map(<T as candle_core::WithDType>::from_f64).collect();
        spectrum.par_chunks_mut(2 * self.height * wide).zip(picture.par_chunks(area)).for_each(|(to, plane)| {
            let mut lines = vec![Complex::new(T::ZERO, T::ZERO); self.height * wide];
            T::planned(|real, _| {
                let there = real.plan_fft_forward(self.width);
                let mut row = vec![T::ZERO; self.width];
                for (line, plane) in lines.chunks_mut(wide).zip(plane.chunks(self.width)) {
                    row.copy_from_slice(plane);
                    let _ = there.process(&mut row, line);
                }
            });
            self.columns(&mut lines, FftDirection::Forward);
            for ((to, z), factor) in to.chunks_exact_mut(2).zip(&lines).zip(&factors) {
                to[0] = z.re * *factor;
                to[1] = z.im * *factor;
            }
        });
        spectrum
    }

    fn columns<T: Number>(&self, lines: &mut [Complex<T>], direction: FftDirection) {
        let wide = self.wide();
        T::planned(|_, complex| {
            let plan = complex.plan_fft(self.height, direction);
            let mut column = vec![Complex::new(T::ZERO, T::ZERO); self.height];
            for u in 0..wide {
                column.iter_mut().zip(lines.iter().skip(u).step_by(wide)).for_each(|(to, from)| *to = *from);
                plan.process(&mut column);
                lines.iter_mut().skip(u).step_by(wide).zip(&column).for_each(|(to, from)| *to = *from);
            }
        });
    }
}

struct Synthesis(Spectrum);

impl CustomOp1 for Synthesis {
    fn name(&self) -> &'static str {
        "inverse-fourier"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let Spectrum { height, width, .. } = self.0;
        let &[n, c, h, w, 2] = layout.dims() else { bail!("a spectrum is [N, C, H, W/2 + 1, 2]") };
        if (h, w) != (height, self.0.wide()) {
            bail!("a spectrum of {h}x{w} for a picture of {height}x{width}");
        }
        let picture = match storage {
            CpuStorage::F32(all) => CpuStorage::F32(self.0.synthesize(dense(all, layout)?)),
            CpuStorage::F64(all) => CpuStorage::F64(self.0.synthesize(dense(all, layout)?)),
            _ => bail!("pictures are f32 or f64"),
        };
        Ok((picture, (n, c, height, width).into()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        grad.contiguous()?.apply_op1_no_bwd(&Analysis { spectrum: self.0.clone(), adjoint: true }).map(Some)
    }
}

/// The inverse of a [`Synthesis`], or what goes back through it.
struct Analysis {
    spectrum: Spectrum,
    adjoint: bool,
}

impl CustomOp1 for Analysis {
    fn name(&self) -> &'static str {
        "fourier"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let spectrum = &self.spectrum;
        let (n, c, h, w) = layout.shape().dims4()?;
        if (h, w) != (spectrum.height, spectrum.width) {
            bail!("a picture of {h}x{w} for a spectrum of {}x{}", spectrum.height, spectrum.width);
        }
        let weigh = |amplitude: f64, u: usize| match (self.adjoint, amplitude) {
            (true, _) if spectrum.is_twice(u) => 2.0 * amplitude,
            (true, _) => amplitude,
            (false, 0.0) => 0.0,
            (false, _) => 1.0 / amplitude,
        };
        let found = match storage {
            CpuStorage::F32(all) => CpuStorage::F32(spectrum.analyze(dense(all, layout)?, weigh)),
            CpuStorage::F64(all) => CpuStorage::F64(spectrum.analyze(dense(all, layout)?, weigh)),
            _ => bail!("pictures are f32 or f64"),
        };
        Ok((found, (n, c, h, spectrum.wide(), 2).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{assert_close, check_gradient, random};

    fn spectrum(height: usize, width: usize) -> Spectrum {
        Spectrum::new(height, width, Spectrum::frequencies(height, width).map(|f| 1.0 + f).collect())
    }

    #[test]
    fn a_picture_is_what_its_spectrum_makes() {
        for (height, width) in [(1, 1), (1, 2), (2, 1), (5, 7), (8, 6), (9, 8), (16, 15)] {
            let (spectrum, picture) = (spectrum(height, width), random(&[2, 3, height, width], 4));
            assert_close(&spectrum.picture(&spectrum.of(&picture).unwrap()).unwrap(), &picture, 1e-12);
            let picture = picture.to_dtype(candle_core::DType::F32).unwrap();
            assert_close(&spectrum.picture(&spectrum.of(&picture).unwrap()).unwrap(), &picture, 1e-6);
        }
    }

    #[test]
    fn its_gradient_is_that_of_differences() {
        for (height, width) in [(1, 1), (5, 7), (4, 6), (7, 4)] {
            let spectrum = spectrum(height, width);
            check_gradient(|z| spectrum.picture(z), &random(&[1, 2, height, width / 2 + 1, 2], 5));
        }
    }

    #[test]
    fn wrong_sizes_are_errors() {
        assert!(spectrum(4, 4).picture(&random(&[1, 3, 4, 4, 2], 1)).is_err());
        assert!(spectrum(4, 4).of(&random(&[1, 3, 4, 5], 1)).is_err());
    }
}
