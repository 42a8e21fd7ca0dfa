//! The road through the house: which room may import which. docs/ARCHITECTURE.md draws it, this holds it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room and the rooms that its code may name. Every one of them stands above it.
const ROOMS: &[(&str, &[&str])] = &[
    ("source", &[]),
    ("syntax", &["source"]),
    ("spec", &["source"]),
    ("ops", &[]),
    ("nets", &["source", "spec", "ops"]),
    ("canvas", &["source", "spec", "ops"]),
    ("words", &["source", "spec", "ops", "nets", "canvas"]),
    ("render", &["source", "spec"]),
    ("check", &["source", "syntax", "spec", "nets", "words", "render"]),
    ("plan", &["source", "spec", "words", "render", "check"]),
    ("run", &["source", "spec", "ops", "nets", "canvas", "words", "check", "plan"]),
    ("store", &["source", "nets", "render", "check", "plan", "run"]),
    ("session", &["source", "spec", "ops", "nets", "canvas", "words", "render", "check", "plan", "run", "store"]),
    ("live", &["source", "check", "plan", "run", "store", "render", "session"]),
    (
        "cli",
        &[
            "source", "syntax", "spec", "ops", "nets", "canvas", "words", "render", "check", "plan", "run", "store",
            "session", "live",
        ],
    ),
];

/// A source file without comments and without its tests.
struct File {
    path: String,
    code: String,
}

#[test]
fn every_room_imports_only_what_stands_above_it() {
    let mut breaches = Vec::new();
    for (room, allowed) in ROOMS {
        for file in files_of(room) {
            for import in imports(&file.code) {
                if import != *room && !allowed.contains(&import.as_str()) {
                    breaches.push(format!("{} imports `{import}`", file.path));
                }
            }
        }
    }
    assert!(breaches.is_empty(), "walls are broken:\n{}", breaches.join("\n"));
}

#[test]
fn the_table_is_in_order_and_complete() {
    for (i, (room, allowed)) in ROOMS.iter().enumerate() {
        for import in *allowed {
            let above = ROOMS.iter().take(i).any(|(other, _)| other == import);
            assert!(above, "`{room}` may import `{import}`, which does not stand above it");
        }
    }
    let folders: BTreeSet<String> = fs::read_dir("src")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    for folder in folders {
        assert!(ROOMS.iter().any(|(room, _)| *room == folder), "src/{folder}/ is missing in the table");
    }
}

#[test]
fn the_map_names_the_rooms_in_this_order() {
    let map = fs::read_to_string("docs/ARCHITECTURE.md").unwrap();
    let rows: Vec<&str> =
        map.lines().filter_map(|line| line.strip_prefix("| `src/")?.split_once("/`")).map(|(room, _)| room).collect();
    let rooms: Vec<&str> = ROOMS.iter().map(|(room, _)| *room).collect();
    assert_eq!(rows, rooms);
}

/// The checker works on any text without touching the machine: only through `World`.
#[test]
fn the_front_is_pure() {
    for room in ["syntax", "spec", "check", "plan"] {
        for file in files_of(room) {
            for outside in
                ["std::fs", "std::env", "std::net", "SystemTime", "Instant", "println!", "print!(", "stdin()"]
            {
                assert!(!file.code.contains(outside), "{} reaches outside by `{outside}`", file.path);
            }
        }
    }
}

/// Only the command line talks to a person, and one file of it draws diagnostics.
#[test]
fn only_the_command_line_prints() {
    for (room, _) in ROOMS {
        for file in files_of(room) {
            for printing in ["println!", "eprintln!", "print!(", "eprint!(", "dbg!("] {
                assert!(!file.code.contains(printing), "{} prints by `{printing}`", file.path);
            }
            if *room != "cli" {
                for terminal in ["anstream", "indicatif", "clap", "process::exit"] {
                    assert!(!names(&file.code, terminal), "{} knows `{terminal}`", file.path);
                }
            }
            if file.path != "src/cli/report.rs" {
                assert!(!names(&file.code, "miette"), "{} knows miette", file.path);
            }
        }
    }
}

#[test]
fn nothing_is_unsafe() {
    for (room, _) in ROOMS {
        for file in files_of(room) {
            // The matrix products, which check all bounds first, and the buffers that threads fill together.
            let modules =
                ["src/ops/product.rs", "src/ops/fast/tile.rs", "src/ops/fast/tiles/amx.rs", "src/ops/fast/team.rs"];
            let unsafe_here = modules.contains(&&*file.path);
            assert!(unsafe_here || !names(&file.code, "unsafe"), "{} is unsafe", file.path);
        }
    }
}

/// Whether the code holds `word` as a whole word.
fn names(code: &str, word: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word)
        .any(|(at, _)| !code[..at].ends_with(inside) && !code[at + word.len()..].starts_with(inside))
}

/// The rooms that code names: `crate::room::…`, `crate::{room::…, other}`.
fn imports(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    for (at, pattern) in code.match_indices("crate::") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[at + pattern.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            rooms.insert(name(rest));
            continue;
        };
        let mut depth = 0;
        let mut start = true;
        for (i, c) in group.char_indices() {
            match c {
                '}' if depth == 0 => break,
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                c if start && c.is_alphabetic() => {
                    rooms.insert(name(&group[i..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    rooms.remove("");
    rooms
}

fn files_of(room: &str) -> Vec<File> {
    let mut found = Vec::new();
    gather(&PathBuf::from("src").join(room), &mut found);
    let single = PathBuf::from("src").join(format!("{room}.rs"));
    if single.exists() {
        found.push(single);
    }
    found.sort();
    assert!(!found.is_empty(), "src/{room}/ has no file");
    found.iter().map(|path| File { path: slashes(path), code: code(&fs::read_to_string(path).unwrap()) }).collect()
}

/// All files of a folder but those of tests.
fn gather(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        let is_test = path.file_stem().is_some_and(|stem| stem == "tests" || stem == "testing");
        match path.is_dir() {
            _ if is_test => {}
            true => gather(&path, found),
            false if path.extension().is_some_and(|extension| extension == "rs") => found.push(path),
            false => {}
        }
    }
}

fn slashes(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

/// Drops comments (texts that hold `//` lose their ends, which hides nothing that matters) and the tests at the end.
fn code(text: &str) -> String {
    let tests = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    text[..tests].lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

#[test]
fn imports_are_found_however_they_are_written() {
    let code =
        "use crate::source::Span;\nuse crate::{spec::{Call, Dial}, nets};\nfn f() { crate::render::slug(mycrate::x) }";
    let found: Vec<String> = imports(code).into_iter().collect();
    assert_eq!(found, ["nets", "render", "source", "spec"]);
    assert!(names("an unsafe fn", "unsafe") && !names("unsafe_op", "unsafe"));
}
