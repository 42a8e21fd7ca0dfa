//! A channel at one place.

use candle_core::{Result, Tensor};

use super::{NODE, UNITS, units};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type};
use crate::words::{Objective, Other};

pub(super) struct Neuron;

static SPEC: Spec = Spec {
    kind: Kind::Objective,
    name: "neuron",
    aliases: &["unit", "cell"],
    summary: "a channel of a layer at one place",
    doc: "the activation of the channel at that place, as it is; mean over views and over the channels of a list. At a node without positions (`fc`, `avgpool`) it is the unit itself and `at` has no meaning.\n\nOnly the part of the picture that the place sees (its receptive field) moves. Transforms that move the picture move it under the neuron too, so the form spreads; without them it stays small and sharp.",
    source: "Erhan et al. 2009; Olah, Mordvintsev, Schubert 2017, Feature Visualization (Distill); lucid objectives.neuron",
    params: &[
        NODE,
        UNITS,
        Param::new(
            "at",
            Type::Point,
            Presence::Default("center"),
            "The place, `(x, y)`, in cells of the layer from 0 at the top left, or in `%` of its size; `center` is size div 2.",
        ).alias(&["position", "pos", "xy", "place"]),
    ],
    positional: 2,
    block: false,
    example: "maximize neuron(layer3.1.conv2, 12, at = (7, 7))",
};

impl Objective for Neuron {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn value(&self, tap: &Tensor, _: &[Other], args: &Args, _: &Moment) -> Result<Tensor> {
        let chosen = units(tap, args.units("units"))?;
        let [_, _, height, width] = *chosen.dims() else { return chosen.mean_all() };
        let at = args.point("at");
        chosen.narrow(2, at.y.cell(height), 1)?.narrow(3, at.x.cell(width), 1)?.mean_all()
    }
}
