//! From the words of the command line to [`Cli`].

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::{CommandFactory, FromArgMatches};

use super::args::Cli;
use super::terminal::{Color, width};

impl Cli {
    /// Reads the arguments of this program; clap prints help and usage errors.
    pub fn read(args: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let args = with_verb(args.into_iter().collect());
        let command = Self::command().color(color(&args).for_clap()).term_width(width().min(100));
        Self::from_arg_matches(&command.try_get_matches_from(args)?)
    }
}

/// The colour choice, needed before clap has read anything, for clap's own messages.
fn color(args: &[OsString]) -> Color {
    let mut choice = Color::Auto;
    for (i, arg) in args.iter().enumerate() {
        let value = match arg.to_str() {
            Some("--color") => args.get(i + 1).and_then(|value| value.to_str()),
            Some(arg) => arg.strip_prefix("--color="),
            None => None,
        };
        if let Some(Ok(value)) = value.map(|value| <Color as clap::ValueEnum>::from_str(value, false)) {
            choice = value;
        }
    }
    choice
}

/// Puts `run` where a recipe stands in the place of a verb: `fviz hen.fviz`, `fviz -`, `fviz --steps 5 hen.fviz`.
fn with_verb(mut args: Vec<OsString>) -> Vec<OsString> {
    let mut i = 1;
    while let Some(arg) = args.get(i) {
        match arg.to_str() {
            Some("--color" | "--diagnostic-format") => i += 2,
            Some(arg) if arg.starts_with("--color=") || arg.starts_with("--diagnostic-format=") => i += 1,
            Some("-h" | "--help" | "-V" | "--version") => return args,
            _ => break,
        }
    }
    if args.get(i).is_some_and(|arg| is_recipe(arg) || arg.to_str().is_some_and(|arg| arg.starts_with('-'))) {
        args.insert(i, "run".into());
    }
    args
}

/// Whether a word in the place of a verb is a path: none of the verbs holds a dot or a separator. A recipe without its
/// ending is taken for one too, so that its whole name is suggested.
fn is_recipe(arg: &OsStr) -> bool {
    let path = Path::new(arg);
    let is_verb = Cli::command().get_subcommands().any(|verb| verb.get_name() == arg) || arg == "help";
    !is_verb
        && (path.extension().is_some()
            || path.components().count() > 1
            || path.is_file()
            || with_ending(path).is_file())
}

/// `hen` → `hen.fviz`
pub fn with_ending(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(".fviz");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::super::args::Verb;
    use super::*;

    fn read(line: &str) -> Result<Cli, clap::Error> {
        Cli::read(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_bare_recipe_is_run() {
        for line in [
            "fviz hen.fviz --steps 5",
            "fviz --steps 5 hen.fviz",
            "fviz --color never hen.fviz --steps=5",
            "fviz --color=never run hen.fviz --steps 5",
        ] {
            let Ok(Cli { verb: Verb::Run(run), .. }) = read(line) else { panic!("{line}") };
            assert_eq!((run.recipe.to_str(), run.steps), (Some("hen.fviz"), Some(5)), "{line}");
        }
        assert!(matches!(read("fviz -"), Ok(Cli { verb: Verb::Run(_), .. })));
        assert!(matches!(read("fviz check hen.fviz"), Ok(Cli { verb: Verb::Check(_), .. })));
    }

    #[test]
    fn a_misspelt_verb_is_no_recipe() {
        let message = read("fviz wacth hen.fviz").unwrap_err().to_string();
        assert!(message.contains("watch"), "{message}");
    }
}
