//! Which folders the system is asked to tell about, so that nothing that happens to a file is missed.
//!
//! The folder is watched, not the file: editors save by renaming another file over it, and a watch on a file goes with
//! the file that was there before. Folders are kept under their real names, links resolved, which is how the system
//! tells of them; a link itself and every link that it leads to are watched where they lie.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

/// Links that lead to links: as many as Linux follows.
const LINKS: usize = 40;

/// The watched folders.
#[derive(Debug, Default)]
pub(super) struct Folders {
    watched: BTreeMap<PathBuf, Folder>,
}

#[derive(Debug)]
struct Folder {
    which: Which,
    /// Name in the folder → the files, as they were listed, that depend on it.
    names: BTreeMap<OsString, BTreeSet<PathBuf>>,
}

/// Tells a folder from another one that was put in its place later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Which {
    inode: i64,
    created: Option<SystemTime>,
}

impl Which {
    fn of(folder: &Path) -> Option<Self> {
        let meta = std::fs::metadata(folder).ok().filter(|meta| meta.is_dir())?;
        let [_, inode, ..] = super::fingerprint::identity(&meta);
        Some(Self { inode, created: meta.created().ok() })
    }
}

impl Folders {
    /// Watches where `files` lie now, and nothing else. Returns whether a watch was added, and what could not be.
    pub(super) fn update<'a>(
        &mut self,
        native: &mut RecommendedWatcher,
        files: impl Iterator<Item = &'a PathBuf>,
    ) -> (bool, Option<notify::Error>) {
        let mut wanted: BTreeMap<PathBuf, Folder> = BTreeMap::new();
        for file in files {
            for (folder, name) in places(file) {
                let Some(which) = Which::of(&folder) else { continue };
                let folder = wanted.entry(folder).or_insert(Folder { which, names: BTreeMap::new() });
                folder.names.entry(name).or_default().insert(file.clone());
            }
        }
        self.watched.retain(|path, folder| {
            let keep = wanted.get(path).is_some_and(|new| new.which == folder.which);
            if !keep {
                let _ = native.unwatch(path); // it may be gone already
            }
            keep
        });
        let (mut added, mut failed) = (false, None);
        for (path, folder) in wanted {
            if !self.watched.contains_key(&path) {
                match native.watch(&path, RecursiveMode::NonRecursive) {
                    Ok(()) => added = true,
                    Err(error) => {
                        failed = Some(error);
                        continue;
                    }
                }
            }
            self.watched.insert(path, folder);
        }
        (added, failed)
    }

    /// The files that an event at `path` may have changed.
    pub(super) fn touched(&self, path: &Path) -> BTreeSet<PathBuf> {
        let inside = |(folder, name): (&Path, &OsStr)| self.watched.get(folder)?.names.get(name).cloned();
        let mut files = path.parent().zip(path.file_name()).and_then(inside).unwrap_or_default();
        // Something happened to a folder itself: to all in it.
        if let Some(folder) = self.watched.get(path) {
            files.extend(folder.names.values().flatten().cloned());
        }
        files
    }

    /// The folder was removed or renamed: its watch is dead, or has gone with it.
    pub(super) fn lost(&mut self, native: &mut RecommendedWatcher, path: &Path) {
        if self.watched.remove(path).is_some() {
            let _ = native.unwatch(path);
        }
    }
}

/// Where something can happen that changes what is read at `file`: (real folder, name in it) of the file and of the
/// links that it leads through.
fn places(file: &Path) -> Vec<(PathBuf, OsString)> {
    let mut places = Vec::new();
    let mut at = file.to_owned();
    for _ in 0..LINKS {
        let Some(name) = at.file_name() else { break };
        let folder = match at.parent() {
            Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
            Some(folder) => folder,
            None => break,
        };
        let Ok(folder) = folder.canonicalize() else { break };
        places.push((folder.clone(), name.to_owned()));
        let Ok(target) = std::fs::read_link(&at) else { break };
        at = folder.join(target);
    }
    places
}
