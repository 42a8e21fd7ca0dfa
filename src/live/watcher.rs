//! Tells when one of a set of files has other bytes than before.
//!
//! The system's own news ([`notify`]) make it fast, a look at the files now and then makes it sure: where the system
//! says nothing (network drives, a folder that was not there, a limit that is reached) a change is found a second later.
//! What counts in the end are the bytes, so a save without an edit is no change. Editors save in several steps: a change
//! is told when it has been quiet for a moment, and told again if more comes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{Event, RecommendedWatcher};

use super::fingerprint::{Content, Seen, Stamp};
use super::folders::Folders;

// Quiet, latest and missing are Typst's: short enough to feel immediate, long enough for an editor's steps.

/// So long nothing more must happen before a change is told.
const QUIET: Duration = Duration::from_millis(100);
/// So long after its first sign it is told, whatever still happens.
const LATEST: Duration = Duration::from_millis(500);
/// Pause between looks at files that are not there.
const MISSING: Duration = Duration::from_millis(300);
/// So many of these pauses between looks at all files.
const ALL: u32 = 3;

/// What was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The files, named as they were listed, sorted. One that has vanished is a change too.
    pub files: Vec<PathBuf>,
    /// When the first sign of it was seen.
    pub since: Instant,
}

/// Watches files. Everything else in their folders is ignored, so it may write there.
#[derive(Debug)]
pub struct Watcher {
    native: Option<RecommendedWatcher>,
    news: Receiver<notify::Result<Event>>,
    _keep_open: Sender<notify::Result<Event>>,
    folders: Folders,
    files: BTreeMap<PathBuf, Seen>,
    signs: Option<Signs>,
    next_look: Instant,
    looks: u32,
    notice: Option<String>,
}

/// Files that may have changed.
#[derive(Debug)]
struct Signs {
    first: Instant,
    last: Instant,
    /// With their stamps at the last sign.
    files: BTreeMap<PathBuf, Stamp>,
}

impl Default for Watcher {
    fn default() -> Self {
        Self::new()
    }
}

