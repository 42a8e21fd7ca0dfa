//! The page of a recipe: the recipe with everything written in, and as comments behind it what it will do. The whole
//! page is a recipe again.

use std::collections::BTreeSet;

use super::super::terminal::steps;
use crate::check::Recipe;
use crate::check::recipe::{Format, Model, Render, Stage, Term, Variant};
use crate::nets::{NodeId, portable_nodes};
use crate::plan::{Output, Plan, total_steps};
use crate::spec::{Call, Dial, Type, Unit};

/// Variants that are named; more are counted.
const NAMED: usize = 12;

/// The text.
pub fn page(recipe: &Recipe, plan: &Plan) -> String {
    let mut text = recipe.resolved.clone();
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text.push('\n');
    for line in about(recipe, plan) {
        text.push_str(&format!("# {line}\n"));
    }
    text
}

fn about(recipe: &Recipe, plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    let labels: Vec<&str> = recipe.variants.iter().map(|variant| variant.label.as_str()).collect();
    if labels.len() > 1 {
        let more = if labels.len() > NAMED { format!(" and {} more", labels.len() - NAMED) } else { String::new() };
        let named: Vec<&str> = labels.iter().take(NAMED).copied().collect();
        lines.push(format!("{} variants: {}{more}", labels.len(), named.join(" | ")));
    }
    lines.extend(networks(recipe));
    if let Some(variant) = recipe.variants.first() {
        lines.extend(stages(variant));
        let animation = plan
            .outputs
            .iter()
            .find_map(|output| recipe.renders.get(output.render).filter(|render| render.format == Format::Gif));
        lines.extend(motion(variant, animation));
    }
    lines.extend(
        plan.outputs.iter().filter_map(|output| Some(file(recipe, output, recipe.renders.get(output.render)?))),
    );
    lines.push(cost(plan));
    lines
}

/// `resnet18 reads layer3.1.conv2: 256 channels of 19x19 for a canvas of 299x299`, once for each network and node.
fn networks(recipe: &Recipe) -> Vec<String> {
    let mut lines = Vec::new();
    let mut told: BTreeSet<String> = BTreeSet::new();
    for variant in &recipe.variants {
        for stage in &variant.stages {
            for (number, model) in variant.models.iter().enumerate() {
                let terms: Vec<&Term> = stage.terms.iter().filter(|term| term.model == number).collect();
                let read = terms.iter().filter_map(|term| read(model, stage, term));
                let computed = (!terms.is_empty()).then(|| computed(model, &terms));
                for line in read.chain(computed) {
                    if told.insert(line.clone()) {
                        lines.push(line);
                    }
                }
            }
        }
    }
    lines
}

/// What a term reads of its network.
fn read(model: &Model, stage: &Stage, term: &Term) -> Option<String> {
    let node = term.nodes.first()?;
    let more = match term.nodes.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more nodes"),
    };
    let graph = &model.facts.graph;
    let shapes = graph.shapes(stage.height, stage.width).unwrap_or_default();
    let shape = graph.find(node).and_then(|id| shapes.get(id));
    let shape = shape.map_or(String::new(), |shape| format!(": {shape}"));
    let (width, height) = (stage.width, stage.height);
    Some(format!("{} reads `{node}`{shape}{more}, for a canvas of {width}x{height}", model.title()))
}

/// Which nodes have no kernel of their own.
fn computed(model: &Model, terms: &[&Term]) -> String {
    let graph = &model.facts.graph;
    let reads: Vec<NodeId> = terms.iter().flat_map(|term| &term.nodes).filter_map(|node| graph.find(node)).collect();
    let (title, slow) = (model.title(), portable_nodes(graph, &reads));
    match slow.as_slice() {
        [] => format!("{title} is computed by its kernels"),
        some if some.len() <= NAMED => {
            format!("{title} is computed by its kernels, but for {}, which have none", some.join(", "))
        }
        some => {
            format!("{title} is computed by its kernels, but for {} nodes, which have none here", some.len())
        }
    }
}

fn stages(variant: &Variant) -> Vec<String> {
    match variant.stages.as_slice() {
        [Stage { attribution: Some(asked), steps, .. }] => {
            vec![format!("a map by `{}`: {steps} images through the network", asked.method.spec.name)]
        }
        [only] => vec![format!("{}{}", steps(only.steps), views(only.views))],
        stages => {
            let each: Vec<String> = stages
                .iter()
                .map(|s| format!("{}: {} on {}x{}{}", s.name, steps(s.steps), s.width, s.height, views(s.views)))
                .collect();
            vec![format!("{} stages, {}: {}", stages.len(), steps(total_steps(variant)), each.join("; "))]
        }
    }
}

fn views(views: usize) -> String {
    if views > 1 { format!(" of {views} views each") } else { String::new() }
}

/// What every mode of a variant does each step, and what that makes of a frame and of a second of the animation.
fn motion(variant: &Variant, animation: Option<&Render>) -> Vec<String> {
    let mut lines = Vec::new();
    for (number, stage) in variant.stages.iter().enumerate() {
        let frames =
            animation.and_then(|render| Some((render.frames.first()?.get(number).copied()??.every, render.fps)));
        for mode in &stage.modes {
            for call in std::iter::once(mode).chain(&mode.block) {
                let moves = moves(call);
                if moves.is_empty() {
                    continue;
                }
                let over =
                    |steps: f64| moves.iter().map(|(name, step)| step.told(name, steps)).collect::<Vec<_>>().join(", ");
                let mut line = format!("`{}` moves the canvas: {} a step", call.spec.name, over(1.0));
                if let Some((every, fps)) = frames {
                    line.push_str(&format!("; {} a frame; {} a second", over(every as f64), over(every as f64 * fps)));
                }
                if !lines.contains(&line) {
                    lines.push(line);
                }
            }
        }
    }
    lines
}

