//! Weights by name or by file: where they are looked for, and reading them with their checksum.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::BaseStrategy;
use rayon::prelude::*;

use super::problem::{ByHand, FetchProblem, Stop, WeightsError};
use super::sha256::{self, Checksum};
use crate::source::CancelToken;

/// Where torchvision publishes its weights.
const TORCHVISION: &str = "https://download.pytorch.org/models/";

/// Weights that somebody publishes under a model's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published<'a> {
    /// The model's name, as a recipe writes it: `resnet18`.
    pub model: &'a str,
    /// The publisher's file name: `resnet18-f37072fd.pth`.
    pub file: &'a str,
    /// Hex digits of the file's SHA-256: all 64, or the first ones (torchvision's names carry 8).
    pub sha256: &'a str,
}

impl Published<'_> {
    /// File names under which the weights may lie in a folder, the one that is taken first before the others.
    pub fn names(&self) -> [String; 3] {
        [format!("{}.safetensors", self.model), format!("{}.pth", self.model), self.file.to_owned()]
    }
}

/// What a download may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// No file of weights may be larger. 4 GiB: four times torchvision's largest convnet.
    pub bytes: u64,
    /// Longest wait for a connection.
    pub connect: Duration,
    /// Longest wait for the next bytes.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 4 << 30, connect: Duration::from_secs(20), idle: Duration::from_secs(30) }
    }
}

/// Where weights by name are looked for, and fetched from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WeightStore {
    /// Folders that the user names (`FVIZ_MODELS`), in order. Nothing is ever written there.
    pub models: Vec<PathBuf>,
    /// The folder for downloads: `FVIZ_CACHE`, else `fviz` in the user's cache folder.
    pub cache: Option<PathBuf>,
    /// Another address to fetch from (`FVIZ_WEIGHTS_URL`): the publisher's file name is put behind it.
    pub mirror: Option<String>,
    /// What a download may cost.
    pub limits: Limits,
}

/// A file of weights, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights<T> {
    /// Where it lies.
    pub path: PathBuf,
    /// The 64 hex digits of its SHA-256.
    pub sha256: String,
    /// What was made of its bytes.
    pub parsed: T,
}

impl WeightStore {
    /// As the environment says: `FVIZ_MODELS` (folders, separated as in `PATH`), `FVIZ_CACHE`, `FVIZ_WEIGHTS_URL`.
    pub fn from_env() -> Self {
        Self::from_vars(|name| std::env::var_os(name))
    }

    /// As variables that `var` looks up say. Empty ones count as unset.
    pub fn from_vars(var: impl Fn(&str) -> Option<OsString>) -> Self {
        let var = |name| var(name).filter(|value| !value.is_empty());
        let models = var("FVIZ_MODELS").map(|value| std::env::split_paths(&value).collect::<Vec<_>>());
        let user = || Some(etcetera::choose_base_strategy().ok()?.cache_dir().join("fviz"));
        Self {
            models: models.unwrap_or_default().into_iter().filter(|path| !path.as_os_str().is_empty()).collect(),
            cache: var("FVIZ_CACHE").map(PathBuf::from).or_else(user),
            mirror: var("FVIZ_WEIGHTS_URL").map(|url| url.to_string_lossy().into_owned()),
            limits: Limits::default(),
        }
    }

    /// The folders that are looked into, in order.
    pub fn folders(&self) -> Vec<PathBuf> {
        self.models.iter().chain(&self.cache).cloned().collect()
    }

    /// The file that [`load`](Self::load) would read, if there is one on this machine. Reads nothing.
    pub fn find(&self, published: &Published) -> Option<PathBuf> {
        let names = published.names();
        self.folders().iter().flat_map(|folder| names.iter().map(|name| folder.join(name))).find(|path| path.is_file())
    }

