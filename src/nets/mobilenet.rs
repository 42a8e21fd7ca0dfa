//! MobileNetV2.
//!
//! Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018, arXiv:1801.04381, as torchvision builds
//! it. A convolution, its batch norm and its ReLU6 are one module there, whose name is the last of the three nodes here.

use super::graph::{Graph, NodeId, Op};
use crate::ops::{Rectifier, Window};

/// Rows of blocks: by what a block multiplies its channels inside, its results, how many there are, the first stride.
const ROWS: [(usize, usize, usize, usize); 7] =
    [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)];

/// The graph of MobileNetV2 1.0.
pub fn v2(input_channels: usize, classes: usize) -> Graph {
    let mut graph = Graph::new(input_channels);
    let mut x = activated(&mut graph, "features.0", 0, 32, Op::convolution(Window::new(3, 2, 1)));
    let mut module = 1;
    for (factor, channels, count, stride) in ROWS {
        for block in 0..count {
            let stride = if block == 0 { stride } else { 1 };
            x = inverted(&mut graph, &format!("features.{module}"), x, factor, channels, stride);
            module += 1;
        }
    }
    x = activated(&mut graph, &format!("features.{module}"), x, 1280, Op::convolution(Window::new(1, 1, 0)));
    x = graph.then("adaptive_avg_pool2d", Op::GLOBAL_MEAN, x);
    x = graph.add("flatten", Op::Flatten, &[x], 1280);
    x = graph.then("classifier.0", Op::Dropout, x);
    graph.add("classifier.1", Op::Linear, &[x], classes);
    graph
}

/// A convolution with batch norm and ReLU6.
fn activated(graph: &mut Graph, path: &str, input: NodeId, channels: usize, convolution: Op) -> NodeId {
    let x = graph.add(format!("{path}.0"), convolution, &[input], channels);
    let x = graph.then(format!("{path}.1"), Op::NORM, x);
    graph.then(format!("{path}.2"), Op::Relu(Rectifier::Relu6), x)
}

/// A block that is wide inside, where each channel is convolved by itself.
fn inverted(graph: &mut Graph, path: &str, input: NodeId, factor: usize, channels: usize, stride: usize) -> NodeId {
    let one = Op::convolution(Window::new(1, 1, 0));
    let width = factor * graph.channels(input);
    let (mut x, mut part) = (input, 0);
    let mut path_of = || {
        part += 1;
        format!("{path}.conv.{}", part - 1)
    };
    if factor != 1 {
        x = activated(graph, &path_of(), x, width, one);
    }
    x = activated(graph, &path_of(), x, width, Op::grouped(Window::new(3, stride, 1), width));
    x = graph.add(path_of(), one, &[x], channels);
    x = graph.then(path_of(), Op::NORM, x);
    match stride == 1 && graph.channels(input) == channels {
        true => graph.add(format!("{path}.add"), Op::Add, &[x, input], channels),
        false => x,
    }
}
