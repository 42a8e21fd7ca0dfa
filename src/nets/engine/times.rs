//! How long each layer takes.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::layers::{Layer, Work};
use super::{Engine, Shaped};
use crate::nets::{Graph, NodeId};

/// The first images are not counted: weights are prepared then, and memory is fetched.
const WARM: usize = 2;

/// What layers took of all images in all.
#[derive(Debug, Default)]
pub(super) struct Times(Mutex<[Way; 2]>);

/// One direction: images, and for each layer the time; what comes in and goes out stands behind them.
#[derive(Debug, Default)]
struct Way {
    images: usize,
    layers: Vec<Duration>,
}

/// Forward or back.
#[derive(Clone, Copy, Debug)]
pub(super) enum Direction {
    Forward,
    Backward,
}

impl Times {
    /// Adds the times of one image's stages, each of which belongs to a layer.
    pub fn add(&self, direction: Direction, layers: usize, owners: &[usize], took: &[Duration]) {
        let mut ways = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let way = &mut ways[direction as usize];
        way.images += 1;
        way.layers.resize(layers + 1, Duration::ZERO);
        if way.images > WARM {
            for (&owner, took) in owners.iter().zip(took) {
                way.layers[owner.min(layers)] += *took;
            }
        }
    }

    /// The mean of an image.
    fn mean(&self, direction: Direction, layer: usize) -> Duration {
        let ways = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let way = &ways[direction as usize];
        let images = way.images.saturating_sub(WARM).max(1) as u32;
        way.layers.get(layer).copied().unwrap_or_default() / images
    }
}

/// A layer as it was computed.
#[derive(Clone, Debug)]
pub struct LayerTime {
    /// Nodes that are computed at once, the last one first; none for what comes in and goes out.
    pub nodes: Vec<NodeId>,
    /// `[C, H, W]` of that node.
    pub shape: [usize; 3],
    /// How it is computed.
    pub way: &'static str,
    /// Multiplications of a convolution as it is defined, of one direction.
    pub multiplications: u64,
    /// Mean of an image.
    pub forward: Duration,
    /// Mean of an image.
    pub backward: Duration,
}

impl Engine {
    /// Every layer with its times, in order; nothing before the first image.
    pub fn times(&self, graph: &Graph) -> Vec<LayerTime> {
        let shaped = self.shaped.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(shaped) = shaped.as_deref() else { return Vec::new() };
        let time =
            |layer: usize| (self.times.mean(Direction::Forward, layer), self.times.mean(Direction::Backward, layer));
        let mut times: Vec<LayerTime> = self
            .layers
            .iter()
            .enumerate()
            .map(|(index, layer)| {
                let grid = shaped.grids[layer.output];
                let (forward, backward) = time(index);
                let shape = [grid.channels, grid.height, grid.width];
                let multiplications = layer.multiplications(shaped);
                LayerTime {
                    nodes: self.group(graph, layer.node),
                    shape,
                    way: layer.way(),
                    multiplications,
                    forward,
                    backward,
                }
            })
            .collect();
        let (forward, backward) = time(self.layers.len());
        let rest = LayerTime { nodes: Vec::new(), shape: [0; 3], way: "", multiplications: 0, forward, backward };
        times.push(rest);
        times
    }

    /// A layer's node, and those before it that no other layer makes.
    fn group(&self, graph: &Graph, node: NodeId) -> Vec<NodeId> {
        let made = |node: NodeId| node == 0 || self.layers.iter().any(|layer| layer.node == node);
        let mut nodes = vec![node];
        let before = |node: NodeId| graph.nodes()[node].inputs.iter().copied().find(|&input| !made(input));
        while let Some(node) = before(nodes[nodes.len() - 1]) {
            nodes.push(node);
        }
        nodes
    }
}

impl Layer {
    /// The slot it reads, the first if there are several.
    pub fn input(&self) -> usize {
        self.inputs.first().copied().unwrap_or_default()
    }

    fn way(&self) -> &'static str {
        match &self.work {
            Work::Convolution(convolution) => convolution.way(),
            Work::MaxPool(_) | Work::MeanPool(_) | Work::Mean => "by rows",
            Work::ScaleShift(_) | Work::Concat(_) | Work::Nothing => "by rows",
        }
    }

    fn multiplications(&self, shaped: &Shaped) -> u64 {
        let (from, to) = (shaped.grids[self.input()], shaped.grids[self.output]);
        match &self.work {
            Work::Convolution(convolution) => {
                let (kernel, seen) = (convolution.window().kernel, from.channels / convolution.groups());
                (to.height * to.width * to.channels * seen * kernel * kernel) as u64
            }
            _ => 0,
        }
    }
}
