//! GoogLeNet, the first Inception.
//!
//! Szegedy et al., "Going Deeper with Convolutions", 2014, arXiv:1409.4842, as torchvision builds it: with batch norms,
//! and a 3x3 convolution where the paper has 5x5. The auxiliary classifiers belong to training and are left out.
//! torchvision's own weights want another normalization, to which its graph changes the picture first; here it is the
//! network's mean and deviation, so that `conv1.conv` follows the picture.

use super::graph::{Graph, NodeId, Op};
use crate::ops::Window;

/// Batch norms here come from TensorFlow.
const NORM: Op = Op::BatchNorm { epsilon: 1e-3 };

/// Channels of a module's branches: 1x1; 3x3 after reduction, twice; behind the pool.
type Branches = (usize, (usize, usize), (usize, usize), usize);

/// Modules, each row of which ends in a pool but the last.
const ROWS: [&[(&str, Branches)]; 3] = [
    &[("3a", (64, (96, 128), (16, 32), 32)), ("3b", (128, (128, 192), (32, 96), 64))],
    &[
        ("4a", (192, (96, 208), (16, 48), 64)),
        ("4b", (160, (112, 224), (24, 64), 64)),
        ("4c", (128, (128, 256), (24, 64), 64)),
        ("4d", (112, (144, 288), (32, 64), 64)),
        ("4e", (256, (160, 320), (32, 128), 128)),
    ],
    &[("5a", (256, (160, 320), (32, 128), 128)), ("5b", (384, (192, 384), (48, 128), 128))],
];

/// The graph of GoogLeNet.
pub fn graph(input_channels: usize, classes: usize) -> Graph {
    let mut graph = Graph::new(input_channels);
    graph.pass_over(&["aux1", "aux2"]);
    let half = Op::MaxPool(Window::new(3, 2, 0).ceil());
    let mut x = convolution(&mut graph, "conv1", 0, 64, Window::new(7, 2, 3));
    x = graph.then("maxpool1", half, x);
    x = convolution(&mut graph, "conv2", x, 64, Window::new(1, 1, 0));
    x = convolution(&mut graph, "conv3", x, 192, Window::new(3, 1, 1));
    x = graph.then("maxpool2", half, x);
    for (index, row) in ROWS.into_iter().enumerate() {
        for (name, branches) in row {
            x = inception(&mut graph, &format!("inception{name}"), x, *branches);
        }
        match index {
            0 => x = graph.then("maxpool3", half, x),
            1 => x = graph.then("maxpool4", Op::MaxPool(Window::new(2, 2, 0).ceil()), x),
            _ => {}
        }
    }
    x = graph.then("avgpool", Op::GLOBAL_MEAN, x);
    x = graph.add("flatten", Op::Flatten, &[x], 1024);
    x = graph.then("dropout", Op::Dropout, x);
    graph.add("fc", Op::Linear, &[x], classes);
    graph
}

/// A convolution with batch norm and ReLU.
fn convolution(graph: &mut Graph, path: &str, input: NodeId, channels: usize, window: Window) -> NodeId {
    let x = graph.add(format!("{path}.conv"), Op::convolution(window), &[input], channels);
    let x = graph.then(format!("{path}.bn"), NORM, x);
    graph.then(format!("{path}.relu"), Op::RELU, x)
}

fn inception(graph: &mut Graph, path: &str, input: NodeId, (one, second, third, pooled): Branches) -> NodeId {
    let (single, three) = (Window::new(1, 1, 0), Window::new(3, 1, 1));
    let mut parts = vec![convolution(graph, &format!("{path}.branch1"), input, one, single)];
    for (branch, (reduced, channels)) in [(2, second), (3, third)] {
        let x = convolution(graph, &format!("{path}.branch{branch}.0"), input, reduced, single);
        parts.push(convolution(graph, &format!("{path}.branch{branch}.1"), x, channels, three));
    }
    let x = graph.then(format!("{path}.branch4.0"), Op::MaxPool(three.ceil()), input);
    parts.push(convolution(graph, &format!("{path}.branch4.1"), x, pooled, single));
    graph.add(format!("{path}.cat"), Op::Concat, &parts, 0)
}