/// A motion of one step, from its least to its greatest.
enum Move {
    /// A factor: over n steps its n-th power.
    Factor(f64, f64),
    /// An angle or a way: over n steps n times as much.
    Way(f64, f64, Unit),
}

impl Move {
    fn told(&self, name: &str, steps: f64) -> String {
        match self {
            Move::Factor(low, high) => format!("{name} {}", range(libm::pow(*low, steps), libm::pow(*high, steps), "")),
            Move::Way(low, high, unit) => format!("{name} {}", range(steps * low, steps * high, unit.suffix())),
        }
    }
}

/// The parameters of a word that move something: factors of size, angles, ways in pixels.
fn moves(call: &Call) -> Vec<(&'static str, Move)> {
    let mut moves = Vec::new();
    for param in call.spec.params {
        let Type::Number { unit, .. } = param.ty else { continue };
        let Some((low, high)) = call.args.dial(param.name).map(Dial::bounds) else { continue };
        let moved = match unit {
            Unit::None if matches!(param.name, "zoom" | "scale") => Move::Factor(low, high),
            Unit::Deg | Unit::Px => Move::Way(low, high, unit),
            _ => continue,
        };
        let rests = match moved {
            Move::Factor(low, high) => (low, high) == (1.0, 1.0),
            Move::Way(low, high, _) => (low, high) == (0.0, 0.0),
        };
        if !rests {
            moves.push((param.name, moved));
        }
    }
    moves
}

fn range(low: f64, high: f64, unit: &str) -> String {
    if low == high { format!("{}{unit}", short(low)) } else { format!("{}{unit}..{}{unit}", short(low), short(high)) }
}

/// Four significant digits, none that say nothing.
fn short(value: f64) -> String {
    let digits = if value.abs() >= 1000.0 {
        0
    } else if value.abs() >= 10.0 {
        2
    } else {
        4
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
}

fn file(recipe: &Recipe, output: &Output, render: &Render) -> String {
    let shown = match output.members.len() {
        1 => String::new(),
        n => format!(" of {n} variants"),
    };
    let takes = output.members.iter().map(|member| member.takes.len()).max().unwrap_or(0);
    let layout = render.layout.spec.name;
    let maps = recipe.variants.iter().flat_map(|variant| &variant.stages).any(|stage| stage.attribution.is_some());
    let what = match render.format {
        Format::Csv if maps => "the number of every pixel".to_string(),
        Format::Csv => "a table of every step's scores".to_string(),
        Format::Svg => "every step's scores, plotted".to_string(),
        Format::Gif => {
            let hold = render.layout.args.dial("hold").and_then(Dial::constant).unwrap_or(1.0);
            let seconds = takes.saturating_sub(1) as f64 / render.fps + hold;
            format!("{layout}, {takes} frames at {} fps, {} s", short(render.fps), short(seconds))
        }
        Format::Png if output.is_series() => format!("{layout}, {takes} files"),
        Format::Png => layout.to_string(),
    };
    let first = output.members.first().and_then(|member| Some((member, recipe.variants.get(member.variant)?)));
    let stages = match first {
        Some((member, variant)) if member.stages.len() < variant.stages.len() => {
            let names: Vec<&str> =
                member.stages.iter().filter_map(|&s| Some(variant.stages.get(s)?.name.as_str())).collect();
            format!(", stage {}", names.join(", "))
        }
        _ => String::new(),
    };
    format!("writes {}: {what}{shown}{stages}", output.name)
}

fn cost(plan: &Plan) -> String {
    let cost = plan.cost;
    let batches = match plan.batches.len() {
        1 => "one batch".to_string(),
        n => format!("{n} batches"),
    };
    format!(
        "cost: {} images through a network and back, {} billion multiplications forwards, in {batches}; about {} MB",
        cost.passes,
        short(cost.multiplications as f64 / 1e9),
        cost.memory.div_ceil(1 << 20)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Input, check};
    use crate::plan::plan;
    use crate::source::MemoryWorld;

    fn explained(text: &str) -> String {
        let input = Input { name: "t.fviz".into(), stem: "t".into(), text: text.into(), ..Input::default() };
        let world = MemoryWorld::default();
        let checked = check(&input, &world);
        let recipe = checked.recipe.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
        let (plan, problems) = plan(&recipe, &world);
        page(&recipe, &plan.unwrap_or_else(|| panic!("{problems:#?}")))
    }

    #[test]
    fn motion_is_told_of_a_step_a_frame_and_a_second() {
        let page = explained(
            "fviz 1\nmaximize class(0)\nmode eternal_zoom(zoom = 1.02, rotate = 0.4deg)\noptimize adam for 30 steps\n\
             render \"z.gif\" every 2 steps at 10 fps\n",
        );
        let line = page.lines().find(|line| line.contains("moves the canvas")).unwrap();
        assert_eq!(
            line,
            "# `eternal_zoom` moves the canvas: zoom 1.02, rotate 0.4deg a step; zoom 1.0404, rotate 0.8deg a frame; \
             zoom 1.4859, rotate 8deg a second"
        );
        assert!(page.contains("# writes z.gif: frames, 16 frames at 10 fps, 2.5 s"), "{page}");
    }

    #[test]
    fn the_page_is_a_recipe_that_means_the_same() {
        let page = explained("fviz 1\nlet t = each [0, 1]\nmaximize class($t)\n");
        assert!(page.contains("# 2 variants: ") && page.contains("# 256 steps"), "{page}");
        assert_eq!(explained(&page), page);
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([1.0, 0.0, -0.8, 1234.5678, 12.345, 1e-9].map(short), ["1", "0", "-0.8", "1235", "12.35", "0"]);
    }
}
