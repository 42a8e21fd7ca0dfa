//! How units look: grown by fviz's own optimizer, and cut from photos; and the sheet of both.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::Tensor;
use image::RgbaImage;
use image::imageops::{self, FilterType};

use crate::check::{Input, check};
use crate::cli::progress::{Progress, Style};
use crate::cli::report::Reporter;
use crate::cli::run::{accepted, finished};
use crate::cli::{Exit, Failure, recipe, terminal};
use crate::nets::{Facts, NodeId, Shape};
use crate::render::label::GROUND;
use crate::render::layout::{Cell, sheet};
use crate::render::{file, png};
use crate::run::{Event, reason};
use crate::session::{self, News, Options, Session};
use crate::source::{CancelToken, Sources};
use crate::syntax::print::quoted;

/// The side of a cell of the sheet, in pixels.
pub const SIDE: u32 = 144;

/// The side of the canvas on which units are grown; that of the cells, so that nothing is scaled.
const CANVAS: usize = SIDE as usize;

/// Steps of a unit's picture: enough to see what it answers to, few enough to wait for a sheet of them.
const STEPS: usize = 96;

/// Grows pictures of units, each once.
pub struct Drawing<'a> {
    session: &'a mut Session,
    /// The network as the command line writes it.
    model: Option<&'a str>,
    reporter: &'a Reporter,
    cancel: &'a CancelToken,
    done: BTreeMap<(String, usize), RgbaImage>,
}

impl<'a> Drawing<'a> {
    /// Of the network that a verb is asked about.
    pub fn new(
        session: &'a mut Session,
        model: Option<&'a str>,
        reporter: &'a Reporter,
        cancel: &'a CancelToken,
    ) -> Self {
        Self { session, model, reporter, cancel, done: BTreeMap::new() }
    }

    /// The pictures of some channels of a node, in their order; those that are not there yet are grown together.
    pub fn pictures(&mut self, node: &str, channels: &[usize]) -> Result<Vec<RgbaImage>, Failure> {
        let mut missing: Vec<usize> = Vec::new();
        for &channel in channels {
            if !missing.contains(&channel) && !self.done.contains_key(&(node.to_string(), channel)) {
                missing.push(channel);
            }
        }
        if !missing.is_empty() {
            let grown = self.grow(node, &missing)?;
            for (channel, picture) in missing.into_iter().zip(grown) {
                self.done.insert((node.to_string(), channel), picture);
            }
        }
        let picture = |channel: &usize| self.done.get(&(node.to_string(), *channel)).cloned();
        let dark = || RgbaImage::from_pixel(SIDE, SIDE, GROUND);
        Ok(channels.iter().map(|channel| picture(channel).unwrap_or_else(dark)).collect())
    }

    fn grow(&mut self, node: &str, channels: &[usize]) -> Result<Vec<RgbaImage>, Failure> {
        let input =
            Input { name: "<units>".into(), stem: node.into(), text: self.recipe(node, channels), ..Input::default() };
        let world = recipe::world(self.session.store());
        let checked = check(&input, &world);
        let recipe = accepted(&checked, &input.name, self.reporter)?;
        let interactive = terminal::is_interactive();
        let mut progress = Progress::new(if interactive { Style::Bar } else { Style::Silent }, *self.reporter);
        progress.begin(recipe);
        if !interactive {
            terminal::tell(&format!("growing {node}: {} {}\n", channels.len(), plural(channels.len())));
        }
        let options = Options { cancel: self.cancel.clone(), ..Options::default() };
        let mut pictures = vec![None; channels.len()];
        let result = self.session.run(recipe, &world, &options, &mut |news| {
            if let News::Run(Event::Frame { variant, last: true, picture, .. }) = &news
                && let Some(place) = pictures.get_mut(*variant)
            {
                *place = session::shown(picture).ok();
            }
            // Nothing is written here, and a start that is helped is no news to someone who asked for no run.
            if !matches!(news, News::Run(Event::Finished { .. } | Event::Note { .. })) {
                progress.hear(&news, &checked.sources);
            }
        });
        progress.clear();
        let cancelled = match result {
            Ok(report) => report.ending.cancelled,
            Err(failed) => {
                return finished(Err(failed), &Sources::default(), self.reporter, &mut progress).map(|()| vec![]);
            }
        };
        if cancelled {
            return Err(Failure::told(Exit::Interrupted));
        }
        let dark = || RgbaImage::from_pixel(SIDE, SIDE, GROUND);
        Ok(pictures.into_iter().map(|picture| picture.unwrap_or_else(dark)).collect())
    }

