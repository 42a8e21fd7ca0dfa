//! The gradient along the way from nothing to the photo.

use candle_core::{Result, Tensor};

use super::{SMOOTH, less, mean_gradient, plain};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::{Asked, Attribution, Scorer};

pub(super) struct IntegratedGradients;

static SPEC: Spec = Spec {
    kind: Kind::Attribution,
    name: "integrated_gradients",
    aliases: &["ig", "integrated_gradient", "intgrad", "path_integrated_gradients"],
    summary: "the photo's share of the objective, pixel by pixel, along the way from an empty picture",
    doc: "(x − b) · mean of ∂f/∂x over the way from the baseline b to the photo x, summed over the colours; the mean is taken at the middles of `steps` equal parts. Red speaks for the objective, blue against it.\n\nThe map is complete: its sum is f(x) − f(b), so it divides up all of what the photo has and the baseline has not. That is its strength and its weakness: pixels that look like the baseline get nothing, whatever they mean, so look at more than one baseline. The gradients of such networks are grain, so pictures show the map smoothed.",
    source: "Sundararajan, Taly, Yan 2017, Axiomatic Attribution for Deep Networks (arXiv 1703.01365), equation 1; Captum IntegratedGradients(method = \"riemann_middle\"). On the choice of a baseline: Sturmfels, Lundberg, Lee 2020, Visualizing the Impact of Feature Attribution Baselines (Distill)",
    params: &[
        Param::new(
            "steps",
            Type::Integer { unit: Unit::None, min: 1, max: 10_000 },
            Presence::Default("50"),
            "How many pictures on the way are looked at. 50 are usual; 200 bring the sum within 1 % where 50 don't.",
        )
        .alias(&["n_steps", "n", "points"]),
        Param::new(
            "baseline",
            Type::Number { unit: Unit::None, min: 0.0, max: 1.0 },
            Presence::Optional("the colour that the network sees as zero: the mean that its preprocessing takes away, a gray; with `input = raw` black"),
            "The gray of the empty picture from which the way starts: 0 black, 0.5 middle gray, 1 white.",
        )
        .alias(&["baselines", "from", "reference"]),
        SMOOTH,
    ],
    positional: 1,
    block: false,
    example: "attribute class(\"hen\") on image(\"photo.jpg\") as integrated_gradients(steps = 50)",
};

impl Attribution for IntegratedGradients {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn smooth(&self, args: &Args, at: &Moment) -> f64 {
        args.number("smooth", at)
    }

    fn is_signed(&self) -> bool {
        true
    }

    fn passes(&self, args: &Args, _: (usize, usize)) -> usize {
        args.integer("steps").max(1) as usize
    }

    fn map(&self, asked: &Asked, args: &Args, at: &Moment, scorer: &mut dyn Scorer) -> Result<Tensor> {
        let baseline = plain(asked, args.optional("baseline", at))?;
        let way = (asked.photo - &baseline)?;
        let steps = self.passes(args, (0, 0));
        let on_the_way = |step: usize| &baseline + (&way * ((step as f64 + 0.5) / steps as f64))?;
        let gradient = mean_gradient(steps, on_the_way, scorer)?;
        (gradient * less(asked.photo, &baseline)?)?.sum(0)
    }
}
