//! `fviz test`: golden files catch mistakes and let rounding pass.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A recipe in which every mistake below is possible.
const RECIPE: &str = "\
fviz 1
canvas 64x64
seed 1
init gray(0.5, noise = 0.02)
maximize class(0)
transform { rotate(±10deg) ; jitter(2px) }
regularize l2(0.01, around = 0.5)
blur gaussian(size = 5, sigma = 1.5) every 10 steps
optimize sgd(lr = 3, normalize = l2) for 200 steps
render \"hen.gif\" every 10 steps
";

struct Kitchen {
    folder: tempfile::TempDir,
}

impl Kitchen {
    /// The recipe with its golden file beside it.
    fn new() -> Self {
        let kitchen = Self { folder: tempfile::tempdir().unwrap() };
        kitchen.cook(RECIPE);
        let blessed = kitchen.test(&["--bless"]);
        assert_eq!(blessed.status.code(), Some(0), "{blessed:?}");
        assert!(kitchen.path("hen.golden").is_file());
        kitchen
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn cook(&self, recipe: &str) {
        fs::write(self.path("hen.fviz"), recipe).unwrap();
    }

    fn test(&self, args: &[&str]) -> Output {
        fviz(self.folder.path(), &[&["test"], args].concat())
    }

    fn golden(&self) -> String {
        fs::read_to_string(self.path("hen.golden")).unwrap()
    }

    /// The recipe with one thing changed must differ from what was blessed, and show it.
    fn must_differ(&self, from: &str, to: &str) -> String {
        assert!(RECIPE.contains(from));
        self.cook(&RECIPE.replace(from, to));
        let output = self.test(&["hen.fviz"]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        let picture = text.lines().find_map(|line| line.split_once("expected, got, difference: ")).unwrap().1;
        let bytes = fs::read(self.path(picture)).unwrap();
        assert!(bytes.starts_with(b"\x89PNG"), "{picture}");
        text
    }

    /// As on a machine of another kind, where bytes are not compared.
    fn move_elsewhere(&self) {
        let golden = self.golden();
        let at = golden.find("\"cpu\": \"").unwrap() + 8;
        fs::write(self.path("hen.golden"), format!("{}another, {}", &golden[..at], &golden[at..])).unwrap();
    }
}

fn fviz(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fviz"));
    command.args(args).current_dir(folder).env("FVIZ_CACHE", folder.join("cache")).output().unwrap()
}

#[test]
fn the_same_recipe_passes() {
    let kitchen = Kitchen::new();
    let output = kitchen.test(&[]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.starts_with("passed     hen.fviz (") && text.ends_with("1 passed\n"), "{text}");
    assert!(kitchen.golden().len() < 30_000, "a golden file stays small");
    assert!(!kitchen.path("hen.gif").exists(), "a test writes no picture of the recipe");
}

#[test]
fn a_wrong_blur_offset_is_caught() {
    let kitchen = Kitchen::new();
    kitchen.move_elsewhere();
    kitchen.must_differ("every 10 steps\noptimize", "every 10 steps from 1 steps\noptimize");
    kitchen.must_differ("every 10 steps\noptimize", "every 10 steps from 9 steps\noptimize");
}

#[test]
fn another_seed_is_caught() {
    let kitchen = Kitchen::new();
    kitchen.move_elsewhere();
    kitchen.must_differ("seed 1", "seed 2");
}

#[test]
fn another_class_is_caught() {
    let kitchen = Kitchen::new();
    kitchen.move_elsewhere();
    let text = kitchen.must_differ("class(0)", "class(1)");
    assert!(text.contains("its scores are of [class(1)"), "{text}");
    // Even where its name says nothing.
    let recipe = RECIPE.replace("maximize class(0)", "let c = 0\nmaximize class($c)");
    kitchen.cook(&recipe);
    assert_eq!(kitchen.test(&["--bless"]).status.code(), Some(0));
    kitchen.move_elsewhere();
    kitchen.cook(&recipe.replace("let c = 0", "let c = 1"));
    let output = kitchen.test(&[]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
}

/// What another processor's rounding does is done here by a start that is off by two units in the last place.
#[test]
fn rounding_passes_where_the_processor_is_another_one() {
    let kitchen = Kitchen::new();
    kitchen.cook(&RECIPE.replace("gray(0.5,", "gray(0.5000001,"));
    let here = kitchen.test(&[]);
    let text = String::from_utf8(here.stdout).unwrap();
    assert_eq!(here.status.code(), Some(1), "{text}");
    assert!(text.contains("not the same bytes"), "{text}");
    kitchen.move_elsewhere();
    let elsewhere = kitchen.test(&[]);
    assert_eq!(elsewhere.status.code(), Some(0), "{}", String::from_utf8_lossy(&elsewhere.stdout));
}

#[test]
fn the_tolerance_of_the_file_counts_and_stays() {
    let kitchen = Kitchen::new();
    kitchen.move_elsewhere();
    let golden = kitchen.golden();
    let start = golden.find("\"tolerance\": {").unwrap();
    let end = start + golden[start..].find('}').unwrap() + 1;
    let loose = "\"tolerance\": {\n    \"scores\": \"1e9\",\n    \"pixels\": \"255\"\n  }";
    fs::write(kitchen.path("hen.golden"), format!("{}{loose}{}", &golden[..start], &golden[end..])).unwrap();
    kitchen.cook(&RECIPE.replace("seed 1", "seed 2"));
    assert_eq!(kitchen.test(&[]).status.code(), Some(0));
    assert_eq!(kitchen.test(&["--bless"]).status.code(), Some(0));
    assert!(kitchen.golden().contains("\"scores\": \"1000000000.000000\""), "{}", &kitchen.golden()[..600]);
}

#[test]
fn a_recipe_without_a_golden_file_says_how_to_get_one() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("more")).unwrap();
    fs::write(folder.path().join("more/a.fviz"), RECIPE).unwrap();
    let output = fviz(folder.path(), &["test"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        text,
        "no golden  more/a.fviz (`fviz test --bless more/a.fviz` writes one)\n0 passed, 1 without a golden file\n"
    );
}

#[test]
fn a_damaged_golden_file_is_told() {
    let kitchen = Kitchen::new();
    fs::write(kitchen.path("hen.golden"), "{\n  \"fviz golden\": 1,\n").unwrap();
    let output = kitchen.test(&[]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("`hen.golden` can't be understood") && told.contains("--bless"), "{told}");
}

/// One name that leads nowhere fails the whole, though the others pass: nobody would miss its line among many.
#[test]
fn a_name_that_leads_to_no_recipe_is_told_before_anything_runs() {
    let kitchen = Kitchen::new();
    fs::create_dir(kitchen.path("empty")).unwrap();
    fs::write(kitchen.path("hen.gif"), b"GIF89a").unwrap();
    for (name, code, told) in [
        ("hne.fviz", 3, "there is no file `hne.fviz`"),
        ("empty", 2, "there is no recipe in `empty`"),
        ("hen.gif", 2, "`hen.gif` is not a recipe"),
    ] {
        let output = kitchen.test(&["hen.fviz", name]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(code), 0), "{error}");
        assert!(error.contains(told), "{error}");
    }
}
