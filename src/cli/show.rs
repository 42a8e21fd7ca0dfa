//! `fviz show`: what a picture says about itself.

use std::io::Write;

use super::args::ShowArgs;
use super::page::{BOLD, DIM};
use super::terminal::{fixed, shell_word};
use super::{Failure, recipe};
use crate::render::metadata::{Metadata, Stopped};

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
            variant.scores.iter().map(|score| format!("{} {}", score.term, fixed(score.value, 4))).collect();
        let label = if variant.label.is_empty() { String::new() } else { format!("{}: ", variant.label) };
        let scores = if scores.is_empty() { String::new() } else { format!("; {}", scores.join(", ")) };
        let stopped = variant.stopped.map_or(String::new(), |stopped| match stopped {
            Stopped { step: 0, of } => format!("; stopped before the first of {of} steps"),
            Stopped { step, of } => format!("; stopped after step {step} of {of}"),
        });
        text.push_str(&format!("{label}seed {}{scores}{stopped}\n", variant.seed));
    }
    let whole = metadata.variants.iter().all(|variant| variant.stopped.is_none());
    let again = if whole { "runs it again" } else { "makes the whole run" };
    let word = shell_word(name);
    text.push_str(&format!("\n{DIM}# the recipe, every default written in; `fviz run {word}` {again}{DIM:#}\n"));
    text.push_str(&metadata.recipe);
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::metadata::{Score, Variant};

    #[test]
    fn a_stopped_run_is_told() {
        let told = |stopped| {
            let scores = vec![Score { term: "loss".into(), value: -0.00001 }];
            let variants = vec![Variant { seed: 7, scores, stopped, ..Variant::default() }];
            page(&Metadata { variants, ..Metadata::default() }, "my hen.gif")
        };
        let (whole, stopped) = (told(None), told(Some(Stopped { step: 660, of: 4000 })));
        assert!(whole.contains("seed 7; loss 0.0000\n") && whole.contains("hen.gif'` runs it again"), "{whole}");
        assert!(stopped.contains("seed 7; loss 0.0000; stopped after step 660 of 4000\n"), "{stopped}");
        assert!(stopped.contains("hen.gif'` makes the whole run") && !stopped.contains("again"), "{stopped}");
    }
}
