//! `fviz classify`: what a network sees in a photo, and which of its units say so.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::args::ClassifyArgs;
use super::page::{BOLD, DIM};
use super::report::Reporter;
use super::run::cancel;
use super::terminal::{fixed, shell_word};
use super::units::{self, Unit, cut, numbers, preprocessed, ranked, softmax};
use super::{Failure, model, terminal};
use crate::check::recipe::Model;
use crate::nets::{Facts, Network, Op, Shape};
use crate::run::reason;
use crate::session::Session;
use crate::store::WeightStore;

/// Runs the verb.
pub fn run(args: &ClassifyArgs, reporter: &Reporter) -> std::result::Result<(), Failure> {
    let mut session = Session::new(WeightStore::from_env());
    let model = model::named(args.model.model.as_deref(), session.store(), reporter)?;
    let (layer, shape) = layer(&model.facts, args.layer.as_deref())?;
    let name = args.photo.display();
    let picture = units::picture(&args.photo)?;
    let output = model.facts.output().name.clone();
    let nodes = BTreeSet::from([layer.clone(), output.clone()]);
    let network = units::load(&mut session, &model, &nodes, reporter, &cancel())?;
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

/// The node whose units are listed: the one that is asked for, else the last ReLU that has positions and is no class's.
fn layer(facts: &Facts, wanted: Option<&str>) -> std::result::Result<(String, Shape), Failure> {
    let shapes = units::shapes(facts)?;
    let nodes = facts.graph.nodes();
    let id = match wanted {
        Some(name) => units::node(facts, name)?,
        None => nodes
            .iter()
            .zip(&shapes)
            .enumerate()
            .rposition(|(id, (node, shape))| {
                let places = shape.cells().is_some_and(|(h, w)| h * w > 1);
                // The maps of the classes say nothing that the classes don't.
                matches!(node.op, Op::Relu(_)) && places && !facts.graph.is_class_map(id)
            })
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

impl Look<'_> {
    fn page(&self, photo: &Tensor) -> Result<String> {
        let facts = &self.model.facts;
        let seen = preprocessed(&cut(photo, facts)?, self.model)?;
        let taps = self.network.forward(&seen, false)?;
        let logits = numbers(taps.get(&self.output))?;
        let classes = ranked(&softmax(&logits), self.args.top.into());
        let mut text = format!("{BOLD}{}{BOLD:#}, as {} sees it\n", self.args.photo.display(), facts.name);
        for (class, share) in &classes {
            let label = facts.labels.line(*class).unwrap_or("-");
            text.push_str(&format!("{:>6.2} %  {label} {DIM}(class {class}){DIM:#}\n", 100.0 * share));
        }
        let Some((top, _)) = classes.first() else { return Ok(text) };
        let units = match taps.get(&self.layer) {
            Some(tap) => units::units(&self.network, &seen, (&self.layer, &self.output), tap, *top)?,
            None => Vec::new(),
        };
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
}
