//! A spectrum: the picture is its inverse Fourier transform, through decorrelated colours and a sigmoid.

use std::sync::{Mutex, PoisonError};

use candle_core::{Device, Result, Tensor};

use super::alpha::colours;
use super::{Canvas, Form};
use crate::ops::{Matrix3, Spectrum, invert, logit, mix, sigmoid};

pub(super) struct Fourier;

/// From decorrelated colours to R, G, B: lucid's matrix (`optvis/param/color.py`), divided by its greatest column's
/// norm, 0.461952. Its columns are the axes along which the colours of ImageNet's pixels vary on their own: light,
/// red against blue, green against the other two.
pub(super) const IMAGENET: [[f64; 3]; 3] =
    [[0.562_829, 0.194_825, 0.043_295], [0.584_476, 0.0, -0.108_236], [0.584_476, -0.194_825, 0.064_942]];

/// How much smaller than its spectrum lucid makes a picture (`optvis/param/spatial.py`).
const LUCID: f64 = 4.0;

/// How far from 0 and 1 a value is held that becomes a parameter: the sigmoid never reaches them. A quarter of a step
/// of 8 bits.
const RIM: f64 = 1e-3;

impl Canvas for Fourier {
    fn name(&self) -> &'static str {
        "fourier"
    }

    fn decode(&self, params: &Tensor, form: Form) -> Result<Tensor> {
        let picture = spectrum(form).picture(params)?;
        sigmoid(&mixed(&picture, IMAGENET, form)?)
    }

    fn encode(&self, picture: &Tensor, form: Form) -> Result<Tensor> {
        let values = logit(&picture.clamp(RIM, 1.0 - RIM)?)?;
        spectrum(form).of(&mixed(&values, invert(IMAGENET), form)?)
    }

    fn length(&self, form: Form) -> usize {
        form.planes() * form.height * (form.width / 2 + 1) * 2
    }

    fn noise(&self, form: Form, normal: &mut dyn FnMut() -> f64) -> Result<Tensor> {
        let shape = (1, form.planes(), form.height, form.width / 2 + 1, 2);
        let values: Vec<f32> = (0..self.length(form)).map(|_| normal() as f32).collect();
        Tensor::from_vec(values, shape, &Device::Cpu)
    }
}

/// Colours mixed where they are decorrelated.
pub(super) fn mixed(picture: &Tensor, matrix: Matrix3, form: Form) -> Result<Tensor> {
    match form.args.choice("decorrelate") {
        "imagenet" => colours(picture, |colours| mix(colours, matrix, [0.0; 3])),
        _ => Ok(picture.clone()),
    }
}

/// The amplitude of every frequency: `gain / 4 · r(f)`, f in cycles a pixel and at least 1 / the longer side, with
/// r(f) = 1/f^decay times what gives it the mean square of 1/f, so that `decay` changes the balance and not the whole.
fn spectrum(form: Form) -> Spectrum {
    let number = |name: &str| form.args.dial(name).and_then(|dial| dial.constant()).unwrap_or(1.0);
    let key = Key { height: form.height, width: form.width, decay: number("decay"), gain: number("gain") };
    // A run asks for the same one at every step.
    static LAST: Mutex<Option<(Key, Spectrum)>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    match &*last {
        Some((known, spectrum)) if *known == key => spectrum.clone(),
        _ => last.insert((key, Spectrum::new(key.height, key.width, key.amplitudes()))).1.clone(),
    }
}

/// What amplitudes depend on.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Key {
    height: usize,
    width: usize,
    decay: f64,
    gain: f64,
}

impl Key {
    fn amplitudes(&self) -> Vec<f64> {
        let least = 1.0 / self.height.max(self.width).max(1) as f64;
        let frequencies: Vec<f64> = Spectrum::frequencies(self.height, self.width).map(|f| f.max(least)).collect();
        let square = |power: f64| frequencies.iter().map(|f| libm::pow(*f, -2.0 * power)).sum::<f64>();
        let factor = self.gain / LUCID * libm::sqrt(square(1.0) / square(self.decay));
        frequencies.iter().map(|f| factor * libm::pow(*f, -self.decay)).collect()
    }
}

#[cfg(test)]
mod tests {
    use candle_core::DType;

    use super::*;
    use crate::ops::testing::{assert_close, check_gradient, random, values};
    use crate::spec::{Arg, Args, Kind, Moment};

    fn args(decay: f64, gain: f64, decorrelate: &'static str) -> Args {
        let args = Args::new().with("decay", Arg::Number(decay.into())).with("gain", Arg::Number(gain.into()));
        args.with("decorrelate", Arg::Choice(decorrelate))
    }

