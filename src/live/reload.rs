//! The loop behind `fviz watch`: a saved recipe is checked at once, and if it is good it runs instead of the last one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::preview::preview_path;
use super::recorder::Recorder;
use super::runner::{Gone, Job, Message, Runner, Shared, Told, What};
use super::{Change, Watcher};
use crate::check::{Checked, Input, Recipe, check};
use crate::session::{Failed, Keep, Session};
use crate::source::CancelToken;

/// How long nothing may happen before files and Ctrl-C are looked at again.
const TICK: Duration = Duration::from_millis(15);

/// Everything that can happen.
#[derive(Debug)]
enum Event {
    /// Files that the recipe depends on have other bytes.
    Saved(Change),
    /// The run goes on.
    Running(Told),
    /// The run has ended, by itself or since it was asked to.
    Done { cancelled: bool },
    /// The run has failed.
    Failed(Box<Failed>),
    /// The user wants to leave.
    Quit,
    /// Nothing, for a while.
    Quiet,
}

/// What the loop shows of itself. Texts and streams are the command line's.
pub trait Screen {
    /// Something the user should know once: how files are watched.
    fn notice(&mut self, text: &str);
    /// The recipe can't be read now; the loop waits until it can.
    fn unreadable(&mut self, why: &str);
    /// The recipe was checked and is wrong. `goes_on` says whether a run that began before does.
    fn refused(&mut self, checked: &Checked, goes_on: bool);
    /// What was saved means the same as before.
    fn unchanged(&mut self);
    /// A good recipe begins to run; `reload` is what was saved, nothing at the first time.
    fn starts(&mut self, checked: &Checked, recipe: &Recipe, reload: Option<&Change>);
    /// The run goes on.
    fn told(&mut self, told: &Told);
    /// The first picture of a run can be seen, so long after the save.
    fn first_picture(&mut self, after: Duration);
    /// The run has ended with all its files.
    fn done(&mut self);
    /// The run was stopped by the user; its files hold what there was.
    fn stopped(&mut self);
    /// The run has failed.
    fn failed(&mut self, failed: Failed);
}

/// What is watched, and how its runs are set up.
pub struct Reload<'a> {
    /// The recipe's file.
    pub path: &'a Path,
    /// Reads it: its text and bytes, or why it can't be read.
    pub read: &'a dyn Fn() -> Result<(Input, Vec<u8>), String>,
    /// The machine.
    pub world: Shared,
    /// Where files go.
    pub folder: PathBuf,
    /// Where variants that are done are kept.
    pub keep: Option<Keep>,
    /// Set by Ctrl-C.
    pub quit: CancelToken,
}

/// A run that has begun.
struct Running {
    number: u64,
    cancel: CancelToken,
    discard: CancelToken,
    /// When what it runs was saved, until its first picture.
    since: Option<Instant>,
}

struct Loop<'a> {
    setting: &'a Reload<'a>,
    screen: &'a mut dyn Screen,
    watcher: Watcher,
    runner: Runner,
    running: Option<Running>,
    runs: u64,
    /// What the last good recipe meant, and which of its files are not recipes.
    last: Option<(String, BTreeSet<PathBuf>)>,
    /// The picture so far; it goes when the user leaves.
    preview: Option<PathBuf>,
    looked: Instant,
}

impl Reload<'_> {
    /// Watches until the user leaves. A run that is under way then finishes its files with what it has.
    ///
    /// # Errors
    /// The thread that runs recipes could not be started, or has ended.
    pub fn watch(&self, session: Session, screen: &mut dyn Screen) -> Result<(), std::io::Error> {
        let runner = Runner::start(session, Arc::clone(&self.world), self.folder.clone(), self.keep.clone())?;
        let (watcher, looked) = (Watcher::new(), Instant::now());
        let mut all =
            Loop { setting: self, screen, watcher, runner, running: None, runs: 0, last: None, preview: None, looked };
        let result = all.run();
        if let Some(preview) = all.preview {
            // Not there if no picture was made.
            let _ = std::fs::remove_file(preview);
        }
        result.map_err(std::io::Error::other)
    }
}

