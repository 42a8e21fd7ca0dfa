//! `fviz show`: what a picture says about itself.

use std::io::Write;

use super::args::ShowArgs;
use super::page::{BOLD, DIM};
use super::{Failure, recipe};
use crate::render::metadata::Metadata;

/// Runs the verb.
pub fn run(args: &ShowArgs) -> Result<(), Failure> {
    let metadata = recipe::of_picture(&args.file, &recipe::bytes(&args.file)?)?;
    let text = if args.recipe { metadata.recipe } else { page(&metadata, &args.file.display().to_string()) };
    anstream::stdout().write_all(text.as_bytes()).map_err(Failure::output)
}

fn page(metadata: &Metadata, name: &str) -> String {
    let mut text = format!("{BOLD}{name}{BOLD:#}, made by fviz {}\n", metadata.version);
    for weights in &metadata.weights {
        text.push_str(&format!("weights of {}: SHA-256 {}\n", weights.name, weights.sha256));
    }
    if let Some(reason) = &metadata.non_commercial {
        text.push_str(&format!("not for commercial use: the weights' licence is {reason}\n"));
    }
    for variant in &metadata.variants {
        let scores: Vec<String> =
            variant.scores.iter().map(|score| format!("{} {:.4}", score.term, score.value)).collect();
        let label = if variant.label.is_empty() { String::new() } else { format!("{}: ", variant.label) };
        text.push_str(&format!("{label}seed {}; {}\n", variant.seed, scores.join(", ")));
    }
    text.push_str(&format!("\n{DIM}# the recipe, every default written in; `fviz run {name}` runs it again{DIM:#}\n"));
    text.push_str(&metadata.recipe);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}
