//! VGG 11, 13, 16 and 19, with batch norm or without.
//!
//! Simonyan, Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2014, arXiv:1409.1556, as
//! torchvision builds it: whatever the picture's size, 7x7 parts of it reach the classifier.

use super::graph::{Graph, Op};
use crate::ops::{Parts, Window};

/// The graph of a VGG of that depth (any other depth than the family's is taken as 11).
pub fn graph(depth: usize, norm: bool, input_channels: usize, classes: usize) -> Graph {
    // Convolutions of each stage, behind which a pool stands.
    let stages = match depth {
        13 => [2, 2, 2, 2, 2],
        16 => [2, 2, 3, 3, 3],
        19 => [2, 2, 4, 4, 4],
        _ => [1, 1, 2, 2, 2],
    };
    let mut graph = Graph::new(input_channels);
    let (mut x, mut module) = (0, 0);
    for (stage, count) in stages.into_iter().enumerate() {
        let mut name = || {
            module += 1;
            format!("features.{}", module - 1)
        };
        for _ in 0..count {
            x = graph.add(name(), Op::biased(Window::new(3, 1, 1)), &[x], (64 << stage).min(512));
            if norm {
                x = graph.then(name(), Op::NORM, x);
            }
            x = graph.then(name(), Op::RELU, x);
        }
        x = graph.then(name(), Op::MaxPool(Window::new(2, 2, 0)), x);
    }
    x = graph.then("avgpool", Op::MeanPool(Parts::Even(7)), x);
    x = graph.add("flatten", Op::Flatten, &[x], 512 * 7 * 7);
    for layer in [0, 3] {
        x = graph.add(format!("classifier.{layer}"), Op::Linear, &[x], 4096);
        x = graph.then(format!("classifier.{}", layer + 1), Op::RELU, x);
        x = graph.then(format!("classifier.{}", layer + 2), Op::Dropout, x);
    }
    graph.add("classifier.6", Op::Linear, &[x], classes);
    graph
}
