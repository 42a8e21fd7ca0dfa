//! `fviz explain`: a word, a parameter, a kind of words, an error code or a recipe.

mod recipe;
mod word;

use std::io::Write;
use std::path::Path;

use super::args::ExplainArgs;
use super::argv::with_ending;
use super::page::{BOLD, Page};
use super::recipe::STDIN;
use super::report::Reporter;
use super::run::{accepted, tell};
use super::terminal::shell_word;
use super::{Exit, Failure};
use crate::check::suggest::nearest;
use crate::check::{Overrides, check, presets};
use crate::plan::plan;
use crate::source::{Code, codes};
use crate::spec::Kind;
use crate::store::WeightStore;
use crate::words::registry;

/// Runs the verb.
pub fn run(args: &ExplainArgs, reporter: &Reporter) -> Result<(), Failure> {
    let name = args.what.trim();
    if let Some(preset) = presets::find(name) {
        let text = format!("{BOLD}{}{BOLD:#}\n\n{}", preset.full_name(), preset.text);
        return anstream::stdout().write_all(text.as_bytes()).map_err(Failure::output);
    }
    if let Some(wanted) = name.strip_prefix("std/") {
        let near = nearest(wanted, presets::names().filter_map(|name| name.strip_prefix("std/")));
        let help = match near {
            Some(near) => format!("did you mean `std/{near}`?"),
            None => format!("presets are {}", presets::names().collect::<Vec<_>>().join(", ")),
        };
        return Err(Failure::usage(format!("there is no preset `{name}`"), Some(help)));
    }
    if is_recipe(&args.what) {
        return of_recipe(args, reporter);
    }
    let name = name.strip_prefix("fviz::").unwrap_or(name);
    let specs = registry::named(name);
    let code = codes::ALL.iter().find(|code| code.name == name);
    let width = reporter.width;
    let pages = [
        (name == "words").then(|| word::list(&Kind::ALL, width)),
        (name == "codes").then(|| list_of_codes(width)),
        (name == "presets").then(list_of_presets),
        (!specs.is_empty()).then(|| word::page(&specs, width)),
        Some(word::parameters(name, width)).filter(|page| !page.is_empty()),
        code.map(|code| page_of(code, width)),
        word::kind(name).map(|kind| word::list(&[kind], width)),
    ];
    let text = pages.into_iter().flatten().collect::<Vec<_>>().join("\n");
    if text.is_empty() {
        return Err(unknown(name));
    }
    anstream::stdout().write_all(text.as_bytes()).map_err(Failure::output)
}

/// A path or `-`: no word or code holds a dot, a separator or is a file.
fn is_recipe(what: &str) -> bool {
    let path = Path::new(what);
    what == STDIN || path.extension().is_some() || path.components().count() > 1 || path.is_file()
}

fn of_recipe(args: &ExplainArgs, reporter: &Reporter) -> Result<(), Failure> {
    let world = super::recipe::world(&WeightStore::from_env());
    let overrides = Overrides { set: args.set.clone(), ..Overrides::default() };
    let input = super::recipe::read(Path::new(&args.what), overrides)?;
    let checked = check(&input, &world);
    let recipe = accepted(&checked, &input.name, reporter)?;
    let (plan, problems) = plan(recipe, &world);
    tell(&problems, &checked.sources, &input.name, reporter);
    let plan = plan.ok_or(Failure::told(Exit::Wrong))?;
    anstream::stdout().write_all(recipe::page(recipe, &plan).as_bytes()).map_err(Failure::output)
}

fn page_of(code: &Code, width: usize) -> String {
    let mut page = Page::new(width);
    page.line(&format!("{BOLD}fviz::{}{BOLD:#}", code.name));
    page.gap();
    // The doc comment is wrapped where the source is; blank lines separate its paragraphs.
    for paragraph in code.doc.split("\n\n") {
        page.gap();
        page.hang(0, 0, paragraph);
    }
    page.finish()
}

/// Every preset with what its first comment says.
fn list_of_presets() -> String {
    let about = |text: &str| {
        let comment = text.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or_default();
        comment.split(": `use").next().unwrap_or_default().to_string()
    };
    presets::PRESETS.iter().map(|preset| format!("{}: {}\n", preset.full_name(), about(preset.text))).collect()
}

/// Every code with its first sentence.
fn list_of_codes(width: usize) -> String {
    let mut page = Page::new(width);
    for code in codes::ALL {
        let doc = code.doc.split_whitespace().collect::<Vec<_>>().join(" ");
        let first = doc.split_once(". ").map_or(doc.as_str(), |(first, _)| first);
        page.hang(0, 4, &format!("{}: {}", code.name, first.trim_end_matches('.')));
    }
    page.finish()
}

/// Nothing is called so: the nearest names, and where the lists are.
fn unknown(name: &str) -> Failure {
    let words = registry::all().flat_map(|spec| {
        let aliases = spec.aliases.iter().map(|alias| (*alias, spec.name));
        std::iter::once((spec.name, spec.name)).chain(aliases)
    });
    let params = registry::all().flat_map(registry::params).map(|param| (param.name, param.name));
    let kinds = Kind::ALL.into_iter().map(|kind| (kind.plural(), kind.plural()));
    let codes = codes::ALL.iter().map(|code| (code.name, code.name));
    let names: Vec<(&str, &str)> = words.chain(params).chain(kinds).chain(codes).collect();
    let near = nearest(name, names.iter().map(|(written, _)| *written));
    let file = with_ending(Path::new(name));
    let help = match names.iter().find(|(written, _)| Some(*written) == near) {
        _ if file.is_file() => {
            format!("did you mean the recipe, `fviz explain {}`?", shell_word(&file.display().to_string()))
        }
        Some((_, meant)) => format!("did you mean `fviz explain {meant}`?"),
        None => "`fviz explain words` lists all words, `codes` all error codes, `presets` all presets".into(),
    };
    Failure::usage(format!("there is no word, parameter, error code or recipe called `{name}`"), Some(help))
}
