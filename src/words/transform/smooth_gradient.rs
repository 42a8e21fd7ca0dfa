//! Smoothing the gradient that comes back, and nothing else.

use candle_core::{Result, Tensor};

use super::gaussian_blur::{blurred, is_too_narrow};
use super::is_always;
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::Transform;

pub(super) struct SmoothGradient;

static SPEC: Spec = Spec {
    kind: Kind::Transform,
    name: "smooth_gradient",
    aliases: &["gradient_smoothing", "gradient_blur", "cascade_gaussian", "blur_gradient"],
    summary: "smooths the gradient on its way back",
    doc: "The network sees the picture as it is; what comes back through this place is blurred by a Gaussian of deviation sigma, cut off at 3 sigma and mirrored at the rim, so grain is never drawn rather than blurred away later. With `cascade = on` it is the mean of three, of sigma/2, sigma and 2 sigma: fine detail stays, large forms win. A tween such as `4 -> 0.5` goes from forms to detail.\n\nAs the first transform it smooths the gradient of the picture itself, as the last one that of what the network saw. Penalties' gradients are left alone.",
    source: "gordicaleksa, pytorch-deepdream, utils/utils.py, CascadeGaussianSmoothing; Øygard 2015, Visualizing GoogLeNet Classes",
    params: &[
        Param::new(
            "sigma",
            Type::Number { unit: Unit::None, min: 0.0, max: 100.0 },
            Presence::Required,
            "The deviation in pixels; 0 does nothing.",
        )
        .drawn()
        .animated()
        .alias(&["sd", "std", "radius", "size", "smoothing_coefficient"]),
        Param::new(
            "cascade",
            Type::Switch,
            Presence::Default("off"),
            "Whether it is the mean of three Gaussians, of half, once and twice the deviation.",
        ),
    ],
    positional: 1,
    block: false,
    example: "transform { smooth_gradient(2 -> 0.5) }",
};

impl Transform for SmoothGradient {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn apply(&self, picture: &Tensor, args: &Args, at: &Moment) -> Result<Tensor> {
        let sigma = args.number("sigma", at);
        let sigmas = if args.switch("cascade") { vec![sigma / 2.0, sigma, 2.0 * sigma] } else { vec![sigma] };
        if sigmas.iter().all(|&sigma| is_too_narrow(sigma)) {
            return Ok(picture.clone());
        }
        // What is blurred is zero, but not its gradient.
        let still = picture.detach();
        let nothing = (picture - &still)?;
        let mut sum = still;
        for &sigma in &sigmas {
            sum = (sum + (blurred(&nothing, sigma)? / sigmas.len() as f64)?)?;
        }
        Ok(sum)
    }

    fn is_identity(&self, args: &Args) -> bool {
        is_always(args, "sigma", 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{assert_close, assert_same, gradient, random};
    use crate::spec::{Arg, Dial};

    fn smoothed(sigma: f64, cascade: bool, grad: &Tensor) -> Tensor {
        let args = Args::new().with("sigma", Arg::Number(Dial::Constant(sigma))).with("cascade", Arg::Switch(cascade));
        let at = Moment::still(Kind::Transform, "smooth_gradient");
        let x = random(grad.dims(), 1);
        assert_same(&SmoothGradient.apply(&x, &args, &at).unwrap(), &x);
        gradient(|x| SmoothGradient.apply(x, &args, &at), &x, grad)
    }

    #[test]
    fn the_network_sees_the_same_and_only_the_gradient_is_blurred() {
        let grad = random(&[2, 3, 12, 9], 2);
        let blurred = |sigma| gradient(|x| blurred(x, sigma), &grad.zeros_like().unwrap(), &grad);
        assert_close(&smoothed(1.5, false, &grad), &blurred(1.5), 1e-14);
        let mean = (((blurred(0.75) + blurred(1.5)).unwrap() + blurred(3.0)).unwrap() / 3.0).unwrap();
        assert_close(&smoothed(1.5, true, &grad), &mean, 1e-14);
        assert_same(&smoothed(0.0, true, &grad), &grad);
    }
}
