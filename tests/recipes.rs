//! Every recipe of recipes/ is checked, named in its page, and run for a few steps.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use fviz::check::{Checked, Input, Overrides, check};
use fviz::session::{Options, Session};
use fviz::source::{Severity, SystemWorld};
use fviz::store::WeightStore;

fn recipes() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from("recipes")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            // Presets need a `let target` of the recipe that uses them.
            if path.is_dir() && !path.ends_with("std") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "fviz") {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(found.len() >= 20, "{found:?}");
    found
}

fn checked(path: &Path, steps: usize) -> Checked {
    let input = Input {
        name: path.display().to_string(),
        stem: path.file_stem().unwrap().to_string_lossy().into_owned(),
        folder: path.parent().unwrap().to_path_buf(),
        text: fs::read_to_string(path).unwrap(),
        overrides: Overrides { steps: Some(steps), ..Overrides::default() },
    };
    check(&input, &SystemWorld::default())
}

#[test]
fn every_recipe_is_well_and_named_in_its_page() {
    let page = fs::read_to_string("recipes/README.md").unwrap();
    for path in recipes() {
        let found = checked(&path, 200);
        let problems: Vec<&str> = found
            .diagnostics
            .iter()
            .filter(|problem| problem.severity > Severity::Note)
            .map(|problem| problem.message.as_str())
            .collect();
        assert!(problems.is_empty(), "{}: {problems:?}", path.display());
        let name = path.strip_prefix("recipes").unwrap().display().to_string();
        assert!(page.contains(&format!("({name})")), "recipes/README.md does not name {name}");
        // What pictures carry as their recipe means the same as the recipe.
        let recipe = found.recipe.unwrap();
        let again = Input {
            stem: recipe.name.clone(),
            folder: path.parent().unwrap().to_path_buf(),
            text: recipe.resolved.clone(),
            ..Input::default()
        };
        let again = check(&again, &SystemWorld::default()).recipe.expect("the resolved text is a recipe");
        assert_eq!(again.resolved, recipe.resolved, "{}", path.display());
        assert_eq!(again.variants.len(), recipe.variants.len());
    }
}

#[test]
fn every_recipe_runs() {
    let with_weights = std::env::var_os("FVIZ_MODELS").is_some();
    if !with_weights {
        println!("left out but for the embedded network: FVIZ_MODELS names no folder of weights");
    }
    let mut session = Session::new(WeightStore::from_env());
    for path in recipes() {
        let recipe = checked(&path, 2).recipe.unwrap();
        if !with_weights
            && recipe.variants.iter().any(|variant| variant.models.iter().any(|model| model.facts.name != "motifs"))
        {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let options = Options { folder: Some(folder.path().to_path_buf()), ..Options::default() };
        let report = session.run(&recipe, &SystemWorld::default(), &options, &mut |_| {});
        let report = report.unwrap_or_else(|failed| panic!("{}: {}", path.display(), failed.why));
        let files: BTreeSet<&PathBuf> = report.files.iter().collect();
        assert!(!files.is_empty() && files.iter().all(|file| file.is_file()), "{}: {files:?}", path.display());
    }
}

#[test]
fn golden_files_hold() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_fviz"))
        .env("FVIZ_CACHE_SIZE", "0")
        .args(["test", "recipes/first.fviz"])
        .output()
        .expect("fviz runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
