//! `fviz classify`: what a network sees in a photo, and which of its units say so.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;

use candle_core::{Result, Tensor, Var};

use super::args::ClassifyArgs;
use super::page::{BOLD, DIM};
use super::progress::{Progress, Style};
use super::report::Reporter;
use super::run::{cancel, told};
use super::terminal::{fixed, shell_word};
use super::{Failure, model, recipe, terminal};
use crate::check::recipe::Model;
use crate::check::suggest::nearest;
use crate::nets::{Facts, Network, Op, Shape};
use crate::run::reason;
use crate::session::{self, News, Session, photo};
use crate::source::Sources;
use crate::store::WeightStore;
use crate::words::fitted;

/// Runs the verb.
pub fn run(args: &ClassifyArgs, reporter: &Reporter) -> std::result::Result<(), Failure> {
    let mut session = Session::new(WeightStore::from_env());
    let model = model::named(args.model.model.as_deref(), session.store(), reporter)?;
    let (layer, shape) = layer(&model.facts, args.layer.as_deref())?;
    let name = args.photo.display();
    let picture = photo::decode(&recipe::bytes(&args.photo)?)
        .map_err(|error| Failure::environment(format!("can't read `{name}` as a photo: {error}"), None))?;
    let output = model.facts.output().name.clone();
    let nodes = BTreeSet::from([layer.clone(), output.clone()]);
    let mut progress = Progress::new(if terminal::is_interactive() { Style::Bar } else { Style::Silent }, *reporter);
    let mut fetching =
        |model: &str, done, all| progress.hear(&News::Fetching { model, done, all }, &Sources::default());
    let loaded = session.network(&model, &nodes, &mut fetching, &cancel());
    progress.clear();
    let network =
        loaded.map_err(|error| told(session::Failure::Load(error), &Sources::default(), reporter).into_exit())?;
    let text = Look { args, model: &model, network, layer, shape, output }.page(&picture).map_err(|error| {
        Failure::environment(format!("`{}` can't see `{name}`: {}", model.facts.name, reason(&error)), None)
    })?;
    if args.model.model.is_none() {
        // A softmax is sure of something whatever it is shown, and most photos show no motif.
        let photo = shell_word(&name.to_string());
        terminal::tell(&format!(
            "note: {} knows {} drawn motifs and nothing else; for photos: `fviz classify {photo} --model resnet18`\n",
            model.facts.name,
            model.facts.classes(),
        ));
    }
    anstream::stdout().write_all(text.as_bytes()).map_err(Failure::output)
}

/// The node whose units are listed: the one that is asked for, else the last ReLU that has positions.
fn layer(facts: &Facts, wanted: Option<&str>) -> std::result::Result<(String, Shape), Failure> {
    let (width, height) = facts.size;
    let shapes = facts
        .graph
        .shapes(height, width)
        .map_err(|error| Failure::environment(format!("`{}` can't see {width}x{height}: {error}", facts.name), None))?;
    let nodes = facts.graph.nodes();
    let id = match wanted {
        Some(name) => facts.graph.find(name).ok_or_else(|| {
            let names = facts.graph.names();
            let help = match nearest(name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("`fviz layers {}` lists its nodes", facts.name),
            };
            Failure::usage(format!("`{}` has no node `{name}`", facts.name), Some(help))
        })?,
        None => nodes
            .iter()
            .zip(&shapes)
            .rposition(|(node, shape)| matches!(node.op, Op::Relu(_)) && shape.cells().is_some_and(|(h, w)| h * w > 1))
            .unwrap_or(nodes.len() - 1),
    };
    match (nodes.get(id), shapes.get(id)) {
        (Some(node), Some(shape)) => Ok((node.name.clone(), *shape)),
        _ => Err(Failure::usage(format!("`{}` has no such node", facts.name), None)),
    }
}

/// A photo being looked at.
struct Look<'a> {
    args: &'a ClassifyArgs,
    model: &'a Model,
    network: Arc<Network>,
    layer: String,
    shape: Shape,
    output: String,
}

/// What a unit has to do with the class.
struct Unit {
    channel: usize,
    /// Σ activation · gradient over positions.
    part: f64,
    /// Where its activation is greatest, (x, y).
    peak: Option<(usize, usize)>,
}

