//! `fviz profile`, seen from outside.

use std::process::Command;

fn profile(folder: &std::path::Path, arguments: &[&str]) -> (String, String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_fviz")).arg("profile").args(arguments).current_dir(folder).output();
    let output = output.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

#[test]
fn every_part_has_its_time_and_its_share() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.fviz"), "fviz 1\nmaximize class(0)\nrender \"a.gif\"\n").unwrap();
    let (text, told, code) = profile(folder.path(), &["a.fviz", "--steps", "5", "--threads", "2"]);
    assert_eq!((code, told.as_str()), (Some(0), ""), "{text}");
    assert!(text.starts_with("a.fviz: motifs, ") && text.contains(", 2 threads, mean of 3 steps\n"), "{text}");
    let row = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}\n{text}"));
    let rows =
        ["transforms, penalties", "conv1 + bn1 + relu1", "in and out", "head", "objective", "optimizer, filters"];
    assert!(rows.iter().all(|name| row(name).contains(" ms") && row(name).contains(" %")), "{text}");
    assert!(row("conv1").contains("direct") || std::env::var_os("FVIZ_VECTORS").is_some(), "{text}");
    let shares = text.lines().filter_map(|line| line.strip_suffix(" %")?.rsplit(' ').next()?.parse::<f64>().ok());
    let all: f64 = shares.sum();
    assert!((90.0..110.0).contains(&all), "{all}\n{text}");
    assert!(text.contains("to write 1 files") && text.contains("a step"), "{text}");
    // It leaves nothing behind.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn stopped_it_tells_what_it_has_measured() {
    use std::io::Read;
    use std::process::Stdio;

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.fviz"), "fviz 1\ncanvas 64x64\nmaximize class(0)\n").unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_fviz"))
        .env("FVIZ_CACHE_SIZE", "0")
        .args(["profile", "a.fviz", "--steps", "100000"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{text}");
    assert!(text.contains("a step"), "{text}");
}

#[test]
fn what_cannot_run_is_told_as_by_run() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.fviz"), "fviz 1\nmaximize clas(0)\n").unwrap();
    let (text, told, code) = profile(folder.path(), &["a.fviz"]);
    assert!(text.is_empty() && told.contains("did you mean `class`?"), "{told}");
    assert_eq!(code, Some(1));
    assert_eq!(profile(folder.path(), &["b.fviz"]).2, Some(3));
    assert_eq!(profile(folder.path(), &["a.fviz", "--steps", "0"]).2, Some(2));
}
