//! What a person, a log or a program sees while a recipe runs: three sinks of the same events.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanDuration, ProgressBar, ProgressStyle};

use super::args::RunArgs;
use super::events::Events;
use super::report::{Reporter, object};
use super::run::{Told, shown};
use super::terminal::{self, fixed};
use crate::check::Recipe;
use crate::check::recipe::Variant;
use crate::render::file::FileError;
use crate::run::{Event, Scores, Step};
use crate::session::{Identity, News};
use crate::source::{Diagnostic, Sources};

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// A bar that moves.
    Bar,
    /// A line every 10 %.
    Lines,
    /// Not at all.
    Silent,
    /// JSON lines on stdout.
    Json,
}

impl Style {
    /// What the arguments and the terminal ask for.
    pub fn of(args: &RunArgs) -> Self {
        match (args.json, args.quiet) {
            (true, _) => Self::Json,
            (false, true) => Self::Silent,
            (false, false) if terminal::is_interactive() => Self::Bar,
            (false, false) => Self::Lines,
        }
    }
}

/// Shows a run.
pub struct Progress {
    style: Style,
    reporter: Reporter,
    bar: Option<ProgressBar>,
    events: Events,
    /// Of the run, then of its first step.
    begun: Instant,
    steps: usize,
    tenths: usize,
    /// No step comes any more.
    all_done: bool,
    /// That files are written was said.
    writes: bool,
    name: String,
    variants: usize,
    /// How many of them are not grown.
    kept: usize,
    /// The names of the networks; nothing where there is one.
    models: Vec<String>,
    /// When the run began to make something.
    since: Option<Instant>,
}

impl Progress {
    /// Nothing runs yet.
    pub fn new(style: Style, reporter: Reporter) -> Self {
        Self {
            style,
            reporter,
            bar: None,
            events: Events::default(),
            begun: Instant::now(),
            steps: 0,
            tenths: 0,
            all_done: false,
            writes: false,
            name: String::new(),
            variants: 0,
            models: Vec::new(),
            kept: 0,
            since: None,
        }
    }

    /// The recipe can't run.
    pub fn refused(&mut self, problems: &[Diagnostic], sources: &Sources) {
        if self.style == Style::Json {
            self.events.failed("the recipe is wrong", None, problems.iter().map(|p| object(p, sources)).collect(), &[]);
        }
    }

    /// A run begins.
    pub fn begin(&mut self, recipe: &Recipe) {
        self.clear();
        (self.begun, self.steps, self.tenths) = (Instant::now(), 0, 0);
        (self.all_done, self.writes) = (false, false);
        (self.name, self.variants) = (recipe.name.clone(), recipe.variants.len());
        self.models = match recipe.variants.first().map_or(&[][..], |variant| &variant.models) {
            [_] => Vec::new(),
            several => several.iter().map(|model| model.name.clone()).collect(),
        };
        (self.kept, self.since) = (0, None);
        self.events.files.clear();
        self.events.labels = recipe.variants.iter().map(|variant| variant.label.clone()).collect();
        let names = |variant: &Variant| variant.stages.iter().map(|stage| stage.name.clone()).collect();
        self.events.stages = recipe.variants.iter().map(names).collect();
    }

    /// Something happened.
    pub fn hear(&mut self, news: &News, sources: &Sources) {
        if self.style == Style::Json {
            return self.events.news(news, &self.name, sources);
        }
        match news {
            News::Fetching { model, done, all } => self.fetching(model, *done, *all),
            News::Loaded(identities) => self.loaded(identities),
            News::Kept { .. } => {
                self.since.get_or_insert_with(Instant::now);
                self.kept += 1;
            }
            News::NotKept(error) => self.not_kept(error),
            News::Run(Event::Started { steps, .. }) => self.started(*steps),
            News::Run(Event::Step(step)) => self.step(step),
            News::Run(Event::Note { note, .. }) => {
                let text = self.reporter.text(std::slice::from_ref(note), sources);
                self.say(&text);
            }
            News::Run(
                Event::Phase(_) | Event::Frame { .. } | Event::View { .. } | Event::Map { .. } | Event::Done { .. },
            ) => {}
            News::Run(Event::Finished { .. }) => {
                self.clear();
                self.all_done = true;
            }
            News::Writing => self.writing(),
            News::NotWritten { why, again } => self.not_written(why, *again),
            News::Wrote(path) => self.wrote(path),
        }
    }

