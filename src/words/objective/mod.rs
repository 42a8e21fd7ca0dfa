//! What is maximized or minimized.

mod alignment;
mod batch_norm;
mod channel;
mod class;
mod direction;
mod diversity;
mod features;
mod layer;
mod neuron;
mod similarity;
mod style;

use candle_core::{Result, Tensor};

use super::Objective;
use crate::spec::{Param, Presence, Type, Unit, UnitsOf};

/// All objectives.
pub static OBJECTIVES: &[&dyn Objective] = &[
    &class::Class,
    &neuron::Neuron,
    &channel::Channel,
    &direction::Direction,
    &layer::Layer,
    &similarity::Similarity,
    &style::Style,
    &features::Features,
    &batch_norm::BatchNorm,
    &diversity::Diversity,
    &alignment::Alignment,
];

/// What every objective takes besides its own parameters.
pub static SHARED: &[Param] = &[Param::new(
    "of",
    Type::Model,
    Presence::Optional("the recipe's only network"),
    "The network that it reads, by the name that `model a = …` gives it; must be given where the recipe has several. Classes, nodes and channels are those of this network.",
)
.alias(&["model", "network", "net"])];

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

const COSINE: Param = Param::new(
    "cosine",
    Type::Number { unit: Unit::None, min: 0.0, max: 8.0 },
    Presence::Default("0"),
    "The power of the cosine by which the dot product is multiplied: 0 lets strength count for direction, 1 or 2 asks for the direction itself.",
)
.animated()
.alias(&["cosine_power", "cossim_pow", "power"]);

/// Least cosine that is counted: without it the product of two negative numbers would win, and what points away would
/// get no gradient (lucid's number).
const LEAST_COSINE: f64 = 0.1;

/// What is added to lengths before they divide (lucid's number).
const EPSILON: f64 = 1e-4;

/// Mean over positions of `a·b · max(0.1, cos(a, b))^power`, vectors over dimension 1; both of one shape.
fn dot_cosine(a: &Tensor, b: &Tensor, power: f64) -> Result<Tensor> {
    let dot = (a * b)?.sum(1)?;
    if power == 0.0 {
        return dot.mean_all();
    }
    // The root of a length of 0 has no slope, so what is added stands under it.
    let length = |x: &Tensor| x.sqr()?.sum(1)?.affine(1.0, EPSILON * EPSILON)?.sqrt();
    let cosine = (&dot / ((length(a)? * length(b)?)? + EPSILON)?)?;
    let least = Tensor::new(LEAST_COSINE, a.device())?.to_dtype(a.dtype())?;
    (dot * cosine.broadcast_maximum(&least)?.powf(power)?)?.mean_all()
}

/// Mean over positions of `a aᵀ`: `[views, C, …]` → `[views, C, C]`.
fn gram(tap: &Tensor) -> Result<Tensor> {
    let rows = rows(tap)?;
    let positions = rows.dim(2)?.max(1) as f64;
    rows.matmul(&rows.transpose(1, 2)?.contiguous()?)? / positions
}

/// `[views, C, …]` → `[views, C, positions]`; without positions there is one.
fn rows(tap: &Tensor) -> Result<Tensor> {
    if tap.rank() > 2 { tap.flatten_from(2) } else { tap.unsqueeze(2) }
}

/// `[views, C, …]` → the same with only these channels, in this order.
fn units(tap: &Tensor, units: &[usize]) -> Result<Tensor> {
    let indices: Vec<u32> = units.iter().map(|&unit| unit as u32).collect();
    tap.index_select(&Tensor::new(indices, tap.device())?, 1)
}