    /// What lucent computes (`optvis/param/spatial.py`, `color.py`), frequency by frequency.
    fn by_definition(params: &Tensor, height: usize, width: usize) -> Vec<f64> {
        let (wide, params) = (width / 2 + 1, values(params));
        let least = 1.0 / height.max(width) as f64;
        let turn = std::f64::consts::TAU;
        let mut planes = vec![vec![0.0; height * width]; 3];
        for (c, plane) in planes.iter_mut().enumerate() {
            for (k, value) in plane.iter_mut().enumerate() {
                let (y, x) = (k / width, k % width);
                for v in 0..height {
                    for u in 0..wide {
                        let fy = if 2 * v > height { v as f64 - height as f64 } else { v as f64 } / height as f64;
                        let fx = u as f64 / width as f64;
                        let f = (fy * fy + fx * fx).sqrt().max(least);
                        let at = 2 * ((c * height + v) * wide + u);
                        let angle = turn * ((v * y) as f64 / height as f64 + (u * x) as f64 / width as f64);
                        let twice = if u == 0 || 2 * u == width { 1.0 } else { 2.0 };
                        *value += twice * (params[at] * libm::cos(angle) - params[at + 1] * libm::sin(angle)) / f;
                    }
                }
                *value /= ((height * width) as f64).sqrt() * 4.0;
            }
        }
        let colour = |row: [f64; 3], k: usize| row[0] * planes[0][k] + row[1] * planes[1][k] + row[2] * planes[2][k];
        let sigmoid = |x: f64| 1.0 / (1.0 + libm::exp(-x));
        IMAGENET.iter().flat_map(|row| (0..height * width).map(|k| sigmoid(colour(*row, k)))).collect()
    }

    #[test]
    fn with_decay_1_it_is_lucids() {
        for (height, width) in [(6, 5), (5, 8), (7, 7), (8, 6)] {
            let params = random(&[1, 3, height, width / 2 + 1, 2], 3);
            let found = Fourier.decode(&params, Form { args: &args(1.0, 1.0, "imagenet"), height, width }).unwrap();
            for (found, expected) in values(&found).iter().zip(by_definition(&params, height, width)) {
                assert!((found - expected).abs() < 1e-12, "{found} {expected}");
            }
        }
    }

    #[test]
    fn a_picture_comes_back_and_gradients_are_those_of_differences() {
        for (height, width) in [(7, 5), (8, 8), (1, 4), (3, 1)] {
            for args in [args(1.25, 2.0, "imagenet"), args(0.0, 0.5, "off"), args(2.0, 1.0, "off")] {
                let form = Form { args: &args, height, width };
                let picture = random(&[1, 3, height, width], 5).affine(0.4, 0.5).unwrap();
                let params = Fourier.encode(&picture, form).unwrap();
                assert_eq!(params.dims(), [1, 3, height, width / 2 + 1, 2]);
                assert_close(&Fourier.decode(&params, form).unwrap(), &picture, 1e-9);
                check_gradient(|params| Fourier.decode(params, form), &random(params.dims(), 6));
            }
        }
    }

    #[test]
    fn values_that_no_sigmoid_reaches_are_held() {
        let args = args(1.0, 1.0, "off");
        let form = Form { args: &args, height: 2, width: 2 };
        let far = Tensor::full(9.0f32, (1, 3, 2, 2), &Device::Cpu).unwrap();
        let back = Fourier.decode(&Fourier.encode(&far, form).unwrap(), form).unwrap();
        assert!(values(&back).iter().all(|v| (v - (1.0 - RIM)).abs() < 1e-5));
    }

    #[test]
    fn decay_keeps_the_mean_square_and_noise_is_nearly_gray() {
        let square = |decay| {
            let key = Key { height: 32, width: 24, decay, gain: 2.0 };
            key.amplitudes().iter().map(|a| a * a).sum::<f64>()
        };
        assert!((square(1.0) - square(1.7)).abs() < 1e-9 * square(1.0));
        let mut rng = Moment::still(Kind::Init, "spectrum").rng("parameters");
        let (args, size) = (args(1.0, 1.0, "imagenet"), 128);
        let form = Form { args: &args, height: size, width: size };
        let noise = Fourier.noise(form, &mut || 0.01 * rng.normal()).unwrap();
        let picture = values(&Fourier.decode(&noise.to_dtype(DType::F64).unwrap(), form).unwrap());
        let mean = picture.iter().sum::<f64>() / picture.len() as f64;
        let sd = (picture.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / picture.len() as f64).sqrt();
        // lucid's start: about 0.003 after the sigmoid.
        assert!((mean - 0.5).abs() < 0.002 && (0.001..0.006).contains(&sd), "{mean} {sd}");
    }
}
