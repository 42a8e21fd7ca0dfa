//! Which variants run together, and what they take.
//!
//! Variants share a batch if the networks that they need and every tensor's shape on the way are the same. It is a
//! matter of speed alone: a variant's bytes are the same in any batch.

use std::collections::BTreeSet;

use super::frames::Frames;
use crate::check::recipe::{Model, Recipe, Stage, Variant};
use crate::source::{Diagnostic, Span, codes};
use crate::spec::{Arg, Call};
use crate::words::{AT_ONCE, Against, parameters, planes, registry};

/// Variants that run together.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Their places in the recipe, ascending.
    pub variants: Vec<usize>,
    /// For each of their networks the nodes that their terms read, in any stage: it is loaded for just these.
    pub nodes: Vec<BTreeSet<String>>,
    /// Bytes that they are estimated to take at most, networks included.
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
    /// Bytes of the networks' weights.
    networks: u64,
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

/// The same for a picture with alpha that is laid over a ground: the ground, its spectrum, and both weighed.
const GROUND_TENSORS: u64 = 8;

/// Tensors of the size of the canvas: parameters, gradient, the optimizer's two, penalties' and filters' own.
const CANVAS_TENSORS: u64 = 24;

/// Tensors of the size of a node that comparing it with something takes: itself, the other, their difference, gradients.
const COMPARED_TENSORS: u64 = 10;

/// Copies of the weights: as read, and as the kernels want them, forwards and backwards; Winograd's method makes up to
/// four of one.
const PREPARED: u64 = 6;

/// The same with `low_memory`.
const UNPREPARED: u64 = 4;

/// The same in bf16, of half the size.
const ROUNDED: u64 = 3;

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
        let alone = needs.networks + needs.own;
        if alone > memory && problem.is_none() {
            problem = Some(too_big(variant, alone, memory));
        }
        let own = needs.own.saturating_add(frames.own.get(index).copied().unwrap_or(0));
        let least = needs.networks.saturating_add(own);
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
    let compares = |call: &&Call| against(call) == Some(Against::Variants);
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

fn nodes(variant: &Variant) -> Vec<BTreeSet<String>> {
    let terms = variant.stages.iter().flat_map(|stage| &stage.terms);
    let terms = terms.flat_map(|term| term.nodes.iter().map(|node| (term.model, node)));
    // An attribution asks one network.
    let asked = variant.stages.iter().filter_map(|stage| Some((0, stage.attribution.as_ref()?.node.as_ref()?)));
    let mut nodes = vec![BTreeSet::new(); variant.models.len()];
    for (model, node) in terms.chain(asked) {
        if let Some(nodes) = nodes.get_mut(model) {
            nodes.insert(node.clone());
        }
    }
    nodes
}

