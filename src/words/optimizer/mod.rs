//! How the picture moves along its gradient. Formulas and defaults are torch's.

mod adam;
mod momentum;
mod sgd;

use candle_core::{DType, Result, Tensor};

use super::Optimizer;
use crate::spec::{Args, Moment, Param, Presence, Type, Unit};

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

const WARMUP: Param = Param::new(
    "warmup",
    Type::Integer { unit: Unit::Steps, min: 0, max: 1_000_000 },
    Presence::Default("0 steps"),
    "n: in iteration i < n the learning rate is multiplied by (i + 1)/n, whatever else its tween says. Keeps the first steps, whose gradients are mostly chance, from deciding the picture.",
)
.alias(&["warm_up", "warmup_steps"]);

const AVERAGE: Param = Param::new(
    "average",
    Type::Number { unit: Unit::None, min: 0.0, max: 0.999_999 },
    Presence::Default("0"),
    "Files show a running mean of the parameters instead of what the last step left; so does the next stage begin. At the end of iteration i, mean ← b · mean + (1 − b) · p with b = min(average, (i + 1)/(i + 10)), so that the start is soon forgotten. 0.95 smooths what the drawn transforms change from step to step; with a rate that falls to nothing there is little left to smooth. Polyak, Juditsky 1992; the warm-up is TensorFlow's ExponentialMovingAverage.",
)
.alias(&["ema", "polyak", "parameter_averaging", "averaging"]);

/// The running mean of the parameters after a step, where the recipe asks for one.
pub fn averaged(average: Option<&Tensor>, params: &Tensor, args: &Args, at: &Moment) -> Result<Option<Tensor>> {
    let most = args.number("average", at);
    if most == 0.0 {
        return Ok(None);
    }
    let Some(average) = average else { return Ok(Some(params.clone())) };
    let kept = most.min((at.iteration + 1) as f64 / (at.iteration + 10) as f64);
    ((average * kept)? + (params * (1.0 - kept))?).map(Some)
}

/// The learning rate now.
fn rate(args: &Args, at: &Moment) -> f64 {
    let warmup = args.integer("warmup").max(0) as usize;
    let share = if at.iteration < warmup { (at.iteration + 1) as f64 / warmup as f64 } else { 1.0 };
    args.number("lr", at) * share
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
