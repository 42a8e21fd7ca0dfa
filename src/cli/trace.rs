//! `fviz trace`: which units of which layers a class came from, each as it looks and as the photo has it.

use std::collections::BTreeSet;
use std::io::Write;

use image::RgbaImage;

use super::args::TraceArgs;
use super::page::{BOLD, DIM};
use super::report::Reporter;
use super::run::cancel;
use super::terminal::fixed;
use super::units::{self, Drawing, SIDE, Unit};
use super::{Exit, Failure, judge, model};
use crate::nets::{Facts, NodeId, Shape};
use crate::render::label::GROUND;
use crate::session::Session;
use crate::store::WeightStore;

/// Stages that are traced where no layer is asked for: the last of them, since the first see only edges.
const STAGES: usize = 4;

/// A layer and the units of it that speak most for the class.
struct Traced {
    id: NodeId,
    name: String,
    units: Vec<Unit>,
}

/// Runs the verb.
pub fn run(args: &TraceArgs, reporter: &Reporter) -> Result<(), Failure> {
    let cancel = cancel();
    let mut session = Session::new(WeightStore::from_env());
    let model = model::named(args.model.model.as_deref(), session.store(), reporter)?;
    let facts = &*model.facts;
    let shapes = units::shapes(facts)?;
    let wanted = args.class.as_deref().map(|class| judge::class(facts, class)).transpose()?;
    let layers = layers(facts, &shapes, &args.layer)?;
    let name = args.photo.display().to_string();
    let photo = units::picture(&args.photo)?;

    let output = facts.output().name.clone();
    let nodes: BTreeSet<String> = layers.iter().map(|(_, name)| name.clone()).chain([output.clone()]).collect();
    let network = units::load(&mut session, &model, &nodes, reporter, &cancel)?;
    let blind = |error: candle_core::Error| units::blind(facts, &name, &error);
    let picture = units::cut(&photo, facts).map_err(blind)?;
    let seen = units::preprocessed(&picture, &model).map_err(blind)?;
    let taps = network.forward(&seen, false).map_err(blind)?;
    let logits = units::numbers(taps.get(&output)).map_err(blind)?;
    let shares = units::softmax(&logits);
    let class = wanted.or_else(|| units::ranked(&shares, 1).first().map(|(class, _)| *class)).unwrap_or(0);
    let mut traced = Vec::new();
    for (id, name) in layers {
        if cancel.is_cancelled() {
            return Err(Failure::told(Exit::Interrupted));
        }
        let Some(tap) = taps.get(&name) else { continue };
        let mut units = units::units(&network, &seen, (&name, &output), tap, class).map_err(blind)?;
        // What gave nothing is no part of the way, however few the others are.
        if units.iter().any(|unit| unit.part != 0.0) {
            units.retain(|unit| unit.part != 0.0);
        }
        units.truncate(args.top.into());
        traced.push(Traced { id, name, units });
    }
    drop((taps, network));

    let share = shares.get(class).copied().unwrap_or(f64::NAN);
    let text = page(&traced, facts, &format!("{name}: {} ({:.1} %)", facts.labels.name(class), 100.0 * share));
    anstream::stdout().write_all(text.as_bytes()).map_err(Failure::output)?;

    let mut drawing = Drawing::new(&mut session, args.model.model.as_deref(), reporter, &cancel);
    let most = traced.iter().map(|layer| layer.units.len()).max().unwrap_or(0);
    let mut cells: Vec<(RgbaImage, String)> = Vec::new();
    for Traced { id, name, units } in &traced {
        let channels: Vec<usize> = units.iter().map(|unit| unit.channel).collect();
        for (unit, grown) in units.iter().zip(drawing.pictures(name, &channels)?) {
            cells.push((grown, format!("{name} {}", unit.channel)));
            cells.push((units::crop(&picture, facts, &shapes, *id, unit.peak)?, signed(unit.part)));
        }
        let empty = (0..2 * (most - units.len())).map(|_| (RgbaImage::from_pixel(SIDE, SIDE, GROUND), String::new()));
        cells.extend(empty);
    }
    units::write_sheet(&args.output, &cells, 2 * most)
}

/// The nodes to look at: those that are asked for, else the last ReLU of each of the last stages.
fn layers(facts: &Facts, shapes: &[Shape], wanted: &[String]) -> Result<Vec<(NodeId, String)>, Failure> {
    let ids = match wanted {
        [] => {
            let mut ids = units::stages(facts, shapes);
            ids.drain(..ids.len().saturating_sub(STAGES));
            ids
        }
        names => names.iter().map(|name| units::node(facts, name)).collect::<Result<_, _>>()?,
    };
    let named = |id: NodeId| Some((id, facts.graph.nodes().get(id)?.name.clone()));
    let mut layers: Vec<(NodeId, String)> = Vec::new();
    for layer in ids.into_iter().filter_map(named) {
        if !layers.contains(&layer) {
            layers.push(layer);
        }
    }
    Ok(layers)
}

fn page(traced: &[Traced], facts: &Facts, title: &str) -> String {
    let mut text = format!("{BOLD}{title}{BOLD:#}, as {} sees it\n", facts.name);
    for Traced { name, units, .. } in traced {
        text.push_str(&format!("\n{BOLD}{name}{BOLD:#}\n"));
        for Unit { channel, part, peak } in units {
            let peak = peak.map_or(String::new(), |(x, y)| format!("  strongest at ({x}, {y})"));
            text.push_str(&format!("{:>8}  channel {channel}{peak}\n", signed(*part)));
        }
    }
    text.push_str(&format!("{DIM}activation times gradient of the logit, summed over positions{DIM:#}\n"));
    text
}

fn signed(part: f64) -> String {
    let sign = if part >= 0.0005 { "+" } else { "" };
    format!("{sign}{}", fixed(part, 3))
}
