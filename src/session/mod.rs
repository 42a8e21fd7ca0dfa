//! A recipe that was checked → its files on the disk: the one way that `run`, `watch` and `test` share.
//!
//! Invariant: whatever ends a run, a mistake, Ctrl-C or a number that ran away, the files are written with the frames
//! that there are.

mod collect;
pub mod photo;
mod pictures;
mod table;
mod weights;
mod write;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::check::Recipe;
use crate::check::recipe::Model;
use crate::nets;
use crate::plan::plan;
use crate::render::file::{self, FileError};
use crate::run::{Ending, Event, Network, RunError, Setting, run};
use crate::source::{CancelToken, Diagnostic, World};
use crate::store::WeightStore;

pub use collect::shown;
pub use weights::{Identity, LoadError};
pub use write::WriteError;

use collect::Collected;
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
    /// Something of the run itself.
    Run(Event<'a>),
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

        let mut collected = Collected::new(recipe, &plan);
        let networks: Vec<Vec<&dyn Network>> =
            loaded.iter().map(|batch| batch.iter().map(|loaded| &*loaded.network as &dyn Network).collect()).collect();
        let photos = |path: &Path| {
            let failed = |error: String| candle_core::Error::Msg(format!("`{}`: {error}", path.display()));
            let bytes = world.read(path).map_err(|error| failed(error.to_string()))?;
            photo::decode(&bytes).map_err(|error| failed(error.to_string()))
        };
        let setting = Setting {
            recipe,
            plan: &plan,
            networks: &networks,
            photos: &photos,
            all_frames: options.all_frames,
            cancel: &options.cancel,
        };
        let result = run(&setting, &mut |event| {
            collected.hear(&event);
            sink(News::Run(event));
        });

        let mut files = Vec::new();
        let errors = match &options.folder {
            Some(folder) if !options.discard.is_cancelled() => {
                let writing = Writing { recipe, plan: &plan, folder, weights: &weights };
                writing.all(collected, &mut |path| {
                    sink(News::Wrote(path));
                    files.push(path.to_path_buf());
                })
            }
            _ => Vec::new(),
        };
        match result {
            Err(error) => Err(Failed { why: error.into(), files }),
            Ok(_) if !errors.is_empty() => Err(Failed { why: Failure::Write(errors), files }),
            Ok(ending) => Ok(Report { files, ending, weights: identities }),
        }
    }
}
