//! The command line: one file a verb. Prints, and picks the exit code.

pub mod args;
mod argv;
mod check;
mod classes;
mod classify;
mod completions;
mod events;
mod examples;
mod exemplars;
mod explain;
mod golden;
pub mod interrupt;
mod judge;
mod kept;
mod layers;
mod model;
mod new;
mod page;
mod profile;
mod progress;
mod recipe;
pub mod report;
mod run;
mod show;
pub mod terminal;
mod test;
mod trace;
mod units;
mod watch;

use std::process::ExitCode;

use args::{Cli, Verb};
use report::Reporter;

use crate::ops::fast::misnamed_kernels;

/// How a verb ends without success.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What is still to be told.
    pub trouble: Option<Trouble>,
}

/// Exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Nobody reads the output any more, as in `fviz classes | head`: no failure.
    Pipe = 0,
    /// A recipe is wrong, a golden file differs, a loss is no number.
    Wrong = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// A file, the weights or the machine.
    Environment = 3,
    /// The user has stopped it.
    Interrupted = 130,
}

/// A problem of no place in a recipe.
#[derive(Debug)]
pub struct Trouble {
    /// One line, lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Failure {
    /// One whose reason was told.
    pub fn told(exit: Exit) -> Self {
        Self { exit, trouble: None }
    }

    /// Something of the outside that isn't as it should be.
    pub fn environment(message: impl Into<String>, help: Option<String>) -> Self {
        Self { exit: Exit::Environment, trouble: Some(Trouble { message: message.into(), help }) }
    }

    /// Something of the command line that makes no sense.
    pub fn usage(message: impl Into<String>, help: Option<String>) -> Self {
        Self { exit: Exit::Usage, trouble: Some(Trouble { message: message.into(), help }) }
    }

    /// An output stream that can't be written.
    pub fn output(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::told(Exit::Pipe),
            _ => Self::environment(format!("can't write to standard output: {error}"), None),
        }
    }

    /// Tells what is still to be told, once.
    pub fn tell(&mut self, reporter: &Reporter) {
        if let Some(trouble) = self.trouble.take() {
            terminal::tell(&reporter.trouble(&trouble.message, trouble.help.as_deref()));
        }
    }
}

/// The whole program.
pub fn main() -> ExitCode {
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are asked for and go to stdout; a usage error goes to stderr.
            let _ = error.print();
            return ExitCode::from(error.exit_code() as u8);
        }
    };
    cli.global.color.install();
    let reporter = terminal::reporter(cli.global.diagnostic_format);
    match dispatch(cli.verb, &reporter) {
        Ok(()) => ExitCode::SUCCESS,
        Err(mut failure) => {
            failure.tell(&reporter);
            ExitCode::from(failure.exit as u8)
        }
    }
}

fn dispatch(verb: Verb, reporter: &Reporter) -> Result<(), Failure> {
    if let Some(problem) = misnamed_kernels() {
        return Err(Failure::environment(problem, None));
    }
    match &verb {
        Verb::Run(args) => run::threads(args.threads, true)?,
        Verb::Watch(args) => run::threads(args.threads, false)?,
        Verb::Profile(args) => run::threads(args.threads, true)?,
        Verb::Classify(_) | Verb::Trace(_) | Verb::Exemplars(_) | Verb::Judge(_) | Verb::Test(_) => {
            run::threads(None, true)?
        }
        _ => {}
    }
    match verb {
        Verb::Run(args) => run::run(&args, reporter),
        Verb::Watch(args) => watch::run(&args, reporter),
        Verb::Check(args) => check::run(&args, reporter),
        Verb::Explain(args) => explain::run(&args, reporter),
        Verb::Layers(args) => layers::run(&args, reporter),
        Verb::Classes(args) => classes::run(&args, reporter),
        Verb::Classify(args) => classify::run(&args, reporter),
        Verb::Trace(args) => trace::run(&args, reporter),
        Verb::Exemplars(args) => exemplars::run(&args, reporter),
        Verb::Judge(args) => judge::run(&args, reporter),
        Verb::Show(args) => show::run(&args),
        Verb::Profile(args) => profile::run(&args, reporter),
        Verb::Test(args) => test::run(&args, reporter),
        Verb::New(args) => new::run(&args),
        Verb::Completions(args) => completions::run(&args),
    }
}
