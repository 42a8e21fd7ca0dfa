//! DenseNet121.
//!
//! Huang et al., "Densely Connected Convolutional Networks", 2016, arXiv:1608.06993, as torchvision builds it: each layer
//! of a block sees what all layers before it in the block gave.

use super::graph::{Graph, NodeId, Op};
use crate::ops::{Parts, Window};

/// Layers of each block of DenseNet121.
const BLOCKS: [usize; 4] = [6, 12, 24, 16];

/// Channels that each layer adds.
const GROWTH: usize = 32;

/// The graph of DenseNet121.
pub fn graph(input_channels: usize, classes: usize) -> Graph {
    let mut graph = Graph::new(input_channels);
    let mut x = graph.add("features.conv0", Op::convolution(Window::new(7, 2, 3)), &[0], 64);
    x = graph.then("features.norm0", Op::NORM, x);
    x = graph.then("features.relu0", Op::RELU, x);
    x = graph.then("features.pool0", Op::MaxPool(Window::new(3, 2, 1)), x);
    for (index, count) in BLOCKS.into_iter().enumerate() {
        let block = index + 1;
        let mut features = vec![x];
        for layer in 1..=count {
            let path = format!("features.denseblock{block}.denselayer{layer}");
            features.push(dense(&mut graph, &path, &features));
        }
        x = graph.add(format!("features.denseblock{block}.cat"), Op::Concat, &features, 0);
        if block < BLOCKS.len() {
            x = transition(&mut graph, &format!("features.transition{block}"), x);
        }
    }
    x = graph.then("features.norm5", Op::NORM, x);
    x = graph.then("relu", Op::RELU, x);
    x = graph.then("adaptive_avg_pool2d", Op::GLOBAL_MEAN, x);
    let channels = graph.channels(x);
    x = graph.add("flatten", Op::Flatten, &[x], channels);
    graph.add("classifier", Op::Linear, &[x], classes);
    graph
}

fn dense(graph: &mut Graph, path: &str, features: &[NodeId]) -> NodeId {
    let mut x = graph.add(format!("{path}.cat"), Op::Concat, features, 0);
    for (part, channels, window) in [(1, 4 * GROWTH, Window::new(1, 1, 0)), (2, GROWTH, Window::new(3, 1, 1))] {
        x = graph.then(format!("{path}.norm{part}"), Op::NORM, x);
        x = graph.then(format!("{path}.relu{part}"), Op::RELU, x);
        x = graph.add(format!("{path}.conv{part}"), Op::convolution(window), &[x], channels);
    }
    x
}

/// Half of the channels, at half the size.
fn transition(graph: &mut Graph, path: &str, input: NodeId) -> NodeId {
    let mut x = graph.then(format!("{path}.norm"), Op::NORM, input);
    x = graph.then(format!("{path}.relu"), Op::RELU, x);
    let channels = graph.channels(x) / 2;
    x = graph.add(format!("{path}.conv"), Op::convolution(Window::new(1, 1, 0)), &[x], channels);
    graph.then(format!("{path}.pool"), Op::MeanPool(Parts::Window(Window::new(2, 2, 0))), x)
}
