//! A picture knows its recipe: run again, it gives the same bytes, metadata included.

use std::fs;
use std::path::Path;
use std::process::Command;

fn run(folder: &Path, args: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_fviz")).args(args).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_picture_run_again_gives_the_same_bytes() {
    let recipes = [
        "maximize class(0)",
        "maximize class(each [\"star\", \"owl\"]) - 0.5 * channel(relu5, 3)\nregularize tv(0.001)",
        "maximize class(\"star\", as = probability) + 2 * class(1, as = logit)",
        "maximize layer(relu5)\nminimize neuron(conv5, 3)\nblur gaussian(size = 3) every 2 steps from 1 steps",
    ];
    for (k, body) in recipes.iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "fviz 1\ncanvas 64x64\n{body}\noptimize adam for 5 steps\n\
             render \"{{recipe}}.gif\" as sheet every 2 steps\nrender \"{{recipe}}.png\" as sheet\n"
        );
        fs::write(folder.path().join("a.fviz"), text).unwrap();
        run(folder.path(), &["run", "a.fviz", "-o", "first", "--quiet"]);
        for (picture, to) in [("first/a.gif", "second"), ("second/a.png", "third")] {
            run(folder.path(), &["run", picture, "-o", to, "--quiet", "--threads", "1"]);
            for name in ["a.gif", "a.png"] {
                let bytes = |folder_name: &str| fs::read(folder.path().join(folder_name).join(name)).unwrap();
                assert!(bytes("first") == bytes(to), "recipe {k}: {name} of {picture}");
            }
        }
    }
}

/// A table has the same columns whether defaults are written or not.
#[test]
fn columns_are_called_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let head = |name: &str, objective: &str| {
        let text =
            format!("fviz 1\ncanvas 64x64\nmaximize {objective}\noptimize adam for 1 steps\nrender \"{name}.csv\"\n");
        fs::write(folder.path().join("a.fviz"), text).unwrap();
        run(folder.path(), &["run", "a.fviz", "--quiet"]);
        let table = fs::read_to_string(folder.path().join(format!("{name}.csv"))).unwrap();
        table.lines().next().unwrap().to_string()
    };
    assert_eq!(head("short", "class(\"star\")"), head("long", "class(\"star\", as = logit)"));
    assert_ne!(head("short", "class(\"star\")"), head("other", "class(\"star\", as = probability)"));
}
