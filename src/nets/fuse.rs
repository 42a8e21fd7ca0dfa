//! From a graph and its weights to the operations that compute the nodes that are read.
//!
//! Only what leads to a read node is prepared. A batch norm becomes part of its convolution where neither is read:
//! with s = weight / √(running_var + epsilon), the convolution's weights are multiplied by s and its bias becomes
//! bias − running_mean · s. This is done in f64, so what is lost is one rounding to f32. Nobody reads through a dropout.

use std::borrow::Cow;

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use super::graph::{Graph, Node, NodeId, Op};
use super::import::{ImportError, Weights};
use crate::ops::{Convolution, Linear, Parts, Rectifier, ScaleShift, Window};

/// An operation with its weights.
pub enum Ready {
    /// A convolution, perhaps with the batch norm behind it.
    Convolution(Convolution),
    /// A batch norm by itself.
    ScaleShift(ScaleShift),
    /// A matrix product.
    Linear(Linear),
    /// As in [`Op::Relu`], with the node's name for the record of redirections.
    Relu(Rectifier, String),
    /// As in [`Op::MaxPool`].
    MaxPool(Window),
    /// As in [`Op::MeanPool`].
    MeanPool(Parts),
    /// As in [`Op::Flatten`].
    Flatten,
    /// As in [`Op::Add`].
    Add,
    /// As in [`Op::Concat`].
    Concat,
    /// As in [`Op::Dropout`].
    Dropout,
    /// As in [`Op::Mean`].
    Mean,
    /// As in [`Op::LogMeanExp`].
    LogMeanExp,
}

/// An operation, where its inputs come from and where its result goes.
pub struct Step {
    /// What to do.
    pub ready: Ready,
    /// Nodes whose tensors it takes.
    pub inputs: Vec<NodeId>,
    /// The node whose tensor it makes.
    pub node: NodeId,
    /// Nodes whose tensors nobody needs after it.
    pub free: Vec<NodeId>,
}

/// Prepares what leads to these nodes, in order of evaluation. The weights must have been compared with the graph; of
/// owned ones what layers need is taken out.
pub fn prepare(graph: &Graph, weights: &mut Cow<'_, Weights>, reads: &[NodeId]) -> Result<Vec<Step>, ImportError> {
    let needed = graph.needed(reads);
    let nodes = graph.nodes();
    let needed_nodes = || nodes.iter().enumerate().filter(|&(id, _)| needed[id]);
    let readers = |id: NodeId| needed_nodes().flat_map(|(_, node)| &node.inputs).filter(|&&input| input == id).count();
    // The convolution that a batch norm is folded into.
    let folded = |id: NodeId, node: &Node| match (node.op, node.inputs.as_slice()) {
        (Op::BatchNorm { .. }, &[input]) => {
            let convolution = matches!(nodes[input].op, Op::Convolution { .. });
            let read = reads.contains(&id) || reads.contains(&input);
            (convolution && !read && readers(input) == 1).then_some(input)
        }
        _ => None,
    };
    let swallowed: Vec<NodeId> = needed_nodes().filter_map(|(id, node)| folded(id, node)).collect();
    let through = |mut id: NodeId| {
        while let (Op::Dropout, &[input]) = (nodes[id].op, nodes[id].inputs.as_slice()) {
            id = input;
        }
        id
    };
    let mut steps = Vec::new();
    for (id, node) in needed_nodes().filter(|(id, _)| !swallowed.contains(id)) {
        let swallows = folded(id, node);
        let ready = match (node.op, swallows) {
            (Op::Input, _) => continue,
            (Op::Dropout, _) if !reads.contains(&id) => continue,
            (_, Some(input)) => convolution(graph, weights, input, Some(node))?,
            (Op::Convolution { .. }, _) => convolution(graph, weights, id, None)?,
            (Op::BatchNorm { .. }, _) => {
                let (scale, shift) = norm(weights, node)?;
                Ready::ScaleShift(ScaleShift::new(scale, shift).map_err(wrong)?)
            }
            (Op::Linear, _) => linear(graph, weights, node)?,
            (Op::Relu(kind), _) => Ready::Relu(kind, node.name.clone()),
            (Op::MaxPool(window), _) => Ready::MaxPool(window),
            (Op::MeanPool(parts), _) => Ready::MeanPool(parts),
            (Op::Flatten, _) => Ready::Flatten,
            (Op::Add, _) => Ready::Add,
            (Op::Concat, _) => Ready::Concat,
            (Op::Dropout, _) => Ready::Dropout,
            (Op::Mean, _) => Ready::Mean,
            (Op::LogMeanExp, _) => Ready::LogMeanExp,
        };
        let inputs = swallows.map_or(&node.inputs, |input| &nodes[input].inputs);
        steps.push(Step {
            ready,
            inputs: inputs.iter().map(|&input| through(input)).collect(),
            node: id,
            free: vec![],
        });
    }
    // Freed after the last step that takes them.
    let mut seen = reads.to_vec();
    for step in steps.iter_mut().rev() {
        for &input in &step.inputs {
            if !seen.contains(&input) {
                seen.push(input);
                step.free.push(input);
            }
        }
    }
    Ok(steps)
}

