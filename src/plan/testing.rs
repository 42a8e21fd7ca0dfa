//! Recipes made by hand, for the tests of this room and of the runner.

use std::sync::Arc;

use crate::check::recipe::{Format, Model, Recipe, Render, Schedule, Scheduled, Stage, Term, Variant};
use crate::nets::Facts;
use crate::source::{FileId, Span};
use crate::spec::{Arg, Args, Call, Kind};
use crate::words::registry;

/// A call of a word with just these arguments, standing at a place of its own.
pub(crate) fn call(kind: Kind, name: &str, args: &[(&'static str, Arg)]) -> Call {
    let spec = registry::find(kind, name).unwrap_or_else(|| panic!("no {} `{name}`", kind.noun()));
    for (name, _) in args {
        assert!(spec.param(name).is_some(), "`{}` has no `{name}`", spec.name);
    }
    let args = args.iter().fold(Args::new(), |all, (name, value)| all.with(name, value.clone()));
    let start = 100 * kind as usize + name.len();
    Call { spec, args, block: Vec::new(), occurrence: 0, span: Span::new(FileId(0), start, start + name.len()) }
}

/// A number that never changes.
pub(crate) fn number(value: f64) -> Arg {
    Arg::Number(value.into())
}

/// A stage of the plainest kind.
pub(crate) fn stage(name: &str, size: usize, steps: usize) -> Stage {
    Stage {
        name: name.to_string(),
        width: size,
        height: size,
        canvas: call(Kind::Canvas, "pixels", &[("clamp", Arg::None)]),
        over_photo: false,
        init: call(Kind::Init, "uniform", &[("low", number(0.0)), ("high", number(1.0))]),
        terms: Vec::new(),
        views: 1,
        transforms: Vec::new(),
        penalties: Vec::new(),
        filters: Vec::new(),
        modes: Vec::new(),
        optimizer: call(Kind::Optimizer, "sgd", &[("lr", number(1.0)), ("normalize", Arg::Choice("off"))]),
        steps,
        attribution: None,
    }
}

/// `weight * class(unit)`
pub(crate) fn class(node: &str, unit: usize, weight: f64) -> Term {
    let call = call(Kind::Objective, "class", &[("units", Arg::Units(vec![unit])), ("as", Arg::Choice("logit"))]);
    Term { name: format!("class({unit})"), weight: weight.into(), call, model: 0, nodes: vec![node.to_string()] }
}

/// A variant on a model that is fed raw values.
pub(crate) fn variant(label: &str, facts: &Arc<Facts>, stages: Vec<Stage>) -> Variant {
    Variant {
        label: label.to_string(),
        values: label.split(", ").map(String::from).collect(),
        models: vec![Model {
            name: String::new(),
            call: call(Kind::Model, "motifs", &[("redirect", Arg::Switch(true))]),
            facts: facts.clone(),
            mean: [0.0; 3],
            std: [1.0; 3],
        }],
        seed: 0,
        stages,
    }
}

/// `every n steps from k until m`
pub(crate) fn every(every: usize, from: usize, until: usize) -> Schedule {
    Schedule { every, from, until }
}

/// `filter every n steps`
pub(crate) fn scheduled(call: Call, every: usize) -> Scheduled {
    Scheduled { call, schedule: Schedule { every, from: 0, until: usize::MAX } }
}

/// A statement that holds in the stages for which there is a schedule, of every variant.
pub(crate) fn render(file: &str, format: Format, layout: Call, frames: Vec<Option<Schedule>>) -> Render {
    Render {
        files: vec![file.to_string()],
        format,
        layout,
        frames: vec![frames],
        fps: 12.0,
        span: Span::new(FileId(0), 7 * file.len(), 7 * file.len() + 9),
        name_span: Span::new(FileId(0), 7 * file.len() + 7, 7 * file.len() + 9),
    }
}

/// Variants and renders together; a render of one file name writes it for all variants.
pub(crate) fn recipe(variants: Vec<Variant>, mut renders: Vec<Render>) -> Recipe {
    for render in &mut renders {
        if let [only] = &render.files[..] {
            render.files = variants.iter().map(|variant| only.replace("{label}", &variant.label)).collect();
            render.frames = vec![render.frames.concat(); variants.len()];
        }
    }
    Recipe { name: "test".into(), variants, renders, resolved: String::new(), files: Vec::new() }
}
