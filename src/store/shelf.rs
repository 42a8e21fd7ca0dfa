//! Bytes that were expensive to make, under the checksum of all that they depend on.
//!
//! Invariant: whatever goes wrong, a full disk, two programs at once, a file that somebody damaged, costs the work that
//! was kept and nothing else. An entry is a file that appears whole or not at all, begins with the checksum of the rest,
//! and is not there if that is not right.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::sha256::Checksum;
use super::weights::WeightStore;
use crate::render::file::{self, FileError};

/// How much is kept if `FVIZ_CACHE_SIZE` says nothing: ccache's default, 5 GB.
const SIZE: u64 = 5_000_000_000;

/// What is dropped when there is too much: so much of the limit remains, as ccache's `limit_multiple` 0.8 has it.
const REMAINS: f64 = 0.8;

/// Files that a program which was killed has left half-written are older than this.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// The hex digits of a SHA-256, and a line break.
const HEAD: usize = 65;

/// A folder of entries, of bounded size: those that were not used for longest go first.
#[derive(Clone, Debug)]
pub struct Shelf {
    folder: PathBuf,
    limit: u64,
    /// Bytes on the shelf as far as is known; nothing is before the first entry is put there.
    used: Arc<AtomicU64>,
}

/// Bytes that nobody has counted yet.
const UNCOUNTED: u64 = u64::MAX;

/// `FVIZ_CACHE_SIZE` is no size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`FVIZ_CACHE_SIZE` is `{0}`, which is no size")]
pub struct SizeError(pub String);

impl Shelf {
    /// A shelf of at most `limit` bytes in a folder, which need not be there yet.
    pub fn new(folder: PathBuf, limit: u64) -> Self {
        Self { folder, limit, used: Arc::new(AtomicU64::new(UNCOUNTED)) }
    }

    /// The folder `kept` in the cache of weights, as large as `FVIZ_CACHE_SIZE` says: `500MB`, `5GB`. None where there is
    /// no cache, or the size is 0.
    ///
    /// # Errors
    /// The variable says something else.
    pub fn from_env(store: &WeightStore) -> Result<Option<Self>, SizeError> {
        Self::from_vars(store, std::env::var_os("FVIZ_CACHE_SIZE"))
    }

    fn from_vars(store: &WeightStore, size: Option<OsString>) -> Result<Option<Self>, SizeError> {
        let limit = match size.filter(|size| !size.is_empty()) {
            Some(size) => bytes(&size.to_string_lossy()).ok_or_else(|| SizeError(size.to_string_lossy().into()))?,
            None => SIZE,
        };
        Ok(store.cache.as_ref().filter(|_| limit > 0).map(|cache| Self::new(cache.join("kept"), limit)))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The bytes under a name, if they are there and whole. They count as used now.
    pub fn get(&self, name: &str) -> Option<Vec<u8>> {
        let path = self.path(name);
        let mut bytes = std::fs::read(&path).ok()?;
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        if head != line(rest).as_bytes() {
            return None;
        }
        // An entry whose time can't be set only goes sooner than it should.
        let _ = std::fs::File::options().append(true).open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        Some(bytes.split_off(HEAD))
    }

    /// Puts bytes under a name, in place of what was there, and drops what was not used for longest if it gets too much.
    /// What is larger than the whole shelf is not kept.
    ///
    /// # Errors
    /// They could not be written.
    pub fn put(&self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        let size = (HEAD + bytes.len()) as u64;
        if size > self.limit {
            // The limit may be less than that of the runs before.
            self.used.store(self.trimmed(), Ordering::Relaxed);
            return Ok(());
        }
        file::write_with(&self.path(name), |out| {
            out.write_all(line(bytes).as_bytes())?;
            out.write_all(bytes)
        })?;
        let used = self.used.load(Ordering::Relaxed).saturating_add(size);
        self.used.store(if used > self.limit { self.trimmed() } else { used }, Ordering::Relaxed);
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.fviz-kept"))
    }

    /// Counts what is there and drops what is too much. Another program may do the same: what is gone is gone.
    fn trimmed(&self) -> u64 {
        let now = SystemTime::now();
        let mut entries: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let (path, Ok(meta)) = (entry.path(), entry.metadata()) else { continue };
            let used = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            match path.extension().and_then(|end| end.to_str()) {
                Some("fviz-kept") => entries.push((used, meta.len(), path)),
                Some("tmp") if now.duration_since(used).is_ok_and(|age| age > ABANDONED) => {
                    let _ = std::fs::remove_file(path);
                }
                _ => {}
            }
        }
        let mut used: u64 = entries.iter().map(|(_, size, _)| size).sum();
        if used > self.limit {
            entries.sort();
            for (_, size, path) in entries {
                if used as f64 <= self.limit as f64 * REMAINS {
                    break;
                }
                if std::fs::remove_file(path).is_ok() {
                    used -= size;
                }
            }
        }
        used
    }
}

