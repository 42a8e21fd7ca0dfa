//! Recipe → [`Plan`]: what runs together, when a canvas is kept, and what all that takes. Pure data, no weights.

mod batch;
mod frames;
mod outputs;
mod take;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::check::recipe::{Format, Recipe};
use crate::source::{Diagnostic, Severity, World};

pub use batch::{Batch, Cost, compares, same_call};
pub use outputs::{Member, Output};
pub use take::{Take, total_steps};

/// What is to be run.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Variants that run together, one batch after another.
    pub batches: Vec<Batch>,
    /// Every file, in the order of the recipe.
    pub outputs: Vec<Output>,
    /// What all of it takes.
    pub cost: Cost,
    canvases: BTreeSet<(usize, Take)>,
    views: BTreeSet<(usize, Take)>,
}

impl Plan {
    /// Whether some file shows the canvas of that variant at that moment.
    pub fn shows_canvas(&self, variant: usize, take: Take) -> bool {
        self.canvases.contains(&(variant, take))
    }

    /// A plan that runs those variants alone that are wanted; its files and its cost are those of all. Batches may become
    /// empty, but none goes, so that their numbers stay.
    pub fn only(&self, wanted: impl Fn(usize) -> bool) -> Self {
        let mut plan = self.clone();
        plan.batches.iter_mut().for_each(|batch| batch.variants.retain(|&variant| wanted(variant)));
        plan
    }

    /// Whether some file shows what the network saw of that variant in that iteration.
    pub fn shows_view(&self, variant: usize, take: Take) -> bool {
        self.views.contains(&(variant, take))
    }
}

/// Plans a recipe for a machine with the world's memory. The plan is missing where a problem is an error.
pub fn plan(recipe: &Recipe, world: &dyn World) -> (Option<Plan>, Vec<Diagnostic>) {
    let frames = frames::frames(recipe);
    let (batches, cost, too_big) = batch::batches(recipe, world.memory(), &frames);
    let least = batches.iter().map(|batch| batch.least).max().unwrap_or(0);
    let mut problems = Vec::from_iter(too_big.or_else(|| frames.too_many(least, world.memory())));
    if frames.bytes > world.memory() {
        // Not even their list may fit.
        return (None, problems);
    }
    problems.extend(batch::apart(recipe, &batches));
    let (outputs, unwritable) = outputs::outputs(recipe);
    problems.extend(unwritable);
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return (None, problems);
    }
    let mut plan = Plan { batches, outputs, cost, ..Plan::default() };
    for output in &plan.outputs {
        let Some(render) = recipe.renders.get(output.render) else { continue };
        if matches!(render.format, Format::Csv | Format::Svg) {
            continue;
        }
        let shown = if render.layout.spec.name == "view" { &mut plan.views } else { &mut plan.canvases };
        for member in &output.members {
            shown.extend(member.takes.iter().map(|&take| (member.variant, take)));
        }
    }
    (Some(plan), problems)
}