/// What can't happen, as shapes were compared before.
fn wrong(error: candle_core::Error) -> ImportError {
    ImportError::Damaged(error.to_string())
}

fn tensor<'a>(weights: &'a Weights, node: &Node, part: &str) -> &'a [f32] {
    weights.tensors.get(&format!("{}.{part}", node.name)).map_or(&[], |array| array.data.as_slice())
}

/// A tensor of one layer alone.
fn take(weights: &mut Cow<'_, Weights>, node: &Node, part: &str) -> Vec<f32> {
    match weights {
        Cow::Borrowed(weights) => tensor(weights, node, part).to_vec(),
        Cow::Owned(weights) => {
            let array = weights.tensors.get_mut(&format!("{}.{part}", node.name));
            array.map_or(Vec::new(), |array| std::mem::take(&mut array.data))
        }
    }
}

/// The running mean and variance of a batch norm, `[C]` each.
pub fn statistics(weights: &Weights, norm: &Node) -> Result<[Tensor; 2], ImportError> {
    let part = |name| Tensor::new(tensor(weights, norm, name), &Device::Cpu).map_err(wrong);
    Ok([part("running_mean")?, part("running_var")?])
}

/// The factor and the addend of each channel of a batch norm.
fn norm(weights: &Weights, node: &Node) -> Result<(Vec<f64>, Vec<f64>), ImportError> {
    let Op::BatchNorm { epsilon } = node.op else {
        return Err(ImportError::Damaged(format!("`{}` is no batch norm", node.name)));
    };
    let part = |name| tensor(weights, node, name).iter().map(|&x| f64::from(x));
    if part("running_var").any(|variance| variance + epsilon <= 0.0) {
        return Err(ImportError::Damaged(format!("`{}.running_var` holds a negative variance", node.name)));
    }
    let scale: Vec<f64> = part("weight").zip(part("running_var")).map(|(w, var)| w / (var + epsilon).sqrt()).collect();
    let shift =
        part("bias").zip(part("running_mean")).zip(&scale).map(|((bias, mean), scale)| bias - mean * scale).collect();
    Ok((scale, shift))
}

fn convolution(
    graph: &Graph,
    weights: &mut Cow<'_, Weights>,
    id: NodeId,
    fold: Option<&Node>,
) -> Result<Ready, ImportError> {
    let node = &graph.nodes()[id];
    let Op::Convolution { window, groups, .. } = node.op else {
        return Err(ImportError::Damaged(format!("`{}` is no convolution", node.name)));
    };
    let mut kernels = take(weights, node, "weight");
    let mut bias = take(weights, node, "bias");
    if let Some(fold) = fold {
        let (scale, shift) = norm(weights, fold)?;
        let each = (kernels.len() / node.channels.max(1)).max(1);
        kernels.par_chunks_mut(each).zip(&scale).for_each(|(kernel, scale)| {
            kernel.iter_mut().for_each(|w| *w = (f64::from(*w) * scale) as f32);
        });
        let old = bias.iter().map(|&b| f64::from(b)).chain(std::iter::repeat(0.0));
        bias = shift.iter().zip(&scale).zip(old).map(|((shift, scale), old)| (shift + old * scale) as f32).collect();
    }
    let inputs = node.inputs.first().map_or(0, |&input| graph.nodes()[input].channels);
    let channels = [inputs, node.channels];
    Convolution::grouped(window, channels, groups, kernels, bias).map(Ready::Convolution).map_err(wrong)
}

fn linear(graph: &Graph, weights: &mut Cow<'_, Weights>, node: &Node) -> Result<Ready, ImportError> {
    let inputs = node.inputs.first().map_or(0, |&input| graph.nodes()[input].channels);
    let (weight, bias) = (take(weights, node, "weight"), take(weights, node, "bias"));
    Linear::new(inputs, node.channels, weight, bias).map(Ready::Linear).map_err(wrong)
}
