//! The gradient, averaged over noisy copies of the photo.

use candle_core::{Result, Tensor};

use super::mean_gradient;
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::{Asked, Attribution, Scorer};

pub(super) struct SmoothGrad;

static SPEC: Spec = Spec {
    kind: Kind::Attribution,
    name: "smoothgrad",
    aliases: &["smooth_grad", "saliency", "vanilla_gradient", "gradient", "noise_tunnel"],
    summary: "where the objective answers to the picture, whatever the direction",
    doc: "|mean of ∂f/∂x over noisy copies of the photo|, summed over the colours. The noise is normal, a number for each pixel and colour, drawn from the seed. No sign: bright is where a change would change the objective most, for better or worse.\n\nThe gradient at the photo alone is mostly grain; what is left of it after small changes of the photo is form. `sd = 0` is that plain gradient (the saliency map of Simonyan, Vedaldi and Zisserman).",
    source: "Smilkov, Thorat, Kim, Viégas, Wattenberg 2017, SmoothGrad: removing noise by adding noise (arXiv 1706.03825); sd 0: Simonyan, Vedaldi, Zisserman 2013, section 3",
    params: &[
        Param::new(
            "samples",
            Type::Integer { unit: Unit::None, min: 1, max: 10_000 },
            Presence::Default("32"),
            "How many noisy copies; the paper sees little change beyond 50.",
        )
        .alias(&["n_samples", "n", "nt_samples"]),
        Param::new(
            "sd",
            Type::Number { unit: Unit::None, min: 0.0, max: 10.0 },
            Presence::Default("0.15"),
            "The noise's standard deviation, of values 0..1; 10 to 20 % are the paper's.",
        )
        .alias(&["stdevs", "sigma", "std", "noise"]),
    ],
    positional: 1,
    block: false,
    example: "attribute class(\"hen\") on image(\"photo.jpg\") as smoothgrad(samples = 32, sd = 0.15)",
};

impl Attribution for SmoothGrad {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn is_signed(&self) -> bool {
        false
    }

    fn passes(&self, args: &Args, _: (usize, usize)) -> usize {
        args.integer("samples").max(1) as usize
    }

    fn map(&self, asked: &Asked, args: &Args, at: &Moment, scorer: &mut dyn Scorer) -> Result<Tensor> {
        let sd = args.number("sd", at);
        let noisy = |sample: usize| {
            if sd == 0.0 {
                return Ok(asked.photo.clone());
            }
            // A sample is a view, so its draws are its own.
            let mut rng = Moment { view: sample, ..at.clone() }.rng("sd");
            let noise: Vec<f64> = (0..asked.photo.elem_count()).map(|_| sd * rng.normal()).collect();
            let noise = Tensor::from_vec(noise, asked.photo.shape(), asked.photo.device())?;
            asked.photo + noise.to_dtype(asked.photo.dtype())?
        };
        mean_gradient(self.passes(args, (0, 0)), noisy, scorer)?.abs()?.sum(0)
    }
}
