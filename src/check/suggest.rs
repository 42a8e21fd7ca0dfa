//! "Did you mean".

/// The candidate nearest to a word, if one is near enough to be what was meant.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = plain(word);
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&plain, &self::plain(candidate)), candidate))
        .filter(|(score, _)| *score > 0.8) // jj asks for jaro > 0.7; jaro_winkler scores shared beginnings higher
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// Spelling that people vary: case, dashes, underscores.
fn plain(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}

/// `a, b or c`, in backticks.
pub(super) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn finds_what_was_meant() {
        assert_eq!(super::nearest("color-jitter", ["affine", "color_jitter"]), Some("color_jitter"));
        assert_eq!(super::nearest("guassian", ["median", "gaussian"]), Some("gaussian"));
        assert_eq!(super::nearest("xyzzy", ["median", "gaussian"]), None);
        assert_eq!(super::list(["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
