//! SqueezeNet 1.0 and 1.1.
//!
//! Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size", 2016,
//! arXiv:1602.07360, as torchvision builds it: in a fire module few channels feed a 1x1 and a 3x3 convolution side by
//! side, and the classes are the channels of a last convolution. Version 1.1 pools earlier, for less than half the work.

use super::graph::{Graph, NodeId, Op};
use crate::ops::Window;

/// The two that were published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 1.0
    First,
    /// 1.1
    Second,
}

/// The graph of a SqueezeNet.
pub fn graph(version: Version, input_channels: usize, classes: usize) -> Graph {
    let mut graph = Graph::new(input_channels);
    // The first convolution; fire modules after which a pool stands.
    let (channels, window, pools) = match version {
        Version::First => (96, Window::new(7, 2, 0), [3, 7]),
        Version::Second => (64, Window::new(3, 2, 0), [2, 4]),
    };
    let pool = Op::MaxPool(Window::new(3, 2, 0).ceil());
    let mut x = graph.add("features.0", Op::biased(window), &[0], channels);
    x = graph.then("features.1", Op::RELU, x);
    x = graph.then("features.2", pool, x);
    let mut module = 3;
    for (index, (squeeze, expand)) in FIRES.into_iter().enumerate() {
        x = fire(&mut graph, &format!("features.{module}"), x, squeeze, expand);
        module += 1;
        if pools.contains(&(index + 1)) {
            x = graph.then(format!("features.{module}"), pool, x);
            module += 1;
        }
    }
    x = graph.then("classifier.0", Op::Dropout, x);
    x = graph.add("classifier.1", Op::biased(Window::new(1, 1, 0)), &[x], classes);
    x = graph.then("classifier.2", Op::RELU, x);
    x = graph.then("classifier.3", Op::GLOBAL_MEAN, x);
    graph.add("flatten", Op::Flatten, &[x], classes);
    graph
}

/// Channels of each fire module: squeezed, and of each of the two that expand them.
const FIRES: [(usize, usize); 8] =
    [(16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256)];

fn fire(graph: &mut Graph, path: &str, input: NodeId, squeeze: usize, expand: usize) -> NodeId {
    let mut part = |name: &str, input: NodeId, channels: usize, window: Window| {
        let x = graph.add(format!("{path}.{name}"), Op::biased(window), &[input], channels);
        graph.then(format!("{path}.{name}_activation"), Op::RELU, x)
    };
    let squeezed = part("squeeze", input, squeeze, Window::new(1, 1, 0));
    let narrow = part("expand1x1", squeezed, expand, Window::new(1, 1, 0));
    let wide = part("expand3x3", squeezed, expand, Window::new(3, 1, 1));
    graph.add(format!("{path}.cat"), Op::Concat, &[narrow, wide], 0)
}
