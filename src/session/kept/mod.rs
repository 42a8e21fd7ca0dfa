//! Variants that are done, kept from run to run: a recipe that was stopped, or to which a class or a file was added,
//! grows only what is missing.
//!
//! A variant is found again under the checksum of all that decides about its bytes ([`key`]): its own part of the
//! recipe, the weights, its photos, and the program on this machine. How it is called, what else is in the recipe and
//! which files show it are no part of that. Invariant: files made of what was kept are the same, byte for byte, as if
//! it had been grown anew; only a variant that made all its steps is kept.

mod entry;
mod key;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::collect::{Made, Needed};
use super::weights::Identity;
use crate::check::Recipe;
use crate::plan::{Plan, compares};
use crate::render::file::FileError;
use crate::source::World;
use crate::store::{Checksum, Shelf};

/// Where variants are kept.
#[derive(Clone, Debug)]
pub struct Keep {
    /// Their shelf.
    pub shelf: Shelf,
    /// Program and machine, as far as bytes depend on them.
    pub maker: String,
    /// Whether all are grown anew, and take the place of what was kept.
    pub fresh: bool,
}

/// What is kept of the variants of one run.
pub(super) struct Keeping<'a> {
    keep: &'a Keep,
    recipe: &'a Recipe,
    /// For each variant its name on the shelf; nothing where a photo could not be read.
    names: Vec<Option<String>>,
    /// Whether variants see one another, and so are what they are only together.
    together: bool,
    /// The checksums of photos as they were when the names were made.
    photos: RefCell<Photos>,
    /// That nothing can be written was told.
    told: bool,
}

#[derive(Debug, Default)]
struct Photos {
    known: BTreeMap<PathBuf, Option<String>>,
    /// One of them has changed since.
    changed: bool,
}

impl<'a> Keeping<'a> {
    /// Names all variants. `weights` are those of each batch of the plan.
    pub fn new(keep: &'a Keep, recipe: &'a Recipe, plan: &Plan, weights: &[Vec<Identity>], world: &dyn World) -> Self {
        let mut photos = Photos::default();
        let mut photo = |path: &Path| {
            let read = || world.read(path).ok().map(|bytes| Checksum::of(&bytes));
            photos.known.entry(path.to_path_buf()).or_insert_with(read).clone()
        };
        let mut texts = vec![None; recipe.variants.len()];
        for (batch, weights) in plan.batches.iter().zip(weights) {
            let weights: Vec<&str> = weights.iter().map(|weights| weights.sha256.as_str()).collect();
            for &index in &batch.variants {
                if let (Some(text), Some(variant)) = (texts.get_mut(index), recipe.variants.get(index)) {
                    *text = key::text(variant, &weights, &mut photo);
                }
            }
        }
        let together = compares(recipe);
        let all = || texts.iter().cloned().collect::<Option<String>>();
        let others = if together { all() } else { Some(String::new()) };
        let name = |(place, text): (usize, &Option<String>)| {
            let place = if together { place.to_string() } else { String::new() };
            let (maker, text, others) = (&keep.maker, text.as_ref()?, others.as_ref()?);
            Some(Checksum::of(format!("{maker:?}\n{text}\n{place}\n{others}").as_bytes()))
        };
        let names = texts.iter().enumerate().map(name).collect();
        Self { keep, recipe, names, together, photos: RefCell::new(photos), told: false }
    }

    /// Hands out every variant that need not be grown, one after another, since all at once may not fit into memory.
    /// `needed` is what files show of each; `found` answers whether to go on.
    pub fn recall(&self, needed: &[Needed], found: &mut dyn FnMut(usize, Made) -> bool) {
        if self.keep.fresh {
            return;
        }
        if self.together {
            let all: Option<Vec<Made>> =
                needed.iter().enumerate().map(|(variant, needed)| self.covering(variant, needed)).collect();
            all.into_iter().flatten().enumerate().all(|(variant, made)| found(variant, made));
            return;
        }
        for (variant, needed) in needed.iter().enumerate() {
            if let Some(made) = self.covering(variant, needed)
                && !found(variant, made)
            {
                return;
            }
        }
    }

    /// Keeps a variant that is done.
    ///
    /// # Errors
    /// Nothing can be written; only the first one is told.
    pub fn put(&mut self, variant: usize, made: &Made) -> Result<(), FileError> {
        let Some(Some(name)) = self.names.get(variant).filter(|_| !self.photos.borrow().changed) else { return Ok(()) };
        // Frames that other files showed are worth keeping on.
        let before = if self.keep.fresh { None } else { self.load(variant) };
        let made = match before {
            Some(mut before) => {
                before.canvases.extend(made.canvases.clone());
                before.views.extend(made.views.clone());
                Made { canvases: before.canvases, views: before.views, ..made.clone() }
            }
            None => made.clone(),
        };
        let Some(bytes) = entry::encode(&made) else { return Ok(()) };
        match self.keep.shelf.put(name, &bytes) {
            Err(error) if !std::mem::replace(&mut self.told, true) => Err(error),
            _ => Ok(()),
        }
    }

    /// A photo was read for the run. If it is not the one that the names were made of, nothing more is kept.
    pub fn saw(&self, path: &Path, bytes: &[u8]) {
        let mut photos = self.photos.borrow_mut();
        let same = photos.known.get(path).is_some_and(|known| *known == Some(Checksum::of(bytes)));
        photos.changed |= !same;
    }

    /// A variant, if all that files show of it was kept.
    fn covering(&self, variant: usize, needed: &Needed) -> Option<Made> {
        let made = self.load(variant)?;
        let asked = self.recipe.variants.get(variant)?.stages.iter().any(|stage| stage.attribution.is_some());
        let has_all = needed.canvases.iter().all(|take| made.canvases.contains_key(take))
            && needed.views.iter().all(|take| made.views.contains_key(take))
            && (!asked || made.map.is_some());
        has_all.then_some(made)
    }

    fn load(&self, variant: usize) -> Option<Made> {
        let name = self.names.get(variant)?.as_ref()?;
        entry::decode(&self.keep.shelf.get(name)?, self.recipe.variants.get(variant)?)
    }
}
