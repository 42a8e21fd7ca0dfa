//! What the frames that a run keeps take, counted before any list of them is made: `every 1 step` of a long run of many
//! variants is more than a machine has.

use crate::check::recipe::{Format, Recipe, Render, Schedule, Stage};
use crate::source::{Diagnostic, codes};
use crate::spec::Arg;

use super::batch::gigabytes;

/// Bytes that every frame costs beside its pixels: its place in the lists of plan and run.
const PLACE: u64 = 128;

/// Copies of a file's frames while it is written: enlarged, laid out, and reduced to the palette.
const COPIES: u64 = 3;

/// Bytes that all frames take, and of which file most.
pub struct Frames<'a> {
    pub bytes: u64,
    /// The render statement that takes most, and how many frames it keeps.
    largest: Option<(&'a Render, u64)>,
}

/// Counts the frames of a recipe.
pub fn frames(recipe: &Recipe) -> Frames<'_> {
    let (mut kept, mut written, mut most, mut largest) = (0u64, 0u64, 0, None);
    for render in &recipe.renders {
        let (mut count, mut own) = (0u64, 0u64);
        for (schedule, stage) in recipe.variants.iter().flat_map(|variant| held(render, &variant.stages)) {
            let frames = fired(schedule, stage.steps as u64);
            count += frames;
            own = own.saturating_add(frames.saturating_mul(PLACE + pixels(render, stage)));
        }
        kept = kept.saturating_add(own);
        let scale = match render.layout.args.iter().find(|(name, ..)| *name == "scale") {
            Some((_, Arg::Number(_), _)) => render.layout.args.integer("scale").max(1) as u64,
            _ => 1,
        };
        written = written.max(own.saturating_mul(COPIES * scale * scale));
        if own > most {
            (most, largest) = (own, Some((render, count)));
        }
    }
    Frames { bytes: kept.saturating_add(written), largest }
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

/// The stages in which a render statement holds, with when.
fn held<'a>(render: &'a Render, stages: &'a [Stage]) -> impl Iterator<Item = (Schedule, &'a Stage)> {
    render.frames.iter().zip(stages).filter_map(|(schedule, stage)| Some(((*schedule)?, stage)))
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
