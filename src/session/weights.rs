//! Networks in use, kept loaded from run to run.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use crate::check::recipe::{Model, Recipe};
use crate::nets::{ImportError, Licence, LoadOptions, Network, Source, Weights, architecture};
use crate::ops::fast::{Form, Tiles};
use crate::plan::Batch;
use crate::source::{CancelToken, Span};
use crate::store::{self, Checksum, Published, WeightStore, WeightsError, read_weights};

/// Which weights a network has, as files tell it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The model's name.
    pub name: String,
    /// The 64 hex digits of their file's SHA-256.
    pub sha256: String,
    /// Why pictures made with them may not be used commercially, if so.
    pub non_commercial: Option<String>,
}

/// Why a network could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Its weights could not be found or fetched.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// They are not the network's.
    #[error("the weights of `{model}` can't be used: {}{problem}", at(file))]
    Import {
        /// The model's name.
        model: String,
        /// The file that was read; the weights in the program itself have none.
        file: Option<PathBuf>,
        /// What is wrong with them.
        problem: ImportError,
        /// The `model` statement.
        span: Span,
    },
    /// The processor has no tiles for bf16.
    #[error("`{0}(precision = bf16)` needs AMX, which this processor or its system doesn't have")]
    Precision(&'static str),
    /// The recipe names a model that no architecture has.
    #[error("there is no network `{0}`")]
    Unknown(String),
}

fn at(file: &Option<PathBuf>) -> String {
    file.as_ref().map_or(String::new(), |file| format!("{}: ", file.display()))
}

/// What makes a loaded network the one that is needed.
#[derive(Clone, Debug, PartialEq)]
struct Key {
    model: &'static str,
    file: Option<PathBuf>,
    nodes: BTreeSet<String>,
    options: LoadOptions,
}

/// A network and what it was loaded from.
#[derive(Clone)]
pub(super) struct Loaded {
    key: Key,
    pub network: Arc<Network>,
    pub identity: Identity,
}

/// Loaded networks. Each is loaded for just the nodes that its variants read, since a node that is read is not fused
/// with others, and so a variant's last bits would otherwise depend on what else a recipe reads.
#[derive(Default)]
pub(super) struct Networks {
    loaded: Vec<Loaded>,
}

impl Networks {
    /// The networks of each batch, in their order. Those that are not needed any more are dropped first.
    pub fn of_batches(
        &mut self,
        recipe: &Recipe,
        batches: &[Batch],
        store: &WeightStore,
        progress: &mut dyn FnMut(&str, u64, Option<u64>),
        cancel: &CancelToken,
    ) -> Result<Vec<Vec<Loaded>>, LoadError> {
        let models = |batch: &Batch| -> Result<Vec<(&Model, Key)>, LoadError> {
            let first = batch.variants.first().and_then(|&first| recipe.variants.get(first));
            let models = first.map_or(&[][..], |variant| &variant.models);
            models.iter().zip(&batch.nodes).map(|(model, nodes)| Ok((model, key(model, nodes)?))).collect()
        };
        let needed: Vec<Vec<(&Model, Key)>> = batches.iter().map(models).collect::<Result<_, _>>()?;
        let all = || needed.iter().flatten();
        self.loaded.retain(|loaded| all().any(|(_, key)| *key == loaded.key));
        for (model, key) in all() {
            if self.find(key).is_some() {
                continue;
            }
            // Batches of one model differ in the nodes that they read: its weights are read once for all of them.
            let mut read = load(model, key, store, progress, cancel)?;
            let mut of_file: Vec<&(&Model, Key)> = Vec::new();
            for each in all().filter(|(_, other)| (other.model, &other.file) == (key.model, &key.file)) {
                if self.find(&each.1).is_none() && of_file.iter().all(|(_, key)| *key != each.1) {
                    of_file.push(each);
                }
            }
            for (index, (model, key)) in of_file.iter().enumerate() {
                let last = index + 1 == of_file.len();
                let weights = if last { read.give() } else { Cow::Borrowed(&read.weights) };
                self.loaded.push(ready(model, key.clone(), &read, weights)?);
            }
        }
        let networks = needed.iter().map(|keys| keys.iter().filter_map(|(_, key)| self.find(key)).cloned().collect());
        Ok(networks.collect())
    }

    fn find(&self, key: &Key) -> Option<&Loaded> {
        self.loaded.iter().find(|loaded| loaded.key == *key)
    }

    /// What is loaded of a model for just these nodes.
    pub fn of(&self, model: &Model, nodes: &BTreeSet<String>) -> Option<&Loaded> {
        self.find(&key(model, nodes).ok()?)
    }

