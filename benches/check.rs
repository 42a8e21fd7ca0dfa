//! `fviz check` of every recipe as a cold process: what an editor waits for at every save.
//!
//! `cargo bench --bench check` prints the median of each; the slowest must stay under 50 ms.

use std::path::PathBuf;
use std::process::Command;

use criterion::{Criterion, criterion_group, criterion_main};

fn recipes() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("recipes")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of recipes").flatten() {
            let path = entry.path();
            if path.is_dir() && !path.ends_with("std") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "fviz") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn check(c: &mut Criterion) {
    let mut group = c.benchmark_group("check, cold process");
    group.sample_size(20);
    for recipe in recipes() {
        let name = recipe.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let output = Command::new(env!("CARGO_BIN_EXE_fviz")).arg("check").arg(&recipe).output();
                assert!(output.expect("fviz runs").status.success());
            });
        });
    }
    group.finish();
}

criterion_group!(benches, check);
criterion_main!(benches);
