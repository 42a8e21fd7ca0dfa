//! A direction in the space of a layer's channels.

use candle_core::{Result, Tensor};

use super::{COSINE, NODE, UNITS, dot_cosine};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type};
use crate::words::{Objective, Other};

pub(super) struct Direction;

static SPEC: Spec = Spec {
    kind: Kind::Objective,
    name: "direction",
    aliases: &["vector", "direction_neuron", "probe", "concept", "cav"],
    summary: "a direction in the space of a layer's channels",
    doc: "mean over positions (or at one, with `at`) of v·a · max(0.1, cos(v, a))^cosine, with a the activations of all channels at the position and v the direction: `weights` on `units`, 0 on all other channels.\n\nNetworks keep much in directions rather than in single channels: of a linear probe or of a difference of means take the weights. Without the cosine, what answers to the direction may do so by being strong in everything; with `cosine = 1` or 2 it must point there. The cosine counts as 0.1 at least, so that activations that point away still get a gradient.",
    source: "Olah et al. 2018, The Building Blocks of Interpretability; lucid objectives.direction, objectives_util._dot_cossim (power 0, floor 0.1); Carter et al. 2019, Activation Atlas (power 2)",
    params: &[
        NODE,
        UNITS,
        Param::new(
            "weights",
            Type::Numbers(0),
            Presence::Optional("1 for each unit"),
            "The direction's numbers, one for each of `units`.",
        )
        .alias(&["vector", "direction", "values"]),
        Param::new(
            "at",
            Type::Point,
            Presence::Optional("everywhere: the mean over positions"),
            "The place, `(x, y)`, in cells of the layer from 0 at the top left, or in `%` of its size; `center` is size div 2.",
        )
        .alias(&["position", "pos", "xy", "place"]),
        COSINE,
    ],
    positional: 2,
    block: false,
    example: "maximize direction(layer3, [12, 40, 97], weights = [1, 0.5, -0.8], cosine = 1)",
};

impl Objective for Direction {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn contradiction(&self, args: &Args) -> Option<(&'static str, String)> {
        let (units, weights) = (args.units("units").len(), args.numbers("weights")?.len());
        (units != weights).then(|| ("weights", format!("{units} units have {weights} weights")))
    }

    fn value(&self, tap: &Tensor, _: &[Other], args: &Args, at: &Moment) -> Result<Tensor> {
        let units = args.units("units");
        let weights = args.numbers("weights").unwrap_or(&[]);
        let mut vector = vec![0.0; tap.dim(1)?];
        for (k, unit) in units.iter().enumerate() {
            if let Some(slot) = vector.get_mut(*unit) {
                *slot += weights.get(k).copied().unwrap_or(1.0);
            }
        }
        let tap = match *tap.dims() {
            [_, _, height, width] if args.has_point("at") => {
                let at = args.point("at");
                tap.narrow(2, at.y.cell(height), 1)?.narrow(3, at.x.cell(width), 1)?
            }
            _ => tap.clone(),
        };
        let shape: Vec<usize> = tap.dims().iter().enumerate().map(|(k, n)| if k == 1 { *n } else { 1 }).collect();
        let vector = Tensor::new(vector, tap.device())?.to_dtype(tap.dtype())?.reshape(shape)?;
        let vector = vector.broadcast_as(tap.shape())?.contiguous()?;
        dot_cosine(&tap.contiguous()?, &vector, args.number("cosine", at))
    }
}
