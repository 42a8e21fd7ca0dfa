//! Which variants run together, and what they take.
//!
//! Variants share a batch if the network that they need and every tensor's shape on the way are the same. It is a
//! matter of speed alone: a variant's bytes are the same in any batch.

use std::collections::BTreeSet;

use super::frames::Frames;
use crate::check::recipe::{Model, Recipe, Stage, Variant};
use crate::source::{Diagnostic, codes};
use crate::spec::{Arg, Call};
use crate::words::{AT_ONCE, Against, Sizes, parameters, registry};

/// Variants that run together.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Their places in the recipe, ascending.
    pub variants: Vec<usize>,
    /// The nodes that their terms read, in any stage: a network is loaded for just these.
    pub nodes: BTreeSet<String>,
    /// Bytes that they are estimated to take at most, network included.
    pub memory: u64,
    /// Bytes that the first of them takes alone, its frames included.
    pub(super) least: u64,
}

/// What a run takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Images that go through a network and back.
    pub passes: u64,
    /// Multiplications of all passes, forwards.
    pub multiplications: u64,
    /// Bytes of the batch that takes most, and of the frames.
    pub memory: u64,
}

/// What one variant takes.
#[derive(Clone, Copy, Debug, Default)]
struct Needs {
    /// Bytes of the network's weights.
    network: u64,
    /// Bytes of its canvases, views and activations, in the stage that takes most.
    own: u64,
    passes: u64,
    multiplications: u64,
}

/// Variants that run together at most, unless they compare one another. More are no faster (ResNet18 at 128x128 on two
/// cores: 0.30 s a variant for 4 steps, whether 8, 16 or 48 run together), and where a long queue is one batch nothing of
/// it is done before everything is.
const TOGETHER: usize = 16;

/// The part of the machine's free memory that a run may plan for: the estimate is one, and other programs run too.
const SHARE: f64 = 0.6;

/// Tensors of the size of a view that the transforms' graph keeps: a colour jitter alone takes about thirty.
const TRANSFORM_TENSORS: u64 = 40;

/// Tensors of the size of the canvas: parameters, gradient, the optimizer's two, penalties' and filters' own.
const CANVAS_TENSORS: u64 = 24;

/// Copies of the weights: as read, and as the kernels want them, forwards and backwards; Winograd's method makes up to
/// four of one.
const PREPARED: u64 = 6;

/// The same with `low_memory`.
const UNPREPARED: u64 = 4;

const F32: u64 = 4;

/// The batches of a recipe, what they take, and the first variant that is too big for the machine.
pub fn batches(recipe: &Recipe, memory: u64, frames: &Frames) -> (Vec<Batch>, Cost, Option<Diagnostic>) {
    let room = (memory.saturating_sub(frames.bytes) as f64 * SHARE) as u64;
    let mut cost = Cost::default();
    let mut problem = None;
    let mut batches: Vec<Batch> = Vec::new();
    let together_at_most = if compares(recipe) { usize::MAX } else { TOGETHER };
    for (index, variant) in recipe.variants.iter().enumerate() {
        let nodes = nodes(variant);
        let needs = needs(variant, &nodes);
        cost.passes += needs.passes;
        cost.multiplications = cost.multiplications.saturating_add(needs.multiplications);
        let alone = needs.network + needs.own;
        if alone > memory && problem.is_none() {
            problem = Some(too_big(variant, alone, memory));
        }
        let own = needs.own.saturating_add(frames.own.get(index).copied().unwrap_or(0));
        let least = needs.network.saturating_add(own);
        let fits = |batch: &&mut Batch| {
            let first = batch.variants.first().and_then(|&first| recipe.variants.get(first));
            batch.nodes == nodes
                && batch.variants.len() < together_at_most
                && batch.memory.saturating_add(own) <= room
                && first.is_some_and(|first| together(first, variant))
        };
        // The latest batch of its kind is the only one that may have room.
        match batches.iter_mut().rev().find(fits) {
            Some(batch) => {
                batch.variants.push(index);
                batch.memory += own;
            }
            None => batches.push(Batch { variants: vec![index], nodes, memory: least, least }),
        }
    }
    let most = batches.iter().map(|batch| batch.memory).max().unwrap_or(0);
    cost.memory = frames.bytes.saturating_add(most);
    (batches, cost, problem)
}

/// Whether an objective compares variants, so that each depends on all.
pub fn compares(recipe: &Recipe) -> bool {
    comparing(recipe).is_some()
}

fn comparing(recipe: &Recipe) -> Option<&Call> {
    let compares = |call: &&Call| {
        registry::objective(call.spec.name).is_some_and(|word| word.against(&call.args) == Against::Variants)
    };
    let stages = recipe.variants.iter().flat_map(|variant| &variant.stages);
    stages.flat_map(|stage| &stage.terms).map(|term| &term.call).find(compares)
}

