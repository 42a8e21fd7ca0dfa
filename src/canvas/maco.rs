//! Phases alone: how much of each frequency there is is that of natural images and stays.

use std::sync::{Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp1, DType, Device, Layout, Result, Shape, Tensor, bail};

use super::fourier::IMAGENET;
use super::{Canvas, Form};
use crate::ops::{Spectrum, mix, sigmoid};

pub(super) struct Maco;

/// What is added to deviations before they divide (xplique's `maco.py`).
const EPSILON: f64 = 1e-5;

/// The mean magnitude of ImageNet's spectra in decorrelated colours, fitted to the template that xplique ships
/// (`spectrum_decorrelated.npy`, 512x512; weighted R² 0.993): with k = 512 f,
/// ln r = a − 1.19 ln k − 2.1 k/256 + 0.11 cos 4θ, and a for each of the three axes.
const LOG_LEVEL: [f64; 3] = [11.41, 11.46, 11.19];
const SLOPE: f64 = 1.19;
const ROLL_OFF: f64 = 2.1;
const ANGULAR: f64 = 0.11;
/// ln of the template's constant part, the mean over the axes, less that axis's level.
const LOG_CONSTANT: f64 = 1.08;

impl Canvas for Maco {
    fn name(&self) -> &'static str {
        "maco"
    }

    fn decode(&self, params: &Tensor, form: Form) -> Result<Tensor> {
        let spectrum = spectrum(form);
        let turns = spectrum.picture(&standardized(params)?.contiguous()?.apply_op1(Phases)?)?;
        let level = |axis: usize| libm::exp(LOG_LEVEL[axis] - LOG_LEVEL[0]);
        let axes = mix(&turns, [[1.0, 0.0, 0.0], [0.0, level(1), 0.0], [0.0, 0.0, level(2)]], [0.0; 3])?;
        sigmoid(&mix(&standardized(&axes)?, IMAGENET, [0.0; 3])?)
    }

    fn encode(&self, _: &Tensor, _: Form) -> Result<Tensor> {
        bail!("`maco` holds what every picture has of each frequency, so it stands for no given picture")
    }

    fn encodes(&self) -> bool {
        false
    }

    /// Phases are standardized, so of the numbers' deviation nothing is left but how far a step goes beside it. They begin
    /// with deviation 1: then a rate is in radians.
    fn noise(&self, form: Form, normal: &mut dyn FnMut() -> f64) -> Result<Tensor> {
        let wide = form.width / 2 + 1;
        let values: Vec<f64> = (0..3 * form.height * wide).map(|_| normal()).collect();
        let values = Tensor::from_vec(values, (1, 3, form.height, wide), &Device::Cpu)?;
        standardized(&values)?.to_dtype(DType::F32)
    }
}

/// (x − mean) / deviation over all values.
fn standardized(x: &Tensor) -> Result<Tensor> {
    let centred = x.broadcast_sub(&x.mean_all()?)?;
    let deviation = centred.sqr()?.mean_all()?.sqrt()?.affine(1.0, EPSILON)?;
    centred.broadcast_div(&deviation)
}

fn spectrum(form: Form) -> Spectrum {
    // A run asks for the same one at every step.
    static LAST: Mutex<Option<((usize, usize), Spectrum)>> = Mutex::new(None);
    let size = (form.height, form.width);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    match &*last {
        Some((known, spectrum)) if *known == size => spectrum.clone(),
        _ => last.insert((size, Spectrum::new(form.height, form.width, magnitudes(form.height, form.width)))).1.clone(),
    }
}

/// For the first axis, up to a factor, which standardizing takes away.
fn magnitudes(height: usize, width: usize) -> Vec<f64> {
    let places = (0..height).flat_map(|v| (0..width / 2 + 1).map(move |u| (v, u)));
    places
        .map(|(v, u)| {
            let down = if 2 * v > height { v as f64 - height as f64 } else { v as f64 } / height as f64;
            let across = u as f64 / width as f64;
            let k = 512.0 * libm::sqrt(down * down + across * across);
            if k == 0.0 {
                return libm::exp(LOG_CONSTANT);
            }
            let angle = libm::atan2(down, across);
            libm::exp(-SLOPE * libm::log(k) - ROLL_OFF * k / 256.0 + ANGULAR * libm::cos(4.0 * angle))
        })
        .collect()
}

