//! `fviz classes`: what a network tells apart, and searching it.

use std::io::Write;

use super::args::ClassesArgs;
use super::report::Reporter;
use super::{Failure, model};
use crate::check::suggest::nearest;
use crate::nets::{Labels, architecture};
use crate::store::WeightStore;

/// Names as likely as this are shown when none holds the query.
const SIMILAR: f64 = 0.85;

/// Runs the verb.
pub fn run(args: &ClassesArgs, reporter: &Reporter) -> Result<(), Failure> {
    let model = model::named(args.model.model.as_deref(), &WeightStore::from_env(), reporter)?;
    let (labels, classes) = (&model.facts.labels, model.facts.classes());
    let found = match &args.query {
        None => (0..classes).collect(),
        Some(query) => search(labels, classes, query),
    };
    if found.is_empty() {
        let query = args.query.as_deref().unwrap_or_default();
        return Err(Failure::usage(
            format!("`{}` has no class like `{query}`", model.facts.name),
            Some(match architecture(query) {
                Some(_) => format!("`fviz classes --model {query}` lists that network's"),
                None => "`fviz classes` without a query lists all; `--model` names another network".into(),
            }),
        ));
    }
    let digits = classes.saturating_sub(1).to_string().len();
    let mut text = String::new();
    for class in found {
        text.push_str(&format!("{class:>digits$}  {}\n", labels.line(class).unwrap_or("-")));
    }
    anstream::stdout().write_all(text.as_bytes()).map_err(Failure::output)
}

/// The classes that a query means: an index; else labels that hold it, those that are it and those with a word that
/// begins so first; else similar ones, the most similar first.
fn search(labels: &Labels, classes: usize, query: &str) -> Vec<usize> {
    let query = query.trim().to_lowercase();
    if let Ok(class) = query.parse::<usize>() {
        return if class < classes { vec![class] } else { Vec::new() };
    }
    let rank = |class: usize| {
        let line = labels.line(class)?.to_lowercase();
        let mut words = line.split(|c: char| !c.is_alphanumeric());
        Some(match line.contains(&query) {
            _ if line.split(',').any(|name| name.trim() == query) => 0,
            true if words.any(|word| word.starts_with(&query)) => 1,
            true => 2,
            false => return None,
        })
    };
    let mut found: Vec<(i32, usize)> = (0..classes).filter_map(|class| Some((rank(class)?, class))).collect();
    found.sort();
    if !found.is_empty() {
        return found.into_iter().map(|(_, class)| class).collect();
    }
    let mut similar: Vec<(f64, usize)> = Vec::new();
    for (class, name) in labels.names() {
        let name = name.to_lowercase();
        let words = name.split_whitespace().chain([name.as_str()]);
        let likeness = words.map(|word| strsim::jaro_winkler(word, &query)).fold(0.0, f64::max);
        if likeness > SIMILAR && similar.last().is_none_or(|(_, last)| *last != class) {
            similar.push((likeness, class));
        }
    }
    similar.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    if similar.is_empty() {
        // Short words with a slip are not alike: `hne`.
        let near = nearest(&query, labels.names().map(|(_, name)| name));
        return near.map(|name| labels.find(name)).unwrap_or_default();
    }
    similar.into_iter().take(10).map(|(_, class)| class).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Labels {
        ["tench, Tinca tinca", "hen", "prairie chicken, grouse", "henhouse", "kitchen"]
            .map(String::from)
            .into_iter()
            .collect()
    }

    #[test]
    fn the_exact_name_comes_first() {
        assert_eq!(search(&labels(), 5, "Hen"), [1, 3, 4]);
        assert_eq!(search(&labels(), 5, "chick"), [2]);
    }

    #[test]
    fn an_index_is_a_class() {
        assert_eq!(search(&labels(), 5, "4"), [4]);
        assert!(search(&labels(), 5, "5").is_empty());
    }

    #[test]
    fn a_slip_finds_what_was_meant() {
        assert_eq!(search(&labels(), 5, "gruose"), [2]);
        assert_eq!(search(&labels(), 5, "hne"), [1]);
        assert!(search(&labels(), 5, "xylophone").is_empty());
    }
}