/// What is wrong with objectives that compare variants: there are no others, or they don't run together.
pub fn apart(recipe: &Recipe, batches: &[Batch]) -> Option<Diagnostic> {
    let call = comparing(recipe)?;
    let word = call.spec.name;
    if recipe.variants.len() == 1 {
        let message = format!("`{word}` compares variants, and this recipe has one");
        return Some(
            Diagnostic::warning(&codes::NO_EFFECT, call.span, message, "no effect")
                .with_help("write `seed each 1..4` for several, or take it away"),
        );
    }
    (batches.len() > 1).then(|| {
        let message = format!("`{word}` compares variants that can't run together");
        Diagnostic::error(&codes::VARIANTS_APART, call.span, message, format!("they run in {} groups", batches.len()))
            .with_help("give all variants one model, size and number of steps; fewer of them, or smaller ones, fit into memory together")
    })
}

fn nodes(variant: &Variant) -> BTreeSet<String> {
    let terms = variant.stages.iter().flat_map(|stage| &stage.terms).map(|term| term.node.clone());
    let asked = variant.stages.iter().filter_map(|stage| stage.attribution.as_ref()?.node.clone());
    terms.chain(asked).collect()
}

/// Whether two variants can run side by side, given that they read the same nodes.
fn together(a: &Variant, b: &Variant) -> bool {
    let same_stage = |(x, y): (&Stage, &Stage)| {
        let (sizes, others) = (seen_sizes(x), seen_sizes(y));
        // Where draws decide the size, each variant may have its own.
        let fixed = sizes.least == sizes.most;
        (x.width, x.height, x.steps, x.views) == (y.width, y.height, y.steps, y.views) && sizes == others && fixed
    };
    same_model(&a.model, &b.model) && a.stages.len() == b.stages.len() && a.stages.iter().zip(&b.stages).all(same_stage)
}

fn same_model(a: &Model, b: &Model) -> bool {
    same_call(&a.call, &b.call)
}

/// Whether two calls do the same, wherever they stand.
pub fn same_call(a: &Call, b: &Call) -> bool {
    fn values(call: &Call) -> impl Iterator<Item = (&'static str, &Arg)> {
        call.args.iter().map(|(name, value, _)| (name, value))
    }
    std::ptr::eq(a.spec, b.spec)
        && values(a).eq(values(b))
        && a.block.len() == b.block.len()
        && a.block.iter().zip(&b.block).all(|(x, y)| same_call(x, y))
}

/// The sizes in which the network may see the canvas of a stage.
pub fn seen_sizes(stage: &Stage) -> Sizes {
    let canvas = (stage.height, stage.width);
    stage.transforms.iter().fold(Sizes { least: canvas, most: canvas }, |sizes, call| {
        registry::transform(call.spec.name).map_or(sizes, |word| word.sizes(&call.args, sizes))
    })
}

fn needs(variant: &Variant, nodes: &BTreeSet<String>) -> Needs {
    let facts = &variant.model.facts;
    let reads: Vec<usize> = nodes.iter().filter_map(|node| facts.graph.find(node)).collect();
    let weights: u64 = facts.graph.parameters().iter().map(|p| p.shape.iter().product::<usize>() as u64).sum();
    let copies = if variant.model.call.args.switch("low_memory") { UNPREPARED } else { PREPARED };
    let mut needs = Needs { network: weights * F32 * copies, ..Needs::default() };
    for stage in &variant.stages {
        let (height, width) = seen_sizes(stage).most;
        let (view, canvas) = (area(height, width) * 3 * F32, area(stage.height, stage.width) * 3 * F32);
        let (activations, multiplications) = match facts.graph.shapes(height, width) {
            // As much again is in flight on the way back.
            Ok(shapes) => {
                (2 * facts.graph.activation_bytes(&shapes, &reads), facts.graph.multiplications(&shapes, &reads))
            }
            Err(_) => (0, 0),
        };
        // An attribution shows the network a few pictures at once, and each is a step.
        let views = if stage.attribution.is_some() { AT_ONCE as u64 } else { stage.views as u64 };
        let parameters = parameters(&stage.canvas, stage.height, stage.width) as u64 * F32;
        let own =
            canvas.max(parameters) * CANVAS_TENSORS + views * (view.max(canvas) * TRANSFORM_TENSORS + activations);
        let passes = stage.views as u64 * stage.steps as u64;
        needs.own = needs.own.max(own);
        needs.passes += passes;
        needs.multiplications = needs.multiplications.saturating_add(multiplications.saturating_mul(passes));
    }
    needs
}

fn area(height: usize, width: usize) -> u64 {
    height as u64 * width as u64
}

fn too_big(variant: &Variant, needs: u64, memory: u64) -> Diagnostic {
    let area_of = |stage: &&Stage| area(stage.height, stage.width) * stage.views as u64;
    let largest = variant.stages.iter().max_by_key(area_of);
    let span = largest.map_or(variant.model.call.span, |stage| stage.canvas.span);
    let views = largest.map_or(1, |stage| stage.views);
    let help = if views > 1 { "make the canvas smaller, or take fewer `views`" } else { "make the canvas smaller" };
    Diagnostic::error(
        &codes::TOO_MUCH_MEMORY,
        span,
        format!("a run would need about {} of memory, and {} are free", gigabytes(needs), gigabytes(memory)),
        "too large for this machine",
    )
    .with_help(help)
}

/// Bytes as told to a person.
pub fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}
