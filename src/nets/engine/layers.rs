//! Steps → layers over slots.

use super::{NodeId, Slot, Step};
use crate::nets::fuse::Ready;
use crate::nets::graph::{Graph, Op};
use crate::nets::network::LoadOptions;
use crate::ops::fast::{FastConvolution, Form, Vectors};
use crate::ops::{Parts, Rectifier, Window};

/// What is computed at once.
pub(super) struct Layer {
    pub work: Work,
    /// The slots it reads: one, but for those whose channels are put together.
    pub inputs: Vec<usize>,
    /// The slot that is added.
    pub more: Option<usize>,
    /// What results are bounded by.
    pub relu: Option<Rectifier>,
    /// The slot it fills.
    pub output: usize,
    /// The node that it makes.
    pub node: NodeId,
    /// The layer of the max pool that alone reads what it fills, if its gradient goes by what won there.
    pub pool: Option<usize>,
    /// On the way back, factors of each channel's gradient into what it reads, where it has no weights, and into what is
    /// added; 1 if empty.
    pub back: [Vec<f32>; 2],
}

impl Layer {
    /// Whether, on the way back, it gives something to some pixels of its picture only.
    pub fn adds_to_some(&self) -> bool {
        matches!(&self.work, Work::Convolution(convolution) if !convolution.sees_all())
    }
}

/// What a layer does to its input before it adds and rectifies.
pub(super) enum Work {
    Convolution(Box<FastConvolution>),
    MaxPool(Window),
    MeanPool(Window),
    /// The mean of all positions.
    Mean,
    ScaleShift(Norm),
    /// The channels of all inputs, one after another.
    Concat(Norm),
    Nothing,
}

/// Factor and addend of each channel, and the factor on the way back; 1 and 0 if empty.
#[derive(Default)]
pub(super) struct Norm {
    pub scale: Vec<f32>,
    pub shift: Vec<f32>,
    pub back: Vec<f32>,
}

/// A layer over nodes, before slots are given out.
struct Draft {
    work: Work,
    inputs: Vec<NodeId>,
    more: Option<NodeId>,
    relu: Option<Rectifier>,
    output: NodeId,
    /// On the way back, by what the gradients into its input and into `more` are multiplied.
    back: [f32; 2],
}

impl Draft {
    fn new(work: Work, input: NodeId, output: NodeId) -> Self {
        Self { work, inputs: vec![input], more: None, relu: None, output, back: [1.0; 2] }
    }
}

/// Layers, slots, outputs, and the nodes that are covered.
pub(super) type Plan = (Vec<Layer>, Vec<Slot>, Vec<Output>, Vec<NodeId>);

/// A node whose tensor others read.
#[derive(Clone, Copy)]
pub(super) struct Output {
    pub node: NodeId,
    pub slot: usize,
    /// Whether its tensor is `[N, C]`.
    pub flat: bool,
}

/// What is known of a node before any size is.
#[derive(Clone, Copy, Default)]
pub(super) struct Kind {
    /// Whether it can be computed from the picture by layers alone.
    pub fast: bool,
    /// Whether it has one position, whatever the picture's size.
    single: bool,
    /// Whether its tensor is `[N, C]`.
    flat: bool,
}

/// The kind of each node.
pub(super) fn kinds(graph: &Graph) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        let all = |is: fn(&Kind) -> bool| !node.inputs.is_empty() && node.inputs.iter().all(|&input| is(&kinds[input]));
        let (mut single, mut flat) = (all(|kind| kind.single), all(|kind| kind.flat));
        let can = match node.op {
            Op::Input | Op::Convolution { .. } | Op::BatchNorm { .. } | Op::Relu(_) => true,
            Op::Add | Op::Concat | Op::Dropout | Op::MeanPool(Parts::Window(_)) => true,
            // A winner's place is kept in a byte.
            Op::MaxPool(window) => window.kernel * window.kernel <= 255,
            Op::MeanPool(Parts::Even(1)) | Op::Mean => {
                (single, flat) = (true, node.op == Op::Mean);
                true
            }
            // Several positions lie one after another in each channel there, and the other way round here.
            Op::Flatten | Op::Linear => {
                flat = true;
                single
            }
            _ => false,
        };
        let fast = can && node.inputs.iter().all(|&input| kinds[input].fast);
        kinds.push(Kind { fast, single, flat });
    }
    kinds
}

