//! Plain descent.

use candle_core::{Result, Tensor};

use super::{AVERAGE, NORMALIZE, WARMUP, lr, normalized, rate};
use crate::ops::add_scaled;
use crate::spec::{Args, Kind, Moment, Presence, Spec};
use crate::words::{Moments, Optimizer};

pub(super) struct Sgd;

static SPEC: Spec = Spec {
    kind: Kind::Optimizer,
    name: "sgd",
    aliases: &["gradient_descent", "gradient_ascent", "ascent", "plain"],
    summary: "a step along the gradient, as long as it is",
    doc: "p ← p − lr · g.\n\nHonest: what matters more to the network moves farther, and a penalty weighs against it as its formula says. But the right rate depends on the model, the objective and the size of the canvas: if nothing happens, raise it tenfold; if all saturates, lower it, or use `normalize`.",
    source: "torch.optim.SGD; the guide: lr 1.5 on the logits of a ResNet18",
    params: &[lr(Presence::Required), WARMUP, AVERAGE, NORMALIZE],
    positional: 1,
    block: false,
    example: "optimize sgd(lr = 1.5) for 200 steps",
};

impl Optimizer for Sgd {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn step(
        &self,
        params: &Tensor,
        gradient: &Tensor,
        _moments: &mut Moments,
        args: &Args,
        at: &Moment,
    ) -> Result<Tensor> {
        add_scaled(params, &normalized(gradient, args)?, -rate(args, at))
    }
}
