//! `fviz run`: a recipe → its files.

use std::path::PathBuf;

use super::args::RunArgs;
use super::progress::{Progress, Style};
use super::report::{Count, Reporter};
use super::{Exit, Failure, Trouble, interrupt, kept, recipe, terminal};
use crate::check::{Checked, Overrides, Recipe, check};
use crate::session::{self, LoadError, Options, Session};
use crate::source::{CancelToken, Diagnostic, Severity, Sources};
use crate::store::{WeightStore, WeightsError};

/// Files that could not be written and are named; of a long queue there may be hundreds, for one reason.
const MOST_LINES: usize = 5;

/// Runs the verb.
pub fn run(args: &RunArgs, reporter: &Reporter) -> Result<(), Failure> {
    let input = recipe::read(&args.recipe, overrides(args))?;
    let mut session = Session::new(WeightStore::from_env());
    let world = recipe::world(session.store());
    let mut progress = Progress::new(Style::of(args), *reporter);
    let checked = check(&input, &world);
    let recipe = accepted(&checked, &input.name, reporter)
        .inspect_err(|_| progress.refused(&checked.diagnostics, &checked.sources))?;
    let keep = kept::keep(session.store(), args.fresh)?;
    let options = Options { folder: Some(args.output.clone()), keep, cancel: cancel(), ..Options::default() };
    progress.begin(recipe);
    let result = session.run(recipe, &world, &options, &mut |news| progress.hear(&news, &checked.sources));
    let result = result.map(|report| report.ending.cancelled);
    finished(result, &checked.sources, reporter, &mut progress)
}

/// What the command line puts above the recipe.
pub fn overrides(args: &RunArgs) -> Overrides {
    Overrides { set: args.set.clone(), seed: args.seed, steps: args.steps.map(|steps| steps as usize) }
}

/// A token that Ctrl-C sets; without one, where the system has no such thing, Ctrl-C ends the program.
pub fn cancel() -> CancelToken {
    interrupt::install().unwrap_or_default()
}

/// Lets the work run on as many threads as asked for, or one for each core that this process may use: two threads of one
/// core would wait for its one multiplier. This thread is one of them if it works itself, as another in its place would
/// have to be woken for each little thing.
pub fn threads(threads: Option<u16>, works: bool) -> Result<(), Failure> {
    let cores = || num_cpus::get_physical().min(num_cpus::get());
    let threads = match threads {
        Some(threads) => threads.into(),
        // As many as that says.
        None if std::env::var_os("RAYON_NUM_THREADS").is_some() => 0,
        None => cores(),
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    let pool = if works { pool.use_current_thread() } else { pool };
    pool.build_global().map_err(|error| Failure::environment(format!("can't start {threads} threads: {error}"), None))
}

/// Tells what a check found; the recipe, if it can run.
pub fn accepted<'c>(checked: &'c Checked, name: &str, reporter: &Reporter) -> Result<&'c Recipe, Failure> {
    tell(&checked.diagnostics, &checked.sources, name, reporter);
    checked.recipe.as_ref().ok_or(Failure::told(Exit::Wrong))
}

/// Tells problems on stderr, and how many there are.
pub fn tell(diagnostics: &[Diagnostic], sources: &Sources, name: &str, reporter: &Reporter) {
    if diagnostics.is_empty() {
        return;
    }
    let mut text = reporter.text(diagnostics, sources);
    if diagnostics.iter().any(|problem| problem.severity == Severity::Error) {
        text.push_str(&reporter.summary(name, Count::of(diagnostics)));
    }
    terminal::tell(&text);
}

/// Tells how a run ended: well, or stopped (`Ok(true)`), or not well.
pub fn finished(
    result: Result<bool, session::Failed>,
    sources: &Sources,
    reporter: &Reporter,
    progress: &mut Progress,
) -> Result<(), Failure> {
    match result {
        Ok(cancelled) => {
            progress.end(cancelled);
            if cancelled { Err(Failure::told(Exit::Interrupted)) } else { Ok(()) }
        }
        Err(failed) => {
            progress.clear();
            let told = told(failed.why, sources, reporter);
            progress.failed(&told, sources, &failed.files);
            Err(told.into_exit())
        }
    }
}

/// A failed run as it is told: with places in the recipe where there are any.
pub enum Told {
    /// Problems with places.
    Diagnostics(Vec<Diagnostic>),
    /// Something of the outside.
    Outside(Trouble),
    /// Files that could not be written, a line for each.
    Unwritten(Vec<String>),
    /// The user stopped it.
    Stopped,
}

impl Told {
    /// The reason as the exit code tells it, once it was printed.
    pub fn into_exit(self) -> Failure {
        match self {
            Told::Diagnostics(_) => Failure::told(Exit::Wrong),
            Told::Outside(trouble) => Failure { exit: Exit::Environment, trouble: Some(trouble) },
            Told::Unwritten(lines) => {
                let trouble = Trouble { message: summed_up(&lines), help: None };
                Failure { exit: Exit::Environment, trouble: Some(trouble) }
            }
            Told::Stopped => Failure::told(Exit::Interrupted),
        }
    }
}

pub fn told(why: session::Failure, sources: &Sources, reporter: &Reporter) -> Told {
    let told = match why {
        session::Failure::Refused(problems) => Told::Diagnostics(problems),
        session::Failure::Run(error) => Told::Diagnostics(vec![error.diagnostic()]),
        session::Failure::Load(LoadError::Weights(WeightsError::Cancelled)) => Told::Stopped,
        session::Failure::Load(error) => {
            let help = match &error {
                LoadError::Weights(error) => error.help(),
                LoadError::Import { problem, .. } => problem.help(),
                LoadError::Precision(_) => Some("leave `precision` out, or take `precision = f32`".to_string()),
                LoadError::Unknown(_) => None,
            };
            Told::Outside(Trouble { message: error.to_string(), help })
        }
        session::Failure::Folder(error) => {
            let help = "`-o DIR` names another folder for the files".to_string();
            Told::Outside(Trouble { message: error.to_string(), help: Some(help) })
        }
        session::Failure::Write(errors) => {
            let mut lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            // Several files may fail for one reason, such as their folder.
            lines.dedup();
            Told::Unwritten(lines)
        }
    };
    if let Told::Diagnostics(problems) = &told {
        terminal::tell(&reporter.text(problems, sources));
    }
    told
}

/// The first few lines, and how many there are more.
fn summed_up(lines: &[String]) -> String {
    let (first, rest) = lines.split_at(lines.len().min(MOST_LINES));
    let more = if rest.is_empty() { String::new() } else { format!("\nand {} more", rest.len()) };
    first.join("\n") + &more
}

/// The folder for files of the recipe, as a person would name it.
pub fn shown(path: &std::path::Path) -> PathBuf {
    path.strip_prefix(".").map(PathBuf::from).unwrap_or_else(|_| path.to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_lines_are_summed_up() {
        let lines: Vec<String> = (0..31).map(|k| format!("can't write {k}")).collect();
        let told = summed_up(&lines);
        assert!(
            told.starts_with("can't write 0\ncan't write 1\n") && told.ends_with("can't write 4\nand 26 more"),
            "{told}"
        );
        assert_eq!(summed_up(&lines[..5]), lines[..5].join("\n"));
        assert_eq!(summed_up(&lines[..1]), lines[0]);
    }
}
