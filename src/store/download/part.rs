//! The unfinished file beside the place where the whole one will lie, and the lock that lets one process at a time
//! write it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::source::CancelToken;
use crate::store::problem::{FetchProblem, Stop};
use crate::store::sha256::Checksum;

/// How often a waiting process looks whether it is its turn. Short enough to feel at once, long enough to cost nothing.
const TURN: Duration = Duration::from_millis(100);

/// `NAME.part`: the bytes so far, and the checksum over them.
pub(super) struct Part {
    path: PathBuf,
    file: File,
    sum: Checksum,
    len: u64,
    start: Vec<u8>,
    lock: Option<Lock>,
}

/// Held until it is dropped, or the process ends.
struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Removes the file too. Only where the target is there already: then nobody who holds or makes a lock of the same
    /// name will write.
    fn clear_away(self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl Part {
    /// Waits until no other process writes this download, then opens what an earlier one left. `waiting` is told how
    /// far the other one is. Returns `None` if the other one finished `target` meanwhile.
    pub(super) fn open(
        target: &Path,
        waiting: &mut dyn FnMut(u64),
        cancel: &CancelToken,
    ) -> Result<Option<Self>, Stop> {
        let disk = |source| FetchProblem::Disk { path: target.to_owned(), source };
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(|source| FetchProblem::Disk { path: folder.to_owned(), source })?;
        }
        let shared = beside(target, ".part");
        let lock = take_turn(target, &mut || waiting(fs::metadata(&shared).map_or(0, |meta| meta.len())), cancel)?;
        if target.is_file() {
            if let Some(lock) = lock {
                lock.clear_away();
            }
            return Ok(None);
        }
        // Without a lock each process has its own part and can't go on with another's.
        let path = match lock {
            Some(_) => shared,
            None => beside(target, &format!(".{}.part", std::process::id())),
        };
        let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path).map_err(disk)?;
        let mut part = Self { path, file, sum: Checksum::default(), len: 0, start: Vec::new(), lock };
        part.take_in_the_old(cancel)?;
        Ok(Some(part))
    }

    fn take_in_the_old(&mut self, cancel: &CancelToken) -> Result<(), Stop> {
        let mut chunk = vec![0; 256 << 10];
        loop {
            if cancel.is_cancelled() {
                return Err(Stop::Cancelled);
            }
            match self.file.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(n) => self.take_in(chunk.get(..n).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(self.disk(source).into()),
            }
        }
    }

    fn take_in(&mut self, bytes: &[u8]) {
        self.sum.update(bytes);
        self.len += bytes.len() as u64;
        let room = 16usize.saturating_sub(self.start.len());
        self.start.extend(bytes.iter().take(room));
    }

    fn disk(&self, source: io::Error) -> FetchProblem {
        FetchProblem::Disk { path: self.path.clone(), source }
    }

    /// Bytes so far.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Hex digits of the SHA-256 of the bytes so far.
    pub(super) fn sha256(&self) -> String {
        self.sum.hex()
    }

    /// Whether it begins like a web page.
    pub(super) fn is_page(&self) -> bool {
        self.start.trim_ascii_start().first() == Some(&b'<')
    }

    /// Writes the next bytes.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), FetchProblem> {
        self.file.write_all(bytes).map_err(|source| self.disk(source))?;
        self.take_in(bytes);
        Ok(())
    }

    /// Forgets everything and begins anew.
    pub(super) fn restart(&mut self) -> Result<(), FetchProblem> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
        emptied.map_err(|source| self.disk(source))?;
        (self.sum, self.len, self.start) = (Checksum::default(), 0, Vec::new());
        Ok(())
    }

    /// Gives the whole file its name: it appears at once, or not at all.
    pub(super) fn finish(self, target: &Path) -> Result<(), FetchProblem> {
        // On disk first: a rename that survives a power cut must not name a file that does not.
        let named = self.file.sync_all().and_then(|()| fs::rename(&self.path, target));
        named.map_err(|source| FetchProblem::Disk { path: target.to_owned(), source })?;
        if let Some(lock) = self.lock {
            lock.clear_away();
        }
        Ok(())
    }

    /// Removes it.
    pub(super) fn discard(self) {
        // Nothing is lost if that fails: the next download finds its checksum wrong and begins anew.
        let _ = fs::remove_file(&self.path);
    }
}

/// Waits for the lock; `None` on a file system that has none, as some network drives are.
fn take_turn(target: &Path, waiting: &mut dyn FnMut(), cancel: &CancelToken) -> Result<Option<Lock>, Stop> {
    // A file of its own, not the part: were that locked, a rename or a removal by its holder would leave the next one
    // with a lock on a file that has no name any more.
    let path = beside(target, ".lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|source| FetchProblem::Disk { path: path.clone(), source })?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(Lock { path, _file: file })),
            Err(TryLockError::Error(_)) => return Ok(None),
            Err(TryLockError::WouldBlock) if cancel.is_cancelled() => return Err(Stop::Cancelled),
            Err(TryLockError::WouldBlock) => {
                waiting();
                std::thread::sleep(TURN);
            }
        }
    }
}

fn beside(target: &Path, ending: &str) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    target.with_file_name(name)
}
