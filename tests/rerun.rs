//! A picture knows its recipe: run again, it gives the same bytes, metadata included.

use std::fs;
use std::path::Path;
use std::process::Command;

/// The program, which here makes everything anew.
fn fviz(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fviz"));
    command.args(args).current_dir(folder).env("FVIZ_CACHE_SIZE", "0");
    command
}

fn run(folder: &Path, args: &[&str]) {
    let output = fviz(folder, args).output().unwrap();
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

const PHOTO: &str = "fviz 1\nlet photo = \"in/dot.png\"\ncanvas 32x32\ninit image($photo)\nmaximize class(0)\n\
                     optimize adam for 1 steps\nrender \"{recipe}.png\"\n";

fn dot(path: &Path, shade: u8) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    image::RgbImage::from_pixel(8, 8, image::Rgb([shade; 3])).save(path).unwrap();
}

fn tried(folder: &Path, args: &[&str]) -> (Option<i32>, String) {
    let output = fviz(folder, args).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// A photo is looked for beside the picture, then in the current folder; else the command line may say where it is.
#[test]
fn a_picture_of_a_photo_is_run_again() {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join(name);
    dot(&path("in/dot.png"), 90);
    fs::write(path("a.fviz"), PHOTO).unwrap();
    run(root.path(), &["run", "a.fviz", "-o", "out/far", "--quiet"]);
    let first = fs::read(path("out/far/a.png")).unwrap();

    run(root.path(), &["run", "out/far/a.png", "-o", "again", "--quiet"]);
    assert!(fs::read(path("again/a.png")).unwrap() == first, "found in the current folder");
    fs::create_dir(path("else")).unwrap();
    let (code, told) = tried(&path("else"), &["run", "../out/far/a.png", "-q"]);
    assert_eq!(code, Some(3), "{told}");
    assert!(told.contains("made with the file `in/dot.png`") && told.contains("`--set photo=PATH`"), "{told}");
    let (code, told) = tried(&path("else"), &["run", "../out/far/a.png", "-q", "--set", "photo=../in/dot.png"]);
    assert_eq!(code, Some(0), "{told}");

    dot(&path("out/far/in/dot.png"), 200);
    run(root.path(), &["run", "out/far/a.png", "-o", "third", "--quiet"]);
    assert!(fs::read(path("third/a.png")).unwrap() != first, "the one beside the picture comes first");
}

/// A path that is typed in a shell means the current folder, also where the recipe lies elsewhere.
#[test]
fn a_path_of_the_command_line_is_relative_to_the_current_folder() {
    let root = tempfile::tempdir().unwrap();
    dot(&root.path().join("cat.png"), 90);
    fs::create_dir(root.path().join("recipes")).unwrap();
    fs::write(root.path().join("recipes/a.fviz"), PHOTO).unwrap();
    let (code, told) = tried(root.path(), &["check", "recipes/a.fviz", "--set", "photo=cat.png"]);
    assert_eq!(code, Some(0), "{told}");
    let (code, told) = tried(&root.path().join("recipes"), &["check", "a.fviz", "--set", "photo=cat.png"]);
    assert_eq!(code, Some(1), "{told}");
}

/// What is nothing but a slip costs no run, and is told once.
#[test]
fn an_output_folder_that_can_not_be_is_told_before_the_run() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("a.fviz"), "fviz 1\nmaximize class(0)\noptimize adam for 100000 steps\n").unwrap();
    for folder in ["a.fviz", "a.fviz/deeper"] {
        let (code, told) = tried(root.path(), &["run", "a.fviz", "-o", folder]);
        assert_eq!((code, told.matches("can't write").count()), (Some(3), 1), "{told}");
        assert!(!told.contains("step"), "{told}");
    }
}

/// Commands that are printed can be pasted.
#[test]
#[cfg(unix)]
fn a_new_recipe_with_a_space_in_its_name_is_quoted() {
    let root = tempfile::tempdir().unwrap();
    let (code, told) = tried(root.path(), &["new", "my hen"]);
    assert_eq!(code, Some(0));
    assert!(told.contains("`fviz 'my hen.fviz'`") && told.contains("`fviz watch 'my hen.fviz'`"), "{told}");
}

/// Without a terminal a log says what goes on, in whole words.
#[test]
fn a_log_counts_one_step_and_says_that_files_are_written() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("a.fviz"), "fviz 1\nmaximize class(0)\n").unwrap();
    let (code, told) = tried(root.path(), &["run", "a.fviz", "--steps", "1"]);
    assert_eq!(code, Some(0), "{told}");
    let at = |what: &str| told.find(what).unwrap_or_else(|| panic!("no `{what}`: {told}"));
    assert!(at("a: 1 step\n") < at("writing files …\n") && at("writing files …\n") < at("wrote a.gif"), "{told}");
}

/// The network that is built in knows no photos, and says so unless it was asked for by name.
#[test]
fn a_photo_shown_to_the_embedded_network_is_told() {
    let root = tempfile::tempdir().unwrap();
    dot(&root.path().join("cat.png"), 90);
    let (code, told) = tried(root.path(), &["classify", "cat.png"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("32 drawn motifs") && told.contains("`fviz classify cat.png --model resnet18`"), "{told}");
    assert_eq!(tried(root.path(), &["classify", "cat.png", "--model", "motifs"]), (Some(0), String::new()));
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

/// What was done before is taken from the cache, and the log, the events and a full cache tell it.
#[test]
fn variants_are_kept_from_run_to_run() {
    let root = tempfile::tempdir().unwrap();
    let of = |units: &str| format!("fviz 1\ncanvas 48x48\nmaximize class(each [{units}])\noptimize adam for 3 steps\n");
    fs::write(root.path().join("a.fviz"), of("1, 2")).unwrap();
    let told = |args: &[&str], cache: &str, size: &str| {
        let mut command = fviz(root.path(), args);
        let output = command.env("FVIZ_CACHE", root.path().join(cache)).env("FVIZ_CACHE_SIZE", size).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stderr), text(output.stdout))
    };
    let (code, first, _) = told(&["run", "a.fviz", "-o", "first"], "cache", "");
    assert!(code == Some(0) && first.contains("a: 3 steps, 2 variants\n"), "{first}");
    let (_, again, _) = told(&["run", "a.fviz", "-o", "again"], "cache", "");
    assert!(again.contains("a: 0 steps, 2 variants, all kept from before\n"), "{again}");
    fs::write(root.path().join("a.fviz"), of("1, 3, 2")).unwrap();
    let (_, more, _) = told(&["run", "a.fviz"], "cache", "");
    assert!(more.contains("a: 3 steps, 3 variants, 2 kept from before\n"), "{more}");
    let (_, fresh, _) = told(&["run", "a.fviz", "--fresh"], "cache", "");
    assert!(fresh.contains("a: 3 steps, 3 variants\n"), "{fresh}");
    let (_, _, events) = told(&["run", "a.fviz", "--json"], "cache", "1GB");
    let kept = events.lines().filter(|line| line.contains(r#""event":"kept""#)).count();
    assert!(kept == 3 && events.lines().last().unwrap().contains(r#""cancelled":false"#), "{events}");

    let (code, nowhere, _) = told(&["run", "a.fviz"], "a.fviz", "");
    assert_eq!((code, nowhere.matches("warning: can't write").count()), (Some(0), 1), "{nowhere}");
    let (code, size, _) = told(&["run", "a.fviz"], "cache", "huge");
    assert!(code == Some(3) && size.contains("`FVIZ_CACHE_SIZE` is `huge`") && size.contains("`5GB`"), "{size}");
}
