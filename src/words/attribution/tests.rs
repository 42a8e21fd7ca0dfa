//! Methods by their axioms, in f64, on functions whose answers are known.

use candle_core::{Device, Result, Tensor, Var};

use super::*;
use crate::ops::testing::{assert_close, assert_same, random, values};
use crate::spec::{Arg, Args, Kind, Moment};
use crate::words::{Scorer, registry};

/// A function of one picture, `[3, H, W]` → a number.
struct Known<F>(F, usize);

impl<F: Fn(&Tensor) -> Result<Tensor>> Scorer for Known<F> {
    fn values(&mut self, pictures: &Tensor) -> Result<Vec<f64>> {
        self.1 += pictures.dim(0)?;
        (0..pictures.dim(0)?).map(|image| (self.0)(&pictures.get(image)?)?.to_scalar()).collect()
    }

    fn gradients(&mut self, pictures: &Tensor) -> Result<Tensor> {
        self.1 += pictures.dim(0)?;
        let leaf = Var::from_tensor(pictures)?;
        let values = (0..pictures.dim(0)?).map(|image| (self.0)(&leaf.get(image)?)).collect::<Result<Vec<_>>>()?;
        let gradient = Tensor::stack(&values, 0)?.sum_all()?.backward()?.remove(&leaf);
        gradient.map_or_else(|| leaf.zeros_like(), Ok)
    }

    fn at_node(&mut self, picture: &Tensor, _: &str) -> Result<(Tensor, Tensor)> {
        self.1 += 1;
        // Two channels of 2x2 cells; the objective is a sum of squares, so the gradient is twice the activation.
        let activation = picture.narrow(1, 0, 2)?.narrow(2, 0, 2)?.narrow(3, 0, 2)?.contiguous()?;
        Ok((activation.clone(), (activation * 2.0)?))
    }
}

const ZERO: [f64; 3] = [0.3, 0.4, 0.5];

fn photo() -> Tensor {
    random(&[1, 3, 7, 6], 3).abs().unwrap()
}

/// The map, and how many pictures were looked at.
fn map(name: &str, args: &[(&'static str, f64)], f: impl Fn(&Tensor) -> Result<Tensor>) -> Tensor {
    let word = registry::attribution(name).unwrap();
    let args = args.iter().fold(Args::new(), |all, (name, value)| all.with(name, Arg::Number((*value).into())));
    let mut scorer = Known(f, 0);
    let photo = photo();
    let asked = Asked { photo: &photo, zero: ZERO, node: "node" };
    let map = word.map(&asked, &args, &Moment::still(Kind::Attribution, word.spec().name), &mut scorer).unwrap();
    assert_eq!(map.dims(), [7, 6], "{name}");
    assert_eq!(scorer.1, word.passes(&args, (7, 6)), "{name} tells how often it looks");
    map
}

fn sum(map: &Tensor) -> f64 {
    values(map).iter().sum()
}

fn at(f: &impl Fn(&Tensor) -> Result<Tensor>, picture: &Tensor) -> f64 {
    f(&picture.get(0).unwrap()).unwrap().to_scalar().unwrap()
}

/// Not linear, with kinks as a network has.
fn bent(picture: &Tensor) -> Result<Tensor> {
    let weights = random(picture.dims(), 5);
    let products = (picture * weights)?;
    let relu = (products.clone() - 0.05)?.relu()?.sum_all()?;
    (relu * products.sum_all()?.sqr()?)? + picture.sqr()?.sum_all()?
}

fn linear(picture: &Tensor) -> Result<Tensor> {
    (picture * random(picture.dims(), 6))?.sum_all()? + 4.0
}

fn baseline(gray: Option<f64>) -> Tensor {
    let photo = photo();
    plain(&Asked { photo: &photo, zero: ZERO, node: "" }, gray).unwrap()
}

#[test]
fn integrated_gradients_are_complete() {
    for gray in [None, Some(0.0), Some(1.0)] {
        let mut args = vec![("steps", 200.0)];
        args.extend(gray.map(|gray| ("baseline", gray)));
        let whole = at(&bent, &photo()) - at(&bent, &baseline(gray));
        let found = sum(&map("integrated_gradients", &args, bent));
        assert!((found - whole).abs() < 0.01 * whole.abs(), "{gray:?}: {found} of {whole}");
    }
}

#[test]
fn for_a_linear_model_gradient_times_input_is_integrated_gradients() {
    let product = map("gradient_x_input", &[], linear);
    for steps in [1.0, 7.0] {
        assert_close(&map("integrated_gradients", &[("steps", steps)], linear), &product, 1e-12);
    }
    let whole = at(&linear, &photo()) - at(&linear, &baseline(None));
    assert!((sum(&product) - whole).abs() < 1e-12);
}

#[test]
fn without_noise_smoothgrad_is_the_gradient() {
    let gradient = Known(bent, 0).gradients(&photo()).unwrap().abs().unwrap().sum(1).unwrap().get(0).unwrap();
    assert_close(&map("smoothgrad", &[("samples", 5.0), ("sd", 0.0)], bent), &gradient, 1e-12);
    // Noise around a linear model changes nothing; around another it does, and more of it more.
    let noisy = |sd, f: fn(&Tensor) -> Result<Tensor>| map("smoothgrad", &[("samples", 9.0), ("sd", sd)], f);
    assert_close(&noisy(0.5, linear), &noisy(0.0, linear), 1e-12);
    assert_ne!(values(&noisy(0.1, bent)), values(&noisy(0.2, bent)));
    assert_same(&noisy(0.1, bent), &noisy(0.1, bent));
}

#[test]
fn a_window_over_everything_takes_everything_away() {
    for fill in [None, Some(0.25)] {
        let mut args = vec![("size", 99.0), ("stride", 9.0)];
        args.extend(fill.map(|fill| ("fill", fill)));
        let whole = at(&bent, &photo()) - at(&bent, &baseline(fill));
        assert!(values(&map("occlusion", &args, bent)).iter().all(|value| (value - whole).abs() < 1e-9));
    }
}

#[test]
fn windows_of_one_pixel_divide_up_a_linear_model() {
    let found = map("occlusion", &[("size", 1.0), ("stride", 1.0)], linear);
    assert_close(&found, &map("gradient_x_input", &[], linear), 1e-9);
}

#[test]
fn grad_cam_is_the_weighted_sum_of_channels() {
    // Two channels of 1x2 cells, by hand: α = (0.5, -1), so Σ α A = (0.5 − 4, 1 + 3) and the first is cut off.
    let activation = Tensor::new(&[[[[1.0, 2.0]], [[4.0, -3.0]]]], &Device::Cpu).unwrap();
    let gradient = Tensor::new(&[[[[0.0, 1.0]], [[-3.0, 1.0]]]], &Device::Cpu).unwrap();
    assert_eq!(values(&grad_cam::cells(&activation, &gradient).unwrap()), [0.0, 4.0]);
    assert!(values(&map("grad_cam", &[], bent)).iter().all(|value| *value >= 0.0));
}
