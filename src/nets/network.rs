//! A network with its weights, ready to be looked into.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use candle_core::{Result, Tensor, Var, bail};

use super::engine::{Engine, LayerTime, Redo, WayBack};
use super::facts::Facts;
use super::fuse::{Ready, Step, prepare, statistics};
use super::graph::{Graph, Node, NodeId, Op};
use super::import::{ImportError, Weights, check_fit};
use crate::ops::fast::Form;
use crate::ops::{
    Convolution, Redirected, Window, average_pool, log_mean_exp, max_pool, mean_pool, redirected_relu, relu,
    scale_gradient, smooth_max_pool,
};

/// A frozen network that computes the nodes it was loaded for, and nothing beyond the deepest of them.
///
/// Invariant: an image's values and gradient are the same bytes in any batch and with any number of threads.
pub struct Network {
    core: Arc<Core>,
    /// Computes what it can at once, where the processor has the vectors for it.
    engine: Option<Arc<Engine>>,
}

/// How a network computes, whatever its weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoadOptions {
    /// What the weights of convolutions are kept as.
    pub form: Form,
    /// On the way back, by what the gradient into the residual branch of each block is multiplied; its shortcut's stays
    /// as it is, and nothing changes on the way forward. Below 1, more of the gradient comes through the shortcuts: Wu et
    /// al., "Skip Connections Matter", 2020, arXiv:2002.05990.
    pub residual_gradient: f32,
    /// Whether the gradient of a max pool goes to all cells of a window: [`crate::ops::smooth_max_pool`].
    pub smooth_pools: bool,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self { form: Form::Prepared, residual_gradient: 1.0, smooth_pools: false }
    }
}

/// What the channels of a picture contribute to its luminance, as in torchvision's `Grayscale`.
pub(super) const LUMINANCE: [f64; 3] = [0.2989, 0.587, 0.114];

/// A network as a graph of candle's: the form that works everywhere.
struct Core {
    /// From three channels to one, where the network has one.
    luminance: Option<Convolution>,
    options: LoadOptions,
    graph: Graph,
    steps: Vec<Step>,
    /// Nodes that are read, by their names.
    reads: Vec<(String, NodeId)>,
    /// Of those that a batch norm reads, its running mean and variance.
    running: BTreeMap<String, [Tensor; 2]>,
    /// What its steps took so far, and of how many calls.
    took: Mutex<(Duration, u32)>,
    redirected: Redirected,
}

/// Nodes and their tensors.
type Known = Vec<(NodeId, Tensor)>;

