//! A recipe that was checked → its files on the disk: the one way that `run`, `watch` and `test` share.
//!
//! Invariant: whatever ends a run, a mistake, Ctrl-C or a number that ran away, the files are written with the frames
//! that there are. A file of which nothing is missing is written at once, so that a long queue of variants holds the
//! frames of those alone that are on their way.

mod collect;
mod kept;
pub mod photo;
mod pictures;
mod table;
mod weights;
mod write;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use image::RgbaImage;

use crate::check::Recipe;
use crate::check::recipe::Model;
use crate::nets;
use crate::plan::plan;
use crate::render::file::{self, FileError};
use crate::run::{Ending, Event, Network, RunError, Scores, Setting, run};
use crate::source::{CancelToken, Diagnostic, Severity, World};
use crate::store::WeightStore;

pub use collect::shown;
pub use kept::Keep;
pub use weights::{Identity, LoadError};
pub use write::WriteError;

use collect::{Collected, Needed};
use kept::Keeping;
use write::Writing;

/// Runs recipes, one after another, and keeps their networks loaded in between.
pub struct Session {
    store: WeightStore,
    networks: weights::Networks,
}

/// How a recipe is run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The folder inside which all files are written; nothing is written without one.
    pub folder: Option<PathBuf>,
    /// Whether every iteration's canvas is told, not only those that some file shows.
    pub all_frames: bool,
    /// Where variants that are done are kept, and taken from.
    pub keep: Option<Keep>,
    /// Stops it; its files are written with what there is.
    pub cancel: CancelToken,
    /// Once it is set nothing is written any more. It stops a run only if `cancel` is its child.
    pub discard: CancelToken,
}

