//! Pictures with a fourth plane, alpha: straight, 0 for clear and 1 for opaque. Colours are blended as they are encoded.

use std::sync::{Mutex, PoisonError};

use candle_core::{Device, Result, Tensor};

use super::fourier::IMAGENET;
use crate::ops::{Spectrum, mix, sigmoid};
use crate::spec::Rng;

/// What lies under a picture where nothing else does: middle gray, as under photos.
const UNDER: f64 = 0.5;

/// The colours `[N, 3, H, W]` of a picture and its alpha `[N, 1, H, W]`, if it has one.
///
/// # Errors
/// It is no picture.
pub fn planes(picture: &Tensor) -> Result<(Tensor, Option<Tensor>)> {
    match picture.dim(1)? {
        4 => Ok((picture.narrow(1, 0, 3)?.contiguous()?, Some(picture.narrow(1, 3, 1)?.contiguous()?))),
        _ => Ok((picture.clone(), None)),
    }
}

/// Changes the colours and leaves alpha as it is.
///
/// # Errors
/// The change's own.
pub fn colours(picture: &Tensor, change: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    match planes(picture)? {
        (colours, Some(alpha)) => Tensor::cat(&[&change(&colours)?, &alpha], 1),
        (colours, None) => change(&colours),
    }
}

/// Lets something act on a whole picture, alpha as a picture in gray: what moves colours moves it alike.
///
/// # Errors
/// Those of what acts.
pub fn whole<E: From<candle_core::Error>>(
    picture: &Tensor,
    act: impl Fn(&Tensor) -> std::result::Result<Tensor, E>,
) -> std::result::Result<Tensor, E> {
    match planes(picture)? {
        (colours, Some(alpha)) => {
            let gray = act(&Tensor::cat(&[&alpha, &alpha, &alpha], 1)?)?;
            Ok(Tensor::cat(&[&act(&colours)?, &gray.narrow(1, 0, 1)?], 1)?)
        }
        (colours, None) => act(&colours),
    }
}

/// A picture with alpha, or without, whatever it had: one that gains it has `alpha` of it everywhere, one that loses it
/// is laid over middle gray.
///
/// # Errors
/// It is no picture.
pub fn with_alpha(picture: &Tensor, alpha: Option<f64>) -> Result<Tensor> {
    match (alpha, picture.dim(1)?) {
        (Some(_), 4) => Ok(picture.clone()),
        (Some(alpha), _) => {
            let plane = (picture.narrow(1, 0, 1)?.zeros_like()? + alpha)?;
            Tensor::cat(&[picture, &plane], 1)
        }
        (None, _) => laid(picture, None),
    }
}

/// What is seen of a picture over a ground `[1, 3, H, W]`, or over middle gray: alpha · colour + (1 − alpha) · ground. A
/// picture without alpha is seen as it is.
///
/// # Errors
/// The ground has another size.
pub fn laid(picture: &Tensor, ground: Option<&Tensor>) -> Result<Tensor> {
    let (colours, Some(alpha)) = planes(picture)? else { return Ok(picture.clone()) };
    let ground = match ground {
        Some(ground) => ground.clone(),
        None => (colours.detach().zeros_like()? + UNDER)?,
    };
    // ground + alpha · (colour − ground) would not give back a colour of alpha 1 to the last bit.
    colours.broadcast_mul(&alpha)? + ground.broadcast_mul(&alpha.affine(-1.0, 1.0)?)?
}

/// A ground drawn at random, `[1, 3, height, width]`, f32: noise of spectrum 1/f^1.5, its deviation in the canvas's
/// parameters 0.2 to 0.5, in decorrelated colours through a sigmoid. Broad, strong patches of colour, so that nothing
/// that shows through can serve for a picture.
///
/// # Errors
/// Memory.
pub fn ground(height: usize, width: usize, rng: &mut Rng) -> Result<Tensor> {
    // lucid's image_sample (optvis/param/random.py) as its notebook on transparency draws it.
    const DEVIATION: (f64, f64) = (0.2, 0.5);
    let sd = DEVIATION.0 + (DEVIATION.1 - DEVIATION.0) * rng.uniform();
    let wide = width / 2 + 1;
    let values: Vec<f32> = (0..3 * height * wide * 2).map(|_| (sd * rng.normal()) as f32).collect();
    let params = Tensor::from_vec(values, (1, 3, height, wide, 2), &Device::Cpu)?;
    sigmoid(&mix(&broad(height, width).picture(&params)?, IMAGENET, [0.0; 3])?)
}

