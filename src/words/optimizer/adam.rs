//! Descent with a step size for every value.

use candle_core::{Result, Tensor};

use super::{AVERAGE, NORMALIZE, WARMUP, lr, normalized, rate};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::{Moments, Optimizer};

pub(super) struct Adam;

static SPEC: Spec = Spec {
    kind: Kind::Optimizer,
    name: "adam",
    aliases: &["adamw", "nadam", "rmsprop"],
    summary: "a step of about the same length for every value",
    doc: "m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²; at step t, p ← p − lr · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε). Where a β changes over time, 1 − βᵗ is what share of the mean has come in so far.\n\nEach value moves about lr a step however small its gradient, so one rate serves all models and objectives: the safe choice. On pixels the faintest gradients are grain, and they move as fast as the rest.",
    source: "Kingma, Ba 2014; torch.optim.Adam; lr 0.05 as lucid's render_vis",
    params: &[
        lr(Presence::Default("0.05")),
        Param::new(
            "beta1",
            Type::Number { unit: Unit::None, min: 0.0, max: 0.999_999 },
            Presence::Default("0.9"),
            "How much of the running mean of g is kept each step.",
        )
        .animated(),
        Param::new(
            "beta2",
            Type::Number { unit: Unit::None, min: 0.0, max: 0.999_999 },
            Presence::Default("0.999"),
            "How much of the running mean of g² is kept each step.",
        )
        .animated(),
        Param::new(
            "epsilon",
            Type::Number { unit: Unit::None, min: 1e-30, max: 1.0 },
            Presence::Default("1e-8"),
            "What is added to the divisor; values whose gradient is far smaller than it stay.",
        )
        .alias(&["eps"]),
        WARMUP,
        AVERAGE,
        NORMALIZE,
    ],
    positional: 1,
    block: false,
    example: "optimize adam(lr = 0.05) for 256 steps",
};

impl Optimizer for Adam {
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
        let (beta1, beta2) = (args.number("beta1", at), args.number("beta2", at));
        let blend = |old: Option<&Tensor>, new: &Tensor, beta: f64| match old {
            Some(old) => (old * beta)? + (new * (1.0 - beta))?,
            None => new * (1.0 - beta),
        };
        let mean = blend(moments.slots.first(), &gradient, beta1)?;
        let square = blend(moments.slots.get(1), &gradient.sqr()?, beta2)?;
        // 1 − βᵗ where β does not change.
        for (share, beta) in moments.shares.iter_mut().zip([beta1, beta2]) {
            *share = beta * *share + (1.0 - beta);
        }
        let [unbias1, unbias2] = moments.shares;
        let divisor = (square.sqrt()? / unbias2.sqrt())?.affine(1.0, args.number("epsilon", at))?;
        let next = (params.detach() - ((&mean / divisor)? * (rate(args, at) / unbias1))?)?;
        moments.slots = vec![mean, square];
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{assert_close, random};
    use crate::spec::{Arg, Curve, Dial};

    /// A β that changes: the means are those weighted means of all gradients whose weights add up to 1.
    #[test]
    fn means_are_unbiased_while_a_beta_changes() {
        let tween = Dial::Tween(Box::new(Dial::Constant(0.5)), Box::new(Dial::Constant(0.9)), Curve::Linear);
        let number = |value: f64| Arg::Number(Dial::Constant(value));
        let args = Args::new()
            .with("lr", number(0.1))
            .with("beta1", Arg::Number(tween))
            .with("beta2", number(0.0))
            .with("epsilon", number(1e-30))
            .with("normalize", Arg::Choice("off"));
        let (mut params, mut moments) = (random(&[1, 1, 2, 3], 1), Moments::default());
        let (mut sum, mut weight) = (params.zeros_like().unwrap(), 0.0);
        for (iteration, beta) in [0.5, 0.7, 0.9].into_iter().enumerate() {
            let mut at = Moment::still(Kind::Optimizer, "adam");
            (at.iteration, at.progress) = (iteration, iteration as f64 / 2.0);
            let gradient = random(&[1, 1, 2, 3], 5 + iteration as u64);
            sum = ((sum * beta).unwrap() + (&gradient * (1.0 - beta)).unwrap()).unwrap();
            weight = beta * weight + (1.0 - beta);
            let mean = (&sum / weight).unwrap();
            let expected = (&params - ((mean / gradient.abs().unwrap()).unwrap() * 0.1).unwrap()).unwrap();
            params = Adam.step(&params, &gradient, &mut moments, &args, &at).unwrap();
            assert_close(&params, &expected, 1e-12);
        }
    }
}
