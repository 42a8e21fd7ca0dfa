//! What the classes of a network are called.
//!
//! A label line holds synonyms, `cock, rooster`; each of them, and the whole line, names the class. Case is not told
//! apart: people write `Hen`. So a name may fit several classes (`crane` the bird and `crane` the machine), and
//! [`Labels::find`] returns them all.

use std::sync::Arc;

/// The labels of a network's classes, in the order of its outputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    lines: Arc<[String]>,
}

/// Why a file of labels can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadLabels {
    /// Not text.
    #[error("the labels are not UTF-8 text")]
    NotText,
    /// Begins like JSON but isn't.
    #[error("the labels look like JSON but are not: {0}")]
    Json(String),
    /// JSON of another shape.
    #[error("labels in JSON are a list of names, or an object from number to name or from name to number")]
    JsonShape,
    /// An object whose numbers have a gap or a double.
    #[error("labels are numbered from 0 without a gap, but number {0} is missing or there twice")]
    Numbering(usize),
}

/// The 1000 classes of ImageNet (ILSVRC 2012) in torchvision's order; the first name of each line is torchvision's,
/// the others are WordNet's for the same synset. A synonym that is another class's own name is left out (`polecat`
/// for the skunk), so that of torchvision's names only those that it gives twice are ambiguous.
static IMAGENET: &str = include_str!("labels/imagenet.txt");

impl Labels {
    /// The 1000 classes of ImageNet.
    pub fn imagenet() -> Self {
        Self::from_lines(IMAGENET)
    }

    /// One class a line.
    pub fn from_lines(text: &str) -> Self {
        let text = text.trim_start_matches('\u{feff}').trim_end();
        if text.is_empty() {
            return Self::default();
        }
        text.lines().map(|line| without_synset(line.trim()).to_string()).collect()
    }

    /// A user's file: one class a line (synset numbers such as `n01440764` before the name are dropped), a JSON list,
    /// or a JSON object from number to name or from name to number; a name may itself be a list, as in Keras's
    /// `{"0": ["n01440764", "tench"]}`.
    ///
    /// # Errors
    /// The bytes are neither.
    pub fn parse(bytes: &[u8]) -> Result<Self, BadLabels> {
        let text = std::str::from_utf8(bytes).map_err(|_| BadLabels::NotText)?;
        match text.trim_start_matches('\u{feff}').trim_start().as_bytes().first() {
            Some(b'[' | b'{') => Self::from_json(text.trim_start_matches('\u{feff}')),
            _ => Ok(Self::from_lines(text)),
        }
    }

    fn from_json(text: &str) -> Result<Self, BadLabels> {
        use serde_json::Value;
        match serde_json::from_str(text).map_err(|error| BadLabels::Json(error.to_string()))? {
            Value::Array(list) => list.iter().map(|v| json_name(v).ok_or(BadLabels::JsonShape)).collect(),
            Value::Object(map) => {
                let mut numbered = Vec::new();
                for (key, value) in &map {
                    numbered.push(match (key.parse::<usize>(), json_name(value), value.as_u64()) {
                        (Ok(number), Some(name), _) => (number, name),
                        (_, _, Some(number)) => (number as usize, key.clone()),
                        _ => return Err(BadLabels::JsonShape),
                    });
                }
                numbered.sort();
                match numbered.iter().enumerate().find(|(i, (number, _))| i != number) {
                    Some((i, _)) => Err(BadLabels::Numbering(i)),
                    None => Ok(numbered.into_iter().map(|(_, name)| name).collect()),
                }
            }
            _ => Err(BadLabels::JsonShape),
        }
    }

    /// How many classes have a line.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are none: then classes are told by number.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The whole line of a class, all synonyms.
    pub fn line(&self, class: usize) -> Option<&str> {
        self.lines.get(class).map(String::as_str)
    }

    /// The first name of a class; its number where it has none.
    pub fn name(&self, class: usize) -> String {
        match self.line(class).and_then(|line| synonyms(line).next()) {
            Some(name) if !name.is_empty() => name.to_string(),
            _ => class.to_string(),
        }
    }

    /// All classes of that name, in order: one synonym, or the whole line, whatever the case.
    pub fn find(&self, name: &str) -> Vec<usize> {
        let wanted = name.trim().to_lowercase();
        let is = |text: &str| !wanted.is_empty() && text.to_lowercase() == wanted;
        let fits = |line: &str| is(line) || synonyms(line).any(is);
        (0..self.len()).filter(|&class| self.line(class).is_some_and(fits)).collect()
    }

    /// Every name with its class, for suggestions and searches.
    pub fn names(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines.iter().enumerate().flat_map(|(class, line)| synonyms(line).map(move |name| (class, name)))
    }
}