impl Network {
    /// As [`Network::prepare`], for speed.
    ///
    /// # Errors
    /// As there.
    pub fn load<'a>(
        facts: &Facts,
        weights: &Weights,
        reads: impl IntoIterator<Item = &'a str>,
    ) -> std::result::Result<Self, ImportError> {
        Self::prepare(facts, Cow::Borrowed(weights), reads, LoadOptions::default())
    }

    /// Prepares what leads to the nodes of these names; modules' paths mean their last nodes. Weights that are lent serve
    /// to load the same network for other nodes; those that are given away are not copied.
    ///
    /// # Errors
    /// The weights are not the network's, or a name is no node's.
    pub fn prepare<'a>(
        facts: &Facts,
        mut weights: Cow<'_, Weights>,
        reads: impl IntoIterator<Item = &'a str>,
        options: LoadOptions,
    ) -> std::result::Result<Self, ImportError> {
        check_fit(facts.name, &facts.graph, &weights.header())?;
        let find = |name: &str| match facts.graph.find(name) {
            Some(id) => Ok((name.to_string(), id)),
            None => Err(ImportError::Node(name.into())),
        };
        let reads: Vec<(String, NodeId)> = reads.into_iter().map(find).collect::<std::result::Result<_, _>>()?;
        let ids: Vec<NodeId> = reads.iter().map(|(_, id)| *id).collect();
        let running = running(&facts.graph, &weights, &reads)?;
        let steps = prepare(&facts.graph, &mut weights, &ids)?;
        drop(weights);
        let engine = Engine::new(&steps, &facts.graph, &ids, options).map(Arc::new);
        let core = Core {
            luminance: luminance(&facts.graph)?,
            options,
            graph: facts.graph.clone(),
            steps,
            running,
            reads,
            took: Mutex::default(),
            redirected: Redirected::default(),
        };
        Ok(Self { core: Arc::new(core), engine })
    }

    /// `[N, 3, H, W]`, preprocessed, f32 or f64 → the tensors of the nodes that are read, by the names under which they
    /// were asked for; the graph leads back to `pictures`. With `redirect`, a gradient that would die behind a ReLU for
    /// all of an image is redirected on the way back, and [`Network::redirected`] tells where.
    ///
    /// # Errors
    /// The picture is too small, or not of that shape.
    pub fn forward(&self, pictures: &Tensor, redirect: bool) -> Result<BTreeMap<String, Tensor>> {
        let Some(engine) = self.engine.as_ref().filter(|engine| engine.takes(pictures)) else {
            return self.portable(pictures, redirect);
        };
        let pictures = &self.core.seen(pictures)?;
        let redo = redirect.then(|| redo(self.core.clone(), engine.clone()));
        let known = engine.forward(pictures, redo)?;
        self.core.compute(pictures, redirect, known, |node| engine.covers(node))
    }

    /// As [`Network::forward`], for pictures whose gradient is wanted and not that of anything before them: with the way
    /// back, where an engine computes all that is read. It spares what a graph adds up.
    ///
    /// # Errors
    /// As those of `forward`.
    pub fn ask(&self, pictures: &Tensor, redirect: bool) -> Result<Option<(BTreeMap<String, Tensor>, Back<'_>)>> {
        let all =
            |engine: &&Arc<Engine>| self.core.reads.iter().all(|(_, id)| engine.outputs().any(|node| node == *id));
        let engine = self.engine.as_ref().filter(|engine| engine.takes(pictures)).filter(all);
        let Some(engine) = engine.filter(|_| self.core.luminance.is_none()) else { return Ok(None) };
        let redo = redirect.then(|| redo(self.core.clone(), engine.clone()));
        let (known, way) = engine.ask(pictures, redo)?;
        let taps = self.core.compute(pictures, redirect, known, |node| engine.covers(node))?;
        Ok(Some((taps, Back { reads: &self.core.reads, way })))
    }

    /// The same in candle's graph alone.
    fn portable(&self, pictures: &Tensor, redirect: bool) -> Result<BTreeMap<String, Tensor>> {
        self.core.compute(&self.core.seen(pictures)?, redirect, vec![], |_| false)
    }

    /// As [`Network::forward`], but a node that is read gives `held`, whatever it would: what comes after it then leads
    /// back to that.
    ///
    /// # Errors
    /// As those of `forward`, or the network was not loaded for the node.
    pub fn forward_from(&self, pictures: &Tensor, node: &str, held: &Tensor) -> Result<BTreeMap<String, Tensor>> {
        let found = self.core.reads.iter().find(|(name, _)| name == node);
        let Some(&(_, id)) = found else { bail!("`{node}` is not read") };
        self.core.compute(&self.core.seen(pictures)?, false, vec![(id, held.clone())], |node| node == id)
    }

    /// What the batch norm that reads a node has learned: mean and variance of each channel, `[C]`; of several the first.
    /// Nothing where the network was not prepared for the node, or none reads it.
    pub fn running(&self, node: &str) -> Option<[Tensor; 2]> {
        self.core.running.get(node).cloned()
    }

    /// The layers that were computed at once, each with the names of its nodes and the mean times of an image; nothing
    /// where candle's graph does it all.
    pub fn times(&self) -> Vec<(Vec<String>, LayerTime)> {
        let times = self.engine.as_ref().map(|engine| engine.times(&self.core.graph)).unwrap_or_default();
        let name = |&node: &NodeId| self.core.graph.nodes()[node].name.clone();
        times.into_iter().map(|time| (time.nodes.iter().rev().map(name).collect(), time)).collect()
    }

    /// The nodes that candle's graph computes, and the mean time of a way forward through them.
    pub fn portable_time(&self) -> (Vec<String>, Duration) {
        let covered = |node: NodeId| self.engine.as_ref().is_some_and(|engine| engine.covers(node));
        let steps = self.core.steps.iter().filter(|step| !covered(step.node));
        let names = steps.map(|step| self.core.graph.nodes()[step.node].name.clone()).collect();
        let (took, calls) = *self.core.took.lock().unwrap_or_else(PoisonError::into_inner);
        (names, took / calls.max(1))
    }

    /// Nodes at which a gradient was redirected since this was last asked, each once, in order of their names.
    pub fn redirected(&self) -> Vec<String> {
        let mut nodes: Vec<String> = self.core.redirected.take().into_iter().map(|(node, _)| node).collect();
        nodes.dedup();
        nodes
    }
}

/// From the nodes that were read back to the pictures.
pub struct Back<'a> {
    reads: &'a [(String, NodeId)],
    way: WayBack,
}

impl Back<'_> {
    /// Gradients of nodes, by the names that they were read by → that of the pictures.
    ///
    /// # Errors
    /// One has not the shape of its node.
    pub fn gradient(&self, gradients: &BTreeMap<String, Tensor>) -> Result<Tensor> {
        if gradients.is_empty() {
            return self.way.nothing();
        }
        // A node may have been read by several names.
        self.way.gradient(|node| {
            let names = self.reads.iter().filter(|(_, id)| *id == node);
            let mut all = names.filter_map(|(name, _)| gradients.get(name));
            let Some(first) = all.next() else { return Ok(None) };
            all.try_fold(first.clone(), |sum, gradient| sum + gradient).map(Some)
        })
    }
}

