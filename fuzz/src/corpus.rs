//! The recipes that inputs are made of.

use std::path::{Path, PathBuf};

/// Recipes, cut into lines.
pub struct Corpus {
    files: Vec<String>,
    lines: Vec<String>,
}

impl Corpus {
    /// All recipes under `recipes/`, `tests/` and `src/` of the repository, in the order of their paths.
    pub fn load(repository: &Path) -> Self {
        let mut paths = Vec::new();
        for folder in ["recipes", "tests", "src"] {
            find(&repository.join(folder), &mut paths);
        }
        paths.sort();
        let mut files: Vec<String> = paths.iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect();
        files.sort();
        files.dedup();
        files.push("fviz 1\nmaximize class(\"hen\")\n".into());
        let mut lines: Vec<String> =
            files.iter().flat_map(|file| file.split_inclusive('\n')).map(String::from).collect();
        lines.retain(|line| !line.trim().is_empty());
        Self { files, lines }
    }

    pub fn len(&self) -> usize {
        self.files.len()
    }

    pub fn files(&self) -> &[String] {
        &self.files
    }

    pub fn lines(&self) -> &[String] {
        &self.lines
    }
}

fn find(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.filter_map(|entry| entry.ok()).map(|entry| entry.path()) {
        if path.is_dir() {
            find(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "fviz") {
            paths.push(path);
        }
    }
}
