//! How the picture moves along its gradient. Formulas and defaults are torch's.

mod adam;
mod momentum;
mod sgd;

use candle_core::{DType, Result, Tensor};

use super::Optimizer;
use crate::spec::{Args, Param, Presence, Type, Unit};

/// All optimizers.
pub static OPTIMIZERS: &[&dyn Optimizer] = &[&sgd::Sgd, &momentum::Momentum, &adam::Adam];

/// The learning rate, with its default.
const fn lr(presence: Presence) -> Param {
    Param::new(
        "lr",
        Type::Number { unit: Unit::None, min: 0.0, max: 1e6 },
        presence,
        "Learning rate: how far a step goes. A cosine to a small value at the end takes the grain away.",
    )
    .animated()
    .alias(&["learning_rate", "rate", "step", "step_size"])
}

const NORMALIZE: Param = Param::new(
    "normalize",
    Type::Choice(&["off", "l2", "mean_abs", "std"]),
    Presence::Default("off"),
    "By what the gradient is divided first, over all its values: its length √Σg² (`l2`), mean |g| (`mean_abs`: the original DeepDream) or its deviation, n − 1 in the divisor (`std`: pytorch-deepdream). The step is then as long for a faint unit as for a strong one. A gradient of nothing but zeros stays zero.",
).alias(&["normalise", "normalization", "norm", "grad_norm"]);

/// Gradients whose size is below this are taken as zero: nothing sensible can be divided by it in f32.
const NOTHING: f64 = 1e-30;

/// The gradient, divided as the recipe asks. All sums run in f64 and in one order.
fn normalized(gradient: &Tensor, args: &Args) -> Result<Tensor> {
    let gradient = gradient.detach();
    if args.choice("normalize") == "off" {
        return Ok(gradient);
    }
    let wide = gradient.to_dtype(DType::F64)?;
    let count = wide.elem_count() as f64;
    let sum = |t: Tensor| t.sum_all()?.to_scalar::<f64>();
    let size = match args.choice("normalize") {
        "l2" => sum(wide.sqr()?)?.sqrt(),
        "mean_abs" => sum(wide.abs()?)? / count,
        "std" => {
            let mean = sum(wide.clone())? / count;
            (sum(wide.affine(1.0, -mean)?.sqr()?)? / (count - 1.0).max(1.0)).sqrt()
        }
        _ => return Ok(gradient),
    };
    if size < NOTHING { gradient.zeros_like() } else { gradient / size }
}