/// φ → (cos φ, sin φ): `[N, C, H, W']` → `[N, C, H, W', 2]`.
struct Phases;

impl CustomOp1 for Phases {
    fn name(&self) -> &'static str {
        "phases"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let Some((from, until)) = layout.contiguous_offsets() else { bail!("the tensor is not dense") };
        let storage = match storage {
            CpuStorage::F32(all) => {
                CpuStorage::F32(all[from..until].iter().flat_map(|x| [libm::cosf(*x), libm::sinf(*x)]).collect())
            }
            CpuStorage::F64(all) => {
                CpuStorage::F64(all[from..until].iter().flat_map(|x| [libm::cos(*x), libm::sin(*x)]).collect())
            }
            _ => bail!("pictures are f32 or f64"),
        };
        let mut dims = layout.dims().to_vec();
        dims.push(2);
        Ok((storage, dims.into()))
    }

    fn bwd(&self, phases: &Tensor, result: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let last = phases.rank();
        let part = |of: &Tensor, which| of.detach().narrow(last, which, 1)?.squeeze(last);
        let (cos, sin) = (part(result, 0)?, part(result, 1)?);
        ((part(grad, 1)? * cos)? - (part(grad, 0)? * sin)?).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::logit;
    use crate::ops::testing::{check_gradient, random, values};
    use crate::spec::Args;

    /// The figures of PEERS' reading of the template: radial means of axis 0 at k cycles of 512.
    #[test]
    fn magnitudes_are_those_of_natural_images() {
        let size = 512;
        let found = magnitudes(size, size);
        for (k, expected) in [(2usize, 37_435.0), (8, 7_464.0), (32, 1_130.0), (128, 104.0)] {
            let ring = (0..size).flat_map(|v| (0..size / 2 + 1).map(move |u| (v, u))).filter(|(v, u)| {
                let down = (*v).min(size - v) as f64;
                (libm::sqrt(down * down + (u * u) as f64) - k as f64).abs() < 0.5
            });
            let ring: Vec<f64> = ring.map(|(v, u)| found[v * (size / 2 + 1) + u]).collect();
            let mean = libm::exp(LOG_LEVEL[0]) * ring.iter().sum::<f64>() / ring.len() as f64;
            assert!((mean / expected - 1.0).abs() < 0.12, "{k}: {mean}, in the template {expected}");
        }
        let constant = libm::exp(LOG_LEVEL[0]) * found[0];
        assert!((constant / 2.55e5 - 1.0).abs() < 0.1, "{constant}");
    }

    #[test]
    fn phases_move_and_magnitudes_stay() {
        let args = Args::new();
        let form = Form { args: &args, height: 16, width: 12 };
        let spectra = |seed| {
            let picture = Maco.decode(&random(&[1, 3, 16, 7], seed), form).unwrap();
            let axes = mix(&logit(&picture).unwrap(), crate::ops::invert(IMAGENET), [0.0; 3]).unwrap();
            let flat = Spectrum::new(16, 12, vec![1.0; 16 * 7]);
            let spectrum = values(&flat.of(&axes).unwrap());
            // Columns that stand for their mirror image too have the magnitude that was asked for.
            let inner = spectrum.chunks(2).enumerate().filter(|(k, _)| (1..6).contains(&(k % 7)));
            inner.map(|(_, z)| libm::sqrt(z[0] * z[0] + z[1] * z[1])).collect::<Vec<f64>>()
        };
        let (one, other) = (spectra(1), spectra(2));
        let ratio = one[0] / other[0];
        assert!(one.iter().zip(&other).all(|(a, b)| (a / b / ratio - 1.0).abs() < 1e-6));
        check_gradient(|params| Maco.decode(params, form), &random(&[1, 3, 16, 7], 3));
    }

    #[test]
    fn it_stands_for_no_given_picture() {
        let args = Args::new();
        let form = Form { args: &args, height: 4, width: 4 };
        let mut count = 0.0;
        let start = Maco.noise(form, &mut || {
            count += 1.0;
            1e-3 * count
        });
        let start = values(&start.unwrap());
        assert!((start.iter().map(|v| v * v).sum::<f64>() / start.len() as f64 - 1.0).abs() < 1e-2);
        assert!(Maco.encode(&random(&[1, 3, 4, 4], 1), form).is_err() && !Maco.encodes());
    }
}
