//! What comes out of each node for a picture of a given size, without computing it.

use std::fmt;

use super::graph::{Graph, NodeId, Op};
use crate::ops::Parts;

/// The shape of a node's output, one image's share of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `[C, H, W]`
    Map {
        /// Channels.
        channels: usize,
        /// Rows of cells.
        height: usize,
        /// Cells in a row.
        width: usize,
    },
    /// `[C]`
    Vector {
        /// Channels: of the last node, classes.
        channels: usize,
    },
}

impl Shape {
    /// Channels.
    pub fn channels(&self) -> usize {
        match *self {
            Shape::Map { channels, .. } | Shape::Vector { channels } => channels,
        }
    }

    /// Height and width in cells; `None` for a vector, which has no places.
    pub fn cells(&self) -> Option<(usize, usize)> {
        match *self {
            Shape::Map { height, width, .. } => Some((height, width)),
            Shape::Vector { .. } => None,
        }
    }

    /// How many numbers it holds.
    pub fn len(&self) -> usize {
        self.channels() * self.cells().map_or(1, |(height, width)| height * width)
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Map { channels, height, width } => write!(f, "{channels} channels of {width}x{height}"),
            Shape::Vector { channels } => write!(f, "{channels} channels"),
        }
    }
}

/// A picture that is too small for a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{node}` sees {width}x{height} cells, too few for its {kernel}x{kernel} window")]
pub struct TooSmall {
    /// The first node that has no room.
    pub node: String,
    /// Rows that it sees.
    pub height: usize,
    /// Cells in a row that it sees.
    pub width: usize,
    /// Side of its window.
    pub kernel: usize,
}

impl Graph {
    /// The shape of every node's output, in order of evaluation, for a picture of that height and width in pixels.
    ///
    /// # Errors
    /// A window does not fit.
    pub fn shapes(&self, height: usize, width: usize) -> Result<Vec<Shape>, TooSmall> {
        let mut shapes: Vec<Shape> = Vec::with_capacity(self.nodes().len());
        for node in self.nodes() {
            let channels = node.channels;
            let (height, width) =
                node.inputs.first().map_or(Some((height, width)), |&input| shapes[input].cells()).unwrap_or((1, 1));
            shapes.push(match node.op {
                Op::Convolution { window, .. } | Op::MaxPool(window) => {
                    let (Some(height), Some(width)) = (window.positions(height), window.positions(width)) else {
                        return Err(TooSmall { node: node.name.clone(), height, width, kernel: window.kernel });
                    };
                    Shape::Map { channels, height, width }
                }
                Op::MeanPool(parts) => {
                    let along = |side: usize| parts.along(side).map(|parts| parts.len());
                    let (Some(high), Some(wide)) = (along(height), along(width)) else {
                        let kernel = if let Parts::Window(window) = parts { window.kernel } else { 1 };
                        return Err(TooSmall { node: node.name.clone(), height, width, kernel });
                    };
                    Shape::Map { channels, height: high, width: wide }
                }
                Op::Input | Op::BatchNorm { .. } | Op::Relu(_) | Op::Add | Op::Concat | Op::Dropout => {
                    match node.inputs.first().map(|&input| shapes[input]) {
                        Some(Shape::Vector { .. }) => Shape::Vector { channels },
                        _ => Shape::Map { channels, height, width },
                    }
                }
                Op::Flatten | Op::Linear | Op::Mean | Op::LogMeanExp => Shape::Vector { channels },
            });
        }
        Ok(shapes)
    }

    /// Multiplications of one forward pass as far as these nodes, for shapes that [`Graph::shapes`] gave; the way back
    /// takes about as many.
    pub fn multiplications(&self, shapes: &[Shape], reads: &[NodeId]) -> u64 {
        let needed = self.needed(reads);
        let of = |(id, shape): (NodeId, &Shape)| match self.nodes()[id].op {
            Op::Convolution { window, groups, .. } => {
                shape.len() * (self.input_channels(id) / groups.max(1)) * window.kernel * window.kernel
            }
            Op::Linear => shape.len() * self.input_channels(id),
            _ => 0,
        };
        shapes.iter().enumerate().filter(|&(id, _)| needed[id]).map(|pair| of(pair) as u64).sum()
    }

    /// Bytes that one image's activations take in a step that reads these nodes, for shapes that [`Graph::shapes`] gave.
    /// Every f32 lives until the way back is done, and about as much again is in flight there.
    pub fn activation_bytes(&self, shapes: &[Shape], reads: &[NodeId]) -> u64 {
        let needed = self.needed(reads);
        shapes.iter().zip(needed).filter(|&(_, needed)| needed).map(|(shape, _)| 4 * shape.len() as u64).sum()
    }

    fn input_channels(&self, id: NodeId) -> usize {
        self.nodes()[id].inputs.first().map_or(0, |&input| self.nodes()[input].channels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nets::{motifs, resnet};

    #[test]
    fn resnet18_at_299() {
        let graph = resnet::graph(18, 3, 1000);
        let shapes = graph.shapes(299, 299).unwrap();
        let of = |name| shapes[graph.find(name).unwrap()].to_string();
        assert_eq!(of("conv1"), "64 channels of 150x150");
        assert_eq!(of("maxpool"), "64 channels of 75x75");
        assert_eq!(of("layer3.1.conv2"), "256 channels of 19x19");
        assert_eq!(of("layer4"), "512 channels of 10x10");
        assert_eq!(of("avgpool"), "512 channels of 1x1");
        assert_eq!(of("fc"), "1000 channels");
        // torchvision states 1.81e9 multiply-adds at 224x224.
        let small = graph.shapes(224, 224).unwrap();
        assert_eq!(graph.multiplications(&small, &[graph.find("fc").unwrap()]) / 10_000_000, 181);
    }

    #[test]
    fn a_picture_that_is_too_small_names_the_node() {
        let graph = resnet::graph(18, 3, 1000);
        assert!(graph.shapes(1, 1).is_ok());
        assert_eq!(graph.shapes(0, 8).unwrap_err().node, "conv1");
        let motifs = motifs::graph(3, &[(8, 5), (8, 9)], 4, motifs::Head::Mean);
        assert!(motifs.shapes(96, 1).is_ok());
        let mut tight = Graph::new(3);
        tight.add("pool", Op::MaxPool(crate::ops::Window::new(3, 2, 0)), &[0], 0);
        let error = tight.shapes(9, 2).unwrap_err();
        assert_eq!(error.to_string(), "`pool` sees 2x9 cells, too few for its 3x3 window");
    }
}