impl Loop<'_> {
    fn run(&mut self) -> Result<(), Gone> {
        self.load(None)?;
        loop {
            if let Some(text) = self.watcher.notice() {
                self.screen.notice(&text);
            }
            match self.next()? {
                Event::Saved(change) => self.load(Some(change))?,
                Event::Running(told) => self.hear(&told),
                Event::Done { cancelled } => {
                    self.running = None;
                    if !cancelled {
                        self.screen.done();
                    }
                }
                Event::Failed(failed) => {
                    self.running = None;
                    // The same text may run well the next time: the disk has room again.
                    self.last = None;
                    self.screen.failed(*failed);
                }
                Event::Quit => return self.leave(),
                Event::Quiet => {}
            }
        }
    }

    fn next(&mut self) -> Result<Event, Gone> {
        if self.setting.quit.is_cancelled() {
            return Ok(Event::Quit);
        }
        if self.looked.elapsed() >= TICK {
            self.looked = Instant::now();
            if let Some(change) = self.watcher.next(Duration::ZERO) {
                return Ok(Event::Saved(change));
            }
        }
        let Some(Message { run, what }) = self.runner.next(TICK)? else { return Ok(Event::Quiet) };
        // A run that was replaced may still have had something to say.
        if self.running.as_ref().is_none_or(|running| running.number != run) {
            return Ok(Event::Quiet);
        }
        Ok(match what {
            What::Told(told) => Event::Running(told),
            What::Done { cancelled } => Event::Done { cancelled },
            What::Failed(failed) => Event::Failed(failed),
        })
    }

    fn hear(&mut self, told: &Told) {
        if matches!(told, Told::Refreshed)
            && let Some(since) = self.running.as_mut().and_then(|running| running.since.take())
        {
            self.screen.first_picture(since.elapsed());
        }
        self.screen.told(told);
    }

    /// Reads, checks and, if all is well and something has changed, starts anew.
    fn load(&mut self, change: Option<Change>) -> Result<(), Gone> {
        let (input, bytes) = match (self.setting.read)() {
            Ok(read) => read,
            Err(why) => {
                self.watch_also(&[], &[]);
                self.screen.unreadable(&why);
                return Ok(());
            }
        };
        let recorder = Recorder::new(&*self.setting.world);
        let checked = check(&input, &recorder);
        let mut read = recorder.into_read();
        read.push((self.setting.path.to_path_buf(), bytes));
        self.watch_also(&checked.files, &read);
        let goes_on = self.running.is_some();
        let Some(recipe) = &checked.recipe else {
            self.screen.refused(&checked, goes_on);
            return Ok(());
        };
        let others = others(&checked, &read, self.setting.path);
        let touched = change.as_ref().is_some_and(|change| change.files.iter().any(|file| others.contains(file)));
        // A folder's photos come and go, and the text that names the folder stays the same.
        let files_changed = touched || self.last.as_ref().is_some_and(|(_, before)| *before != others);
        if !files_changed && self.last.as_ref().is_some_and(|(resolved, _)| *resolved == recipe.resolved) {
            self.screen.unchanged();
            return Ok(());
        }
        self.last = Some((recipe.resolved.clone(), others));
        self.screen.starts(&checked, recipe, change.as_ref());
        self.start(recipe.clone(), change.map(|change| change.since), files_changed)
    }

    fn start(&mut self, recipe: Recipe, saved: Option<Instant>, files_changed: bool) -> Result<(), Gone> {
        if let Some(before) = self.running.take() {
            before.discard.cancel();
        }
        self.preview = Some(preview_path(&self.setting.folder, &recipe.name));
        self.runs += 1;
        let discard = CancelToken::new();
        let cancel = discard.child();
        let since = Some(saved.unwrap_or_else(Instant::now));
        self.running = Some(Running { number: self.runs, cancel: cancel.clone(), discard: discard.clone(), since });
        self.runner.run(Job { run: self.runs, recipe: Arc::new(recipe), cancel, discard, files_changed })
    }

    /// Watches the recipe and the files that the last check read or wanted to read.
    fn watch_also(&mut self, files: &[PathBuf], read: &[(PathBuf, Vec<u8>)]) {
        let mut all = vec![self.setting.path.to_path_buf()];
        all.extend(files.iter().filter(|file| *file != self.setting.path).cloned());
        self.watcher.set_files(&all);
        for (path, bytes) in read {
            self.watcher.was_read_as(path, bytes);
        }
    }

    /// Ends the run with what it has, and waits for its files.
    fn leave(&mut self) -> Result<(), Gone> {
        let Some(running) = self.running.take() else { return Ok(()) };
        running.cancel.cancel();
        loop {
            let Some(Message { run, what }) = self.runner.next(TICK)? else { continue };
            if run != running.number {
                continue;
            }
            match what {
                What::Told(told) => self.screen.told(&told),
                What::Done { .. } => {
                    self.screen.stopped();
                    return Ok(());
                }
                What::Failed(failed) => {
                    self.screen.failed(*failed);
                    return Ok(());
                }
            }
        }
    }
}

