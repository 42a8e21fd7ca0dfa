//! `fviz watch`: what hot reload shows.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::args::RunArgs;
use super::progress::{Progress, Style};
use super::report::Reporter;
use super::run::{cancel, finished, overrides, shown, tell};
use super::{Exit, Failure, kept, recipe};
use crate::check::{Checked, Recipe};
use crate::live::{Change, Reload, Screen, Told, preview_path};
use crate::session::{Failed, Session};
use crate::source::Sources;
use crate::store::WeightStore;

/// Runs the verb.
pub fn run(args: &RunArgs, reporter: &Reporter) -> Result<(), Failure> {
    if args.recipe == Path::new(recipe::STDIN) {
        let help = "write the recipe into a file and watch that, or run it once with `fviz run -`";
        return Err(Failure::usage("standard input can't be watched", Some(help.into())));
    }
    let session = Session::new(WeightStore::from_env());
    let world = Arc::new(recipe::world(session.store()));
    let keep = kept::keep(session.store(), args.fresh)?;
    let read = || {
        let bytes = recipe::bytes(&args.recipe).map_err(message)?;
        let input = recipe::input(&args.recipe, bytes.clone(), overrides(args)).map_err(message)?;
        Ok((input, bytes))
    };
    let reload = Reload { path: &args.recipe, read: &read, world, folder: args.output.clone(), keep, quit: cancel() };
    let mut screen = Watching {
        args,
        reporter,
        progress: Progress::new(Style::of(args), *reporter),
        sources: Sources::default(),
        waiting: false,
    };
    reload
        .watch(session, &mut screen)
        .map_err(|error| Failure::environment(format!("can't watch `{}`: {error}", args.recipe.display()), None))?;
    Err(Failure::told(Exit::Interrupted))
}

fn message(failure: Failure) -> String {
    failure.trouble.map_or_else(String::new, |trouble| trouble.message)
}

/// The command line's side of hot reload.
struct Watching<'a> {
    args: &'a RunArgs,
    reporter: &'a Reporter,
    progress: Progress,
    /// Of the recipe that runs.
    sources: Sources,
    /// The recipe was missing the last time.
    waiting: bool,
}

impl Watching<'_> {
    fn name(&self) -> String {
        self.args.recipe.display().to_string()
    }

    /// A line for a person who wants to know how it goes.
    fn say(&self, text: &str) {
        if !self.args.quiet && !self.args.json {
            self.progress.say(&format!("{text}\n"));
        }
    }
}

impl Screen for Watching<'_> {
    fn notice(&mut self, text: &str) {
        self.say(&format!("note: {text}"));
    }

    fn unreadable(&mut self, why: &str) {
        if !self.waiting {
            self.progress.say(&format!("{why}; waiting for it\n"));
        }
        self.waiting = true;
    }

    fn refused(&mut self, checked: &Checked, goes_on: bool) {
        self.waiting = false;
        let (reporter, name) = (self.reporter, self.name());
        self.progress.suspend(|| tell(&checked.diagnostics, &checked.sources, &name, reporter));
        self.progress.refused(&checked.diagnostics, &checked.sources);
        self.say(if goes_on { "the last good run goes on" } else { "waiting for it to be saved" });
    }

    fn unchanged(&mut self) {
        self.waiting = false;
        self.say(&format!("{} was saved; it means the same as before", self.name()));
    }

    fn starts(&mut self, checked: &Checked, recipe: &Recipe, reload: Option<&Change>) {
        self.waiting = false;
        self.progress.clear();
        let (reporter, name) = (self.reporter, self.name());
        tell(&checked.diagnostics, &checked.sources, &name, reporter);
        match reload {
            None => {
                let also = listed(checked.files.iter().filter(|file| **file != self.args.recipe));
                self.say(&format!("watching {name}{also}; Ctrl-C ends"));
                let preview = preview_path(&self.args.output, &recipe.name);
                self.say(&format!("the picture so far: {}", shown(&preview).display()));
            }
            Some(change) => {
                let files: Vec<String> = change.files.iter().map(|file| file.display().to_string()).collect();
                self.progress.reloads(&files);
            }
        }
        self.sources = checked.sources.clone();
        self.progress.begin(recipe);
    }

    fn told(&mut self, told: &Told) {
        told.with_news(|news| self.progress.hear(news, &self.sources));
    }

    fn first_picture(&mut self, after: Duration) {
        self.progress.first_picture(&self.name(), after);
    }

    fn done(&mut self) {
        self.progress.end(false);
        self.say("waiting for a save");
    }

    fn stopped(&mut self) {
        self.progress.end(true);
    }

    fn failed(&mut self, failed: Failed) {
        // The exit code is of no interest here: the loop goes on.
        if let Err(mut failure) = finished(Err(failed), &self.sources, self.reporter, &mut self.progress) {
            failure.tell(self.reporter);
        }
        self.say("waiting for a save");
    }
}

/// ` and base.fviz, cat.jpg`
fn listed<'a>(files: impl Iterator<Item = &'a PathBuf>) -> String {
    let names: Vec<String> = files.map(|file| file.display().to_string()).collect();
    if names.is_empty() { String::new() } else { format!(" and {}", names.join(", ")) }
}
