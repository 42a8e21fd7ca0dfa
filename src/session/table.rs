//! Scores as the columns of a table.

use super::collect::Collected;
use crate::check::recipe::{Recipe, Stage};
use crate::plan::{Member, Output, Take};
use crate::render::metadata::Score;
use crate::render::scores::{Row, Scores as Table};
use crate::run::Scores;

/// The name of the last column.
const LOSS: &str = "loss";

/// The columns of a stage: terms and penalties as the recipe names them, the loss last. Equal names are numbered.
fn columns(stage: &Stage) -> Vec<String> {
    let names = stage.terms.iter().map(|term| term.name.as_str());
    let names = names.chain(stage.penalties.iter().map(|call| call.spec.name));
    let mut columns: Vec<String> = Vec::new();
    for name in names {
        let numbered = |n: usize| if n == 1 { name.to_string() } else { format!("{name} #{n}") };
        columns.extend((1..).map(numbered).find(|name| !columns.contains(name)));
    }
    columns.push(LOSS.to_string());
    columns
}

/// The values of a step, in the order of its stage's columns.
fn values(scores: &Scores) -> Vec<f64> {
    scores.terms.iter().chain(&scores.penalties).chain([&scores.loss]).copied().collect()
}

/// The rows that a file shows: all variants' first steps, in the order of the recipe, then their second …
pub(super) fn table(recipe: &Recipe, output: &Output, all: &Collected) -> Table {
    let mut terms: Vec<String> = Vec::new();
    let members = &output.members;
    for member in members {
        let Some(variant) = recipe.variants.get(member.variant) else { continue };
        for stage in member.stages.iter().filter_map(|&stage| variant.stages.get(stage)) {
            for name in columns(stage) {
                if name != LOSS && !terms.contains(&name) {
                    terms.push(name);
                }
            }
        }
    }
    terms.push(LOSS.to_string());
    let label = |member: &Member| recipe.variants.get(member.variant).map(|variant| variant.label.clone());
    let mut scored: Vec<(Take, usize, &Scores)> = Vec::new();
    for (at, member) in members.iter().enumerate() {
        let own = all.of(member.variant).scores.iter().filter(|(take, _)| member.stages.contains(&take.stage));
        scored.extend(own.map(|(take, scores)| (*take, at, scores)));
    }
    // Step by step as if all had run together: which of them did is a matter of memory, and of what was kept before.
    scored.sort_by_key(|(take, at, _)| (*take, *at));
    let mut rows = Vec::with_capacity(scored.len());
    for (take, variant, scores) in scored {
        let known = members.get(variant).and_then(|member| recipe.variants.get(member.variant));
        let Some(stage) = known.and_then(|variant| variant.stages.get(take.stage)) else { continue };
        let (own, numbers) = (columns(stage), values(scores));
        let value = |name: &String| own.iter().position(|column| column == name).and_then(|at| numbers.get(at));
        rows.push(Row {
            variant,
            stage: stage.name.clone(),
            step: take.iteration,
            values: terms.iter().map(|name| value(name).copied().unwrap_or(f64::NAN)).collect(),
        });
    }
    Table { variants: members.iter().map(|member| label(member).unwrap_or_default()).collect(), terms, rows }
}

/// The last scores of a variant, for a file's metadata.
pub(super) fn last_scores(stage: &Stage, scores: &Scores) -> Vec<Score> {
    columns(stage).into_iter().zip(values(scores)).map(|(term, value)| Score { term, value }).collect()
}
