//! A network as named nodes.
//!
//! Nodes bear the names that torchvision's `create_feature_extractor` gives them, in the same order, so what is read
//! here under a name is what people read there: `layer3.1.conv2` is a convolution's output before its batch norm,
//! `layer3.1.relu_1` the second use of the block's one ReLU. A graph knows shapes of weights, not weights.

use crate::ops::Window;

/// The place of a node in its graph.
pub type NodeId = usize;

/// What a node does with its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// The picture, `[N, C, H, W]`, as the network sees it: preprocessed.
    Input,
    /// Convolution; `weight` is `[channels, inputs, kernel, kernel]`.
    Convolution {
        /// The window.
        window: Window,
        /// Whether it has a `bias` of `[channels]`.
        bias: bool,
    },
    /// Batch norm at inference: `(x − running_mean) / √(running_var + 1e-5) · weight + bias`, a channel each.
    BatchNorm,
    /// max(x, 0)
    Relu,
    /// The greatest of each window; padding never is.
    MaxPool(Window),
    /// Mean over all positions, `[N, C, 1, 1]`.
    AveragePool,
    /// `[N, C, 1, 1]` → `[N, C]`.
    Flatten,
    /// Matrix product; `weight` is `[channels, inputs]`, `bias` `[channels]`.
    Linear,
    /// Sum of its two inputs.
    Add,
    /// Mean over all positions, `[N, C]`.
    Mean,
    /// Log-sum-exp over all positions minus the log of their number, `[N, C]`: between the mean and the maximum.
    LogMeanExp,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// torchvision's name.
    pub name: String,
    /// What it does.
    pub op: Op,
    /// Its inputs, all before it.
    pub inputs: Vec<NodeId>,
    /// Channels of its output.
    pub channels: usize,
}

/// Nodes in the order of evaluation: the picture first, the logits last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    nodes: Vec<Node>,
}

/// A tensor of weights that a graph needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in files of weights: the node's name and `.weight`, `.bias`, `.running_mean` or `.running_var`.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
}

impl Graph {
    /// A graph of nothing but the picture, named `x` as in torchvision.
    pub fn new(channels: usize) -> Self {
        Self { nodes: vec![Node { name: "x".into(), op: Op::Input, inputs: vec![], channels }] }
    }

    /// Adds a node and returns its place. `channels` matters for convolutions and linear nodes only; all others give
    /// as many as their first input has.
    pub(crate) fn add(&mut self, name: impl Into<String>, op: Op, inputs: &[NodeId], channels: usize) -> NodeId {
        let channels = match op {
            Op::Convolution { .. } | Op::Linear => channels,
            _ => inputs.first().and_then(|&input| self.nodes.get(input)).map_or(channels, |node| node.channels),
        };
        self.nodes.push(Node { name: name.into(), op, inputs: inputs.to_vec(), channels });
        self.nodes.len() - 1
    }

    /// All nodes.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The last node: the logits.
    pub fn output(&self) -> &Node {
        // `new` made the first and nothing removes one.
        &self.nodes[self.nodes.len() - 1]
    }

    /// The node of that name; of a module's path (`layer3.1`, `layer3`) its last node, which is its output.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        let inside = |node: &Node| node.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        self.nodes.iter().position(|node| node.name == name).or_else(|| self.nodes.iter().rposition(inside))
    }

    /// Every name that [`Graph::find`] knows, nodes and modules, each once, in order of evaluation: for suggestions.
    pub fn names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for node in &self.nodes {
            let ends = node.name.match_indices('.').map(|(end, _)| end).chain([node.name.len()]);
            names.extend(
                ends.filter_map(|end| node.name.get(..end)).filter(|name| !names.contains(name)).collect::<Vec<_>>(),
            );
        }
        names
    }

    /// Which nodes must be computed so that these can be read.
    pub fn needed(&self, reads: &[NodeId]) -> Vec<bool> {
        let mut needed: Vec<bool> = (0..self.nodes.len()).map(|id| reads.contains(&id)).collect();
        for (id, node) in self.nodes.iter().enumerate().rev() {
            if needed[id] {
                node.inputs.iter().for_each(|&input| needed[input] = true);
            }
        }
        needed
    }

    /// The tensors of weights of all nodes, in order of evaluation.
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut parameters = Vec::new();
        for node in &self.nodes {
            let inputs = node.inputs.first().map_or(0, |&input| self.nodes[input].channels);
            let mut parameter = |part: &str, shape: &[usize]| {
                parameters.push(Parameter { name: format!("{}.{part}", node.name), shape: shape.to_vec() });
            };
            let each = [node.channels];
            match node.op {
                Op::Convolution { window, bias } => {
                    parameter("weight", &[node.channels, inputs, window.kernel, window.kernel]);
                    if bias {
                        parameter("bias", &each);
                    }
                }
                Op::BatchNorm => {
                    ["weight", "bias", "running_mean", "running_var"]
                        .into_iter()
                        .for_each(|part| parameter(part, &each));
                }
                Op::Linear => {
                    parameter("weight", &[node.channels, inputs]);
                    parameter("bias", &each);
                }
                _ => {}
            }
        }
        parameters
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nets::resnet;

    fn found<'a>(graph: &'a Graph, name: &str) -> Option<&'a str> {
        graph.find(name).map(|id| graph.nodes()[id].name.as_str())
    }

    #[test]
    fn a_module_is_its_last_node() {
        let graph = resnet::graph(18, 3, 1000);
        assert_eq!(found(&graph, "layer3.1.conv2"), Some("layer3.1.conv2"));
        assert_eq!(found(&graph, "layer3.1"), Some("layer3.1.relu_1"));
        assert_eq!(found(&graph, "layer3"), Some("layer3.1.relu_1"));
        assert_eq!(found(&graph, "layer2.0.downsample"), Some("layer2.0.downsample.1"));
        assert_eq!(found(&graph, "fc"), Some("fc"));
        for wrong in ["", "layer", "layer3.", "layer3.1.conv", "Layer3", "fc.", "."] {
            assert_eq!(found(&graph, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn names_hold_modules_and_nodes() {
        let graph = resnet::graph(18, 3, 1000);
        let names = graph.names();
        assert!(
            ["x", "layer1", "layer1.0", "layer1.0.relu_1", "layer2.0.downsample", "fc"]
                .iter()
                .all(|n| names.contains(n))
        );
        assert!(names.iter().all(|name| graph.find(name).is_some()));
    }

    #[test]
    fn only_what_leads_to_a_read_node_is_needed() {
        let graph = resnet::graph(18, 3, 1000);
        let id = |name| graph.find(name).unwrap();
        let needed = graph.needed(&[id("layer2.0.conv2")]);
        let names = ["conv1", "layer1", "layer2.0.relu", "layer2.0.conv2"];
        assert!(names.iter().all(|name| needed[id(name)]));
        assert!(["layer2.0.bn2", "layer2.0.downsample.0", "layer2.0.add", "fc"].iter().all(|name| !needed[id(name)]));
        assert!(graph.needed(&[]).iter().all(|needed| !needed));
    }
}
