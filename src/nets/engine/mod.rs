//! A network from the picture on, as far as its operations allow, computed as one.
//!
//! Convolutions, ReLUs, sums and pools become [`Layer`]s over buffers that are kept from step to step: what follows a
//! convolution is done as its results are stored, and nothing is allocated. Everything else of a network, and whatever
//! comes after it, stays with candle's graph, which also is the form that is checked against.

mod back;
mod layers;
mod op;
mod run;
mod times;

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{CustomOp1, DType, Device, Result, Tensor};

use self::layers::{Layer, Output, plan};
use self::op::Segment;
use self::run::{Shaped, Values};
pub use self::times::LayerTime;
use self::times::Times;
use super::fuse::Step;
use super::graph::{Graph, NodeId};
use super::network::LoadOptions;
use crate::ops::Rectifier;
use crate::ops::fast::Vectors;

/// Computes some nodes of a network at once.
pub(super) struct Engine {
    vectors: Vectors,
    layers: Vec<Layer>,
    slots: Vec<Slot>,
    /// Nodes whose tensors others read.
    outputs: Vec<Output>,
    /// Nodes that need no step any more.
    done: Vec<NodeId>,
    /// As in [`LoadOptions`].
    smooth_pools: bool,
    /// Buffers for the size seen last: those of several would be more than a plan counts.
    shaped: Mutex<Option<Arc<Shaped>>>,
    times: Times,
}

/// A node whose values are kept.
#[derive(Clone, Copy, Debug)]
struct Slot {
    channels: usize,
    /// What bounds it, if it is the result of a rectifier.
    relu: Option<Rectifier>,
    /// How many layers and outputs take it.
    readers: usize,
}

/// On the way back, redoes an image with candle's graph: picture `[1, C, H, W]` and the outputs' gradients
/// `[1, numbers]` → the picture's gradient.
pub(super) type Redo = Arc<dyn Fn(&Tensor, &Tensor) -> Result<Tensor> + Send + Sync>;

/// The nodes on the way to some that no engine computes, in order; none of the others on a processor without vectors.
pub fn portable_nodes<'g>(graph: &'g Graph, reads: &[NodeId]) -> Vec<&'g str> {
    let (needed, kinds) = (graph.needed(reads), layers::kinds(graph));
    let vectors = Vectors::best().is_some();
    let all = graph.nodes().iter().zip(needed).zip(kinds).skip(1);
    all.filter(|((_, needed), kind)| *needed && !(kind.fast && vectors))
        .map(|((node, _), _)| node.name.as_str())
        .collect()
}

impl Engine {
    /// Takes over what it can of these steps, as long as the nodes that are read stay readable.
    pub fn new(steps: &[Step], graph: &Graph, reads: &[NodeId], options: LoadOptions) -> Option<Self> {
        let vectors = Vectors::best()?;
        let (layers, slots, outputs, done) = plan(steps, graph, reads, vectors, options);
        let convolves = layers.iter().any(|layer| matches!(layer.work, layers::Work::Convolution(_)));
        convolves.then(|| Self {
            vectors,
            layers,
            slots,
            outputs,
            done,
            smooth_pools: options.smooth_pools,
            shaped: Mutex::default(),
            times: Times::default(),
        })
    }

    /// Whether the engine computes that node, or has no need to.
    pub fn covers(&self, node: NodeId) -> bool {
        self.done.contains(&node)
    }

    /// Nodes whose tensors [`Engine::forward`] gives, in its order.
    pub fn outputs(&self) -> impl Iterator<Item = NodeId> {
        self.outputs.iter().map(|output| output.node)
    }

    /// Whether these pictures can be computed so.
    pub fn takes(&self, pictures: &Tensor) -> bool {
        pictures.device().is_cpu() && pictures.dtype() == DType::F32
    }

