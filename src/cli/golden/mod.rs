//! Golden files: what a recipe made when it was blessed, small enough to lie beside it and to be read in a diff.
//!
//! `hen.golden` holds every score of a run of at most [`MOST_STEPS`] steps and some frames of it, reduced to 32x32. They
//! are compared within the tolerance that the file itself states, since another processor rounds otherwise; where the
//! processor is of the recorded kind the bytes of all canvases are compared too, by their hash.

mod compare;
mod measure;
mod picture;
mod tolerance;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use compare::compare;
pub use measure::{measure, shortened};
pub use picture::side_by_side;
pub use tolerance::{Tolerance, noisy};

/// No golden run is longer. Enough for two blurs of `every 10 steps`, few enough that rounding has not grown.
pub const MOST_STEPS: usize = 20;

/// The side of a reduced frame.
pub const SIDE: usize = 32;

/// The form of golden files that this program writes.
const FORM: u32 = 1;

/// A golden file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Golden {
    /// The form of the file.
    #[serde(rename = "fviz golden")]
    pub form: u32,
    /// Where the run was made.
    pub recorded: Recorded,
    /// How far another run may be away.
    pub tolerance: Tolerance,
    /// Steps of every stage.
    pub steps: usize,
    /// SHA-256 of all canvases and scores, bit by bit.
    pub sha256: String,
    /// Every variant.
    pub variants: Vec<Variant>,
}

/// What decides about the last bits of a sum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// The version of fviz.
    pub version: String,
    /// Architecture, instructions and caches of the processor: they choose the order of sums.
    pub cpu: String,
}

/// What a variant made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// Its label.
    pub label: String,
    /// Each term, penalty and loss with its value in every step.
    pub scores: BTreeMap<String, Series>,
    /// Some frames.
    pub frames: Vec<Frame>,
}

/// Stands where a term has no value: in the steps of another stage.
const NONE: &str = "-";

/// A number for each step, on one line, so that a diff shows a line for each term.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Series(pub Vec<f64>);

impl Series {
    /// The value at a step; the last one holds for all that follow.
    pub fn at(&self, step: usize) -> f64 {
        self.0.get(step).or(self.0.last()).copied().unwrap_or(0.0)
    }
}

impl From<Series> for String {
    fn from(series: Series) -> Self {
        let shown = |number: &f64| if number.is_nan() { NONE.to_string() } else { format!("{number:.6}") };
        let numbers: Vec<String> = series.0.iter().map(shown).collect();
        numbers.join(" ")
    }
}

impl TryFrom<String> for Series {
    type Error = std::num::ParseFloatError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let number = |word: &str| if word == NONE { Ok(f64::NAN) } else { word.parse() };
        text.split_whitespace().map(number).collect::<Result<_, _>>().map(Self)
    }
}

/// A reduced frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// After which step, counted from 0 over all stages.
    pub step: usize,
    /// Its pixels.
    pub rows: Rows,
}

/// [`SIDE`] rows of as many pixels, each a row of hexadecimal `rrggbb`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Rows(pub Vec<[u8; 3]>);

impl From<Rows> for Vec<String> {
    fn from(rows: Rows) -> Self {
        let hex = |row: &[[u8; 3]]| {
            row.iter().flatten().fold(String::with_capacity(6 * SIDE), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            })
        };
        rows.0.chunks(SIDE).map(hex).collect()
    }
}

impl TryFrom<Vec<String>> for Rows {
    type Error = &'static str;

    fn try_from(rows: Vec<String>) -> Result<Self, Self::Error> {
        const WRONG: &str = "a frame has 32 rows of 32 pixels, each six hexadecimal digits";
        let digits: Vec<char> = rows.iter().flat_map(|row| row.chars()).collect();
        if rows.len() != SIDE || rows.iter().any(|row| row.chars().count() != 6 * SIDE) {
            return Err(WRONG);
        }
        let value = |digit: &char| digit.to_digit(16).map(|value| value as u8).ok_or(WRONG);
        let mut bytes = Vec::with_capacity(3 * SIDE * SIDE);
        for pair in digits.chunks_exact(2) {
            bytes.push(16 * value(&pair[0])? + value(&pair[1])?);
        }
        Ok(Self(bytes.chunks_exact(3).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect()))
    }
}

/// The golden file of a recipe.
pub fn path_of(recipe: &Path) -> PathBuf {
    recipe.with_extension("golden")
}

impl Golden {
    /// A golden file of what was measured now. Nothing is allowed yet.
    pub fn new(steps: usize, sha256: String, variants: Vec<Variant>) -> Self {
        let tolerance = Tolerance { scores: Series(vec![0.0]), pixels: Series(vec![0.0]) };
        Self { form: FORM, recorded: Recorded::here(), tolerance, steps, sha256, variants }
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        // Only keys that are no strings and failing writers can make this fail.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// What is wrong with it, for a person.
    pub fn read(text: &str) -> Result<Self, String> {
        let golden: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if golden.form != FORM {
            return Err(format!("it is of form {}, and this fviz knows form {FORM}", golden.form));
        }
        Ok(golden)
    }
}

impl Recorded {
    /// This program on this machine.
    pub fn here() -> Self {
        Self { version: env!("CARGO_PKG_VERSION").into(), cpu: cpu() }
    }
}

/// `x86_64 avx avx2 fma, caches 32K 1024K 32768K`: matrix products choose their instructions by the former and the
/// blocks in which they sum by the latter.
fn cpu() -> String {
    let mut text = std::env::consts::ARCH.to_string();
    for (name, is_there) in instructions() {
        if is_there {
            text.push(' ');
            text.push_str(name);
        }
    }
    let caches: Vec<String> = (0..8)
        .filter_map(|i| std::fs::read_to_string(format!("/sys/devices/system/cpu/cpu0/cache/index{i}/size")).ok())
        .map(|size| size.trim().to_string())
        .collect();
    if !caches.is_empty() {
        let _ = write!(text, ", caches {}", caches.join(" "));
    }
    text
}

#[cfg(target_arch = "x86_64")]
fn instructions() -> Vec<(&'static str, bool)> {
    vec![
        ("avx", std::is_x86_feature_detected!("avx")),
        ("avx2", std::is_x86_feature_detected!("avx2")),
        ("fma", std::is_x86_feature_detected!("fma")),
        ("avx512f", std::is_x86_feature_detected!("avx512f")),
    ]
}

#[cfg(not(target_arch = "x86_64"))]
fn instructions() -> Vec<(&'static str, bool)> {
    Vec::new()
}

#[cfg(test)]
mod tests;
