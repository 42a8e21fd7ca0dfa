//! Steps → layers over slots.

use super::{NodeId, Slot, Step};
use crate::nets::fuse::Ready;
use crate::nets::graph::{Graph, Op};
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
}

/// What a layer does to its input before it adds and rectifies.
pub(super) enum Work {
    Convolution(Box<FastConvolution>),
    MaxPool(Window),
    /// Factor and addend of each channel.
    ScaleShift(Vec<f32>, Vec<f32>),
    Nothing,
}

/// A layer over nodes, before slots are given out.
struct Draft {
    work: Work,
    input: NodeId,
    more: Option<NodeId>,
    relu: bool,
    output: NodeId,
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
pub(super) fn plan(steps: &[Step], graph: &Graph, reads: &[NodeId], vectors: Vectors, low_memory: bool) -> Plan {
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
                let work = Work::Convolution(Box::new(FastConvolution::new(convolution.clone(), vectors, low_memory)));
                Draft { work, input, more: None, relu: false, output: step.node }
            }
            Ready::ScaleShift(norm) => {
                let (scale, shift) = norm.parts();
                let narrow = |numbers: &[f64]| numbers.iter().map(|&number| number as f32).collect();
                let work = Work::ScaleShift(narrow(scale), narrow(shift));
                Draft { work, input, more: None, relu: false, output: step.node }
            }
            Ready::MaxPool(window) => {
                Draft { work: Work::MaxPool(*window), input, more: None, relu: false, output: step.node }
            }
            Ready::Add => {
                let other = step.inputs.get(1).copied().unwrap_or_default();
                let fits = |drafts: &[Draft], node: NodeId| {
                    let at = made(drafts, node)?;
                    let draft = drafts.get(at)?;
                    let fuses = matches!(draft.work, Work::Convolution(_) | Work::ScaleShift(..));
                    let plain = fuses && draft.more.is_none() && !draft.relu;
                    plain.then_some(at)
                };
                // It moves behind what it is added to.
                match (fits(&drafts, input).filter(|_| input != other), fits(&drafts, other)) {
                    (Some(at), _) => Draft { more: Some(other), output: step.node, ..drafts.remove(at) },
                    (None, Some(at)) if input != other => {
                        Draft { more: Some(input), output: step.node, ..drafts.remove(at) }
                    }
                    _ => Draft { work: Work::Nothing, input, more: Some(other), relu: false, output: step.node },
                }
            }
            _ => match made(&drafts, input).filter(|&at| !matches!(drafts[at].work, Work::MaxPool(_))) {
                Some(at) => Draft { relu: true, output: step.node, ..drafts.remove(at) },
                None => Draft { work: Work::Nothing, input, more: None, relu: true, output: step.node },
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
        layers.push(Layer { work: draft.work, input, more, relu: draft.relu, output, node: draft.output });
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
