//! Squares.

use candle_core::{Result, Tensor};

use super::{AROUND, WEIGHT};
use crate::ops::{add_squares_gradient, squares};
use crate::spec::{Args, Kind, Moment, Spec};
use crate::words::{Penalty, Pull};

pub(super) struct L2;

static SPEC: Spec = Spec {
    kind: Kind::Penalty,
    name: "l2",
    aliases: &["weight_decay", "l2_norm", "mse", "ridge"],
    summary: "pulls every pixel to gray, the more the farther it is",
    doc: "weight · Σ (v − around)², summed over pixels and channels of the canvas.\n\nIts gradient is 2 · weight · (v − around): each step of `sgd(lr)` shrinks the deviation by the factor 1 − 2 · lr · weight, whatever the size of the canvas; lr · weight must stay below 1. It takes away what the network doesn't care for and limits the contrast. It doesn't care for forms: use it with a blur.",
    source: "Simonyan, Vedaldi, Zisserman 2013, equation 1 (about zero); the guide: 0.05 about 0.5",
    params: &[WEIGHT, AROUND],
    positional: 1,
    block: false,
    example: "regularize l2(0.05, around = 0.5)",
};

impl Penalty for L2 {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn value(&self, picture: &Tensor, args: &Args, at: &Moment) -> Result<Tensor> {
        squares(picture, args.number("around", at))? * args.number("weight", at)
    }

    fn pull<'a>(&self, picture: &'a Tensor, args: &Args, at: &Moment) -> Option<Pull<'a>> {
        let (around, weight) = (args.number("around", at), args.number("weight", at));
        Some(Box::new(move |gradient| {
            let value = (squares(picture, around)? * weight)?;
            Ok((value, add_squares_gradient(gradient, picture, around, weight)?))
        }))
    }
}
