//! From frames to the pictures of a file, as its layout says.

use std::sync::Arc;

use image::RgbaImage;

use super::collect::Collected;
use crate::check::recipe::{Recipe, Render};
use crate::plan::{Member, Output, Take};
use crate::render::label::{GROUND, Lettering};
use crate::render::layout::{Cell, columns_for, grid, sheet, strip};
use crate::render::picture::{enlarge, same_size};
use crate::spec::{Arg, Moment};

/// A picture of a file, and the step that it shows (of its first variant).
pub(super) struct Page {
    pub step: usize,
    pub picture: RgbaImage,
}

/// One variant's frames, all of one size.
struct Reel {
    /// The values of its variant's axes.
    values: Vec<String>,
    steps: Vec<usize>,
    frames: Vec<RgbaImage>,
}

/// The pictures of a file in order of time; none where the run made nothing of it.
pub(super) fn pages(recipe: &Recipe, output: &Output, all: &Collected) -> Result<Vec<Page>, String> {
    let Some(render) = recipe.renders.get(output.render) else { return Ok(Vec::new()) };
    let name = render.layout.spec.name;
    let scale = whole(render, "scale").unwrap_or(1) as u32;
    let mut reels = Vec::new();
    let best = if name == "best" { best(output, all) } else { None };
    for member in output.members.iter().filter(|member| best.is_none_or(|best| member.variant == best)) {
        reels.push(reel(recipe, member, all, name == "view", scale)?);
    }
    if reels.iter().all(|reel| reel.frames.is_empty()) {
        return Ok(Vec::new());
    }
    match name {
        "grid" | "sheet" => side_by_side(render, reels),
        "strip" => reels.into_iter().map(|reel| film(render, &reel)).collect(),
        "flipbook" => flipbook(render, reels),
        _ => Ok(reels.into_iter().flat_map(|reel| reel.steps.into_iter().zip(reel.frames)).map(Page::from).collect()),
    }
}

/// The variant of a file whose latest score is highest; the first of several.
fn best(output: &Output, all: &Collected) -> Option<usize> {
    let activation =
        |variant: usize| all.of(variant).latest.as_ref().map_or(f64::NEG_INFINITY, |scores| scores.activation);
    let mut variants = output.members.iter().map(|member| member.variant);
    let first = variants.next()?;
    Some(variants.fold(first, |best, next| if activation(next) > activation(best) { next } else { best }))
}

impl From<(usize, RgbaImage)> for Page {
    fn from((step, picture): (usize, RgbaImage)) -> Self {
        Self { step, picture }
    }
}

fn reel(recipe: &Recipe, member: &Member, all: &Collected, views: bool, scale: u32) -> Result<Reel, String> {
    let made = all.of(member.variant);
    let pictures = if views { &made.views } else { &made.canvases };
    let mut takes: Vec<Take> = member.takes.iter().copied().filter(|take| pictures.contains_key(take)).collect();
    // A run that was stopped ends where it stood.
    if let Some(end) = made.end
        && member.stages.contains(&end.stage)
        && takes.last() < Some(&end)
        && pictures.contains_key(&end)
    {
        takes.push(end);
    }
    let frames: Vec<Arc<RgbaImage>> = takes.iter().filter_map(|take| pictures.get(take).cloned()).collect();
    let frames = frames.iter().map(|frame| enlarge(frame, scale).map_err(|error| error.to_string()));
    let variant = recipe.variants.get(member.variant);
    Ok(Reel {
        values: variant.map(|variant| variant.values.clone()).unwrap_or_default(),
        steps: takes.iter().map(|take| variant.map_or(0, |variant| take.step(variant))).collect(),
        frames: same_size(frames.collect::<Result<_, _>>()?, GROUND),
    })
}