    /// The run ended; its files are written.
    pub fn end(&mut self, cancelled: bool) {
        self.clear();
        match self.style {
            Style::Json => self.events.ended(cancelled),
            Style::Bar | Style::Lines if cancelled => {
                terminal::tell("interrupted: the files hold what there was\n");
            }
            Style::Bar | Style::Lines => {
                terminal::tell(&format!("done in {}\n", seconds(self.since.unwrap_or(self.begun).elapsed())));
            }
            Style::Silent => {}
        }
    }

    /// The run failed; the reason was told.
    pub fn failed(&mut self, told: &Told, sources: &Sources, files: &[PathBuf]) {
        self.clear();
        if self.style == Style::Json {
            let (message, help, problems) = match told {
                Told::Diagnostics(problems) => {
                    let message = problems.first().map_or("the run failed", |problem| &problem.message);
                    (message, None, problems.iter().map(|problem| object(problem, sources)).collect())
                }
                Told::Outside(trouble) => (trouble.message.as_str(), trouble.help.as_deref(), Vec::new()),
                Told::Unwritten(lines) => return self.events.failed(&lines.join("\n"), None, Vec::new(), files),
                Told::Stopped => return self.events.ended(true),
            };
            self.events.failed(message, help, problems, files);
        }
    }

    /// Takes the bar away, for instance since something else is to be said.
    pub fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Says something beside the bar.
    pub fn say(&self, text: &str) {
        self.suspend(|| terminal::tell(text));
    }

