//! AlexNet.
//!
//! Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014, arXiv:1404.5997, the version of
//! one column of Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012,
//! as torchvision builds it.

use super::graph::{Graph, Op};
use crate::ops::{Parts, Window};

/// The graph of AlexNet.
pub fn graph(input_channels: usize, classes: usize) -> Graph {
    let mut graph = Graph::new(input_channels);
    let (mut x, mut module) = (0, 0);
    // Channels, window, and whether a pool follows.
    for (channels, window, pooled) in [
        (64, Window::new(11, 4, 2), true),
        (192, Window::new(5, 1, 2), true),
        (384, Window::new(3, 1, 1), false),
        (256, Window::new(3, 1, 1), false),
        (256, Window::new(3, 1, 1), true),
    ] {
        let mut name = || {
            module += 1;
            format!("features.{}", module - 1)
        };
        x = graph.add(name(), Op::biased(window), &[x], channels);
        x = graph.then(name(), Op::RELU, x);
        if pooled {
            x = graph.then(name(), Op::MaxPool(Window::new(3, 2, 0)), x);
        }
    }
    x = graph.then("avgpool", Op::MeanPool(Parts::Even(6)), x);
    x = graph.add("flatten", Op::Flatten, &[x], 256 * 6 * 6);
    for layer in [0, 3] {
        x = graph.then(format!("classifier.{layer}"), Op::Dropout, x);
        x = graph.add(format!("classifier.{}", layer + 1), Op::Linear, &[x], 4096);
        x = graph.then(format!("classifier.{}", layer + 2), Op::RELU, x);
    }
    graph.add("classifier.6", Op::Linear, &[x], classes);
    graph
}
