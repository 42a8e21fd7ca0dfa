//! A network with its weights, ready to be looked into.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use candle_core::{Result, Tensor, Var, bail};

use super::engine::{Engine, LayerTime, Redo};
use super::facts::Facts;
use super::fuse::{Ready, Step, prepare, statistics};
use super::graph::{Graph, Node, NodeId, Op};
use super::import::{ImportError, Weights, check_fit};
use crate::ops::{
    Convolution, Redirected, Window, average_pool, log_mean_exp, max_pool, mean_pool, redirected_relu, relu,
    scale_gradient, smooth_max_pool,
};

/// A frozen network that computes the nodes it was loaded for, and nothing beyond the deepest of them.
///
/// Invariant: an image's values and gradient are the same bytes in any batch and with any number of threads.
pub struct Network {
    core: Arc<Core>,
    /// Computes the nodes before the head at once, where the processor has the vectors for it.
    engine: Option<Arc<Engine>>,
}

/// How a network computes, whatever its weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoadOptions {
    /// Keeps no weights in forms larger than their own.
    pub low_memory: bool,
    /// On the way back, by what the gradient into the residual branch of each block is multiplied; its shortcut's stays
    /// as it is, and nothing changes on the way forward. Below 1, more of the gradient comes through the shortcuts: Wu et
    /// al., "Skip Connections Matter", 2020, arXiv:2002.05990.
    pub residual_gradient: f32,
    /// Whether the gradient of a max pool goes to all cells of a window: [`crate::ops::smooth_max_pool`].
    pub smooth_pools: bool,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self { low_memory: false, residual_gradient: 1.0, smooth_pools: false }
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
        Self::prepare(facts, weights, reads, LoadOptions::default())
    }

    /// Prepares what leads to the nodes of these names; modules' paths mean their last nodes. The weights may be dropped
    /// afterwards, or kept to load the same network for other nodes.
    ///
    /// # Errors
    /// The weights are not the network's, or a name is no node's.
    pub fn prepare<'a>(
        facts: &Facts,
        weights: &Weights,
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
        let steps = prepare(&facts.graph, weights, &ids)?;
        let engine = Engine::new(&steps, &facts.graph, &ids, options).map(Arc::new);
        let core = Core {
            luminance: luminance(&facts.graph)?,
            options,
            graph: facts.graph.clone(),
            steps,
            running: running(&facts.graph, weights, &reads)?,
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
mod tests {
    use super::*;
    use crate::nets::import::{Array, Header};
    use crate::nets::testing::random_weights;
    use crate::nets::{Source, architecture, motifs};
    use crate::ops::testing::{assert_close, assert_same, check_gradient, gradient, random, values};
    use candle_core::DType;

    /// A narrow network of the embedded one's kind, 5 classes.
    fn narrow(head: motifs::Head) -> (Facts, Weights) {
        let graph = motifs::graph(3, &[(4, 5), (6, 3), (5, 3), (7, 3)], 5, head);
        let mut weights = random_weights(&graph, 3);
        let name = if head == motifs::Head::Mean { "mean" } else { "logsumexp" };
        weights.metadata.insert("head".into(), name.into());
        (Facts::new(architecture("motifs").unwrap(), Some(&weights.header())).unwrap(), weights)
    }

    fn load(reads: &[&str]) -> Network {
        let (facts, weights) = narrow(motifs::Head::LogMeanExp);
        Network::load(&facts, &weights, reads.iter().copied()).unwrap()
    }

    fn picture(n: usize) -> Tensor {
        random(&[n, 3, 33, 29], 8).to_dtype(DType::F32).unwrap()
    }

    #[test]
    fn folding_a_batch_norm_changes_nothing_but_rounding() {
        let x = picture(2);
        let folded = load(&["logits"]).forward(&x, false).unwrap();
        for read in ["conv1", "bn2", "conv4"] {
            let whole = load(&["logits", read]).forward(&x, false).unwrap();
            assert_close(&folded["logits"], &whole["logits"], 1e-5);
        }
        // What is read before the batch norm is not what comes after it.
        let taps = load(&["conv2", "bn2", "relu2"]).forward(&x, false).unwrap();
        let (conv, bn, relu) = (values(&taps["conv2"]), values(&taps["bn2"]), values(&taps["relu2"]));
        assert!(conv != bn && bn.iter().zip(&relu).all(|(bn, relu)| bn.max(0.0) == *relu));
    }

    #[test]
    fn nothing_is_computed_beyond_the_deepest_node() {
        let steps = |reads: &[&str]| load(reads).core.steps.len();
        assert_eq!(steps(&["relu1"]), 2);
        assert_eq!(steps(&["bn1"]), 2);
        assert_eq!(steps(&["conv2", "relu1"]), 3);
        assert_eq!(steps(&["logits"]), 10);
        assert_eq!(steps(&["x"]), 0);
        assert_eq!(steps(&[]), 0);
        let x = picture(1);
        assert_same(&load(&["x"]).forward(&x, false).unwrap()["x"], &x);
        // Whatever nobody needs any more is freed.
        let network = load(&["relu2"]);
        let freed: Vec<usize> = network.core.steps.iter().flat_map(|step| step.free.clone()).collect();
        assert_eq!(freed.len(), network.core.steps.len());
    }

    #[test]
    fn bytes_depend_neither_on_threads_nor_on_the_batch() {
        let network = load(&["logits", "head"]);
        let x = picture(3);
        let look = |x: &Tensor| {
            let taps = network.forward(x, true).unwrap();
            let gradient = gradient(|x| Ok(network.forward(x, true)?["logits"].clone()), x, &taps["logits"]);
            (taps["head"].clone(), gradient)
        };
        let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let (head, gradient) = pool(1).install(|| look(&x));
        let (other, other_gradient) = pool(2).install(|| look(&x));
        assert_same(&other, &head);
        assert_same(&other_gradient, &gradient);
        for image in 0..3 {
            let (alone, alone_gradient) = look(&x.narrow(0, image, 1).unwrap());
            assert_same(&alone, &head.narrow(0, image, 1).unwrap());
            assert_same(&alone_gradient, &gradient.narrow(0, image, 1).unwrap());
        }
    }

    #[test]
    fn the_gradient_is_that_of_differences() {
        for head in [motifs::Head::LogMeanExp, motifs::Head::Mean] {
            let (facts, weights) = narrow(head);
            let network = Network::load(&facts, &weights, ["logits", "bn3"]).unwrap();
            check_gradient(|x| Ok(network.forward(x, false)?["logits"].clone()), &random(&[1, 3, 9, 11], 4));
        }
    }

    #[test]
    fn a_dead_start_is_redirected_and_told() {
        let (facts, mut weights) = narrow(motifs::Head::LogMeanExp);
        for name in ["bn2.bias", "bn4.bias"] {
            weights.tensors.get_mut(name).unwrap().data.fill(-1000.0);
        }
        let network = Network::load(&facts, &weights, ["logits"]).unwrap();
        let x = picture(1);
        let weights = network.forward(&x, false).unwrap()["logits"].ones_like().unwrap();
        let look = |redirect| gradient(|x| Ok(network.forward(x, redirect)?["logits"].clone()), &x, &weights);
        assert!(values(&look(false)).iter().all(|&x| x == 0.0));
        assert_eq!(network.redirected(), [] as [String; 0]);
        assert!(values(&look(true)).iter().any(|&x| x != 0.0));
        assert_eq!(network.redirected(), ["relu2", "relu4"]);
        assert_eq!(network.redirected(), [] as [String; 0]);
    }

    #[test]
    fn the_embedded_network_loads() {
        let motifs = architecture("motifs").unwrap();
        let Source::Embedded(bytes) = motifs.source else { panic!("it is embedded") };
        let (weights, facts) = (Weights::read(bytes).unwrap(), Facts::new(motifs, None).unwrap());
        assert_eq!(weights.header().tensors.len(), Header::of(bytes).unwrap().tensors.len());
        let network = Network::load(&facts, &weights, ["logits", "head"]).unwrap();
        let x = random(&[1, 3, facts.size.1, facts.size.0], 1).to_dtype(DType::F32).unwrap();
        let taps = network.forward(&x, false).unwrap();
        assert_eq!(taps["logits"].dims(), [1, facts.classes()]);
        assert_eq!(taps["head"].dims(), [1, facts.classes(), 6, 6]);
        assert!(values(&taps["logits"]).iter().all(|x| x.is_finite()));
    }

    #[test]
    fn weights_that_do_not_fit_are_errors_with_names() {
        let (facts, mut weights) = narrow(motifs::Head::LogMeanExp);
        let fails = |weights: &Weights, read| match Network::load(&facts, weights, [read]) {
            Ok(_) => panic!("it does not fit"),
            Err(error) => error.to_string(),
        };
        assert_eq!(fails(&weights, "relu9"), "the network has no node `relu9`");
        weights.tensors.get_mut("bn2.running_var").unwrap().data[1] = -1.0;
        assert!(fails(&weights, "logits").ends_with("`bn2.running_var` holds a negative variance"));
        weights.tensors.remove("bn2.running_var");
        assert!(fails(&weights, "x").ends_with("`bn2.running_var` is missing"));
    }

    /// Residual blocks, strides, pools, and nodes read in their midst; sizes change from picture to picture.
    #[test]
    fn the_engine_computes_what_the_graph_does() {
        let graph = crate::nets::resnet::graph(18, 3, 10);
        let weights = random_weights(&graph, 5);
        let facts = Facts::new(architecture("resnet18").unwrap(), Some(&weights.header())).unwrap();
        let halved = LoadOptions { residual_gradient: 0.5, ..LoadOptions::default() };
        let smooth = LoadOptions { smooth_pools: true, ..LoadOptions::default() };
        for (options, reads) in [
            (LoadOptions::default(), &["fc"][..]),
            (LoadOptions::default(), &["fc", "layer1.0.conv2", "layer2.0.downsample.0", "layer3"]),
            (LoadOptions::default(), &["layer2.1.add"]),
            (LoadOptions::default(), &["bn1"]),
            (halved, &["fc"]),
            // Where a branch's last node is read it can't take up the sum: a shortcut's does, or none.
            (smooth, &["fc", "maxpool"]),
            (halved, &["fc", "layer2.0.bn2", "layer1.1.bn2", "layer3.0.bn2", "layer3.0.downsample.1"]),
            (halved, &["layer2.0.conv2", "layer4.1"]),
        ] {
            let network = Network::prepare(&facts, &weights, reads.iter().copied(), options).unwrap();
            for (height, width) in [(33, 29), (40, 64), (1, 1), (33, 29)] {
                let x = random(&[2, 3, height, width], 6).to_dtype(DType::F32).unwrap();
                let exact = network.portable(&x.to_dtype(DType::F64).unwrap(), false).unwrap();
                let found = network.forward(&x, false).unwrap();
                for read in reads {
                    assert_close(&found[*read], &exact[*read], 1e-4);
                }
                let sum = |taps: BTreeMap<String, Tensor>| -> Result<Tensor> {
                    let parts = reads.iter().map(|read| taps[*read].flatten_from(1)).collect::<Result<Vec<_>>>()?;
                    Tensor::cat(&parts, 1)
                };
                let ones = sum(exact).unwrap().ones_like().unwrap();
                let wide = x.to_dtype(DType::F64).unwrap();
                let want = values(&gradient(|x| sum(network.portable(x, false)?), &wide, &ones));
                let ones = ones.to_dtype(DType::F32).unwrap();
                let got = values(&gradient(|x| sum(network.forward(x, false)?), &x, &ones));
                let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
                let cosine = dot(&got, &want) / (dot(&got, &got) * dot(&want, &want)).sqrt();
                assert!(cosine > 0.9999, "{reads:?} {height}x{width}: {cosine}");
            }
        }
    }

    #[test]
    fn a_network_of_one_channel_sees_the_luminance() {
        let colors = crate::nets::resnet::graph(18, 3, 10);
        let mut weights = random_weights(&colors, 5);
        let load = |weights: &Weights| {
            let facts = Facts::new(architecture("resnet18").unwrap(), Some(&weights.header())).unwrap();
            Network::load(&facts, weights, ["fc", "x"]).unwrap()
        };
        let x = random(&[2, 3, 33, 29], 6);
        // The same kernel for all channels, times their factors.
        let first = weights.tensors.get_mut("conv1.weight").unwrap();
        let one: Vec<f32> = first.data.chunks(3 * 49).flat_map(|kernel| kernel[..49].to_vec()).collect();
        for (i, kernel) in first.data.chunks_mut(49).enumerate() {
            let same = one[i / 3 * 49..][..49].iter();
            kernel.iter_mut().zip(same).for_each(|(to, weight)| *to = weight * LUMINANCE[i % 3] as f32);
        }
        let want = load(&weights);
        weights.tensors.insert("conv1.weight".into(), Array { shape: vec![64, 1, 7, 7], data: one });
        let gray = load(&weights);
        for x in [x.clone(), x.to_dtype(DType::F32).unwrap()] {
            let [found, expected] = [&gray, &want].map(|network| network.forward(&x, false).unwrap());
            assert_eq!(found["x"].dims(), [2, 1, 33, 29]);
            assert_close(&found["fc"], &expected["fc"], 1e-4);
            let back =
                |network: &Network| gradient(|x| Ok(network.forward(x, false)?["fc"].clone()), &x, &expected["fc"]);
            if x.dtype() == DType::F64 {
                assert_close(&back(&gray), &back(&want), 1e-4);
            }
            assert_eq!(back(&gray).dims(), x.dims());
        }
    }

    #[test]
    fn a_dead_image_is_redone_and_the_others_stay() {
        let network = load(&["logits"]);
        let alive = picture(1);
        let both = Tensor::cat(&[&alive, &alive], 0).unwrap();
        let weights = Tensor::cat(
            &[
                Tensor::zeros((1, 5), DType::F32, &candle_core::Device::Cpu).unwrap(),
                Tensor::ones((1, 5), DType::F32, &candle_core::Device::Cpu).unwrap(),
            ],
            0,
        )
        .unwrap();
        // The first image's gradient is zero everywhere, which looks like a dead one: it is redone, to the same zero.
        let found = gradient(|x| Ok(network.forward(x, true)?["logits"].clone()), &both, &weights);
        assert!(values(&found.narrow(0, 0, 1).unwrap()).iter().all(|&x| x == 0.0));
        let ones = weights.narrow(0, 1, 1).unwrap();
        let alone = gradient(|x| Ok(network.forward(x, true)?["logits"].clone()), &alive, &ones);
        assert_same(&found.narrow(0, 1, 1).unwrap(), &alone);
    }
}
