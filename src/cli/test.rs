//! `fviz test`: recipes held against their golden files.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::args::TestArgs;
use super::golden::{self, Golden, Tolerance, compare, measure, noisy, shortened, side_by_side};
use super::progress::seconds;
use super::report::Reporter;
use super::run::{accepted, cancel, told};
use super::terminal::shell_word;
use super::{Exit, Failure, recipe};
use crate::check::{Input, Overrides, Recipe, check};
use crate::render::{file, png, slug};
use crate::session::Session;
use crate::source::{CancelToken, SystemWorld};
use crate::store::WeightStore;

/// How a recipe fared.
enum Verdict {
    Passed,
    Blessed(PathBuf),
    NoGolden,
    Differs { lines: Vec<String>, picture: Option<PathBuf> },
}

/// Runs the verb.
pub fn run(args: &TestArgs, reporter: &Reporter) -> Result<(), Failure> {
    let recipes = recipes(&args.paths)?;
    let mut tester = Tester::new(args, reporter);
    let (mut passed, mut differs, mut blank, mut worst) = (0, 0, 0, None::<Exit>);
    for path in &recipes {
        let (begun, name) = (Instant::now(), path.display());
        let line = match tester.one(path) {
            Ok(Verdict::Passed) => {
                passed += 1;
                format!("passed     {name} ({})\n", seconds(begun.elapsed()))
            }
            Ok(Verdict::Blessed(golden)) => {
                passed += 1;
                format!("blessed    {name}, wrote {}\n", golden.display())
            }
            Ok(Verdict::NoGolden) => {
                blank += 1;
                let word = shell_word(&name.to_string());
                format!("no golden  {name} (`fviz test --bless {word}` writes one)\n")
            }
            Ok(Verdict::Differs { lines, picture }) => {
                differs += 1;
                let mut text = format!("DIFFERS    {name}\n");
                lines.iter().for_each(|line| text.push_str(&format!("           {line}\n")));
                if let Some(picture) = picture {
                    text.push_str(&format!("           expected, got, difference: {}\n", picture.display()));
                }
                text
            }
            Err(mut failure) => {
                if matches!(failure.exit, Exit::Interrupted | Exit::Pipe) {
                    return Err(failure);
                }
                failure.tell(reporter);
                worst = worst.max(Some(failure.exit));
                format!("FAILED     {name}\n")
            }
        };
        say(&line)?;
    }
    let failed = recipes.len() - passed - differs - blank;
    let mut parts = vec![format!("{passed} passed")];
    let more = [(differs, "differ"), (failed, "failed"), (blank, "without a golden file")];
    parts.extend(more.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")));
    say(&format!("{}\n", parts.join(", ")))?;
    match worst {
        Some(exit) => Err(Failure::told(exit)),
        None if differs > 0 => Err(Failure::told(Exit::Wrong)),
        None => Ok(()),
    }
}

fn say(text: &str) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Failure::output)
}

/// Runs recipes with one session, so that their networks are loaded once.
struct Tester<'a> {
    args: &'a TestArgs,
    reporter: &'a Reporter,
    session: Session,
    world: SystemWorld,
    cancel: CancelToken,
}

impl<'a> Tester<'a> {
    fn new(args: &'a TestArgs, reporter: &'a Reporter) -> Self {
        let session = Session::new(WeightStore::from_env());
        let world = recipe::world(session.store());
        Self { args, reporter, session, world, cancel: cancel() }
    }