    /// Lets something be said beside the bar.
    pub fn suspend(&self, say: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(say),
            None => say(),
        }
    }

    /// A saved recipe is about to replace the one that ran.
    pub fn reloads(&mut self, files: &[String]) {
        if self.style == Style::Json {
            self.events.saved(files);
        }
    }

    /// The first picture of a run can be seen, so long after the save.
    pub fn first_picture(&mut self, name: &str, after: Duration) {
        match self.style {
            Style::Json => self.events.first_picture(after),
            Style::Silent => {}
            Style::Bar | Style::Lines => self.say(&format!("{name}: first picture after {}\n", seconds(after))),
        }
    }

    fn is_shown(&self) -> bool {
        matches!(self.style, Style::Bar | Style::Lines)
    }

    fn fetching(&mut self, model: &str, done: u64, all: Option<u64>) {
        if self.style == Style::Bar {
            let bar = self.bar.get_or_insert_with(|| {
                let bar = ProgressBar::new(all.unwrap_or(0));
                bar.set_style(style("fetching {msg} {bar:24} {bytes}/{total_bytes}, {eta} left"));
                bar.set_message(model.to_string());
                bar
            });
            bar.set_position(done);
        } else if self.style == Style::Lines && self.passes_tenth(done as usize, all.unwrap_or(0) as usize) {
            let of = all.map_or(String::new(), |all| format!(" of {}", HumanBytes(all)));
            terminal::tell(&format!("fetching {model}: {}{of}\n", HumanBytes(done)));
        }
    }

    fn loaded(&mut self, identities: &[Identity]) {
        self.clear();
        if !self.is_shown() {
            return;
        }
        let mut told: Vec<&str> = Vec::new();
        for identity in identities {
            if let Some(reason) = &identity.non_commercial
                && !told.contains(&identity.name.as_str())
            {
                told.push(&identity.name);
                terminal::tell(&format!(
                    "note: the weights of {} are not for commercial use ({reason})\n",
                    identity.name
                ));
            }
        }
    }

    fn started(&mut self, steps: usize) {
        (self.steps, self.tenths, self.begun) = (steps, 0, Instant::now());
        self.since.get_or_insert(self.begun);
        let variants = if self.variants > 1 { format!(", {} variants", self.variants) } else { String::new() };
        let kept = match self.kept {
            0 => String::new(),
            _ if self.variants == 1 => ", kept from before".to_string(),
            kept if kept == self.variants => ", all kept from before".to_string(),
            kept => format!(", {kept} kept from before"),
        };
        match self.style {
            Style::Bar if steps > 0 => {
                let bar = ProgressBar::new(steps as u64);
                bar.set_style(style("{prefix}{bar:24} {pos}/{len}  {msg}"));
                bar.set_prefix(format!("{}{variants}{kept} ", self.name));
                self.bar = Some(bar);
            }
            Style::Bar | Style::Lines => {
                terminal::tell(&format!("{}: {}{variants}{kept}\n", self.name, terminal::steps(steps)));
            }
            Style::Silent | Style::Json => {}
        }
    }

    fn not_kept(&self, error: &FileError) {
        if self.is_shown() {
            self.say(&format!("warning: {error}; variants that are done can't be kept for later runs\n"));
        }
    }

    fn not_written(&self, why: &str, again: bool) {
        if self.is_shown() {
            let then = if again { "; it is tried again in the end" } else { "" };
            self.say(&format!("warning: {why}{then}\n"));
        }
    }

    fn step(&mut self, step: &Step) {
        self.all_done = step.done >= self.steps;
        if !self.is_shown() {
            return;
        }
        let elapsed = self.begun.elapsed();
        let left = elapsed.mul_f64(self.steps.saturating_sub(step.done) as f64 / step.done.max(1) as f64);
        let line = format!("{}, {} left", summary(step.scores, &self.models), seconds(left));
        if let Some(bar) = &self.bar {
            bar.set_message(line);
            bar.set_position(step.done as u64);
        } else if self.style == Style::Lines && self.passes_tenth(step.done, self.steps) {
            let percent = 100 * step.done / self.steps.max(1);
            terminal::tell(&format!("{:>4} %  step {} of {}: {line}\n", percent, step.done, self.steps));
        }
    }

    /// Whether another tenth is done.
    fn passes_tenth(&mut self, done: usize, all: usize) -> bool {
        let tenths = (10 * done).checked_div(all).unwrap_or(0);
        let passes = tenths > self.tenths;
        self.tenths = self.tenths.max(tenths);
        passes
    }

    fn writing(&mut self) {
        if !self.all_done {
            // A long queue writes on its way.
            self.bar.iter().for_each(|bar| bar.set_message("writing files"));
            return;
        }
        if std::mem::replace(&mut self.writes, true) {
            return;
        }
        if self.style == Style::Bar {
            self.clear();
            let bar = ProgressBar::new_spinner().with_message("writing files");
            bar.enable_steady_tick(Duration::from_millis(120));
            self.bar = Some(bar);
        } else if self.style == Style::Lines {
            // A long animation takes its time, and silence looks like a program that hangs.
            terminal::tell("writing files …\n");
        }
    }

    fn wrote(&mut self, path: &Path) {
        if self.is_shown() {
            let size = std::fs::metadata(path).map_or(String::new(), |meta| format!(" ({})", HumanBytes(meta.len())));
            self.say(&format!("wrote {}{size}\n", shown(path).display()));
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    // A template that can't be read would be our own mistake; the default bar is as good then.
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("━╸─")
}

/// `loss -12.31, activation 12.50, probability 93.2 %`; of several variants their means; of several networks, which
/// have these names, one probability each: `probability 93.2 % (a), 81.0 % (b)`.
fn summary(scores: &[Scores], models: &[String]) -> String {
    let n = scores.len().max(1) as f64;
    let mean = |of: fn(&Scores) -> f64| scores.iter().map(of).sum::<f64>() / n;
    let mut text = format!("loss {}, activation {}", fixed(mean(|s| s.loss), 4), fixed(mean(|s| s.activation), 4));
    let mut before = ", probability";
    for model in 0..models.len().max(1) {
        let all = scores.iter().filter_map(|scores| scores.probabilities.get(model).copied().flatten());
        let (sum, count) = all.fold((0.0, 0), |(sum, count), probability| (sum + probability, count + 1));
        if count > 0 {
            let name = models.get(model).map_or(String::new(), |name| format!(" ({name})"));
            text.push_str(&format!("{before} {:.1} %{name}", 100.0 * sum / f64::from(count)));
            before = ",";
        }
    }
    if scores.len() > 1 {
        text.push_str(&format!(" (means of {})", scores.len()));
    }
    text
}

/// `4.2 s`, `3 minutes`
pub fn seconds(time: Duration) -> String {
    match time.as_secs_f64() {
        short if short < 1.0 => format!("{short:.2} s"),
        short if short < 60.0 => format!("{short:.1} s"),
        _ => HumanDuration(time).to_string(),
    }
}
