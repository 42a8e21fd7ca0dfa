//! The statistics of what the network was trained on.

use candle_core::{Result, Tensor};

use super::rows;
use crate::nets::{Graph, Node, Op};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type};
use crate::words::{Against, Objective, Other};

pub(super) struct BatchNorm;

/// What stands under the roots of lengths, squared: the root of 0 has no slope.
const EPSILON: f64 = 1e-6;

static SPEC: Spec = Spec {
    kind: Kind::Objective,
    name: "batch_norm",
    aliases: &["deep_inversion", "deepinversion", "bn", "r_feature", "feature_statistics", "running_statistics"],
    summary: "the statistics of what the network was trained on, as its batch norms hold them",
    doc: "−Σ over batch norms of ‖μ(x) − running_mean‖ + ‖σ²(x) − running_var‖, with x what comes into the batch norm, μ and σ² its mean and (biased) variance over views and positions, a number for each channel, and ‖·‖ the length of the vector of them (not squared).\n\nA network's own memory of photos, so nobody's photos are needed: colours, contrast and how much of everything there is become those of training. It says nothing of what is where; that is left to a class. The paper weighs it 0.01 against the cross-entropy of a batch of 84 and more pictures; statistics of one picture are its own, and no photo has just the mean ones, so a weight that is too large makes a texture of all. Its code weighs the first batch norm tenfold: add `9 * batch_norm(NODE)` for that. Weights whose batch norms were folded into convolutions and written anew (mean 0 and variance 1 everywhere) hold no such memory, and a run stops and says so. Reading all these nodes takes the network from its fastest form.",
    source: "Yin et al. 2020, Dreaming to Distill: Data-free Knowledge Transfer via DeepInversion (CVPR), formula 4; NVlabs/DeepInversion, deepinversion.py, DeepInversionFeatureHook",
    params: &[Param::new(
        "node",
        Type::Node,
        Presence::Optional("all batch norms of the network"),
        "One batch norm, by torchvision's name: `layer3.1.bn2`. `fviz layers MODEL` lists them.",
    )
    .alias(&["layer", "layers", "module", "norm"])],
    positional: 1,
    block: false,
    example: "maximize class(\"hen\") + 0.01 * batch_norm",
};

impl Objective for BatchNorm {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn nodes(&self, args: &Args, graph: &Graph) -> std::result::Result<Vec<String>, String> {
        let is_norm = |node: &&Node| matches!(node.op, Op::BatchNorm { .. });
        let input = |norm: &Node| Some(graph.nodes().get(*norm.inputs.first()?)?.name.clone());
        let norms = graph.nodes().iter().filter(is_norm);
        let (nodes, problem): (Vec<String>, _) = match args.text("node") {
            Some(name) => (
                norms.filter(|norm| norm.name == name).filter_map(input).collect(),
                format!("`{name}` is no batch norm"),
            ),
            None => (norms.filter_map(input).collect(), "the network has no batch norms".to_string()),
        };
        if nodes.is_empty() { Err(problem) } else { Ok(nodes) }
    }

    fn against<'a>(&self, _: &'a Args) -> Against<'a> {
        Against::Running
    }

    fn value(&self, tap: &Tensor, others: &[Other], _: &Args, _: &Moment) -> Result<Tensor> {
        let [mean, variance] = others else { return tap.zeros_like()?.mean_all() };
        let channels = rows(tap)?.transpose(0, 1)?.flatten_from(1)?;
        let own = channels.mean_keepdim(1)?;
        let spread = channels.broadcast_sub(&own)?.sqr()?.mean(1)?;
        (distance(&own.squeeze(1)?, &mean.tap)? + distance(&spread, &variance.tap)?)?.neg()
    }
}

/// The length of a − b, and nothing where they are equal.
fn distance(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    (a - b)?.sqr()?.sum_all()?.affine(1.0, EPSILON * EPSILON)?.sqrt()? - EPSILON
}
