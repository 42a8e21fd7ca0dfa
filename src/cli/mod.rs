//! The command line: one file a verb. Prints, and picks the exit code.

pub mod args;
mod argv;
mod examples;
pub mod interrupt;
pub mod report;
pub mod terminal;

use std::process::ExitCode;

use args::{Cli, Verb};
use report::Reporter;

/// Why a verb ends without success.
#[derive(Debug)]
pub enum Failure {
    /// A recipe is wrong, a golden file differs, a loss is no number; all has been told.
    Wrong,
    /// The command line makes no sense.
    Usage(Trouble),
    /// A file, the weights or the machine.
    Environment(Trouble),
    /// The user has stopped it.
    Interrupted,
    /// Nobody reads the output any more, as in `fviz classes | head`.
    Pipe,
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
    /// Something of the outside that isn't as it should be.
    pub fn environment(message: impl Into<String>, help: Option<String>) -> Self {
        Self::Environment(Trouble { message: message.into(), help })
    }

    /// Something of the command line that makes no sense.
    pub fn usage(message: impl Into<String>, help: Option<String>) -> Self {
        Self::Usage(Trouble { message: message.into(), help })
    }

    /// An output stream that can't be written.
    pub fn output(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::Pipe,
            _ => Self::environment(format!("can't write to standard output: {error}"), None),
        }
    }

    fn code(&self) -> u8 {
        match self {
            Self::Wrong => 1,
            Self::Usage(_) => 2,
            Self::Environment(_) => 3,
            Self::Interrupted => 130,
            Self::Pipe => 0,
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
        Err(failure) => {
            if let Failure::Usage(trouble) | Failure::Environment(trouble) = &failure {
                terminal::tell(&reporter.trouble(&trouble.message, trouble.help.as_deref()));
            }
            ExitCode::from(failure.code())
        }
    }
}

fn dispatch(verb: Verb, reporter: &Reporter) -> Result<(), Failure> {
    let _ = (verb, reporter);
    Ok(())
}