    /// The network of a model for just these nodes.
    pub fn one(
        model: &Model,
        nodes: &BTreeSet<String>,
        store: &WeightStore,
        progress: &mut dyn FnMut(&str, u64, Option<u64>),
        cancel: &CancelToken,
    ) -> Result<Loaded, LoadError> {
        let key = key(model, nodes)?;
        let mut read = load(model, &key, store, progress, cancel)?;
        let weights = read.give();
        ready(model, key, &read, weights)
    }

    /// All that are kept.
    pub fn loaded(&self) -> impl Iterator<Item = &Loaded> {
        self.loaded.iter()
    }

    /// Forgets what was loaded from files, as these may have changed.
    pub fn forget_files(&mut self) {
        self.loaded.retain(|loaded| loaded.key.file.is_none());
    }
}

/// Weights in memory.
struct Read {
    weights: Weights,
    sha256: String,
    /// Where they lay.
    path: Option<PathBuf>,
}

impl Read {
    /// The weights, for their last use.
    fn give(&mut self) -> Cow<'static, Weights> {
        Cow::Owned(std::mem::take(&mut self.weights))
    }
}

fn key(model: &Model, nodes: &BTreeSet<String>) -> Result<Key, LoadError> {
    let file = model.call.args.file("weights").map(PathBuf::from);
    let args = &model.call.args;
    let factor = args.dial("residual_gradient").and_then(|dial| dial.constant()).unwrap_or(1.0);
    let options = LoadOptions {
        form: match args.choice("precision") {
            "bf16" => Form::Rounded(Tiles::best().ok_or(LoadError::Precision(model.call.spec.name))?),
            _ if args.switch("low_memory") => Form::Plain,
            _ => Form::Prepared,
        },
        residual_gradient: factor as f32,
        smooth_pools: args.choice("pool_gradient") == "smooth",
    };
    Ok(Key { model: model.call.spec.name, file, nodes: nodes.clone(), options })
}

fn ready(model: &Model, key: Key, read: &Read, weights: Cow<'_, Weights>) -> Result<Loaded, LoadError> {
    let nodes = key.nodes.iter().map(String::as_str);
    let network = Network::prepare(&model.facts, weights, nodes, key.options)
        .map_err(|problem| wrong(model, read.path.clone(), problem))?;
    let licence = Licence::of_file(&read.sha256).or_else(|| model.facts.licence.clone());
    let identity = Identity {
        name: key.model.to_string(),
        sha256: read.sha256.clone(),
        non_commercial: licence.filter(|licence| licence.non_commercial).map(|licence| licence.name),
    };
    Ok(Loaded { key, network: Arc::new(network), identity })
}

fn wrong(model: &Model, file: Option<PathBuf>, problem: ImportError) -> LoadError {
    LoadError::Import { model: model.call.spec.name.to_string(), file, problem, span: model.call.span }
}

fn load(
    model: &Model,
    key: &Key,
    store: &WeightStore,
    progress: &mut dyn FnMut(&str, u64, Option<u64>),
    cancel: &CancelToken,
) -> Result<Read, LoadError> {
    let name = key.model;
    let parsed = |file: store::Weights<Result<Weights, ImportError>>| {
        let weights = file.parsed.map_err(|problem| wrong(model, Some(file.path.clone()), problem))?;
        Ok(Read { weights, sha256: file.sha256, path: Some(file.path) })
    };
    if let Some(file) = &key.file {
        return parsed(read_weights(file, Weights::read)?);
    }
    match architecture(name).ok_or_else(|| LoadError::Unknown(name.to_string()))?.source {
        Source::Embedded(bytes) => {
            let sha256 = Checksum::of(bytes);
            let weights = Weights::read(bytes).map_err(|problem| wrong(model, None, problem))?;
            Ok(Read { weights, sha256, path: None })
        }
        Source::File { name: file, sha256, .. } => {
            let published = Published { model: name, file, sha256 };
            parsed(store.load(&published, &mut |done, all| progress(name, done, all), cancel, Weights::read)?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nets::Facts;

    #[test]
    fn weights_that_do_not_fit_are_told_in_short() {
        let facts = Facts::new(architecture("resnet18").unwrap(), None).unwrap();
        let Err(problem) = Network::load(&facts, &Weights::default(), ["x"]) else { panic!("nothing fits") };
        let ImportError::Unfit { faults, .. } = &problem else { panic!("{problem}") };
        let more = faults.len() - 5;
        let file = Some(PathBuf::from("w/resnet18.pth"));
        let error = LoadError::Import { model: "resnet18".into(), file, problem, span: Span::default() }.to_string();
        let opening = "the weights of `resnet18` can't be used: w/resnet18.pth: the weights don't fit resnet18: `";
        assert!(error.starts_with(opening) && error.ends_with(&format!(" is missing, and {more} more")), "{error}");
        assert_eq!(error.matches(" is missing").count(), 5, "{error}");
    }
}