    /// The weights of a model by its name: found on this machine, else fetched into the cache. `parse` gets all bytes of
    /// the file while its checksum is made.
    ///
    /// `progress` is told the bytes so far and, if it is known, how many there will be; only while something is fetched
    /// (or another process fetches the same). `cancel` is asked at least ten times a second.
    ///
    /// # Errors
    /// [`WeightsError::Damaged`] if a file that bears the publisher's name is not the publisher's;
    /// [`WeightsError::Fetch`] if there is no file and none could be fetched.
    pub fn load<T: Send>(
        &self,
        published: &Published,
        progress: &mut dyn FnMut(u64, Option<u64>),
        cancel: &CancelToken,
        parse: impl FnOnce(&[u8]) -> T + Send,
    ) -> Result<Weights<T>, WeightsError> {
        let path = match self.find(published) {
            Some(path) => path,
            None => self.fetch(published, progress, cancel)?,
        };
        let weights = read_limited(&path, self.limits.bytes, parse)?;
        let own = path.file_name().is_some_and(|name| name == published.file);
        if own && !sha256::matches(&weights.sha256, published.sha256) {
            return Err(WeightsError::Damaged {
                path,
                expected: published.sha256.to_owned(),
                got: weights.sha256,
                rename: format!("{}.{}", published.model, extension(published.file)),
            });
        }
        Ok(weights)
    }

    /// The address that the weights are fetched from.
    pub fn url(&self, published: &Published) -> String {
        let base = self.mirror.as_deref().unwrap_or(TORCHVISION);
        format!("{}/{}", base.trim_end_matches('/'), published.file)
    }

    fn fetch(
        &self,
        published: &Published,
        progress: &mut dyn FnMut(u64, Option<u64>),
        cancel: &CancelToken,
    ) -> Result<PathBuf, WeightsError> {
        let by_hand = Box::new(ByHand {
            model: published.model.to_owned(),
            file: published.file.to_owned(),
            url: self.url(published),
            mirror: self.mirror.is_some(),
            cache: self.cache.clone(),
            no_folders: self.models.iter().filter(|path| !path.is_dir()).cloned().collect(),
        });
        let Some(cache) = &self.cache else {
            return Err(WeightsError::Fetch { problem: FetchProblem::NoCache, by_hand });
        };
        #[cfg(feature = "download")]
        let fetched = super::download::Job {
            url: &by_hand.url,
            target: &cache.join(published.file),
            sha256: published.sha256,
            limits: self.limits,
        }
        .run(progress, cancel);
        #[cfg(not(feature = "download"))]
        let fetched = {
            let _ = (cache, progress, cancel);
            Err(Stop::Problem(FetchProblem::NotBuilt))
        };
        fetched.map_err(|stop| match stop {
            Stop::Problem(problem) => WeightsError::Fetch { problem, by_hand },
            Stop::Cancelled => WeightsError::Cancelled,
        })
    }
}

fn extension(file: &str) -> &str {
    Path::new(file).extension().and_then(|ext| ext.to_str()).unwrap_or("pth")
}

/// The weights in a file that a recipe names; `path` is joined to the recipe's folder already. `parse` gets all bytes of
/// the file.
///
/// # Errors
/// If it is not there, is no file, can't be read or is larger than [`Limits::bytes`].
pub fn read_weights<T: Send>(path: &Path, parse: impl FnOnce(&[u8]) -> T + Send) -> Result<Weights<T>, WeightsError> {
    read_limited(path, Limits::default().bytes, parse)
}

/// Bytes that a thread reads at a time.
const PIECE: usize = 4 << 20;

