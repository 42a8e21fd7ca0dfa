//! Steps → layers over slots.

use super::{NodeId, Slot, Step};
use crate::nets::fuse::Ready;
use crate::nets::graph::{Graph, Op};
use crate::nets::network::LoadOptions;
use crate::ops::fast::{FastConvolution, Vectors};
use crate::ops::{Rectifier, Window};

/// What is computed at once.
pub(super) struct Layer {
    pub work: Work,
    /// The slot it reads.
    pub input: usize,
    /// The slot that is added.
    pub more: Option<usize>,
    /// Whether negative results become 0.
    pub relu: bool,
    /// The slot it fills.
    pub output: usize,
    /// The node that it makes.
    pub node: NodeId,
    /// On the way back, factors of each channel's gradient into what it reads, where it has no weights, and into what is
    /// added; 1 if empty.
    pub back: [Vec<f32>; 2],
}

/// What a layer does to its input before it adds and rectifies.
pub(super) enum Work {
    Convolution(Box<FastConvolution>),
    MaxPool(Window),
    /// Factor and addend of each channel, and the factor on the way back.
    ScaleShift {
        scale: Vec<f32>,
        shift: Vec<f32>,
        back: Vec<f32>,
    },
    Nothing,
}

/// A layer over nodes, before slots are given out.
struct Draft {
    work: Work,
    input: NodeId,
    more: Option<NodeId>,
    relu: bool,
    output: NodeId,
    /// On the way back, by what the gradients into its input and into `more` are multiplied.
    back: [f32; 2],
}

impl Draft {
    fn new(work: Work, input: NodeId, output: NodeId) -> Self {
        Self { work, input, more: None, relu: false, output, back: [1.0; 2] }
    }
}

/// Layers, slots, outputs, and the nodes that are covered.
pub(super) type Plan = (Vec<Layer>, Vec<Slot>, Vec<(NodeId, usize)>, Vec<NodeId>);

/// Which nodes can be computed from the picture by layers alone.
pub(super) fn fast(graph: &Graph) -> Vec<bool> {
    let mut fast: Vec<bool> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        let can = match node.op {
            Op::Convolution { groups, .. } => groups == 1,
            Op::Input | Op::BatchNorm { .. } | Op::Relu(Rectifier::Relu) | Op::Add => true,
            // A winner's place is kept in a byte.
            Op::MaxPool(window) => window.kernel * window.kernel <= 255,
            _ => false,
        };
        fast.push(can && node.inputs.iter().all(|&input| fast[input]));
    }
    fast
}

/// Takes over the steps that can be computed so.
pub(super) fn plan(steps: &[Step], graph: &Graph, reads: &[NodeId], vectors: Vectors, options: LoadOptions) -> Plan {
    let fast = fast(graph);
    // The picture is node 0.
    let mut done = vec![0];
    done.extend(steps.iter().map(|step| step.node).filter(|&node| fast[node]));
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
                    Work::Convolution(Box::new(FastConvolution::new(convolution.clone(), vectors, options.low_memory)));
                Draft::new(work, input, step.node)
            }
            Ready::ScaleShift(norm) => {
                let (scale, shift) = norm.parts();
                let narrow = |numbers: &[f64]| numbers.iter().map(|&number| number as f32).collect();
                let work = Work::ScaleShift { scale: narrow(scale), shift: narrow(shift), back: narrow(scale) };
                Draft::new(work, input, step.node)
            }
            Ready::MaxPool(window) => Draft::new(Work::MaxPool(*window), input, step.node),
            Ready::Add => {
                let other = step.inputs.get(1).copied().unwrap_or_default();
                let fits = |drafts: &[Draft], node: NodeId| {
                    let at = made(drafts, node)?;
                    let draft = drafts.get(at)?;
                    let fuses = matches!(draft.work, Work::Convolution(_) | Work::ScaleShift { .. });
                    let plain = fuses && draft.more.is_none() && !draft.relu;
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
            _ => match made(&drafts, input).filter(|&at| !matches!(drafts[at].work, Work::MaxPool(_))) {
                Some(at) => Draft { relu: true, output: step.node, ..drafts.remove(at) },
                None => Draft { relu: true, ..Draft::new(Work::Nothing, input, step.node) },
            },
        };
        drafts.push(draft);
    }

    let mut nodes = vec![0];
    nodes.extend(drafts.iter().map(|draft| draft.output));
    let slot = |node: NodeId| nodes.iter().position(|&known| known == node).unwrap_or_default();
    let channels = graph.nodes().first().map_or(0, |node| node.channels);
    let mut slots = vec![Slot { channels, relu: false, readers: 0 }];
    let mut layers = Vec::new();
    for draft in drafts {
        let (input, more, output) = (slot(draft.input), draft.more.map(slot), slot(draft.output));
        let channels = match &draft.work {
            Work::Convolution(convolution) => convolution.outputs(),
            _ => slots.get(input).map_or(0, |slot| slot.channels),
        };
        slots.push(Slot { channels, relu: draft.relu, readers: 0 });
        for read in [Some(input), more].into_iter().flatten() {
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
            Work::ScaleShift { back, .. } => back.iter_mut().for_each(|scale| *scale *= draft.back[0]),
            Work::MaxPool(_) | Work::Nothing => {}
        }
        layers.push(Layer { work, input, more, relu: draft.relu, output, node: draft.output, back });
    }
    let outputs: Vec<(NodeId, usize)> =
        nodes.iter().filter(|&&node| node != 0 && is_output(node)).map(|&node| (node, slot(node))).collect();
    for &(_, slot) in &outputs {
        if let Some(slot) = slots.get_mut(slot) {
            slot.readers += 1;
        }
    }
    done.retain(|&node| node != 0);
    (layers, slots, outputs, done)
}
