//! A whole layer: DeepDream.

use candle_core::{Result, Tensor};

use super::NODE;
use crate::spec::{Args, Kind, Moment, Spec};
use crate::words::{Objective, Other};

pub(super) struct Layer;

static SPEC: Spec = Spec {
    kind: Kind::Objective,
    name: "layer",
    aliases: &["deepdream", "deep_dream", "dream"],
    summary: "a whole layer: whatever it sees, more of it",
    doc: "mean over all channels and positions (and views) of the square of the activation.\n\nIts gradient is 2a/n: strong activations are strengthened most, so from a photo the network exaggerates what it sees in it. From gray it dwells on whatever the noise happens to excite.",
    source: "Mordvintsev, Olah, Tyka 2015, Inceptionism (DeepDream); lucid objectives.deepdream",
    params: &[NODE],
    positional: 1,
    block: false,
    example: "maximize layer(layer3)",
};

impl Objective for Layer {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn value(&self, tap: &Tensor, _: &[Other], _: &Args, _: &Moment) -> Result<Tensor> {
        tap.sqr()?.mean_all()
    }
}
