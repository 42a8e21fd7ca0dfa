//! `fviz explain`: a word, an error code or a recipe.

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
use crate::check::{Overrides, check};
use crate::plan::plan;
use crate::source::{Code, codes};
use crate::store::WeightStore;
use crate::words::registry;

/// Runs the verb.
pub fn run(args: &ExplainArgs, reporter: &Reporter) -> Result<(), Failure> {
    if is_recipe(&args.what) {
        return of_recipe(args, reporter);
    }
    let name = args.what.trim();
    let name = name.strip_prefix("fviz::").unwrap_or(name);
    let specs = registry::named(name);
    let code = codes::ALL.iter().find(|code| code.name == name);
    let mut text = match name {
        "words" => word::list(reporter.width),
        "codes" => list_of_codes(reporter.width),
        _ => String::new(),
    };
    if !specs.is_empty() {
        text.push_str(&word::page(&specs, reporter.width));
    }
    if let Some(code) = code {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&page_of(code, reporter.width));
    }
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
    let names = words.chain(codes::ALL.iter().map(|code| (code.name, code.name)));
    let nearest = names
        .map(|(written, meant)| (strsim::jaro_winkler(&name.to_lowercase(), written), meant))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(likeness, _)| *likeness > 0.8);
    let file = with_ending(Path::new(name));
    let help = match nearest {
        _ if file.is_file() => {
            format!("did you mean the recipe, `fviz explain {}`?", shell_word(&file.display().to_string()))
        }
        Some((_, meant)) => format!("did you mean `fviz explain {meant}`?"),
        None => "`fviz explain words` lists all words, `fviz explain codes` all error codes".into(),
    };
    Failure::usage(format!("there is no word, error code or recipe called `{name}`"), Some(help))
}
