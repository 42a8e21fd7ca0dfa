//! The only way by which the checker reaches the outside: files and the machine's memory.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// What lies in a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its path: the folder's, joined to its name.
    pub path: PathBuf,
    /// Whether it is a folder itself. A link to one is neither file nor folder, so that nobody walks in circles.
    pub is_folder: bool,
}

/// What a recipe may ask of the outside while it is checked.
pub trait World {
    /// The bytes of a file. Paths are as the user wrote them, already joined to the folder of the file that named them.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Whether a file is there.
    fn exists(&self, path: &Path) -> bool;

    /// The files and folders in a folder, in any order.
    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>>;

    /// The first `n` bytes of a file (a picture's size, a header of weights), without reading the rest.
    fn read_start(&self, path: &Path, n: usize) -> io::Result<Vec<u8>> {
        let mut bytes = self.read(path)?;
        bytes.truncate(n);
        Ok(bytes)
    }

    /// Folders in which weights are looked for, in order: `FVIZ_MODELS`, then the cache.
    fn model_folders(&self) -> Vec<PathBuf>;

    /// Bytes of memory that a run may use.
    fn memory(&self) -> u64;
}

/// The real machine.
#[derive(Clone, Debug, Default)]
pub struct SystemWorld {
    /// Folders in which weights are looked for.
    pub models: Vec<PathBuf>,
}

#[allow(clippy::disallowed_methods)] // the one place that may read files for the checker
impl World for SystemWorld {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn exists(&self, path: &Path) -> bool {
        path.is_file()
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        // The folder of a path without one.
        let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(here)? {
            let entry = entry?;
            let (path, is_folder) = (folder.join(entry.file_name()), entry.file_type()?.is_dir());
            if is_folder || path.is_file() {
                entries.push(Entry { path, is_folder });
            }
        }
        Ok(entries)
    }

    fn read_start(&self, path: &Path, n: usize) -> io::Result<Vec<u8>> {
        use io::Read;
        let mut bytes = Vec::new();
        std::fs::File::open(path)?.take(n as u64).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn model_folders(&self) -> Vec<PathBuf> {
        self.models.clone()
    }

    fn memory(&self) -> u64 {
        available_memory().unwrap_or(4 << 30)
    }
}

/// Memory that is free for a new program, by Linux's own estimate and the container's limit.
#[allow(clippy::disallowed_methods)]
fn available_memory() -> Option<u64> {
    let info = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = info.lines().find(|line| line.starts_with("MemAvailable:"))?;
    let free = line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024;
    let limit = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    Some(limit.map_or(free, |limit: u64| limit.min(free)))
}

/// Files that live in memory, for tests and fuzzing.
#[derive(Clone, Debug, Default)]
pub struct MemoryWorld {
    /// The files.
    pub files: BTreeMap<PathBuf, Vec<u8>>,
}

impl World for MemoryWorld {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.files.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn exists(&self, path: &Path) -> bool {
        self.files.contains_key(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        let below = self.files.keys().filter_map(|path| path.strip_prefix(folder).ok());
        let entries: BTreeSet<Entry> = below
            .filter_map(|rest| {
                let path = folder.join(rest.components().next()?);
                Some(Entry { path, is_folder: rest.components().count() > 1 })
            })
            .collect();
        if entries.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(entries.into_iter().collect()) }
    }

    fn model_folders(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    fn memory(&self) -> u64 {
        4 << 30
    }
}
