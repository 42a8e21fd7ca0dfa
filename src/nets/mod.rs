//! Frozen networks: named nodes, their shapes, their weights, and a forward pass that stops at the deepest node read.
//!
//! [`Facts`] are all that a checker needs and come without weights, or from a file's first bytes.

mod alexnet;
mod architecture;
mod densenet;
mod engine;
mod facts;
mod field;
mod fuse;
mod googlenet;
pub mod graph;
pub mod import;
mod known;
mod labels;
mod mobilenet;
pub mod motifs;
mod network;
pub mod resnet;
mod shape;
mod squeezenet;
#[cfg(test)]
pub(crate) mod testing;
mod vgg;

pub use architecture::{Architecture, Source, TORCHVISION, architecture, architectures};
pub use engine::{LayerTime, portable_nodes};
pub use facts::{Facts, Licence};
pub use field::Field;
pub use graph::{Graph, Node, NodeId, Op};
pub use import::{Header, ImportError, Weights};
pub use known::Known;
pub use labels::{BadLabels, Labels};
pub use network::{Back, LoadOptions, Network};
pub use shape::{Shape, TooSmall};
