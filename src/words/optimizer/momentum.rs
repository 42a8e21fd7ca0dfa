//! Descent that keeps going.

use candle_core::{Result, Tensor};

use super::{AVERAGE, NORMALIZE, WARMUP, lr, normalized, rate};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::{Moments, Optimizer};

pub(super) struct Momentum;

static SPEC: Spec = Spec {
    kind: Kind::Optimizer,
    name: "momentum",
    aliases: &["heavy_ball", "sgd_momentum"],
    summary: "a step along the running sum of the gradients",
    doc: "b ← momentum · b + g; p ← p − lr · b.\n\nSteps in one direction add up to 1 / (1 − momentum) times their length (ten times at 0.9), so start with a tenth of the rate of `sgd`. What the drawn transforms change from step to step cancels out: forms are steadier, and a blur has more to undo.",
    source: "torch.optim.SGD(momentum), dampening 0; Polyak 1964",
    params: &[
        lr(Presence::Required),
        Param::new(
            "momentum",
            Type::Number { unit: Unit::None, min: 0.0, max: 0.999_999 },
            Presence::Default("0.9"),
            "How much of the running sum is kept each step.",
        )
        .animated(),
        WARMUP,
        AVERAGE,
        NORMALIZE,
    ],
    positional: 1,
    block: false,
    example: "optimize momentum(lr = 0.15) for 200 steps",
};

impl Optimizer for Momentum {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn step(
        &self,
        params: &Tensor,
        gradient: &Tensor,
        moments: &mut Moments,
        args: &Args,
        at: &Moment,
    ) -> Result<Tensor> {
        let gradient = normalized(gradient, args)?;
        let sum = match moments.slots.first() {
            Some(sum) => ((sum * args.number("momentum", at))? + gradient)?,
            None => gradient,
        };
        let next = (params.detach() - (&sum * rate(args, at))?)?;
        moments.slots = vec![sum];
        Ok(next)
    }
}