/// The first line of an entry: the checksum of the rest.
fn line(rest: &[u8]) -> String {
    format!("{}\n", Checksum::of(rest))
}

/// `500MB` → 500,000,000; `5 G` and a number of bytes are understood too.
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_uppercase();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor = match unit.trim().trim_end_matches('B').trim_end_matches('I') {
        "" => 1.0,
        "K" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        _ => return None,
    };
    let number: f64 = number.parse().ok()?;
    Some((number * factor) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn aged(shelf: &Shelf, name: &str, hours: u64) {
        let file = std::fs::File::options().append(true).open(shelf.path(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(3600 * hours)).unwrap();
    }

    #[test]
    fn what_is_put_is_got_until_it_is_damaged() {
        let root = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(root.path().join("a/kept"), 1000);
        assert_eq!(shelf.get("x"), None);
        shelf.put("x", b"one").unwrap();
        shelf.put("x", b"two").unwrap();
        assert_eq!(shelf.get("x").unwrap(), b"two");
        let whole = std::fs::read(shelf.path("x")).unwrap();
        for damage in [&whole[..whole.len() - 1], &whole[..10], b"", &[&whole[..], b"!"].concat()] {
            std::fs::write(shelf.path("x"), damage).unwrap();
            assert_eq!(shelf.get("x"), None);
        }
        shelf.put("x", b"two").unwrap();
        assert_eq!(shelf.get("x").unwrap(), b"two");
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let root = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(root.path().into(), 500);
        for (name, hours) in [("a", 3), ("b", 9), ("c", 5)] {
            shelf.put(name, &[0; 100]).unwrap();
            aged(&shelf, name, hours);
        }
        std::fs::write(root.path().join("mine.txt"), [0; 999]).unwrap();
        assert!(shelf.get("b").is_some(), "used now");
        shelf.put("d", &[0; 100]).unwrap();
        // 660 bytes are too much: down to 400 at most.
        assert_eq!(names(root.path()), ["b.fviz-kept", "d.fviz-kept", "mine.txt"]);
        shelf.put("e", &[0; 600]).unwrap();
        assert!(shelf.get("e").is_none() && shelf.get("b").is_some(), "larger than the shelf");
        // Another program counts what is there first.
        Shelf::new(root.path().into(), 300).put("f", &[0; 100]).unwrap();
        assert_eq!(names(root.path()).len(), 2, "{:?}", names(root.path()));
    }

    #[test]
    fn abandoned_files_are_swept() {
        let root = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(root.path().into(), 500);
        for (name, hours) in [(".fviz-1.tmp", 1), (".fviz-2.tmp", 48)] {
            let file = std::fs::File::create(root.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(3600 * hours)).unwrap();
        }
        shelf.put("a", b"x").unwrap();
        assert_eq!(names(root.path()), [".fviz-1.tmp", "a.fviz-kept"]);
    }

    #[test]
    fn many_at_once() {
        let root = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for thread in 0..8u8 {
                let shelf = Shelf::new(root.path().into(), 2000);
                scope.spawn(move || {
                    for k in 0..40u8 {
                        let name = (k % 5).to_string();
                        shelf.put(&name, &[k % 5; 300]).unwrap();
                        // Somebody may have dropped it; but what is there is whole.
                        let found = shelf.get(&name);
                        assert!(found.is_none_or(|found| found == [k % 5; 300]), "{thread}");
                    }
                });
            }
        });
    }

    #[test]
    fn sizes() {
        for (text, size) in [("500MB", 500_000_000), ("5 g", 5_000_000_000), ("1.5GiB", 1_500_000_000), ("0", 0)] {
            assert_eq!(bytes(text), Some(size), "{text}");
        }
        assert_eq!(["", "much", "-1", "5 GX", "."].map(bytes), [None; 5]);
        let store = WeightStore { cache: Some("c".into()), ..WeightStore::default() };
        let of = |size: &str| Shelf::from_vars(&store, Some(size.into()));
        assert!(of("0").unwrap().is_none());
        assert_eq!(of("2MB").unwrap().unwrap().limit, 2_000_000);
        assert_eq!(of("").unwrap().unwrap().folder(), Path::new("c/kept"));
        assert_eq!(of("huge").unwrap_err().to_string(), "`FVIZ_CACHE_SIZE` is `huge`, which is no size");
        assert!(Shelf::from_vars(&WeightStore::default(), None).unwrap().is_none(), "no cache");
    }
}