impl Watcher {
    /// Watches nothing yet. Where the system can't tell of changes, looks for them ([`notice`](Self::notice)).
    pub fn new() -> Self {
        let (sender, news) = channel();
        let tell = sender.clone();
        let native = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if !event.as_ref().is_ok_and(is_only_reading) {
                let _ = tell.send(event);
            }
        });
        let mut watcher = Self::silent(sender, news);
        match native {
            Ok(native) => watcher.native = Some(native),
            Err(error) => watcher.fall_back(&error),
        }
        watcher
    }

    /// Asks the system for nothing, looks at all files three times a second: for drives on which its news are wrong.
    pub fn polling() -> Self {
        let (sender, news) = channel();
        Self::silent(sender, news)
    }

    fn silent(sender: Sender<notify::Result<Event>>, news: Receiver<notify::Result<Event>>) -> Self {
        Self {
            native: None,
            news,
            _keep_open: sender,
            folders: Folders::default(),
            files: BTreeMap::new(),
            signs: None,
            next_look: Instant::now() + MISSING,
            looks: 0,
            notice: None,
        }
    }

    fn fall_back(&mut self, error: &notify::Error) {
        self.native = None;
        self.folders = Folders::default();
        let way_out = match error.kind {
            notify::ErrorKind::MaxFilesWatch => "; `sysctl fs.inotify.max_user_watches` shows the limit",
            _ => "",
        };
        self.notice = Some(format!(
            "the system can't tell when files change ({error}), so they are looked at three times a second{way_out}"
        ));
    }

    /// Something the user should know, once.
    pub fn notice(&mut self) -> Option<String> {
        self.notice.take()
    }

    /// Watches exactly these files from now on, there or not. A change that [`next`](Self::next) has not told yet of a
    /// file that stays is not lost; files that are new here count as seen with the bytes that they have now, unless
    /// [`was_read_as`](Self::was_read_as) says otherwise.
    pub fn set_files(&mut self, files: &[PathBuf]) {
        let listed: BTreeSet<&PathBuf> = files.iter().collect();
        self.files.retain(|file, _| listed.contains(file));
        if let Some(signs) = &mut self.signs {
            signs.files.retain(|file, _| listed.contains(file));
        }
        // Watched before looked at: a save in between is told.
        self.watch(listed.iter().copied());
        for file in listed {
            if !self.files.contains_key(file) {
                self.files.insert(file.clone(), Seen::now(file));
            }
        }
    }

    /// Says which bytes of a listed file were used: if it holds others by now, that is a change.
    pub fn was_read_as(&mut self, file: &Path, bytes: &[u8]) {
        if let Some(seen) = self.files.get_mut(file) {
            *seen = Seen { content: Content::of_bytes(bytes), stamp: None };
            self.next_look = Instant::now();
            self.looks = 0;
        }
    }

    /// Waits for a change, `timeout` at most (never if it is zero).
    pub fn next(&mut self, timeout: Duration) -> Option<Change> {
        let begun = Instant::now();
        loop {
            while let Ok(event) = self.news.try_recv() {
                self.take_in(event);
            }
            if Instant::now() >= self.next_look {
                self.look();
            }
            let now = Instant::now();
            if self.signs.as_ref().is_some_and(|signs| now >= signs.due())
                && let Some(change) = self.settle(now)
            {
                return Some(change);
            }
            let left = timeout.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return None;
            }
            let wake = self.signs.as_ref().map_or(self.next_look, |signs| signs.due().min(self.next_look));
            let wait = wake.saturating_duration_since(Instant::now()).min(left);
            if let Ok(event) = self.news.recv_timeout(wait) {
                self.take_in(event);
            }
        }
    }

    /// Sorts out what the system tells.
    fn take_in(&mut self, event: notify::Result<Event>) {
        let Ok(event) = event else { return self.look_at_all_soon() };
        if event.need_rescan() {
            return self.look_at_all_soon();
        }
        for path in &event.paths {
            let touched = self.folders.touched(path);
            if matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)))
                && let Some(native) = &mut self.native
            {
                self.folders.lost(native, path);
            }
            for file in touched {
                let stamp = Stamp::of(&file);
                // Other rights or times alone say little, and on some systems reading is enough to bring such news.
                let idle = matches!(event.kind, EventKind::Modify(ModifyKind::Metadata(_)))
                    && self.files.get(&file).is_some_and(|seen| seen.stamp == Some(stamp));
                if !idle {
                    self.sign(file, stamp);
                }
            }
        }
    }

    fn look_at_all_soon(&mut self) {
        self.next_look = Instant::now();
        self.looks = 0;
    }

    fn sign(&mut self, file: PathBuf, stamp: Stamp) {
        let now = Instant::now();
        let signs = self.signs.get_or_insert(Signs { first: now, last: now, files: BTreeMap::new() });
        signs.last = now;
        signs.files.insert(file, stamp);
    }

    /// Looks at files that are missing, and now and then at all: what the system did not tell.
    fn look(&mut self) {
        let all = self.native.is_none() || self.looks.is_multiple_of(ALL);
        self.looks = self.looks.wrapping_add(1);
        self.next_look = Instant::now() + MISSING;
        let mut found = Vec::new();
        for (file, seen) in &mut self.files {
            if !all && seen.content != Content::Missing {
                continue;
            }
            let stamp = Stamp::of(file);
            if seen.stamp == Some(stamp)
                || self.signs.as_ref().is_some_and(|signs| signs.files.get(file) == Some(&stamp))
            {
                continue;
            }
            if seen.stamp.is_none() {
                let newer = Seen::now(file);
                if newer.content == seen.content {
                    *seen = newer;
                    continue;
                }
            }
            found.push((file.clone(), stamp));
        }
        for (file, stamp) in found {
            self.sign(file, stamp);
        }
        if all {
            self.watch_listed();
        }
    }

    /// Watches where the listed files lie by now: a folder may have come, gone, or be another one.
    fn watch_listed(&mut self) {
        let files: Vec<_> = self.files.keys().cloned().collect();
        if self.watch(files.iter()) {
            // What happened before the new watch nobody told.
            self.looks = 0;
        }
    }

    fn watch<'a>(&mut self, files: impl Iterator<Item = &'a PathBuf>) -> bool {
        let Some(native) = &mut self.native else { return false };
        let (added, failed) = self.folders.update(native, files);
        if let Some(error) = failed {
            // A folder that has vanished in between is no reason: the next look sees to it.
            if !matches!(error.kind, notify::ErrorKind::PathNotFound) {
                self.fall_back(&error);
            }
        }
        added
    }

    /// Tells which of the files with signs have other bytes, if it is quiet or late enough.
    fn settle(&mut self, now: Instant) -> Option<Change> {
        let signs = self.signs.as_mut()?;
        if now < signs.first + LATEST {
            let mut moving = false;
            for (file, stamp) in &mut signs.files {
                let newer = Stamp::of(file);
                moving |= newer != *stamp || newer.is_void();
                *stamp = newer;
            }
            if moving {
                signs.last = now;
                return None;
            }
        }
        let signs = self.signs.take()?;
        let mut files = Vec::new();
        for file in signs.files.into_keys() {
            let Some(seen) = self.files.get_mut(&file) else { continue };
            let newer = Seen::now(&file);
            if newer.content != seen.content {
                files.push(file);
            }
            *seen = newer;
        }
        self.watch_listed(); // a renamed link may lead elsewhere
        (!files.is_empty()).then_some(Change { files, since: signs.first })
    }
}

impl Signs {
    fn due(&self) -> Instant {
        (self.last + QUIET).min(self.first + LATEST)
    }
}

/// Opening and reading, ours included, changes nothing; closing after writing may end a save.
fn is_only_reading(event: &Event) -> bool {
    matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_the_systems_limit_it_says_so_and_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hen.fviz");
        std::fs::write(&file, "one").unwrap();
        let mut watcher = Watcher::new();
        watcher.set_files(std::slice::from_ref(&file));
        watcher.fall_back(&notify::Error::new(notify::ErrorKind::MaxFilesWatch));
        let notice = watcher.notice().unwrap();
        assert!(notice.contains("three times a second") && notice.contains("max_user_watches"), "{notice}");
        assert_eq!(watcher.notice(), None);
        std::fs::write(&file, "two").unwrap();
        assert_eq!(watcher.next(Duration::from_secs(30)).unwrap().files, [file]);
    }
}