/// Whether two variants can run side by side, given that they read the same nodes.
fn together(a: &Variant, b: &Variant) -> bool {
    let same_stage = |(x, y): (&Stage, &Stage)| {
        let (sizes, others) = (x.seen_sizes(), y.seen_sizes());
        // Where draws decide the size, each variant may have its own.
        let fixed = sizes.least == sizes.most;
        (x.width, x.height, x.steps, x.views) == (y.width, y.height, y.steps, y.views) && sizes == others && fixed
    };
    a.models.len() == b.models.len()
        && a.models.iter().zip(&b.models).all(|(x, y)| same_call(&x.call, &y.call))
        && a.stages.len() == b.stages.len()
        && a.stages.iter().zip(&b.stages).all(same_stage)
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

fn needs(variant: &Variant, nodes: &[BTreeSet<String>]) -> Needs {
    let mut needs = Needs { networks: variant.models.iter().map(weights).sum(), ..Needs::default() };
    for stage in &variant.stages {
        let (height, width) = stage.seen_sizes().most;
        let planes = planes(&stage.canvas) as u64;
        let (view, canvas) = (area(height, width) * 3 * F32, area(stage.height, stage.width) * planes * F32);
        let grounds = if planes == 4 { GROUND_TENSORS } else { 0 };
        // A mask, and the picture that it holds.
        let held = if stage.canvas.args.file("mask").is_some() { 2 * canvas } else { 0 };
        let (activations, multiplications) = of_image(variant, nodes, stage, (height, width));
        // Photos have the size of the canvas, also where a view has not; one is looked at at a time.
        let photo = match stage.terms.iter().any(|term| sees_photos(&term.call)) {
            true => of_image(variant, nodes, stage, (stage.height, stage.width)).0,
            false => 0,
        };
        // An attribution shows the network a few pictures at once, and each is a step.
        let views = if stage.attribution.is_some() { AT_ONCE as u64 } else { stage.views as u64 };
        let parameters = parameters(&stage.canvas, stage.height, stage.width) as u64 * F32;
        let own = canvas.max(parameters) * CANVAS_TENSORS
            + held
            + views * (view.max(canvas) * (TRANSFORM_TENSORS + grounds) + activations)
            + photo;
        let passes = stage.views as u64 * stage.steps as u64;
        needs.own = needs.own.max(own);
        needs.passes += passes * (0..variant.models.len()).filter(|&model| stage.asks(model)).count() as u64;
        needs.multiplications = needs.multiplications.saturating_add(multiplications.saturating_mul(passes));
    }
    needs
}

/// Bytes of activations and multiplications of an image of that height and width, in the networks that a stage asks.
fn of_image(
    variant: &Variant,
    nodes: &[BTreeSet<String>],
    stage: &Stage,
    (height, width): (usize, usize),
) -> (u64, u64) {
    let (mut activations, mut multiplications) = (0, 0);
    let models = variant.models.iter().zip(nodes).enumerate();
    for (number, (Model { facts, .. }, nodes)) in models.filter(|(number, _)| stage.asks(*number)) {
        let Ok(shapes) = facts.graph.shapes(height, width) else { continue };
        let reads: Vec<usize> = nodes.iter().filter_map(|node| facts.graph.find(node)).collect();
        let own = stage.terms.iter().filter(|term| term.model == number);
        let terms = own.filter(|term| against(&term.call) != Some(Against::Nothing));
        let compared = terms.flat_map(|term| &term.nodes).filter_map(|node| facts.graph.find(node));
        let compared: usize = compared.filter_map(|node| shapes.get(node)).map(|shape| shape.len()).sum();
        // As much again is in flight on the way back. Networks are asked one after another.
        let own = 2 * facts.graph.activation_bytes(&shapes, &reads) + compared as u64 * F32 * COMPARED_TENSORS;
        activations = activations.max(own);
        multiplications += facts.graph.multiplications(&shapes, &reads);
    }
    (activations, multiplications)
}

fn sees_photos(call: &Call) -> bool {
    matches!(against(call), Some(Against::Photo { .. } | Against::Photos(_)))
}

fn against(call: &Call) -> Option<Against<'_>> {
    registry::objective(call.spec.name).map(|word| word.against(&call.args))
}

/// Bytes of a network's weights, in all copies.
fn weights(Model { call, facts, .. }: &Model) -> u64 {
    let weights: u64 = facts.graph.parameters().iter().map(|p| p.shape.iter().product::<usize>() as u64).sum();
    let copies = match call.args.choice("precision") {
        "bf16" => ROUNDED,
        _ if call.args.switch("low_memory") => UNPREPARED,
        _ => PREPARED,
    };
    weights * F32 * copies
}

fn area(height: usize, width: usize) -> u64 {
    height as u64 * width as u64
}

fn too_big(variant: &Variant, needs: u64, memory: u64) -> Diagnostic {
    let area_of = |stage: &&Stage| area(stage.height, stage.width) * stage.views as u64;
    let largest = variant.stages.iter().max_by_key(area_of);
    let span = largest.map_or(Span::default(), |stage| stage.canvas.span);
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
