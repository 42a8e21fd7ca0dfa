//! A network as named nodes.
//!
//! Nodes bear the names that torchvision's `create_feature_extractor` gives them, in the same order, so what is read
//! here under a name is what people read there: `layer3.1.conv2` is a convolution's output before its batch norm,
//! `layer3.1.relu_1` the second use of the block's one ReLU. A graph knows shapes of weights, not weights.

use crate::ops::{Parts, Rectifier, Window};

/// The place of a node in its graph.
pub type NodeId = usize;

/// What a node does with its inputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    /// The picture, `[N, C, H, W]`, as the network sees it: preprocessed.
    Input,
    /// Convolution; `weight` is `[channels, inputs / groups, kernel, kernel]`.
    Convolution {
        /// The window.
        window: Window,
        /// Whether it has a `bias` of `[channels]`.
        bias: bool,
        /// Groups of channels that see nothing of each other.
        groups: usize,
    },
    /// Batch norm at inference: `(x − running_mean) / √(running_var + epsilon) · weight + bias`, a channel each.
    BatchNorm {
        /// Keeps the divisor from 0.
        epsilon: f64,
    },
    /// ReLU or ReLU6.
    Relu(Rectifier),
    /// The greatest of each window; padding never is.
    MaxPool(Window),
    /// The mean of each part of the picture.
    MeanPool(Parts),
    /// `[N, C, H, W]` → `[N, C · H · W]`.
    Flatten,
    /// Matrix product; `weight` is `[channels, inputs]`, `bias` `[channels]`.
    Linear,
    /// Sum of its two inputs: first a block's residual branch, its convolutions, then its shortcut.
    Add,
    /// The channels of its inputs, one after another.
    Concat,
    /// Dropout, which does nothing at inference; a node of its own, as torchvision names it.
    Dropout,
    /// Mean over all positions, `[N, C]`.
    Mean,
    /// Log-sum-exp over all positions minus the log of their number, `[N, C]`: between the mean and the maximum.
    LogMeanExp,
}

impl Op {
    /// PyTorch's own `eps` of batch norm.
    pub const NORM: Self = Self::BatchNorm { epsilon: 1e-5 };

    /// ReLU.
    pub const RELU: Self = Self::Relu(Rectifier::Relu);

    /// Mean over all positions, `[N, C, 1, 1]`.
    pub const GLOBAL_MEAN: Self = Self::MeanPool(Parts::Even(1));

    /// A convolution without a bias, as before a batch norm.
    pub const fn convolution(window: Window) -> Self {
        Self::Convolution { window, bias: false, groups: 1 }
    }

    /// A convolution with a bias.
    pub const fn biased(window: Window) -> Self {
        Self::Convolution { window, bias: true, groups: 1 }
    }

    /// A convolution without a bias whose channels form groups.
    pub const fn grouped(window: Window, groups: usize) -> Self {
        Self::Convolution { window, bias: false, groups }
    }
}

/// One node.
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    nodes: Vec<Node>,
    /// Modules whose weights files have and inference does not need.
    unused: &'static [&'static str],
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
        Self { nodes: vec![Node { name: "x".into(), op: Op::Input, inputs: vec![], channels }], unused: &[] }
    }

    /// Modules whose weights may be in files for nothing: those of training alone.
    pub fn pass_over(&mut self, modules: &'static [&'static str]) {
        self.unused = modules;
    }

    /// Whether a tensor belongs to a module that inference does not need.
    pub fn is_unused(&self, tensor: &str) -> bool {
        let inside = |module: &str| tensor.strip_prefix(module).is_some_and(|rest| rest.starts_with('.'));
        self.unused.iter().any(|module| inside(module))
    }

    /// Adds a node and returns its place. `channels` matters for convolutions, linear nodes and what is flattened; all
    /// others give as many as their inputs have.
    pub(crate) fn add(&mut self, name: impl Into<String>, op: Op, inputs: &[NodeId], channels: usize) -> NodeId {
        let of = |input: &NodeId| self.nodes.get(*input).map_or(0, |node| node.channels);
        let channels = match op {
            Op::Convolution { .. } | Op::Linear | Op::Flatten => channels,
            Op::Concat => inputs.iter().map(of).sum(),
            _ => inputs.first().map_or(channels, of),
        };
        self.nodes.push(Node { name: name.into(), op, inputs: inputs.to_vec(), channels });
        self.nodes.len() - 1
    }

    /// Adds a node of one input that keeps its channels.
    pub(crate) fn then(&mut self, name: impl Into<String>, op: Op, input: NodeId) -> NodeId {
        let channels = self.channels(input);
        self.add(name, op, &[input], channels)
    }

    /// Channels of a node's output.
    pub(crate) fn channels(&self, node: NodeId) -> usize {
        self.nodes.get(node).map_or(0, |node| node.channels)
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

    /// Whether the channels of a node are the classes: the last node, and the map that it pools.
    pub fn is_class_map(&self, id: NodeId) -> bool {
        let mut last = self.nodes.len() - 1;
        while last != id {
            let node = &self.nodes[last];
            let pools = matches!(
                node.op,
                Op::LogMeanExp | Op::Mean | Op::Flatten | Op::MeanPool(Parts::Even(1)) | Op::Relu(_) | Op::Dropout
            );
            match node.inputs.first() {
                Some(&input) if pools => last = input,
                _ => return false,
            }
        }
        true
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
                Op::Convolution { window, bias, groups } => {
                    parameter("weight", &[node.channels, inputs / groups.max(1), window.kernel, window.kernel]);
                    if bias {
                        parameter("bias", &each);
                    }
                }
                Op::BatchNorm { .. } => {
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
    fn the_maps_of_classes_are_found() {
        let maps = |graph: Graph| -> Vec<String> {
            let all = graph.nodes().iter().enumerate().filter(|(id, _)| graph.is_class_map(*id));
            all.map(|(_, node)| node.name.clone()).collect()
        };
        assert_eq!(maps(resnet::graph(18, 3, 1000)), ["fc"]);
        let squeezenet = crate::nets::squeezenet::graph(crate::nets::squeezenet::Version::Second, 3, 1000);
        assert_eq!(maps(squeezenet), ["classifier.1", "classifier.2", "classifier.3", "flatten"]);
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
