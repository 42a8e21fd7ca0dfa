//! The small network that is part of the program, and its kin.
//!
//! Convolutions, each with batch norm and ReLU (`conv1 bn1 relu1 …`), then `head`, a 1x1 convolution to a map for each
//! class, and `logits`, the map's log-mean-exp or mean. Strides are fixed; widths and kernels are read off the weights,
//! so any width that the same program trained loads. `examples/train_motifs.rs` is that program.

use super::graph::{Graph, Op};
use super::import::Header;
use crate::ops::Window;

/// Strides of the convolutions, from the first.
pub const STRIDES: [usize; 7] = [2, 2, 1, 2, 1, 2, 1];

/// How the maps of the head become scores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Head {
    /// Log-sum-exp over positions minus the log of their number: one place where the motif is seen suffices.
    #[default]
    LogMeanExp,
    /// Mean over positions.
    Mean,
}

/// The graph for these `(channels, kernel)` of the convolutions, at most as many as [`STRIDES`]. Padding keeps a
/// window's centre on the picture.
pub fn graph(input_channels: usize, layers: &[(usize, usize)], classes: usize, head: Head) -> Graph {
    let mut graph = Graph::new(input_channels);
    let mut x = 0;
    for (i, (&(channels, kernel), stride)) in layers.iter().zip(STRIDES).enumerate() {
        let n = i + 1;
        let window = Window::new(kernel.max(1), stride, kernel / 2);
        x = graph.add(format!("conv{n}"), Op::convolution(window), &[x], channels);
        x = graph.add(format!("bn{n}"), Op::NORM, &[x], channels);
        x = graph.add(format!("relu{n}"), Op::RELU, &[x], channels);
    }
    x = graph.add("head", Op::biased(Window::new(1, 1, 0)), &[x], classes);
    let op = match head {
        Head::LogMeanExp => Op::LogMeanExp,
        Head::Mean => Op::Mean,
    };
    graph.add("logits", op, &[x], classes);
    graph
}

/// The graph that fits a file of weights as far as one can: what does not fit is found when its tensors are compared.
pub fn graph_of(header: &Header) -> Graph {
    let shape = |name: &str| header.shape(name).unwrap_or_default();
    let mut layers = Vec::new();
    for n in 1..=STRIDES.len() {
        match *shape(&format!("conv{n}.weight")) {
            [channels, _, kernel, _] => layers.push((channels, kernel)),
            _ => break,
        }
    }
    let input_channels = shape("conv1.weight").get(1).copied().unwrap_or(3);
    let classes = shape("head.weight").first().copied().unwrap_or(0);
    let head = match header.metadata("head") {
        Some("mean") => Head::Mean,
        _ => Head::LogMeanExp,
    };
    graph(input_channels, &layers, classes, head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prototypes_maps_are_6x6() {
        let layers = [(24, 5), (48, 3), (64, 3), (96, 3), (128, 3), (144, 3), (144, 3)];
        let graph = graph(3, &layers, 32, Head::LogMeanExp);
        let shapes = graph.shapes(96, 96).unwrap();
        assert_eq!(shapes[graph.find("head").unwrap()].to_string(), "32 channels of 6x6");
        assert_eq!(graph.output().name, "logits");
        let names: Vec<&str> = graph.nodes().iter().take(5).map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["x", "conv1", "bn1", "relu1", "conv2"]);
    }
}
