//! What the frames that a run keeps take, counted before any list of them is made: `every 1 step` of a long run of many
//! variants is more than a machine has.
//!
//! A file is written once its last variant is done, and its frames are dropped. So those of a file of one variant are
//! there only while this variant's batch runs; a file of several waits from its first to its last.

use std::collections::BTreeMap;

use crate::check::recipe::{Format, Recipe, Render, Schedule, Stage};
use crate::source::{Diagnostic, codes};
use crate::spec::Arg;

use super::batch::gigabytes;

/// Bytes that every frame costs beside its pixels: its place in the lists of plan and run.
const PLACE: u64 = 128;

/// Copies of a file's frames while it is written: enlarged, laid out, and reduced to the palette.
const COPIES: u64 = 3;

/// Bytes that frames take, and those of which statement most.
pub struct Frames<'a> {
    /// Bytes whatever runs together: the places of all frames, those that wait for other variants at the time when most
    /// do, and the copies while a file is written.
    pub bytes: u64,
    /// For each variant the bytes of its frames, which are there while it runs.
    pub own: Vec<u64>,
    /// The render statement that takes most, and how many frames it keeps.
    largest: Option<(&'a Render, u64)>,
}

/// Variants that share a file.
struct Group {
    first: usize,
    last: usize,
    bytes: u64,
}

/// Counts the frames of a recipe.
pub fn frames(recipe: &Recipe) -> Frames<'_> {
    let mut own = vec![0u64; recipe.variants.len()];
    let (mut places, mut written, mut most, mut largest) = (0u64, 0u64, 0, None);
    // How much more waits from each variant on, and how much less.
    let (mut more, mut less) = (own.clone(), own.clone());
    for render in &recipe.renders {
        let (mut count, mut all) = (0u64, 0u64);
        let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
        for (index, (variant, own)) in recipe.variants.iter().zip(&mut own).enumerate() {
            let (mut frames, mut bytes) = (0u64, 0u64);
            let held = render.held(index);
            for (stage, schedule) in held.filter_map(|(at, schedule)| Some((variant.stages.get(at)?, schedule))) {
                let fired = fired(schedule, stage.steps as u64);
                frames += fired;
                bytes = bytes.saturating_add(fired.saturating_mul(pixels(render, stage)));
            }
            *own = own.saturating_add(bytes);
            count += frames;
            let bytes = bytes.saturating_add(frames.saturating_mul(PLACE));
            all = all.saturating_add(bytes);
            let file = render.files.get(index).map_or("", String::as_str);
            let group = groups.entry(file).or_insert(Group { first: index, last: index, bytes: 0 });
            (group.last, group.bytes) = (index, group.bytes.saturating_add(bytes));
        }
        places = places.saturating_add(count.saturating_mul(PLACE));
        let scale = match render.layout.args.iter().find(|(name, ..)| *name == "scale") {
            Some((_, Arg::Number(_), _)) => render.layout.args.integer("scale").max(1) as u64,
            _ => 1,
        };
        for Group { first, last, bytes } in groups.into_values() {
            written = written.max(bytes.saturating_mul(COPIES * scale * scale));
            if let (true, Some(more), Some(less)) = (first < last, more.get_mut(first), less.get_mut(last)) {
                (*more, *less) = (more.saturating_add(bytes), less.saturating_add(bytes));
            }
        }
        if all > most {
            (most, largest) = (all, Some((render, count)));
        }
    }
    let (mut waits, mut waiting) = (0u64, 0u64);
    for (more, less) in more.into_iter().zip(less) {
        waits = waits.saturating_add(more);
        waiting = waiting.max(waits);
        waits = waits.saturating_sub(less);
    }
    Frames { bytes: places.saturating_add(waiting).saturating_add(written), own, largest }
}

impl Frames<'_> {
    /// The problem if they don't fit into a memory of which `others` bytes are taken.
    pub fn too_many(&self, others: u64, memory: u64) -> Option<Diagnostic> {
        let needs = self.bytes.saturating_add(others);
        let (render, count) = self.largest.filter(|_| needs > memory)?;
        let message = format!(
            "a run would need about {} of memory for its frames, and {} are free",
            gigabytes(needs),
            gigabytes(memory)
        );
        Some(
            Diagnostic::error(&codes::TOO_MUCH_MEMORY, render.span, message, format!("{count} frames"))
                .with_help("keep fewer: write a greater `every`, or take fewer variants"),
        )
    }
}

/// How often a schedule fires in a stage, and once more for its end.
fn fired(schedule: Schedule, steps: u64) -> u64 {
    let (from, until) = (schedule.from as u64, (schedule.until as u64).min(steps));
    until.saturating_sub(from).div_ceil(schedule.every.max(1) as u64) + 1
}

/// Bytes of one frame; a table has rows only.
fn pixels(render: &Render, stage: &Stage) -> u64 {
    match render.format {
        Format::Gif | Format::Png => stage.width as u64 * stage.height as u64 * 4,
        Format::Csv | Format::Svg if stage.attribution.is_some() => stage.width as u64 * stage.height as u64 * 8,
        Format::Csv | Format::Svg => stage.terms.len() as u64 * 8,
    }
}