/// Redoes what an engine computes, for one image, in candle's graph with redirection.
fn redo(core: Arc<Core>, engine: Arc<Engine>) -> Redo {
    Arc::new(move |picture, gradient| {
        let picture = Var::from_tensor(picture)?;
        let mut tensors: Vec<Option<Tensor>> = vec![None; core.graph.nodes().len()];
        if let Some(first) = tensors.first_mut() {
            *first = Some(picture.as_tensor().clone());
        }
        for step in core.steps.iter().filter(|step| engine.covers(step.node)) {
            tensors[step.node] = Some(core.evaluate(step, &tensors, true)?);
        }
        let outputs: Vec<Tensor> =
            engine.outputs().filter_map(|node| tensors[node].as_ref()?.flatten_from(1).ok()).collect();
        let product = (Tensor::cat(&outputs, 1)? * gradient)?.sum_all()?;
        match product.backward()?.get(&picture) {
            Some(gradient) => Ok(gradient.clone()),
            None => picture.zeros_like(),
        }
    })
}

fn running(
    graph: &Graph,
    weights: &Weights,
    reads: &[(String, NodeId)],
) -> std::result::Result<BTreeMap<String, [Tensor; 2]>, ImportError> {
    let mut found = BTreeMap::new();
    for (name, id) in reads {
        let reader = |node: &&Node| matches!(node.op, Op::BatchNorm { .. }) && node.inputs == [*id];
        if let Some(norm) = graph.nodes().iter().find(reader) {
            found.insert(name.clone(), statistics(weights, norm)?);
        }
    }
    Ok(found)
}

fn luminance(graph: &Graph) -> std::result::Result<Option<Convolution>, ImportError> {
    if graph.channels(0) != 1 {
        return Ok(None);
    }
    let weights = LUMINANCE.iter().map(|&factor| factor as f32).collect();
    let made = Convolution::new(Window::new(1, 1, 0), LUMINANCE.len(), 1, weights, vec![]);
    made.map(Some).map_err(|error| ImportError::Damaged(error.to_string()))
}

impl Core {
    /// Pictures as the network takes them.
    fn seen(&self, pictures: &Tensor) -> Result<Tensor> {
        match &self.luminance {
            Some(luminance) => luminance.forward(pictures),
            None => Ok(pictures.clone()),
        }
    }

    /// Computes the nodes that are read; those that are known are taken as they are, and what is covered is passed over.
    fn compute(
        &self,
        pictures: &Tensor,
        redirect: bool,
        known: Known,
        covered: impl Fn(NodeId) -> bool,
    ) -> Result<BTreeMap<String, Tensor>> {
        let mut tensors: Vec<Option<Tensor>> = vec![None; self.graph.nodes().len()];
        if let Some(first) = tensors.first_mut() {
            *first = Some(pictures.clone());
        }
        for (node, tensor) in known {
            tensors[node] = Some(tensor);
        }
        let began = Instant::now();
        for step in self.steps.iter().filter(|step| !covered(step.node)) {
            let result = self.evaluate(step, &tensors, redirect)?;
            for &node in &step.free {
                tensors[node] = None;
            }
            tensors[step.node] = Some(result);
        }
        let mut took = self.took.lock().unwrap_or_else(PoisonError::into_inner);
        *took = (took.0 + began.elapsed(), took.1 + 1);
        drop(took);
        let read = |(name, id): &(String, NodeId)| match tensors.get(*id) {
            Some(Some(tensor)) => Ok((name.clone(), tensor.clone())),
            _ => bail!("`{name}` was not computed"),
        };
        self.reads.iter().map(read).collect()
    }

    fn evaluate(&self, step: &Step, tensors: &[Option<Tensor>], redirect: bool) -> Result<Tensor> {
        let input = |n: usize| match step.inputs.get(n).and_then(|&node| tensors.get(node)) {
            Some(Some(tensor)) => Ok(tensor),
            _ => bail!("an input was not computed"),
        };
        let x = input(0)?;
        match &step.ready {
            Ready::Convolution(convolution) => convolution.forward(x),
            Ready::ScaleShift(norm) => norm.forward(x),
            Ready::Linear(linear) => linear.forward(x),
            Ready::Relu(kind, node) if redirect => redirected_relu(x, *kind, node, &self.redirected),
            Ready::Relu(kind, _) => relu(x, *kind),
            Ready::MaxPool(window) if self.options.smooth_pools => smooth_max_pool(x, *window),
            Ready::MaxPool(window) => max_pool(x, *window),
            Ready::MeanPool(parts) => mean_pool(x, *parts),
            Ready::Flatten => x.flatten_from(1),
            Ready::Add => match self.options.residual_gradient {
                1.0 => x + input(1)?,
                factor => scale_gradient(x, factor.into())? + input(1)?,
            },
            Ready::Concat => {
                let inputs = (0..step.inputs.len()).map(input).collect::<Result<Vec<_>>>()?;
                Tensor::cat(&inputs, 1)
            }
            Ready::Dropout => Ok(x.clone()),
            Ready::Mean => average_pool(x)?.flatten_from(1),
            Ready::LogMeanExp => log_mean_exp(x),
        }
    }
}

#[cfg(test)]
mod tests;