/// The files of a recipe that are not recipes themselves: photos, weights, labels. When one of them changes, the
/// recipe's text doesn't.
fn others(checked: &Checked, read: &[(PathBuf, Vec<u8>)], path: &Path) -> BTreeSet<PathBuf> {
    let is_text = |file: &PathBuf| {
        let bytes = read.iter().find(|(known, _)| known == file).map(|(_, bytes)| bytes);
        bytes.is_some_and(|bytes| checked.sources.files().iter().any(|source| source.text.as_bytes() == bytes))
    };
    checked.files.iter().filter(|file| *file != path && !is_text(file)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SystemWorld;
    use crate::store::WeightStore;

    /// Counts what it is told.
    #[derive(Default)]
    struct Counts {
        starts: usize,
        unchanged: usize,
    }

    impl Screen for Counts {
        fn notice(&mut self, _: &str) {}
        fn unreadable(&mut self, why: &str) {
            panic!("{why}");
        }
        fn refused(&mut self, checked: &Checked, _: bool) {
            panic!("{:?}", checked.diagnostics);
        }
        fn unchanged(&mut self) {
            self.unchanged += 1;
        }
        fn starts(&mut self, _: &Checked, _: &Recipe, _: Option<&Change>) {
            self.starts += 1;
        }
        fn told(&mut self, _: &Told) {}
        fn first_picture(&mut self, _: Duration) {}
        fn done(&mut self) {}
        fn stopped(&mut self) {}
        fn failed(&mut self, _: Failed) {}
    }

    #[test]
    fn photos_that_come_or_go_start_anew() {
        let folder = tempfile::tempdir().unwrap();
        let save = |name: &str| image::RgbImage::new(16, 16).save(folder.path().join(name)).unwrap();
        save("one.png");
        save("two.png");
        let text = "fviz 1\ncanvas 16x16\nmaximize features(conv3, \"*.png\")\noptimize adam for 1 step\n";
        let read = || {
            let (name, stem) = ("a.fviz".to_string(), "a".to_string());
            let input =
                Input { name, stem, folder: folder.path().into(), text: text.into(), overrides: Default::default() };
            Ok((input, text.as_bytes().to_vec()))
        };
        let path = folder.path().join("a.fviz");
        let setting = Reload {
            path: &path,
            read: &read,
            world: Arc::new(SystemWorld::default()),
            folder: folder.path().join("out"),
            keep: None,
            quit: CancelToken::new(),
        };
        let session = Session::new(WeightStore::default());
        let runner = Runner::start(session, Arc::clone(&setting.world), setting.folder.clone(), None).unwrap();
        let mut screen = Counts::default();
        let (watcher, looked) = (Watcher::new(), Instant::now());
        let mut all = Loop {
            setting: &setting,
            screen: &mut screen,
            watcher,
            runner,
            running: None,
            runs: 0,
            last: None,
            preview: None,
            looked,
        };
        let change = |name: &str| Some(Change { files: vec![folder.path().join(name)], since: Instant::now() });
        all.load(None).unwrap();
        all.load(change("a.fviz")).unwrap();
        std::fs::remove_file(folder.path().join("two.png")).unwrap();
        all.load(change("two.png")).unwrap();
        save("three.png");
        all.load(change("a.fviz")).unwrap();
        drop(all);
        assert_eq!((screen.starts, screen.unchanged), (3, 1));
    }
}
