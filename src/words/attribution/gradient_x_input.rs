//! The gradient at the photo, times the photo.

use candle_core::{Result, Tensor};

use super::{SMOOTH, less, mean_gradient, plain};
use crate::spec::{Args, Kind, Moment, Spec};
use crate::words::{Asked, Attribution, Scorer};

pub(super) struct GradientXInput;

static SPEC: Spec = Spec {
    kind: Kind::Attribution,
    name: "gradient_x_input",
    aliases: &["input_x_gradient", "gradient_times_input", "grad_x_input", "saliency_x_input"],
    summary: "how the objective answers to each pixel, times the pixel",
    doc: "x · ∂f/∂x, summed over the colours, where x is what the network sees of the photo, its mean taken away. Red speaks for the objective, blue against it.\n\nOne look at the network, so the fastest of all; for a linear model it is `integrated_gradients` itself. Where the network is far from linear, behind a softmax above all, the gradient at the photo says little of the way there.",
    source: "Shrikumar, Greenside, Shcherbina, Kundaje 2016, Not Just a Black Box (arXiv 1605.01713); Captum InputXGradient",
    params: &[SMOOTH],
    positional: 0,
    block: false,
    example: "attribute class(\"hen\") on image(\"photo.jpg\") as gradient_x_input",
};

impl Attribution for GradientXInput {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn smooth(&self, args: &Args, at: &Moment) -> f64 {
        args.number("smooth", at)
    }

    fn is_signed(&self) -> bool {
        true
    }

    fn passes(&self, _: &Args, _: (usize, usize)) -> usize {
        1
    }

    fn map(&self, asked: &Asked, _: &Args, _: &Moment, scorer: &mut dyn Scorer) -> Result<Tensor> {
        let gradient = mean_gradient(1, |_| Ok(asked.photo.clone()), scorer)?;
        (gradient * less(asked.photo, &plain(asked, None)?)?)?.sum(0)
    }
}
