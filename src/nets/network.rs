//! A network with its weights, ready to be looked into.

use std::collections::BTreeMap;

use candle_core::{Result, Tensor, bail};

use super::facts::Facts;
use super::fuse::{Ready, Step, prepare};
use super::graph::NodeId;
use super::import::{ImportError, Weights, check_fit};
use crate::ops::{Redirected, average_pool, log_mean_exp, max_pool, redirected_relu, relu};

/// A frozen network that computes the nodes it was loaded for, and nothing beyond the deepest of them.
///
/// Invariant: an image's values and gradient are the same bytes in any batch and with any number of threads.
pub struct Network {
    steps: Vec<Step>,
    /// Nodes that are read, by their names.
    reads: Vec<(String, NodeId)>,
    /// How many nodes the graph has.
    nodes: usize,
    redirected: Redirected,
}

impl Network {
    /// Prepares what leads to the nodes of these names; modules' paths mean their last nodes. The weights may be
    /// dropped afterwards, or kept to load the same network for other nodes.
    ///
    /// # Errors
    /// The weights are not the network's, or a name is no node's.
    pub fn load<'a>(
        facts: &Facts,
        weights: &Weights,
        reads: impl IntoIterator<Item = &'a str>,
    ) -> std::result::Result<Self, ImportError> {
        check_fit(facts.name, &facts.graph.parameters(), &weights.header())?;
        let find = |name: &str| match facts.graph.find(name) {
            Some(id) => Ok((name.to_string(), id)),
            None => Err(ImportError::Node(name.into())),
        };
        let reads: Vec<(String, NodeId)> = reads.into_iter().map(find).collect::<std::result::Result<_, _>>()?;
        let ids: Vec<NodeId> = reads.iter().map(|(_, id)| *id).collect();
        let steps = prepare(&facts.graph, weights, &ids)?;
        Ok(Self { steps, reads, nodes: facts.graph.nodes().len(), redirected: Redirected::default() })
    }

    /// `[N, 3, H, W]`, preprocessed, f32 or f64 → the tensors of the nodes that are read, by the names under which they
    /// were asked for; the graph leads back to `pictures`. With `redirect`, a gradient that would die behind a ReLU for
    /// all of an image is redirected on the way back, and [`Network::redirected`] tells where.
    ///
    /// # Errors
    /// The picture is too small, or not of that shape.
    pub fn forward(&self, pictures: &Tensor, redirect: bool) -> Result<BTreeMap<String, Tensor>> {
        self.compute(pictures, redirect, None)
    }

    /// As [`Network::forward`], but a node that is read gives `held`, whatever it would: what comes after it then leads
    /// back to that.
    ///
    /// # Errors
    /// As those of `forward`, or the network was not loaded for the node.
    pub fn forward_from(&self, pictures: &Tensor, node: &str, held: &Tensor) -> Result<BTreeMap<String, Tensor>> {
        let Some((_, id)) = self.reads.iter().find(|(name, _)| name == node) else { bail!("`{node}` is not read") };
        self.compute(pictures, false, Some((*id, held)))
    }

    fn compute(
        &self,
        pictures: &Tensor,
        redirect: bool,
        held: Option<(NodeId, &Tensor)>,
    ) -> Result<BTreeMap<String, Tensor>> {
        let mut tensors: Vec<Option<Tensor>> = vec![None; self.nodes];
        if let Some(first) = tensors.first_mut() {
            *first = Some(pictures.clone());
        }
        for step in &self.steps {
            let result = match held {
                Some((id, held)) if id == step.node => held.clone(),
                _ => self.evaluate(step, &tensors, redirect)?,
            };
            for &node in &step.free {
                tensors[node] = None;
            }
            tensors[step.node] = Some(result);
        }
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
            Ready::Relu(node) if redirect => redirected_relu(x, node, &self.redirected),
            Ready::Relu(_) => relu(x),
            Ready::MaxPool(window) => max_pool(x, *window),
            Ready::AveragePool => average_pool(x),
            Ready::Flatten => x.flatten_from(1),
            Ready::Add => x + input(1)?,
            Ready::Mean => average_pool(x)?.flatten_from(1),
            Ready::LogMeanExp => log_mean_exp(x),
        }
    }

    /// Nodes at which a gradient was redirected since this was last asked, each once, in order of their names.
    pub fn redirected(&self) -> Vec<String> {
        let mut nodes: Vec<String> = self.redirected.take().into_iter().map(|(node, _)| node).collect();
        nodes.dedup();
        nodes
    }
}
