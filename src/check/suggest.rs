//! "Did you mean".

use crate::nets::Labels;

/// The candidate nearest to a word, if one is near enough to be what was meant: a slip or two away, else alike in the
/// beginning. Among equals the first.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = plain(word);
    let slips_allowed = wanted.chars().count() / 3;
    let mut best: Option<(usize, f64, &str)> = None;
    for candidate in candidates {
        let plain = plain(candidate);
        let likeness = strsim::jaro_winkler(&wanted, &plain);
        let slips = strsim::osa_distance(&wanted, &plain); // two letters exchanged are one slip
        let slips = match slips <= slips_allowed {
            true => slips,
            false if likeness > 0.8 => usize::MAX, // shared beginnings score high
            false => continue,
        };
        if best.is_none_or(|(fewest, most, _)| slips < fewest || slips == fewest && likeness > most) {
            best = Some((slips, likeness, candidate));
        }
    }
    best.map(|(.., candidate)| candidate)
}

/// Spelling that people vary: case, dashes, underscores.
fn plain(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}

/// Labels that are shown of those that hold a word.
const MOST_LABELS: usize = 3;

/// What may be written for a label that no class has: the labels that hold it as words of their own, else the nearest;
/// and whether there are more.
pub(super) fn labels<'a>(wanted: &str, labels: &'a Labels) -> (Vec<&'a str>, bool) {
    let words = |text: &str| -> Vec<String> {
        let parts = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        parts.map(str::to_lowercase).collect()
    };
    let asked = words(wanted);
    let mut found: Vec<&str> = Vec::new();
    let mut last = None;
    for (class, name) in labels.names() {
        let holds = !asked.is_empty() && words(name).windows(asked.len()).any(|part| part == asked);
        // Of the synonyms of a class one is enough.
        if holds && last != Some(class) {
            last = Some(class);
            found.push(name);
        }
    }
    if found.is_empty() {
        found.extend(nearest(wanted, labels.names().map(|(_, name)| name)));
    }
    let more = found.len() > MOST_LABELS;
    found.truncate(MOST_LABELS);
    (found, more)
}

/// `a, b or c`, in backticks.
pub(super) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    either(words.into_iter().map(|word| format!("`{word}`")))
}

/// `"a", "b" or "c"`.
pub(super) fn quoted<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    either(words.into_iter().map(|word| format!("\"{word}\"")))
}

fn either(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    match words.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        assert_eq!(nearest("color-jitter", ["affine", "color_jitter"]), Some("color_jitter"));
        assert_eq!(nearest("guassian", ["median", "gaussian"]), Some("gaussian"));
        assert_eq!(nearest("hne", ["hare", "hen"]), Some("hen"));
        assert_eq!(nearest("rotation", ["resize", "rotate"]), Some("rotate"));
        assert_eq!(nearest("xyzzy", ["median", "gaussian"]), None);
        assert_eq!(list(["a", "b", "c"]), "`a`, `b` or `c`");
    }

    #[test]
    fn the_first_of_equals_is_meant() {
        assert_eq!(nearest("resnet", ["motifs", "resnet18", "resnet34", "resnet50"]), Some("resnet18"));
    }

    #[test]
    fn labels_that_hold_the_word_come_before_similar_ones() {
        let imagenet = Labels::imagenet();
        assert_eq!(labels("hne", &imagenet), (vec!["hen"], false));
        let (cats, more) = labels("cat", &imagenet);
        assert!(cats.iter().all(|name| name.split(' ').any(|word| word == "cat")), "{cats:?}");
        assert!(more && cats.len() == MOST_LABELS);
        assert_eq!(labels("xylophone", &Labels::default()), (vec![], false));
    }
}
