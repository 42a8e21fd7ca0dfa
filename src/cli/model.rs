//! The network that a verb is asked about, named as in a recipe.

use super::report::Reporter;
use super::{Exit, Failure, recipe, run};
use crate::check::recipe::Model;
use crate::check::{Checked, Input, check};
use crate::source::Sources;
use crate::store::WeightStore;

/// The network that `text` names as a recipe would: `resnet18`, `resnet18(weights = "mine.pth")`; without one, the
/// network of a recipe that names none. Problems are told as those of a recipe.
pub fn named(text: Option<&str>, store: &WeightStore, reporter: &Reporter) -> Result<Model, Failure> {
    let before = "fviz 1\nmodel ";
    let recipe = match text {
        Some(text) => format!("{before}{text}\nmaximize class(0)\n"),
        None => "fviz 1\nmaximize class(0)\n".into(),
    };
    let input = Input { name: "<command line>".into(), text: recipe, ..Input::default() };
    let mut checked = check(&input, &recipe::world(store));
    show_only(&mut checked, before.len(), text.unwrap_or_default(), &input.name);
    let recipe = run::accepted(&checked, &input.name, reporter)
        // What is wrong here is an argument.
        .map_err(|_| Failure::told(Exit::Usage))?;
    let mut models = recipe.variants.iter().flat_map(|variant| &variant.models);
    match (models.next(), models.next()) {
        (Some(model), None) => Ok(model.clone()),
        _ => Err(Failure::usage("name one network, not several", None)),
    }
}

/// Problems point at what was typed, `typed`, which stands at `start` of the recipe made of it; the recipe itself
/// nobody has seen.
fn show_only(checked: &mut Checked, start: usize, typed: &str, name: &str) {
    checked.sources = Sources::default();
    let file = checked.sources.add(name, typed);
    let within = |at: usize| at.saturating_sub(start).min(typed.len());
    for label in checked.diagnostics.iter_mut().flat_map(|problem| &mut problem.labels) {
        if label.span.file == file {
            label.span.start = within(label.span.start);
            label.span.end = within(label.span.end);
        }
    }
}