/// Takes over the steps that can be computed so.
pub(super) fn plan(steps: &[Step], graph: &Graph, reads: &[NodeId], vectors: Vectors, options: LoadOptions) -> Plan {
    let kinds = kinds(graph);
    // The picture is node 0.
    let mut done = vec![0];
    done.extend(steps.iter().map(|step| step.node).filter(|&node| kinds[node].fast));
    let covered = |step: &&Step| done.contains(&step.node);
    let readers = |node: NodeId| steps.iter().flat_map(|step| &step.inputs).filter(|&&input| input == node).count();
    let is_output = |node: NodeId| {
        reads.contains(&node) || steps.iter().any(|step| !done.contains(&step.node) && step.inputs.contains(&node))
    };
    // Nobody sees a node that has one reader inside: it may become part of that reader.
    let hidden = |node: NodeId| readers(node) == 1 && !is_output(node);

    let mut drafts: Vec<Draft> = Vec::new();
    for step in steps.iter().filter(covered) {
        let input = step.inputs.first().copied().unwrap_or_default();
        // The draft that makes a node which may become part of this one.
        let made = |drafts: &[Draft], node: NodeId| {
            hidden(node).then(|| drafts.iter().position(|draft| draft.output == node)).flatten()
        };
        let draft = match &step.ready {
            Ready::Convolution(convolution) => {
                let work =
                    Work::Convolution(Box::new(FastConvolution::new(convolution.clone(), vectors, options.form)));
                Draft::new(work, input, step.node)
            }
            Ready::ScaleShift(norm) => {
                let (scale, shift) = norm.parts();
                let narrow = |numbers: &[f64]| numbers.iter().map(|&number| number as f32).collect();
                let norm = Norm { scale: narrow(scale), shift: narrow(shift), back: narrow(scale) };
                let together = |draft: &Draft| match &draft.work {
                    Work::Concat(norm) => norm.scale.is_empty() && draft.relu.is_none(),
                    _ => false,
                };
                match made(&drafts, input).filter(|&at| together(&drafts[at])) {
                    Some(at) => Draft { work: Work::Concat(norm), output: step.node, ..drafts.remove(at) },
                    None => Draft::new(Work::ScaleShift(norm), input, step.node),
                }
            }
            Ready::MaxPool(window) => Draft::new(Work::MaxPool(*window), input, step.node),
            Ready::MeanPool(Parts::Even(1)) | Ready::Mean => Draft::new(Work::Mean, input, step.node),
            // One position: a window of one cell. Few numbers, so they stay as exact as they are.
            Ready::Linear(linear) => {
                let work = FastConvolution::new(linear.convolution().clone(), vectors, Form::Plain);
                Draft::new(Work::Convolution(Box::new(work)), input, step.node)
            }
            Ready::MeanPool(Parts::Window(window)) => Draft::new(Work::MeanPool(*window), input, step.node),
            Ready::Concat => {
                let draft = Draft::new(Work::Concat(Norm::default()), input, step.node);
                Draft { inputs: step.inputs.clone(), ..draft }
            }
            Ready::Add => {
                let other = step.inputs.get(1).copied().unwrap_or_default();
                let fits = |drafts: &[Draft], node: NodeId| {
                    let at = made(drafts, node)?;
                    let draft = drafts.get(at)?;
                    let fuses = matches!(draft.work, Work::Convolution(_) | Work::ScaleShift(_));
                    let plain = fuses && draft.more.is_none() && draft.relu.is_none();
                    plain.then_some(at)
                };
                let factor = options.residual_gradient;
                // It moves behind what it is added to.
                match (fits(&drafts, input).filter(|_| input != other), fits(&drafts, other)) {
                    (Some(at), _) => {
                        let back = [factor, 1.0];
                        Draft { more: Some(other), output: step.node, back, ..drafts.remove(at) }
                    }
                    (None, Some(at)) if input != other => {
                        let back = [1.0, factor];
                        Draft { more: Some(input), output: step.node, back, ..drafts.remove(at) }
                    }
                    _ => {
                        let draft = Draft::new(Work::Nothing, input, step.node);
                        Draft { more: Some(other), back: [factor, 1.0], ..draft }
                    }
                }
            }
            Ready::Relu(kind, _) => {
                let open = |draft: &Draft| {
                    draft.relu.is_none() && !matches!(draft.work, Work::MaxPool(_) | Work::MeanPool(_) | Work::Mean)
                };
                match made(&drafts, input).filter(|&at| open(&drafts[at])) {
                    Some(at) => Draft { relu: Some(*kind), output: step.node, ..drafts.remove(at) },
                    None => Draft { relu: Some(*kind), ..Draft::new(Work::Nothing, input, step.node) },
                }
            }
            _ => Draft::new(Work::Nothing, input, step.node),
        };
        drafts.push(draft);
    }

    let mut nodes = vec![0];
    nodes.extend(drafts.iter().map(|draft| draft.output));
    let slot = |node: NodeId| nodes.iter().position(|&known| known == node).unwrap_or_default();
    let channels = graph.nodes().first().map_or(0, |node| node.channels);
    let mut slots = vec![Slot { channels, relu: None, readers: 0 }];
    let mut layers = Vec::new();
    for draft in drafts {
        let inputs: Vec<usize> = draft.inputs.iter().map(|&input| slot(input)).collect();
        let (more, output) = (draft.more.map(slot), slot(draft.output));
        let channels = match &draft.work {
            Work::Convolution(convolution) => convolution.outputs(),
            _ => inputs.iter().filter_map(|&input| slots.get(input)).map(|slot| slot.channels).sum(),
        };
        slots.push(Slot { channels, relu: draft.relu, readers: 0 });
        for read in inputs.iter().copied().chain(more) {
            if let Some(slot) = slots.get_mut(read) {
                slot.readers += 1;
            }
        }
        let mut work = draft.work;
        let factors = |factor: f32| if factor == 1.0 { Vec::new() } else { vec![factor; channels] };
        let back = draft.back.map(factors);
        // Where there are weights, they take the factor along.
        match &mut work {
            Work::Convolution(convolution) => convolution.scale_gradient(draft.back[0]),
            Work::ScaleShift(norm) => norm.back.iter_mut().for_each(|scale| *scale *= draft.back[0]),
            Work::MaxPool(_) | Work::MeanPool(_) | Work::Mean | Work::Concat(_) | Work::Nothing => {}
        }
        layers.push(Layer { work, inputs, more, relu: draft.relu, output, node: draft.output, pool: None, back });
    }
    let output = |&node: &NodeId| Output { node, slot: slot(node), flat: kinds[node].flat };
    let outputs: Vec<Output> = nodes.iter().filter(|&&node| node != 0 && is_output(node)).map(output).collect();
    for output in &outputs {
        if let Some(slot) = slots.get_mut(output.slot) {
            slot.readers += 1;
        }
    }
    if !options.smooth_pools {
        go_by_winners(&mut layers, &mut slots);
    }
    done.retain(|&node| node != 0);
    (layers, slots, outputs, done)
}

/// Finds the convolutions whose gradients go by the winners of a pool.
fn go_by_winners(layers: &mut [Layer], slots: &mut [Slot]) {
    for pool in 0..layers.len() {
        let Work::MaxPool(_) = layers[pool].work else { continue };
        let (input, output) = (layers[pool].input(), layers[pool].output);
        let serves = |layer: &Layer| {
            let plain = layer.more.is_none() && slots[input].readers == 1;
            layer.output == input && plain && matches!(&layer.work, Work::Convolution(of) if of.pools())
        };
        if let Some(layer) = layers.iter().position(serves) {
            layers[layer].pool = Some(pool);
            // A winner is what the pool gives, so the rectifier's mask is as good there.
            slots[output].relu = slots[input].relu;
        }
    }
}
