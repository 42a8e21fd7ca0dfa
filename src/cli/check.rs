//! `fviz check`: every problem of every file, nothing run.

use std::io::Write;
use std::path::Path;

use super::args::CheckArgs;
use super::report::{Count, Format, Reporter};
use super::{Exit, Failure, recipe, terminal};
use crate::check::{Checked, Input, Overrides, check};
use crate::plan::plan;
use crate::source::World;
use crate::store::WeightStore;

/// Runs the verb.
pub fn run(args: &CheckArgs, reporter: &Reporter) -> Result<(), Failure> {
    let world = recipe::world(&WeightStore::from_env());
    let mut all = Count::default();
    let mut worst = None::<Exit>;
    for path in &args.files {
        match one(path, args, &world, reporter) {
            Ok(count) => all = all.and(count),
            Err(failure) if failure.exit == Exit::Pipe => return Err(failure),
            Err(mut failure) => {
                failure.tell(reporter);
                worst = worst.max(Some(failure.exit));
            }
        }
    }
    if args.files.len() > 1 {
        terminal::tell(&reporter.summary(&format!("{} files", args.files.len()), all));
    }
    match worst {
        Some(exit) => Err(Failure::told(exit)),
        None if all.errors > 0 => Err(Failure::told(Exit::Wrong)),
        None => Ok(()),
    }
}

/// Checks a file and tells its problems: here they are what was asked for, so they go to stdout.
fn one(path: &Path, args: &CheckArgs, world: &dyn World, reporter: &Reporter) -> Result<Count, Failure> {
    let overrides = Overrides { set: args.set.clone(), ..Overrides::default() };
    let input = recipe::read(path, overrides)?;
    let checked = complete(&input, world);
    let text = reporter.text(&checked.diagnostics, &checked.sources);
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Failure::output)?;
    let count = Count::of(&checked.diagnostics);
    if reporter.format == Format::Human || count != Count::default() {
        terminal::tell(&reporter.summary(&input.name, count));
    }
    Ok(count)
}

/// What can be known of a recipe before it runs: the check's problems, and then the plan's.
pub fn complete(input: &Input, world: &dyn World) -> Checked {
    let mut checked = check(input, world);
    if let Some(recipe) = &checked.recipe {
        let (plan, problems) = plan(recipe, world);
        checked.diagnostics.extend(problems);
        if plan.is_none() {
            checked.recipe = None;
        }
    }
    checked
}
