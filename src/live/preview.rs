//! The picture so far, in a file that a viewer can follow: `hen.preview.png`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use image::RgbaImage;

use crate::check::Recipe;
use crate::render::layout::{Cell, columns_for, sheet};
use crate::render::{file, png, slug};
use crate::run::Event;
use crate::session::{News, shown};

/// Pause between two refreshes, and at least ten times as long as one takes.
const PAUSE: Duration = Duration::from_millis(250);

/// Where the picture so far of a recipe lies.
pub fn preview_path(folder: &Path, recipe: &str) -> PathBuf {
    folder.join(format!("{}.preview.png", slug::slug(recipe)))
}

/// Keeps the file up to date while a recipe runs.
pub(super) struct Preview {
    path: PathBuf,
    labels: Vec<String>,
    pictures: BTreeMap<usize, RgbaImage>,
    /// Variants of the current step whose canvases are still to come, if this step is shown.
    awaited: usize,
    due: Instant,
}

impl Preview {
    /// Of a recipe that is about to run.
    pub(super) fn new(folder: &Path, recipe: &Recipe) -> Self {
        let labels = recipe.variants.iter().map(|variant| variant.label.clone()).collect();
        let path = preview_path(folder, &recipe.name);
        Self { path, labels, pictures: BTreeMap::new(), awaited: 0, due: Instant::now() }
    }

    /// Takes in what happened. Returns whether the file was refreshed.
    pub(super) fn hear(&mut self, news: &News) -> bool {
        match news {
            News::Kept { variant, canvas: Some(canvas) } => {
                self.pictures.insert(*variant, (*canvas).clone());
                // At once if nothing is left to grow, else with the first step.
                self.pictures.len() == self.labels.len() && self.refresh()
            }
            News::Run(Event::Step(step)) => {
                let last = step.step + 1 == step.steps;
                self.awaited = if last || Instant::now() >= self.due { step.variants.len() } else { 0 };
                false
            }
            News::Run(Event::Frame { variant, picture, .. }) if self.awaited > 0 => {
                if let Ok(picture) = shown(picture) {
                    self.pictures.insert(*variant, picture);
                }
                self.awaited -= 1;
                self.awaited == 0 && self.refresh()
            }
            _ => false,
        }
    }

    /// A preview that can't be written is no reason to stop: the run will tell of a full disk itself.
    fn refresh(&mut self) -> bool {
        let begun = Instant::now();
        let label = |variant: &usize| self.labels.get(*variant).map_or("", String::as_str);
        let cells: Vec<Cell> =
            self.pictures.iter().map(|(variant, picture)| Cell { picture, label: label(variant) }).collect();
        let drawn = match cells.as_slice() {
            // One alone needs no frame around it.
            [Cell { picture, label: "" }] => Ok((*picture).clone()),
            cells => sheet(cells, columns_for(cells.len())),
        };
        let written = drawn
            .ok()
            .and_then(|picture| png::encode(&picture, None).ok())
            .is_some_and(|bytes| file::write(&self.path, &bytes).is_ok());
        self.due = Instant::now() + PAUSE.max(10 * begun.elapsed());
        written
    }
}