/// One picture a moment, all variants in each: a variant that has ended stays as it is, one that has not begun is dark.
fn side_by_side(render: &Render, reels: Vec<Reel>) -> Result<Vec<Page>, String> {
    let labels = !matches!(render.layout.args.get("labels"), Arg::Switch(false));
    let moments = reels.iter().map(|reel| reel.frames.len()).max().unwrap_or(0);
    let size = reels.iter().find_map(|reel| Some(reel.frames.first()?.dimensions())).unwrap_or((1, 1));
    let labels = if labels { captions(&reels, size.0) } else { vec![String::new(); reels.len()] };
    let dark = RgbaImage::from_pixel(size.0, size.1, GROUND);
    let page = |moment: usize| {
        let cells: Vec<Cell> = reels
            .iter()
            .zip(&labels)
            .map(|(reel, label)| Cell {
                picture: reel.frames.get(moment).or(reel.frames.last()).unwrap_or(&dark),
                label,
            })
            .collect();
        let step = reels.iter().find_map(|reel| reel.steps.get(moment)).copied().unwrap_or(0);
        let picture = match render.layout.args.size("size") {
            Some((columns, rows)) => grid(&cells, columns, rows),
            None => sheet(&cells, whole(render, "columns").unwrap_or_else(|| columns_of(&reels))),
        };
        Ok(Page { step, picture: picture.map_err(|error| error.to_string())? })
    };
    (0..moments).map(page).collect()
}

/// All variants' frames, one variant after another, all of one size.
fn flipbook(render: &Render, reels: Vec<Reel>) -> Result<Vec<Page>, String> {
    let width = reels.iter().find_map(|reel| Some(reel.frames.first()?.width())).unwrap_or(1);
    let labels = captions(&reels, width);
    let labelled = !matches!(render.layout.args.get("labels"), Arg::Switch(false));
    let mut steps = Vec::new();
    let mut pictures = Vec::new();
    for (reel, label) in reels.into_iter().zip(&labels) {
        for (step, frame) in reel.steps.into_iter().zip(reel.frames) {
            steps.push(step);
            pictures.push(match labelled {
                true => sheet(&[Cell { picture: &frame, label }], 1).map_err(|error| error.to_string())?,
                false => frame,
            });
        }
    }
    Ok(steps.into_iter().zip(same_size(pictures, GROUND)).map(Page::from).collect())
}

/// What stands under each: all values on one line if there is room in all cells, else each value on its own.
fn captions(reels: &[Reel], width: u32) -> Vec<String> {
    let joined = |by: &str| -> Vec<String> { reels.iter().map(|reel| reel.values.join(by)).collect() };
    let line = joined(", ");
    if Lettering::fits(width, line.iter().map(String::as_str)) { line } else { joined("\n") }
}

/// No more columns than this for an axis: a longer one takes several whole rows.
const WIDEST: usize = 16;

/// The columns of a sheet that states none. Of two axes or more the last one runs from left to right, so that what stands
/// below one another differs in the others alone.
fn columns_of(reels: &[Reel]) -> usize {
    let others = |reel: &Reel| reel.values.split_last().map(|(_, others)| others.to_vec());
    let first = reels.first().and_then(others);
    let length = reels.iter().take_while(|reel| others(reel) == first).count();
    if length < 2 || length == reels.len() || !reels.len().is_multiple_of(length) {
        return columns_for(reels.len());
    }
    (2..=length.min(WIDEST)).rev().find(|columns| length.is_multiple_of(*columns)).unwrap_or(length)
}

/// All frames of one variant in one picture.
fn film(render: &Render, reel: &Reel) -> Result<Page, String> {
    let labels = !matches!(render.layout.args.get("labels"), Arg::Switch(false));
    let columns = whole(render, "columns").unwrap_or(reel.frames.len());
    let steps: Vec<_> = reel.steps.iter().copied().zip(&reel.frames).collect();
    let picture = if labels {
        strip(&steps, columns)
    } else {
        let cells: Vec<_> = reel.frames.iter().map(|picture| Cell { picture, label: "" }).collect();
        sheet(&cells, columns)
    };
    let step = reel.steps.last().copied().unwrap_or(0);
    Ok(Page { step, picture: picture.map_err(|error| error.to_string())? })
}

/// A whole number of a layout, if it is given.
fn whole(render: &Render, name: &str) -> Option<usize> {
    match render.layout.args.get(name) {
        Arg::Number(_) => Some(render.layout.args.integer(name).max(1) as usize),
        _ => None,
    }
}

/// A number of a layout, or what stands for it.
pub(super) fn number(render: &Render, name: &str, otherwise: f64) -> f64 {
    let at = Moment::still(render.layout.spec.kind, render.layout.spec.name);
    render.layout.args.optional(name, &at).unwrap_or(otherwise)
}
