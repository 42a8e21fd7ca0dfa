//! Which pictures go into which file, and what can't be written.

use crate::check::recipe::{Format, Recipe, Render, Schedule};
use crate::render::slug::clash_key;
use crate::source::{Diagnostic, Span, codes};
use crate::spec::Arg;

use super::take::{Take, takes};

/// A file to write.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// The number of its `render` statement.
    pub render: usize,
    /// Its name inside the output folder. `{step}` is still there: see [`Output::file_name`].
    pub name: String,
    /// The variants that it shows, in order.
    pub members: Vec<Member>,
}

/// A variant's part of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Which variant.
    pub variant: usize,
    /// Those of its stages that the file shows, ascending.
    pub stages: Vec<usize>,
    /// Its frames in order of time; the last one is the final canvas.
    pub takes: Vec<Take>,
}

impl Output {
    /// Whether every frame becomes a file of its own.
    pub fn is_series(&self) -> bool {
        self.name.contains(STEP)
    }

    /// The name with `{step}` filled in, with as many digits as the greatest step needs, so that names sort.
    pub fn file_name(&self, step: usize, steps: usize) -> String {
        let digits = steps.saturating_sub(1).to_string().len();
        self.name.replace(STEP, &format!("{step:0digits$}"))
    }
}

const STEP: &str = "{step}";
const STAGE: &str = "{stage}";

/// How many variants one picture of a layout can show: its cells, or any number.
fn cells(render: &Render) -> Option<usize> {
    match render.layout.spec.name {
        "grid" => Some(render.layout.args.iter().find_map(|(_, arg, _)| grid(arg)).unwrap_or(usize::MAX)),
        "sheet" | "flipbook" | "best" => Some(usize::MAX),
        _ => None,
    }
}

fn grid(arg: &Arg) -> Option<usize> {
    match arg {
        Arg::Size(columns, rows) => Some(*columns as usize * *rows as usize),
        _ => None,
    }
}

/// Every file of a recipe, and what is wrong with them.
pub fn outputs(recipe: &Recipe) -> (Vec<Output>, Vec<Diagnostic>) {
    let mut outputs: Vec<Output> = Vec::new();
    let mut problems = Vec::new();
    for (number, render) in recipe.renders.iter().enumerate() {
        let own = outputs_of(recipe, number, render);
        for output in &own {
            problems.extend(unwritable(render, output));
            if let Some(other) = outputs.iter().find(|other| same_file(&other.name, &output.name)) {
                problems.extend(recipe.renders.get(other.render).map(|first| clash(first, render, output)));
            }
        }
        outputs.extend(own);
    }
    // One mistake in a statement is told once, not once a variant.
    let mut told: Vec<Diagnostic> = Vec::new();
    for problem in problems {
        if !told.iter().any(|t| t.code == problem.code && t.span() == problem.span()) {
            told.push(problem);
        }
    }
    (outputs, told)
}

fn same_file(a: &str, b: &str) -> bool {
    clash_key(a) == clash_key(b)
}

/// Where a file's name stands; of the default files, which stand nowhere, that of the statement.
fn name_of(render: &Render) -> Span {
    if render.name_span == Span::default() { render.span } else { render.name_span }
}

fn outputs_of(recipe: &Recipe, number: usize, render: &Render) -> Vec<Output> {
    let mut outputs: Vec<Output> = Vec::new();
    for (index, variant) in recipe.variants.iter().enumerate() {
        let Some(template) = render.files.get(index) else { continue };
        let mut files: Vec<(String, Vec<(usize, Schedule)>)> = Vec::new();
        for (stage, schedule) in render.held(index) {
            let name = match variant.stages.get(stage) {
                Some(known) if !known.name.is_empty() => template.replace(STAGE, &known.name),
                _ => template.replace(STAGE, &(stage + 1).to_string()),
            };
            match files.iter_mut().find(|(other, _)| *other == name) {
                Some((_, held)) => held.push((stage, schedule)),
                None => files.push((name, vec![(stage, schedule)])),
            }
        }
        for (name, held) in files {
            let stages = held.iter().map(|(stage, _)| *stage).collect();
            let member = Member { variant: index, stages, takes: takes(variant, &held) };
            match outputs.iter_mut().find(|output| same_file(&output.name, &name)) {
                Some(output) => output.members.push(member),
                None => outputs.push(Output { render: number, name, members: vec![member] }),
            }
        }
    }
    outputs
}

/// What is wrong with one file alone.
fn unwritable(render: &Render, output: &Output) -> Option<Diagnostic> {
    let count = output.members.len();
    let pictures = matches!(render.format, Format::Gif | Format::Png);
    match cells(render) {
        _ if !pictures => {}
        None if count > 1 => {
            let columns = square(count);
            return Some(
                Diagnostic::error(
                    &codes::SHARED_FILE,
                    name_of(render),
                    format!("{count} variants would be written into `{}`", output.name),
                    format!("`{}` shows one variant", render.layout.spec.name),
                )
                .with_help(format!(
                    "put `{{label}}` into the name for a file each, or write `as grid({columns}x{})` for all in one",
                    count.div_ceil(columns)
                )),
            );
        }
        Some(cells) if cells < count => {
            let columns = square(count);
            return Some(
                Diagnostic::error(
                    &codes::GRID_TOO_SMALL,
                    render.layout.span,
                    format!("{count} variants don't fit into {cells} cells"),
                    format!("`{}` shows {count} variants", output.name),
                )
                .with_help(format!("write `as grid({columns}x{})`", count.div_ceil(columns))),
            );
        }
        _ => {}
    }
    let several = output.members.iter().any(|member| member.takes.len() > 1);
    let still = render.format == Format::Png && render.layout.spec.name != "strip";
    if still && several && !output.is_series() {
        let (stem, end) = output.name.rsplit_once('.').unwrap_or((&output.name, "png"));
        return Some(
            Diagnostic::error(
                &codes::STILL_NEEDS_STEP,
                name_of(render),
                format!("every frame would overwrite `{}`", output.name),
                "a still that is written more than once needs a name for each",
            )
            .with_help(format!("write `\"{stem}-{{step}}.{end}\"`, or leave out `every` for the final canvas alone")),
        );
    }
    None
}

fn clash(first: &Render, second: &Render, output: &Output) -> Diagnostic {
    Diagnostic::error(
        &codes::SAME_FILE,
        name_of(second),
        format!("two statements write `{}`", output.name),
        "this one would overwrite the other",
    )
    .with_label(name_of(first), "the first one")
    .with_help("give each file its own name, or remove one of them")
}

/// Columns of a grid for `count` cells that is about square.
fn square(count: usize) -> usize {
    (1..).find(|side| side * side >= count).unwrap_or(1)
}