    /// The crisp preset's start and transforms, for few steps and a small canvas.
    fn recipe(&self, node: &str, channels: &[usize]) -> String {
        let model = self.model.map_or(String::new(), |model| format!("model {model}\n"));
        let list: Vec<String> = channels.iter().map(usize::to_string).collect();
        format!(
            "fviz 1\n{model}canvas {CANVAS}x{CANVAS} as fourier(decay = 1.25, gain = 2)\n\
             maximize channel({}, each [{}])\n\
             transform {{ jitter(8px); affine(rotate = ±10deg, scale = 0.9..1.1, fill = 0.5); jitter(4px) }}\n\
             optimize adam(lr = 0.05, beta2 = 0.99) for {STEPS} steps\nrender \"units.png\" as sheet\n",
            quoted(node),
            list.join(", ")
        )
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "unit" } else { "units" }
}

/// What a place of a node sees of a picture `[1, 3, H, W]` of the network's own size: a square of the receptive field
/// round its middle, half the picture at most, moved inside where it stands out. Without a place all of the picture.
pub fn crop(
    picture: &Tensor,
    facts: &Facts,
    shapes: &[Shape],
    node: NodeId,
    place: Option<(usize, usize)>,
) -> Result<RgbaImage, Failure> {
    let picture = session::shown(picture).map_err(|error| Failure::environment(error, None))?;
    let (width, height) = picture.dimensions();
    let field = place.and_then(|(x, y)| facts.graph.field(node, (y, x), shapes));
    let part = match field {
        Some(field) => {
            let most = i64::from(width.min(height)) / 2;
            let side = (field.rows.end() - field.rows.start() + 1).clamp(1, most.max(1));
            let first = |range: &std::ops::RangeInclusive<i64>, length: u32| {
                let middle = (range.start() + range.end() + 1) / 2;
                (middle - side / 2).clamp(0, (i64::from(length) - side).max(0)) as u32
            };
            let (x, y) = (first(&field.columns, width), first(&field.rows, height));
            imageops::crop_imm(&picture, x, y, side as u32, side as u32).to_image()
        }
        None => picture,
    };
    Ok(imageops::resize(&part, SIDE, SIDE, FilterType::CatmullRom))
}

/// Writes pictures with captions, so many in a row, as a PNG.
pub fn write_sheet(path: &Path, cells: &[(RgbaImage, String)], columns: usize) -> Result<(), Failure> {
    let cells: Vec<Cell> = cells.iter().map(|(picture, label)| Cell { picture, label }).collect();
    let failed = |error: String| Failure::environment(format!("can't make `{}`: {error}", path.display()), None);
    let whole = sheet(&cells, columns).map_err(|error| failed(error.to_string()))?;
    let bytes = png::encode(&whole, None).map_err(|error| failed(error.to_string()))?;
    file::write(path, &bytes).map_err(|error| Failure::environment(error.to_string(), None))?;
    terminal::tell(&format!("wrote {}\n", path.display()));
    Ok(())
}

/// A network that can't compute what it is asked.
pub fn blind(facts: &Facts, what: &str, error: &candle_core::Error) -> Failure {
    Failure::environment(format!("`{}` can't see `{what}`: {}", facts.name, reason(error)), None)
}