impl FromIterator<String> for Labels {
    fn from_iter<I: IntoIterator<Item = String>>(lines: I) -> Self {
        Self { lines: lines.into_iter().collect() }
    }
}

fn synonyms(line: &str) -> impl Iterator<Item = &str> {
    line.split(',').map(str::trim).filter(|name| !name.is_empty())
}

/// `n01440764 tench, Tinca tinca` → `tench, Tinca tinca`.
fn without_synset(line: &str) -> &str {
    match line.split_once([' ', '\t', ',']) {
        Some((id, rest)) if is_synset(id) => rest.trim(),
        _ => line,
    }
}

fn is_synset(word: &str) -> bool {
    word.len() == 9 && word.starts_with('n') && word.bytes().skip(1).all(|b| b.is_ascii_digit())
}

fn json_name(value: &serde_json::Value) -> Option<String> {
    use serde_json::Value;
    match value {
        Value::String(name) => Some(name.clone()),
        Value::Array(names) => {
            let names: Option<Vec<&str>> = names.iter().map(Value::as_str).collect();
            Some(names?.into_iter().filter(|name| !is_synset(name)).collect::<Vec<_>>().join(", "))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_synonym_or_the_whole_line_names_a_class() {
        let labels = Labels::imagenet();
        assert_eq!(labels.len(), 1000);
        for name in ["hen", "Hen", " HEN "] {
            assert_eq!(labels.find(name), [8]);
        }
        assert_eq!(labels.find("rooster"), [7]);
        assert_eq!(labels.find("cock, rooster"), [7]);
        assert_eq!(labels.find("he"), [] as [usize; 0]);
        assert_eq!(labels.find(""), [] as [usize; 0]);
        assert_eq!(labels.name(7), "cock");
        assert_eq!(labels.name(1000), "1000");
    }

    #[test]
    fn a_name_of_several_classes_finds_them_all() {
        let labels = Labels::imagenet();
        assert_eq!(labels.find("crane"), [134, 517]);
        assert_eq!(labels.find("maillot"), [638, 639]);
        assert_eq!(labels.find("cardigan"), [264, 474]);
        assert_eq!(labels.find("Cardigan Welsh corgi"), [264]);
    }

    #[test]
    fn only_names_given_twice_are_ambiguous() {
        let labels = Labels::imagenet();
        let twice: Vec<String> =
            (0..1000).filter(|&c| labels.find(&labels.name(c)).len() != 1).map(|c| labels.name(c)).collect();
        assert_eq!(twice, ["crane", "Cardigan", "cardigan", "crane", "maillot", "maillot"]);
    }

    #[test]
    fn the_classes_of_the_guide_are_where_torchvision_has_them() {
        let labels = Labels::imagenet();
        for (name, class) in [("pelican", 144), ("leopard", 288), ("hammer", 587), ("iPod", 605), ("slot", 800)] {
            assert_eq!(labels.find(name), [class]);
        }
        assert_eq!(
            (labels.find("potpie"), labels.find("scuba diver"), labels.find("robin")),
            (vec![964], vec![983], vec![15])
        );
    }

    #[test]
    fn the_order_is_torchvisions() {
        let Some(models) = crate::nets::testing::models() else { return };
        let labels = Labels::imagenet();
        let names = std::fs::read_to_string(models.join("imagenet_classes.txt")).unwrap();
        for (class, name) in names.lines().enumerate() {
            assert_eq!(labels.name(class), name);
        }
    }

    #[test]
    fn files_as_people_have_them() {
        let two = Labels::from_lines("cat\nbig dog, hound");
        for text in [
            "cat\nbig dog, hound\n",
            "\u{feff}cat\r\nbig dog, hound\r\n\r\n",
            "n00000001 cat\nn00000002 big dog, hound",
            r#"["cat", "big dog, hound"]"#,
            r#"{"1": "big dog, hound", "0": "cat"}"#,
            r#"{"big dog, hound": 1, "cat": 0}"#,
            r#"{"0": ["n00000001", "cat"], "1": ["n00000002", "big dog", "hound"]}"#,
        ] {
            assert_eq!(Labels::parse(text.as_bytes()), Ok(two.clone()), "{text}");
        }
        assert_eq!(two.find("HOUND"), [1]);
        assert_eq!(Labels::parse(b""), Ok(Labels::default()));
        assert_eq!(Labels::parse(b"\xff\xfe"), Err(BadLabels::NotText));
        assert_eq!(Labels::parse(b"{\"0\": \"a\", \"2\": \"b\"}"), Err(BadLabels::Numbering(1)));
        assert_eq!(Labels::parse(b"{\"0\": {}}"), Err(BadLabels::JsonShape));
        assert!(matches!(Labels::parse(b"[1"), Err(BadLabels::Json(_))));
    }
}
