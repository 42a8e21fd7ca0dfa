//! Recipes with the problems that they must be told of, written beside them.
//!
//! Each `tests/suite/*.fviz` is checked as `fviz check` would. What was found is written at its end as comments; a line
//! for each problem, its other places and its help:
//!
//! ```text
//! # error[unknown_class]: 3:16-3:21 `resnet18` has no class "hne"
//! #   3:16-3:21 unknown label
//! #   help: did you mean "hen"?
//! ```
//!
//! `UPDATE=1 cargo test --test suite` writes them anew; read the diff. A line `#! set name=value` at the beginning is
//! one of the command line, `#! steps 5` too; `#! run` runs the recipe, for what shows only then.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use fviz::check::{Checked, Input, Overrides, check};
use fviz::plan::plan;
use fviz::source::{Diagnostic, Entry, Severity, Sources, Span, SystemWorld, World, codes};

const FOLDER: &str = "tests/suite";

/// Codes that no recipe can bring about.
const WITHOUT_FIXTURE: &[(&str, &str)] = &[("run_failed", "it tells of a mistake in fviz itself")];

/// The files of the suite on a machine of a known size, without weights.
struct Fixed {
    system: SystemWorld,
    memory: u64,
}

impl World for Fixed {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.system.read(path)
    }

    fn exists(&self, path: &Path) -> bool {
        self.system.exists(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        self.system.list(folder)
    }

    fn read_start(&self, path: &Path, n: usize) -> io::Result<Vec<u8>> {
        self.system.read_start(path, n)
    }

    fn model_folders(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    fn memory(&self) -> u64 {
        self.memory
    }
}

fn world() -> Fixed {
    Fixed { system: SystemWorld::default(), memory: 4 << 30 }
}

/// A recipe of the suite: its text without the expectations, and these.
struct Fixture {
    path: PathBuf,
    text: String,
    expected: String,
}

impl Fixture {
    fn read(path: PathBuf) -> Self {
        let whole = fs::read_to_string(&path).unwrap();
        // The expectations are the comments that begin with the first line of a known form.
        let is_first = |line: &str| {
            ["error", "warning", "note"].iter().any(|severity| line.starts_with(&format!("# {severity}[")))
                || line == "# no problems"
        };
        let mut at = 0;
        for line in whole.split_inclusive('\n') {
            if is_first(line.trim_end()) {
                break;
            }
            at += line.len();
        }
        Self { path, text: whole[..at].to_string(), expected: whole[at..].to_string() }
    }

    fn name(&self) -> String {
        self.path.file_name().unwrap().to_string_lossy().into_owned()
    }

    fn directives(&self) -> impl Iterator<Item = &str> {
        self.text.lines().filter_map(|line| line.strip_prefix("#! "))
    }

    fn input(&self) -> Input {
        let mut overrides = Overrides::default();
        for directive in self.directives() {
            match directive.split_once(' ') {
                Some(("set", assignment)) => {
                    let (name, value) = assignment.split_once('=').expect("#! set name=value");
                    overrides.set.push((name.into(), value.into()));
                }
                Some(("steps", n)) => overrides.steps = Some(n.parse().expect("#! steps N")),
                Some(("seed", n)) => overrides.seed = Some(n.parse().expect("#! seed N")),
                _ if directive == "run" => {}
                _ => panic!("{}: there is no directive `{directive}`", self.name()),
            }
        }
        Input {
            name: self.name(),
            stem: self.path.file_stem().unwrap().to_string_lossy().into_owned(),
            folder: PathBuf::from(FOLDER),
            text: self.text.clone(),
            overrides,
        }
    }

    /// All that is told of it.
    fn told(&self) -> (Vec<Diagnostic>, Sources) {
        let world = world();
        let Checked { sources, mut diagnostics, recipe, .. } = check(&self.input(), &world);
        if let Some(recipe) = recipe {
            let (plan, problems) = plan(&recipe, &world);
            diagnostics.extend(problems);
            if plan.is_some() && self.directives().any(|directive| directive == "run") {
                diagnostics.extend(run(&recipe, &world));
            }
        }
        (diagnostics, sources)
    }
}

/// What a run on the embedded network tells of.
fn run(recipe: &fviz::check::Recipe, world: &dyn World) -> Vec<Diagnostic> {
    use fviz::run::Event;
    use fviz::session::{Failure, News, Options, Session};
    let notes = RefCell::new(Vec::new());
    let options = Options::default();
    let result = Session::new(fviz::store::WeightStore::default()).run(recipe, world, &options, &mut |news| {
        if let News::Run(Event::Note { note, .. }) = news {
            notes.borrow_mut().push(note);
        }
    });
    let mut notes = notes.into_inner();
    match result.map_err(|failed| failed.why) {
        Ok(_) => {}
        Err(Failure::Run(error)) => notes.push(error.diagnostic()),
        Err(other) => panic!("{other}"),
    }
    notes
}

fn fixtures() -> Vec<Fixture> {
    let mut paths: Vec<PathBuf> = fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "fviz"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths.into_iter().map(Fixture::read).collect()
}

/// Problems as the comments of a fixture.
fn comments(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let mut text = String::new();
    let place = |span: Span| {
        let (line, column) = sources.line_column(span);
        let (end_line, end_column) = sources.line_column(Span { start: span.end, ..span });
        let file = match span.file.0 {
            0 => String::new(),
            _ => format!("{} ", sources.get(span.file).map_or("?", |file| &file.name)),
        };
        format!("{file}{line}:{column}-{end_line}:{end_column}")
    };
    for problem in diagnostics {
        let severity = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        let at = problem.span().map_or(String::new(), |span| format!("{} ", place(span)));
        writeln!(text, "# {severity}[{}]: {at}{}", problem.code.name, problem.message).unwrap();
        for label in &problem.labels {
            writeln!(text, "#   {} {}", place(label.span), label.text).unwrap();
        }
        if let Some(help) = &problem.help {
            writeln!(text, "#   help: {}", help.replace('\n', "\n#   ")).unwrap();
        }
    }
    if text.is_empty() { "# no problems\n".into() } else { text }
}

#[test]
fn every_problem_is_told_as_written() {
    let update = env::var_os("UPDATE").is_some();
    let mut wrong = String::new();
    for fixture in fixtures() {
        let (diagnostics, sources) = fixture.told();
        let got = comments(&diagnostics, &sources);
        if got == fixture.expected {
            continue;
        }
        if update {
            fs::write(&fixture.path, format!("{}{got}", fixture.text)).unwrap();
        } else {
            write!(wrong, "\n{}\n--- expected\n{}--- got\n{got}", fixture.name(), fixture.expected).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}\n`UPDATE=1 cargo test --test suite` accepts what was got");
}

#[test]
fn every_code_has_a_fixture() {
    let mut seen = BTreeSet::new();
    for fixture in fixtures() {
        seen.extend(fixture.told().0.iter().map(|problem| problem.code.name));
    }
    let missing: Vec<&str> = codes::ALL
        .iter()
        .map(|code| code.name)
        .filter(|name| !seen.contains(name) && !WITHOUT_FIXTURE.iter().any(|(without, _)| without == name))
        .collect();
    assert!(missing.is_empty(), "no recipe in {FOLDER}/ brings about: {}", missing.join(", "));
    for (name, _) in WITHOUT_FIXTURE {
        assert!(!seen.contains(name) && codes::ALL.iter().any(|code| code.name == *name), "{name}");
    }
}

/// Messages are one line, lower case, without a full stop; every error has a help line or a label that says enough.
#[test]
fn messages_keep_their_style() {
    for fixture in fixtures() {
        for problem in fixture.told().0 {
            let (message, at) = (&problem.message, format!("{}: {}", fixture.name(), problem.message));
            assert!(!message.contains('\n') && !message.ends_with('.') && !message.is_empty(), "{at}");
            let first = message.chars().next().unwrap();
            assert!(!first.is_uppercase(), "{at}");
            assert!(
                problem.labels.iter().all(|label| !label.text.contains('\n') && !label.text.ends_with('.')),
                "{at}"
            );
            let span = problem.span();
            assert!(span.is_none_or(|span| span.start <= span.end), "{at}");
        }
    }
}