impl Look<'_> {
    fn page(&self, photo: &Tensor) -> Result<String> {
        let facts = &self.model.facts;
        let seen = preprocessed(photo, self.model)?;
        let taps = self.network.forward(&seen, false)?;
        let logits = numbers(taps.get(&self.output))?;
        let classes = ranked(&softmax(&logits), self.args.top.into());
        let mut text = format!("{BOLD}{}{BOLD:#}, as {} sees it\n", self.args.photo.display(), facts.name);
        for (class, share) in &classes {
            let label = facts.labels.line(*class).unwrap_or("-");
            text.push_str(&format!("{:>6.2} %  {label} {DIM}(class {class}){DIM:#}\n", 100.0 * share));
        }
        let Some((top, _)) = classes.first() else { return Ok(text) };
        let units = self.units(&seen, taps.get(&self.layer), *top)?;
        let (layer, label) = (&self.layer, facts.labels.name(*top));
        text.push_str(&format!("\nunits of {BOLD}{layer}{BOLD:#} ({}) that speak most for {label}\n", self.shape));
        for Unit { channel, part, peak } in units.iter().take(self.args.top.into()) {
            let peak = peak.map_or(String::new(), |(x, y)| format!("  strongest at ({x}, {y})"));
            let sign = if *part >= 0.0005 { "+" } else { "" };
            let part = format!("{sign}{}", fixed(*part, 3));
            text.push_str(&format!("{part:>8}  channel {channel}{peak}\n"));
        }
        text.push_str(&format!(
            "{DIM}activation times gradient of the logit ({}), summed over positions{DIM:#}\n",
            fixed(logits.get(*top).copied().unwrap_or(f64::NAN), 3)
        ));
        if let Some(first) = units.first() {
            text.push_str(&format!("\nsee the first: maximize channel({layer}, {})\n", first.channel));
        }
        Ok(text)
    }

    /// The units of the layer, those that raise the class's logit most first.
    fn units(&self, seen: &Tensor, tap: Option<&Tensor>, class: usize) -> Result<Vec<Unit>> {
        let Some(tap) = tap else { return Ok(Vec::new()) };
        // The rest of the network again, from the layer on: the gradient with respect to what it gave.
        let held = Var::from_tensor(&tap.detach())?;
        let taps = self.network.forward_from(seen, &self.layer, held.as_tensor())?;
        let Some(logits) = taps.get(&self.output) else { return Ok(Vec::new()) };
        let gradients = logits.flatten_all()?.get(class)?.backward()?;
        let Some(gradient) = gradients.get(&held) else { return Ok(Vec::new()) };
        let (activations, gradients) = (numbers(Some(tap))?, numbers(Some(gradient))?);
        let cells = self.tap_cells(tap);
        let width = cells.map_or(1, |(_, width)| width);
        let size = cells.map_or(1, |(height, width)| height * width).max(1);
        let mut units: Vec<Unit> = activations
            .chunks(size)
            .zip(gradients.chunks(size))
            .enumerate()
            .map(|(channel, (a, g))| {
                let part = a.iter().zip(g).map(|(a, g)| a * g).sum();
                let peak = a.iter().enumerate().max_by(|x, y| x.1.total_cmp(y.1).then(y.0.cmp(&x.0)));
                let peak = peak.filter(|_| cells.is_some()).map(|(at, _)| (at % width, at / width));
                Unit { channel, part, peak }
            })
            .collect();
        units.sort_by(|a, b| b.part.total_cmp(&a.part).then(a.channel.cmp(&b.channel)));
        Ok(units)
    }

    fn tap_cells(&self, tap: &Tensor) -> Option<(usize, usize)> {
        let (_, _, height, width) = tap.dims4().ok()?;
        Some((height, width))
    }
}

/// As torchvision's classifiers are shown photos: scaled and cut, mean and deviation taken away.
fn preprocessed(photo: &Tensor, model: &Model) -> Result<Tensor> {
    let (wide, high) = model.facts.size;
    let middle = fitted(photo, &model.facts, (high, wide))?;
    let row = |values: [f64; 3]| Tensor::new(&values.map(|value| value as f32), middle.device())?.reshape((1, 3, 1, 1));
    middle.broadcast_sub(&row(model.mean)?)?.broadcast_div(&row(model.std)?)?.contiguous()
}

fn numbers(tensor: Option<&Tensor>) -> Result<Vec<f64>> {
    let Some(tensor) = tensor else { return Ok(Vec::new()) };
    Ok(tensor.flatten_all()?.to_vec1::<f32>()?.into_iter().map(f64::from).collect())
}

fn softmax(logits: &[f64]) -> Vec<f64> {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exponentials: Vec<f64> = logits.iter().map(|logit| libm::exp(logit - most)).collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.iter().map(|value| value / sum).collect()
}

/// The greatest values and their places.
fn ranked(values: &[f64], n: usize) -> Vec<(usize, f64)> {
    let mut ranked: Vec<(usize, f64)> = values.iter().copied().enumerate().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    ranked.truncate(n);
    ranked
}