/// What a session tells on its way.
#[derive(Debug)]
pub enum News<'a> {
    /// Weights are being fetched.
    Fetching {
        /// The model's name.
        model: &'a str,
        /// Bytes so far.
        done: u64,
        /// Bytes in all, if the server says so.
        all: Option<u64>,
    },
    /// All networks are there: those of each batch, one batch after another.
    Loaded(&'a [Identity]),
    /// A variant is not grown: it was kept from an earlier run.
    Kept {
        /// Which variant.
        variant: usize,
        /// Its last canvas.
        canvas: Option<&'a RgbaImage>,
    },
    /// Variants can't be kept for later runs. It is told once, and the run goes on.
    NotKept(&'a Arc<FileError>),
    /// Something of the run itself.
    Run(Event<'a>),
    /// A file is about to be made, which may take its time.
    Writing,
    /// A file could not be written while others still grow. It is told of the first one alone; the run goes on, and how
    /// it ended tells of all.
    NotWritten {
        /// Why.
        why: &'a str,
        /// Whether it is tried again in the end.
        again: bool,
    },
    /// A file was written.
    Wrote(&'a Path),
}

/// How a run ended well.
#[derive(Debug, Default)]
pub struct Report {
    /// The files, in the order in which they were written.
    pub files: Vec<PathBuf>,
    /// The last scores, and whether it was stopped.
    pub ending: Ending,
    /// The weights of each batch of the plan, one batch after another.
    pub weights: Vec<Identity>,
}

/// How a run ended otherwise.
#[derive(Debug)]
pub struct Failed {
    /// Why.
    pub why: Failure,
    /// The files that were written all the same.
    pub files: Vec<PathBuf>,
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The recipe can't be planned; each problem has its place.
    #[error("the recipe can't be run")]
    Refused(Vec<Diagnostic>),
    /// A network could not be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The run stopped.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Nothing can be written into the folder for the files; nothing was run.
    #[error(transparent)]
    Folder(FileError),
    /// Files could not be written.
    #[error("{}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Write(Vec<WriteError>),
}

impl Session {
    /// A session that looks for weights as `store` says.
    pub fn new(store: WeightStore) -> Self {
        Self { store, networks: weights::Networks::default() }
    }

    /// Where weights are looked for.
    pub fn store(&self) -> &WeightStore {
        &self.store
    }

    /// The network of a model for just these nodes, for a look at it outside of a run.
    ///
    /// # Errors
    /// Its weights could not be found, fetched or understood.
    pub fn network(
        &mut self,
        model: &Model,
        nodes: &BTreeSet<String>,
        fetching: &mut dyn FnMut(&str, u64, Option<u64>),
        cancel: &CancelToken,
    ) -> Result<Arc<nets::Network>, LoadError> {
        weights::Networks::one(model, nodes, &self.store, fetching, cancel).map(|loaded| loaded.network)
    }

    /// The networks that were loaded and are kept, with their models' names.
    pub fn networks(&self) -> impl Iterator<Item = (&str, &nets::Network)> {
        self.networks.loaded().map(|loaded| (loaded.identity.name.as_str(), &*loaded.network))
    }

    /// The network of a model for just these nodes, with its model's name, if it is loaded.
    pub fn loaded(&self, model: &Model, nodes: &BTreeSet<String>) -> Option<(&str, &nets::Network)> {
        let loaded = self.networks.of(model, nodes)?;
        Some((&loaded.identity.name, &loaded.network))
    }

    /// Loads networks anew that came from files, as after a change of one of them.
    pub fn forget_files(&mut self) {
        self.networks.forget_files();
    }

    /// Plans and runs a recipe and writes its files. Photos are read through `world`.
    ///
    /// # Errors
    /// Whatever it was, the files that could be written were.
    pub fn run(
        &mut self,
        recipe: &Recipe,
        world: &dyn World,
        options: &Options,
        sink: &mut dyn FnMut(News),
    ) -> Result<Report, Failed> {
        let early = |why: Failure| Failed { why, files: Vec::new() };
        let (plan, problems) = plan(recipe, world);
        let plan = plan.ok_or_else(|| early(Failure::Refused(problems)))?;
        if let Some(folder) = &options.folder {
            // Better now than after an hour of work.
            file::make_folder(folder).map_err(|error| early(Failure::Folder(error)))?;
        }
        let mut fetching = |model: &str, done, all| sink(News::Fetching { model, done, all });
        let loaded = self
            .networks
            .of_batches(recipe, &plan.batches, &self.store, &mut fetching, &options.cancel)
            .map_err(|error| early(error.into()))?;
        let weights: Vec<Vec<Identity>> =
            loaded.iter().map(|batch| batch.iter().map(|loaded| loaded.identity.clone()).collect()).collect();
        let identities = weights.concat();
        sink(News::Loaded(&identities));

        let mut collected = Collected::new(recipe.variants.len(), &plan);
        let folder = options.folder.as_deref();
        let mut writing = Writing::new(recipe, &plan, folder, &weights, &options.discard);
        let mut files = Vec::new();
        let mut tell = |news: News| {
            if let News::Wrote(path) = &news {
                files.push(path.to_path_buf());
            }
            sink(news);
        };
        let keeping = options.keep.as_ref().map(|keep| Keeping::new(keep, recipe, &plan, &weights, world));
        let mut recalled: BTreeMap<usize, Option<Scores>> = BTreeMap::new();
        if let Some(keeping) = &keeping {
            let needed: Vec<Needed> = (0..recipe.variants.len()).map(|variant| writing.needed(variant)).collect();
            keeping.recall(&needed, &mut |variant, made| {
                recalled.insert(variant, made.latest.clone());
                let canvas = made.end.and_then(|end| made.canvases.get(&end).cloned());
                tell(News::Kept { variant, canvas: canvas.as_deref() });
                collected.recall(variant, made);
                writing.done(variant, &mut collected, &mut tell);
                !options.cancel.is_cancelled()
            });
        }
        let left = plan.only(|variant| !recalled.contains_key(&variant));
        let networks: Vec<Vec<&dyn Network>> =
            loaded.iter().map(|batch| batch.iter().map(|loaded| &*loaded.network as &dyn Network).collect()).collect();
        let keeping = RefCell::new(keeping);
        let photos = |path: &Path| {
            let failed = |error: String| candle_core::Error::Msg(format!("`{}`: {error}", path.display()));
            let bytes = world.read(path).map_err(|error| failed(error.to_string()))?;
            keeping.borrow().iter().for_each(|keeping| keeping.saw(path, &bytes));
            photo::decode(&bytes).map_err(|error| failed(error.to_string()))
        };
        let setting = Setting {
            recipe,
            plan: &left,
            networks: &networks,
            photos: &photos,
            all_frames: options.all_frames,
            cancel: &options.cancel,
        };
        // What was warned of would not be told again where it is taken from the shelf.
        let mut warned: BTreeSet<usize> = BTreeSet::new();
        let result = run(&setting, &mut |event| {
            collected.hear(&event);
            if let Event::Note { variant: Some(variant), note } = &event
                && note.severity == Severity::Warning
            {
                warned.insert(*variant);
            }
            let done = if let Event::Done { variant } = event { Some(variant) } else { None };
            tell(News::Run(event));
            if let Some(variant) = done {
                let mut keeping = keeping.borrow_mut();
                let keeping = keeping.as_mut().filter(|_| !warned.contains(&variant));
                let put = keeping.map(|keeping| keeping.put(variant, collected.of(variant)));
                if let Some(Err(error)) = put {
                    tell(News::NotKept(&Arc::new(error)));
                }
                writing.done(variant, &mut collected, &mut tell);
            }
        });
        let errors = writing.rest(collected, &mut tell);
        match result {
            Err(error) => Err(Failed { why: error.into(), files }),
            Ok(_) if !errors.is_empty() => Err(Failed { why: Failure::Write(errors), files }),
            Ok(mut ending) => {
                for (variant, scores) in recalled {
                    ending.scores.get_mut(variant).into_iter().for_each(|place| *place = scores.clone());
                }
                Ok(Report { files, ending, weights: identities })
            }
        }
    }
}