    fn one(&mut self, path: &Path) -> Result<Verdict, Failure> {
        let golden_path = golden::path_of(path);
        let expected = match std::fs::read_to_string(&golden_path) {
            Ok(text) => Some(Golden::read(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                return Err(Failure::environment(format!("can't read `{}`: {error}", golden_path.display()), None));
            }
        };
        if expected.is_none() && !self.args.bless {
            return Ok(Verdict::NoGolden);
        }
        if let (Some(Err(problem)), false) = (&expected, self.args.bless) {
            let message = format!("`{}` can't be understood: {problem}", golden_path.display());
            let mut failure = Failure::environment(message, Some("`fviz test --bless` writes it anew".into()));
            failure.exit = Exit::Wrong;
            return Err(failure);
        }
        let expected = expected.and_then(Result::ok);
        let got = self.measured(path)?;
        let expected = match expected {
            Some(expected) if !self.args.bless => expected,
            before => {
                let tolerance = match before {
                    Some(before) => got.tolerance.clone().keeping(&before.tolerance),
                    None => got.tolerance.clone(),
                };
                return bless(&golden_path, &Golden { tolerance, ..got });
            }
        };
        let found = compare(&expected, &got);
        if found.is_empty() {
            return Ok(Verdict::Passed);
        }
        let picture = self.draw(path, &expected, &got)?;
        Ok(Verdict::Differs { lines: found.iter().map(ToString::to_string).collect(), picture })
    }

    /// The golden run as it is now; when it is to be blessed, with the tolerance that a second run suggests.
    fn measured(&mut self, path: &Path) -> Result<Golden, Failure> {
        let input = recipe::read(path, Overrides::default())?;
        let checked = check(&input, &self.world);
        let whole = accepted(&checked, &input.name, self.reporter)?;
        let steps = shortened(whole);
        let input = Input { overrides: Overrides { steps: Some(steps), ..Overrides::default() }, ..input };
        let checked = check(&input, &self.world);
        let short = checked.recipe.as_ref().ok_or(Failure::told(Exit::Wrong))?;
        let mut run = |recipe: &Recipe| match measure(recipe, steps, &mut self.session, &self.world, &self.cancel) {
            Ok(Some(golden)) => Ok(golden),
            Ok(None) => Err(Failure::told(Exit::Interrupted)),
            Err(failed) => Err(told(failed.why, &checked.sources, self.reporter).into_exit()),
        };
        let golden = run(short)?;
        if !self.args.bless {
            return Ok(golden);
        }
        let tolerance = Tolerance::measured(&golden, &run(&noisy(short))?);
        Ok(Golden { tolerance, ..golden })
    }

    fn draw(&self, path: &Path, expected: &Golden, got: &Golden) -> Result<Option<PathBuf>, Failure> {
        let Some(picture) = side_by_side(expected, got) else { return Ok(None) };
        let name = format!("{}.png", slug::slug(&path.with_extension("").display().to_string()));
        let target = self.args.report.join(name);
        let bytes = png::encode(&picture, None).map_err(|error| Failure::environment(error.to_string(), None))?;
        file::write(&target, &bytes).map_err(|error| Failure::environment(error.to_string(), None))?;
        Ok(Some(target))
    }
}

fn bless(path: &Path, golden: &Golden) -> Result<Verdict, Failure> {
    file::write(path, golden.text().as_bytes()).map_err(|error| Failure::environment(error.to_string(), None))?;
    Ok(Verdict::Blessed(path.to_path_buf()))
}

/// The recipes that are named, and those in the folders that are, each once, in order of their names. A name that leads
/// to none is told before anything runs: nobody would miss its line among many.
fn recipes(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let here = [PathBuf::from(".")];
    let mut found = Vec::new();
    for path in if paths.is_empty() { &here } else { paths } {
        if path.is_dir() {
            let mut inside = Vec::new();
            gather(path, &mut inside)?;
            if inside.is_empty() {
                let help = "name a `.fviz` file or a folder that holds some";
                let message = format!("there is no recipe in `{}`", path.display());
                return Err(Failure::usage(message, Some(help.into())));
            }
            inside.sort();
            found.extend(inside.into_iter().map(|path| super::run::shown(&path)));
        } else if !path.exists() {
            return Err(recipe::missing(path));
        } else if !is_recipe(path) {
            let help = "golden files are beside recipes: name a `.fviz` file or a folder that holds some";
            return Err(Failure::usage(format!("`{}` is not a recipe", path.display()), Some(help.into())));
        } else {
            found.push(path.clone());
        }
    }
    let mut once: Vec<PathBuf> = Vec::new();
    found.retain(|path| {
        let new = !once.contains(path);
        once.push(path.clone());
        new
    });
    Ok(found)
}

fn is_recipe(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "fviz")
}

/// Hidden folders and cargo's are passed over, and links to folders, which may lead in circles.
fn gather(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::environment(format!("can't read `{}`: {error}", folder.display()), None);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, name) = (entry.path(), entry.file_name());
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && !name.to_string_lossy().starts_with('.') && name != "target" {
            gather(&path, found)?;
        } else if !is_folder && is_recipe(&path) {
            found.push(path);
        }
    }
    Ok(())
}