/// The amplitudes of a ground, 1/4 · f^−1.5, f at least 1 / the longer side.
fn broad(height: usize, width: usize) -> Spectrum {
    static LAST: Mutex<Option<((usize, usize), Spectrum)>> = Mutex::new(None);
    let size = (height, width);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    match &*last {
        Some((known, spectrum)) if *known == size => spectrum.clone(),
        _ => {
            let least = 1.0 / height.max(width).max(1) as f64;
            let amplitudes = Spectrum::frequencies(height, width).map(|f| 0.25 * libm::pow(f.max(least), -1.5));
            last.insert((size, Spectrum::new(height, width, amplitudes.collect()))).1.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canvas::{Form, canvas};
    use crate::ops::testing::{assert_close, check_gradient, random, values};
    use crate::spec::{Arg, Args, Kind, Moment};

    fn args(name: &str, alpha: bool) -> Args {
        let args = Args::new().with("alpha", Arg::Switch(alpha));
        match name {
            "pyramid" => args.with("step", Arg::Number(3.0.into())),
            "fourier" => args.with("decay", Arg::Number(1.25.into())),
            _ => args,
        }
    }

    #[test]
    fn alpha_is_one_more_plane_of_every_parametrization() {
        for name in ["pixels", "fourier", "pyramid"] {
            let (with, without) = (args(name, true), args(name, false));
            let form = |args| Form { args, height: 6, width: 5 };
            let kind = canvas(name).unwrap();
            let picture = random(&[1, 4, 6, 5], 5).affine(0.4, 0.5).unwrap();
            let params = kind.encode(&picture, form(&with)).unwrap();
            assert_eq!(params.elem_count(), kind.length(form(&with)), "{name}");
            assert_eq!(3 * kind.length(form(&with)), 4 * kind.length(form(&without)), "{name}");
            assert_close(&kind.decode(&params, form(&with)).unwrap(), &picture, 1e-9);
            check_gradient(|params| kind.decode(params, form(&with)), &random(params.dims(), 6));
            // The colours are those that it has without.
            let colours = kind.decode(&params.narrow(1, 0, 3).unwrap().contiguous().unwrap(), form(&without)).unwrap();
            assert_close(&colours, &planes(&picture).unwrap().0, 1e-9);
            let noise = |args| {
                let mut rng = Moment::still(Kind::Init, "spectrum").rng("parameters");
                kind.noise(form(args), &mut || 0.01 * rng.normal()).unwrap()
            };
            let start = kind.decode(&noise(&with), form(&with)).unwrap();
            assert!(values(&planes(&start).unwrap().1.unwrap()).iter().all(|alpha| (alpha - 0.5).abs() < 0.05));
            let same = kind.decode(&noise(&without), form(&without)).unwrap();
            assert_close(&planes(&start).unwrap().0, &same, 1e-6);
        }
    }

    #[test]
    fn alpha_stays_within_its_bounds_on_pixels() {
        let args = args("pixels", true);
        let form = Form { args: &args, height: 1, width: 1 };
        let far = Tensor::new(&[-2.0f32, 0.5, 3.0, 1.5], &Device::Cpu).unwrap().reshape((1, 4, 1, 1)).unwrap();
        let held = canvas("pixels").unwrap().clamp(&far, form).unwrap();
        assert_eq!(values(&held), [-2.0, 0.5, 3.0, 1.0]);
        assert_eq!(values(&canvas("pixels").unwrap().encode(&far, form).unwrap()), values(&held));
    }

    #[test]
    fn what_is_clear_shows_the_ground() {
        let (picture, ground) = (random(&[1, 4, 3, 5], 1), random(&[1, 3, 3, 5], 2));
        let seen = values(&laid(&picture, Some(&ground)).unwrap());
        let (picture_values, ground_values) = (values(&picture), values(&ground));
        for (k, seen) in seen.iter().enumerate() {
            let alpha = picture_values[45 + k % 15];
            assert!((seen - alpha * picture_values[k] - (1.0 - alpha) * ground_values[k]).abs() < 1e-12);
        }
        check_gradient(|picture| laid(picture, Some(&ground)), &picture);
        let colours = random(&[1, 3, 3, 5], 3);
        assert_eq!(values(&laid(&with_alpha(&colours, Some(1.0)).unwrap(), Some(&ground)).unwrap()), values(&colours));
        let clear = laid(&with_alpha(&colours, Some(0.0)).unwrap(), None).unwrap();
        assert!(values(&clear).iter().all(|value| *value == 0.5));
        assert_eq!(values(&with_alpha(&colours, None).unwrap()), values(&colours));
    }

    #[test]
    fn grounds_are_broad_and_strong_and_of_their_moment() {
        let at = |iteration| {
            let moment = Moment { iteration, ..Moment::still(Kind::Canvas, "canvas") };
            values(&ground(64, 48, &mut moment.rng("ground")).unwrap())
        };
        assert!(at(1) == at(1) && at(1) != at(2));
        let (mut spread, mut steps) = (0.0, 0.0);
        for iteration in 0..20 {
            let ground = at(iteration);
            assert!(ground.iter().all(|value| (0.0..=1.0).contains(value)));
            let mean = ground.iter().sum::<f64>() / ground.len() as f64;
            spread += ground.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / ground.len() as f64;
            steps += ground.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum::<f64>() / ground.len() as f64;
        }
        let (deviation, step) = ((spread / 20.0).sqrt(), steps / 20.0);
        assert!(deviation > 0.15 && step < 0.3 * deviation, "{deviation} {step}");
    }
}
