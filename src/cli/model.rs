//! The network that a verb is asked about, named as in a recipe.

use super::report::Reporter;
use super::{Exit, Failure, recipe, run};
use crate::check::recipe::Model;
use crate::check::{Input, check};
use crate::store::WeightStore;

/// The network that `text` names as a recipe would: `resnet18`, `resnet18(weights = "mine.pth")`; without one, the
/// network of a recipe that names none. Problems are told as those of a recipe.
pub fn named(text: Option<&str>, store: &WeightStore, reporter: &Reporter) -> Result<Model, Failure> {
    let model = text.map_or(String::new(), |text| format!("model {text}\n"));
    let input = Input {
        name: "<command line>".into(),
        text: format!("fviz 1\n{model}maximize class(0)\n"),
        ..Input::default()
    };
    let checked = check(&input, &recipe::world(store));
    let recipe = run::accepted(&checked, &input.name, reporter)
        // What is wrong here is an argument.
        .map_err(|_| Failure::told(Exit::Usage))?;
    match recipe.variants.as_slice() {
        [variant] => Ok(variant.model.clone()),
        _ => Err(Failure::usage("name one network, not several", None)),
    }
}
