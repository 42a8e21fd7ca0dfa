//! From a graph and its weights to the operations that compute the nodes that are read.
//!
//! Only what leads to a read node is prepared. A batch norm becomes part of its convolution where neither is read:
//! with s = weight / √(running_var + 1e-5), the convolution's weights are multiplied by s and its bias becomes
//! bias − running_mean · s. This is done in f64, so what is lost is one rounding to f32.

use super::graph::{Graph, Node, NodeId, Op};
use super::import::{ImportError, Weights};
use crate::ops::{Convolution, Linear, ScaleShift, Window};

/// PyTorch's `eps` of batch norm, which torchvision's networks keep.
const EPSILON: f64 = 1e-5;

/// An operation with its weights.
pub enum Ready {
    /// A convolution, perhaps with the batch norm behind it.
    Convolution(Convolution),
    /// A batch norm by itself.
    ScaleShift(ScaleShift),
    /// A matrix product.
    Linear(Linear),
    /// ReLU, with the node's name for the record of redirections.
    Relu(String),
    /// As in [`Op::MaxPool`].
    MaxPool(Window),
    /// As in [`Op::AveragePool`].
    AveragePool,
    /// As in [`Op::Flatten`].
    Flatten,
    /// As in [`Op::Add`].
    Add,
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

/// Prepares what leads to these nodes, in order of evaluation. The weights must have been compared with the graph.
pub fn prepare(graph: &Graph, weights: &Weights, reads: &[NodeId]) -> Result<Vec<Step>, ImportError> {
    let needed = graph.needed(reads);
    let nodes = graph.nodes();
    let needed_nodes = || nodes.iter().enumerate().filter(|&(id, _)| needed[id]);
    let readers = |id: NodeId| needed_nodes().flat_map(|(_, node)| &node.inputs).filter(|&&input| input == id).count();
    // The convolution that a batch norm is folded into.
    let folded = |id: NodeId, node: &Node| match (node.op, node.inputs.as_slice()) {
        (Op::BatchNorm, &[input]) => {
            let convolution = matches!(nodes[input].op, Op::Convolution { .. });
            let read = reads.contains(&id) || reads.contains(&input);
            (convolution && !read && readers(input) == 1).then_some(input)
        }
        _ => None,
    };
    let swallowed: Vec<NodeId> = needed_nodes().filter_map(|(id, node)| folded(id, node)).collect();
    let mut steps = Vec::new();
    for (id, node) in needed_nodes().filter(|(id, _)| !swallowed.contains(id)) {
        let (ready, inputs) = match (node.op, folded(id, node)) {
            (Op::Input, _) => continue,
            (_, Some(input)) => (convolution(graph, weights, input, Some(node))?, nodes[input].inputs.clone()),
            (Op::Convolution { .. }, _) => (convolution(graph, weights, id, None)?, node.inputs.clone()),
            (Op::BatchNorm, _) => {
                let (scale, shift) = norm(weights, node)?;
                (Ready::ScaleShift(ScaleShift::new(scale, shift).map_err(wrong)?), node.inputs.clone())
            }
            (Op::Linear, _) => (linear(graph, weights, node)?, node.inputs.clone()),
            (Op::Relu, _) => (Ready::Relu(node.name.clone()), node.inputs.clone()),
            (Op::MaxPool(window), _) => (Ready::MaxPool(window), node.inputs.clone()),
            (Op::AveragePool, _) => (Ready::AveragePool, node.inputs.clone()),
            (Op::Flatten, _) => (Ready::Flatten, node.inputs.clone()),
            (Op::Add, _) => (Ready::Add, node.inputs.clone()),
            (Op::Mean, _) => (Ready::Mean, node.inputs.clone()),
            (Op::LogMeanExp, _) => (Ready::LogMeanExp, node.inputs.clone()),
        };
        steps.push(Step { ready, inputs, node: id, free: vec![] });
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

/// The factor and the addend of each channel of a batch norm.
fn norm(weights: &Weights, node: &Node) -> Result<(Vec<f64>, Vec<f64>), ImportError> {
    let part = |name| tensor(weights, node, name).iter().map(|&x| f64::from(x));
    if part("running_var").any(|variance| variance + EPSILON <= 0.0) {
        return Err(ImportError::Damaged(format!("`{}.running_var` holds a negative variance", node.name)));
    }
    let scale: Vec<f64> = part("weight").zip(part("running_var")).map(|(w, var)| w / (var + EPSILON).sqrt()).collect();
    let shift =
        part("bias").zip(part("running_mean")).zip(&scale).map(|((bias, mean), scale)| bias - mean * scale).collect();
    Ok((scale, shift))
}

fn convolution(graph: &Graph, weights: &Weights, id: NodeId, fold: Option<&Node>) -> Result<Ready, ImportError> {
    let node = &graph.nodes()[id];
    let Op::Convolution { window, .. } = node.op else {
        return Err(ImportError::Damaged(format!("`{}` is no convolution", node.name)));
    };
    let mut kernels = tensor(weights, node, "weight").to_vec();
    let mut bias = tensor(weights, node, "bias").to_vec();
    if let Some(fold) = fold {
        let (scale, shift) = norm(weights, fold)?;
        let each = (kernels.len() / node.channels.max(1)).max(1);
        for (kernel, scale) in kernels.chunks_mut(each).zip(&scale) {
            kernel.iter_mut().for_each(|w| *w = (f64::from(*w) * scale) as f32);
        }
        let old = bias.iter().map(|&b| f64::from(b)).chain(std::iter::repeat(0.0));
        bias = shift.iter().zip(&scale).zip(old).map(|((shift, scale), old)| (shift + old * scale) as f32).collect();
    }
    let inputs = node.inputs.first().map_or(0, |&input| graph.nodes()[input].channels);
    Convolution::new(window, inputs, node.channels, kernels, bias).map(Ready::Convolution).map_err(wrong)
}

fn linear(graph: &Graph, weights: &Weights, node: &Node) -> Result<Ready, ImportError> {
    let inputs = node.inputs.first().map_or(0, |&input| graph.nodes()[input].channels);
    let (weight, bias) = (tensor(weights, node, "weight").to_vec(), tensor(weights, node, "bias").to_vec());
    Linear::new(inputs, node.channels, weight, bias).map(Ready::Linear).map_err(wrong)
}
