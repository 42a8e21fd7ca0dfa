//! What is maximized or minimized.

mod channel;
mod class;
mod layer;
mod neuron;

use candle_core::{Result, Tensor};

use super::Objective;
use crate::spec::{Param, Presence, Type, UnitsOf};

/// All objectives.
pub static OBJECTIVES: &[&dyn Objective] = &[&class::Class, &neuron::Neuron, &channel::Channel, &layer::Layer];

const NODE: Param = Param::new(
    "node",
    Type::Node,
    Presence::Required,
    "A node of the network, by torchvision's name: `layer3.1.conv2`; a module's path is its output. `fviz layers MODEL` lists them.",
).alias(&["layer", "module"]);
const UNITS: Param = Param::new(
    "units",
    Type::Units(UnitsOf::Channel),
    Presence::Required,
    "The index of a channel, from 0, or a list: the mean of them is taken.",
)
.alias(&["unit", "channel", "channels", "index", "n"]);

/// `[views, C, …]` → the same with only these channels, in this order.
fn units(tap: &Tensor, units: &[usize]) -> Result<Tensor> {
    let indices: Vec<u32> = units.iter().map(|&unit| unit as u32).collect();
    tap.index_select(&Tensor::new(indices, tap.device())?, 1)
}