    /// `[N, C, H, W]` → the outputs' tensors. With `redo`, a gradient that dies behind a ReLU is left to it.
    pub fn forward(self: &Arc<Self>, pictures: &Tensor, redo: Option<Redo>) -> Result<Vec<(NodeId, Tensor)>> {
        let (segment, shaped) = self.segment(pictures, redo)?;
        self.apart(&pictures.contiguous()?.apply_op1(segment)?, &shaped)
    }

    /// The same for pictures that no graph leads back from: the outputs' tensors, and the way back.
    pub fn ask(self: &Arc<Self>, pictures: &Tensor, redo: Option<Redo>) -> Result<(Vec<(NodeId, Tensor)>, WayBack)> {
        let (segment, shaped) = self.segment(pictures, redo)?;
        let pictures = pictures.detach().contiguous()?;
        let flat = pictures.apply_op1_no_bwd(&segment)?;
        Ok((self.apart(&flat, &shaped)?, WayBack { engine: self.clone(), shaped, segment, pictures, flat }))
    }

    fn segment(self: &Arc<Self>, pictures: &Tensor, redo: Option<Redo>) -> Result<(Segment, Arc<Shaped>)> {
        let (_, _, height, width) = pictures.dims4()?;
        let shaped = self.shaped(height, width)?;
        Ok((Segment::new(self.clone(), shaped.clone(), redo), shaped))
    }

    /// The outputs' tensors, of all numbers of each image.
    fn apart(&self, flat: &Tensor, shaped: &Shaped) -> Result<Vec<(NodeId, Tensor)>> {
        let (images, mut start) = (flat.dim(0)?, 0);
        let mut taps = Vec::new();
        for output in &self.outputs {
            let grid = shaped.grids[output.slot];
            let length = shaped.numbers(output.slot);
            // All of it is all there is, in most recipes.
            let tensor = if length == shaped.length { flat.clone() } else { flat.narrow(1, start, length)? };
            let tensor = match output.flat {
                true => tensor,
                false => tensor.reshape((images, grid.channels, grid.height, grid.width))?,
            };
            taps.push((output.node, tensor));
            start += length;
        }
        Ok(taps)
    }

    fn shaped(&self, height: usize, width: usize) -> Result<Arc<Shaped>> {
        let mut shaped = self.shaped.lock().unwrap_or_else(PoisonError::into_inner);
        match &*shaped {
            Some(last) if (last.height, last.width) == (height, width) => Ok(last.clone()),
            _ => {
                let new = Arc::new(Shaped::new(self, height, width)?);
                *shaped = Some(new.clone());
                Ok(new)
            }
        }
    }
}

/// From the outputs of a network that an engine computed back to its pictures.
pub(super) struct WayBack {
    engine: Arc<Engine>,
    shaped: Arc<Shaped>,
    segment: Segment,
    pictures: Tensor,
    flat: Tensor,
}

impl WayBack {
    /// The pictures' gradient where no output has one.
    pub fn nothing(&self) -> Result<Tensor> {
        self.pictures.zeros_like()
    }

    /// The outputs' gradients, of some nodes → the pictures'.
    pub fn gradient(&self, gradients: impl Fn(NodeId) -> Result<Option<Tensor>>) -> Result<Tensor> {
        let images = self.flat.dim(0)?;
        let part = |output: &Output| {
            let length = self.shaped.numbers(output.slot);
            match gradients(output.node)? {
                Some(gradient) => gradient.reshape((images, length)),
                None => Tensor::zeros((images, length), DType::F32, &Device::Cpu),
            }
        };
        let parts = self.engine.outputs.iter().map(part).collect::<Result<Vec<_>>>()?;
        let gradient = self.segment.bwd(&self.pictures, &self.flat, &Tensor::cat(&parts, 1)?)?;
        gradient.map_or_else(|| self.nothing(), Ok)
    }
}

/// A pool of what is dear to allocate.
#[derive(Debug)]
pub(super) struct Pool<T>(Mutex<Vec<T>>);

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Pool<T> {
    fn take(&self, new: impl FnOnce() -> T) -> T {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        kept.unwrap_or_else(new)
    }

    fn give(&self, back: impl IntoIterator<Item = T>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(back);
    }
}