/// Reads a file once, by all threads; its checksum is made while `parse` reads it.
fn read_limited<T: Send>(
    path: &Path,
    limit: u64,
    parse: impl FnOnce(&[u8]) -> T + Send,
) -> Result<Weights<T>, WeightsError> {
    let unreadable = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => WeightsError::NoFile { path: path.to_owned() },
        _ => WeightsError::Unreadable { path: path.to_owned(), source },
    };
    // Asked before opening: to open a pipe would wait for its writer.
    let meta = std::fs::metadata(path).map_err(unreadable)?;
    if !meta.is_file() {
        return Err(WeightsError::NotAFile { path: path.to_owned() });
    }
    if meta.len() > limit {
        return Err(WeightsError::TooLarge { path: path.to_owned(), size: meta.len(), limit });
    }
    let mut bytes = vec![0; meta.len() as usize];
    let piece = |(number, to): (usize, &mut [u8])| {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start((number * PIECE) as u64))?;
        file.read_exact(to)
    };
    bytes.par_chunks_mut(PIECE).enumerate().try_for_each(piece).map_err(unreadable)?;
    let (sha256, parsed) = rayon::join(|| Checksum::of(&bytes), || parse(&bytes));
    Ok(Weights { path: path.to_owned(), sha256, parsed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(vars: &[(&str, &str)]) -> WeightStore {
        WeightStore::from_vars(|name| vars.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()))
    }

    #[test]
    fn as_the_environment_says() {
        let both = std::env::join_paths(["/a", "b"]).unwrap();
        let set = store(&[
            ("FVIZ_MODELS", both.to_str().unwrap()),
            ("FVIZ_CACHE", "/c"),
            ("FVIZ_WEIGHTS_URL", "http://mirror/x/"),
        ]);
        assert_eq!(set.folders(), ["/a", "b", "/c"].map(PathBuf::from));
        let resnet = Published { model: "resnet18", file: "resnet18-f37072fd.pth", sha256: "f37072fd" };
        assert_eq!(set.url(&resnet), "http://mirror/x/resnet18-f37072fd.pth");

        let unset = store(&[]);
        assert_eq!(unset, store(&[("FVIZ_MODELS", ""), ("FVIZ_CACHE", ""), ("FVIZ_WEIGHTS_URL", "")]));
        assert_eq!(unset.models, [] as [PathBuf; 0]);
        assert!(unset.cache.is_none_or(|cache| cache.ends_with("fviz")));
        assert_eq!(store(&[]).url(&resnet), "https://download.pytorch.org/models/resnet18-f37072fd.pth");
    }

    #[test]
    fn a_models_folder_that_is_none_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, b"").unwrap();
        // Nothing listens on port 1: the download fails at once.
        let models = vec![folder.path().to_path_buf(), folder.path().join("nowhere"), file];
        let mirror = Some("http://127.0.0.1:1".to_string());
        let store = WeightStore { models, cache: Some(folder.path().join("cache")), mirror, limits: Limits::default() };
        let published = Published { model: "x", file: "x.pth", sha256: "" };
        let help = store.load(&published, &mut |_, _| {}, &CancelToken::new(), |_| ()).unwrap_err().help().unwrap();
        assert_eq!(help.matches("which is no folder").count(), 2, "{help}");
        assert!(help.contains(&format!("names `{}`, which", folder.path().join("nowhere").display())), "{help}");
    }

    #[test]
    fn files_that_can_not_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("w.pth");
        let length = |bytes: &[u8]| bytes.len();
        assert!(matches!(read_weights(&file, length), Err(WeightsError::NoFile { path }) if path == file));
        assert!(matches!(read_weights(folder.path(), length), Err(WeightsError::NotAFile { .. })));
        std::fs::write(&file, [7; 300_000]).unwrap();
        assert!(matches!(read_limited(&file, 299_999, length), Err(WeightsError::TooLarge { size: 300_000, .. })));
        let weights = read_weights(&file, length).unwrap();
        assert_eq!((weights.parsed, weights.path), (300_000, file));
    }

    #[test]
    fn all_pieces_of_a_file_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("w.pth");
        let bytes: Vec<u8> = (0..2 * PIECE + 3).map(|k| (k / 1000) as u8).collect();
        std::fs::write(&file, &bytes).unwrap();
        let weights = read_weights(&file, <[u8]>::to_vec).unwrap();
        assert!(weights.parsed == bytes);
        assert_eq!(weights.sha256, Checksum::of(&bytes));
    }
}
