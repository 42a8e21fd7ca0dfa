//! `fviz completions`: what a shell needs to complete our verbs and options.

use std::io::Write;

use clap::CommandFactory;

use super::Failure;
use super::args::{Cli, CompletionsArgs};

/// Runs the verb.
pub fn run(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "fviz", &mut script);
    std::io::stdout().write_all(&script).map_err(Failure::output)
}
