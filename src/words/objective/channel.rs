//! A channel everywhere.

use candle_core::{Result, Tensor};

use super::{NODE, UNITS, units};
use crate::spec::{Args, Kind, Moment, Spec};
use crate::words::{Objective, Other};

pub(super) struct Channel;

static SPEC: Spec = Spec {
    kind: Kind::Objective,
    name: "channel",
    aliases: &["feature_map", "filter", "map", "conv"],
    summary: "a channel of a layer, everywhere",
    doc: "mean over the positions of the layer (and over views, and over the channels of a list) of the activation.\n\nThe pattern that the channel answers to comes out all over the picture, which shows textures well. A mean over positions doesn't depend on the size of the canvas. With a node before a ReLU (`layer3.1.bn2`) it can be driven below zero; behind it a silent channel has no gradient, see the model's `redirect`.",
    source: "Olah, Mordvintsev, Schubert 2017, Feature Visualization (Distill), figure \"Different optimization objectives\"; lucid objectives.channel",
    params: &[NODE, UNITS],
    positional: 2,
    block: false,
    example: "maximize channel(layer3.1.conv2, 12)",
};

impl Objective for Channel {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn value(&self, tap: &Tensor, _: &[Other], args: &Args, _: &Moment) -> Result<Tensor> {
        units(tap, args.units("units"))?.mean_all()
    }
}
