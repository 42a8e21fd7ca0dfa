//! Recipes broken in many ways.

use crate::corpus::Corpus;
use crate::generate;
use crate::rng::Rng;

/// One input.
pub struct Input {
    pub text: String,
    /// Made by the rules of the language and left as it was.
    pub is_valid: bool,
}

/// Pieces of the language, and what people and other languages write for them.
const PIECES: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'",
    ";",
    ",",
    "=",
    ":",
    "==",
    "->",
    "=>",
    "..",
    "...",
    "..=",
    "-",
    "--",
    "+",
    "±",
    "+-",
    "+/-",
    "*",
    "/",
    "//",
    "/*",
    "*/",
    "#",
    "$",
    "${",
    "${a}",
    "%",
    "°",
    "\\",
    "\\\"",
    "\n",
    "\r\n",
    "\r",
    "\t",
    " ",
    "\0",
    "\u{a0}",
    "\u{feff}",
    "“",
    "”",
    "„",
    "‘",
    "−",
    "×",
    "→",
    "…",
    "é",
    "🐔",
    "\u{301}",
    "fviz 1",
    "fviz 2",
    "let a =",
    "let",
    "$a",
    "each",
    "pick",
    "transform {",
    "stage s {",
    "f(",
    "f([",
    "(-",
    "0",
    "1e",
    "1e999",
    "1e-999",
    "4294967296x1",
    "299x299",
    "10x",
    ".5",
    "5.",
    "1_000",
    "15deg",
    "2%",
    "a.b.0",
    "a-b",
    "größe",
    "\"{target}\"",
    "\"\\u{110000}\"",
    "99999999999999999999",
    "@",
    "~",
    "`",
    "<",
    "&",
];

/// Input `number` of `seed`.
pub fn input(corpus: &Corpus, seed: u64, number: u64) -> Input {
    let mut rng = Rng::new(seed, number);
    let rng = &mut rng;
    if rng.once_in(8) {
        return Input { text: generate::recipe(rng), is_valid: true };
    }
    let mut bytes = start(corpus, rng).into_bytes();
    // Mostly few changes, so that much of a recipe stays whole; now and then many.
    let changes = 1 + rng.few(4, 40);
    for _ in 0..changes {
        change(&mut bytes, corpus, rng);
    }
    if !rng.once_in(200) {
        bytes.truncate(4096);
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    };
    Input { text, is_valid: false }
}

/// What an input starts from: some lines of a recipe, a whole one, lines of several, a generated one, or pieces.
fn start(corpus: &Corpus, rng: &mut Rng) -> String {
    let file = &corpus.files()[rng.below(corpus.len())];
    match rng.below(16) {
        0 => file.clone(),
        1 | 2 => generate::recipe(rng),
        3 => (0..rng.below(60)).map(|_| rng.pick(PIECES)).collect(),
        4 | 5 => (0..1 + rng.below(6)).map(|_| corpus.lines()[rng.below(corpus.lines().len())].as_str()).collect(),
        _ => {
            let lines: Vec<&str> = file.split_inclusive('\n').collect();
            let first = rng.below(lines.len());
            lines[first..(first + 1 + rng.below(8)).min(lines.len())].concat()
        }
    }
}

/// Changes one thing.
fn change(bytes: &mut Vec<u8>, corpus: &Corpus, rng: &mut Rng) {
    let length = bytes.len();
    let at = rng.below(length + 1);
    let (from, to) = range(bytes, rng);
    match rng.below(16) {
        0 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << rng.below(8);
            }
        }
        1 => bytes.insert(at, rng.next() as u8),
        2 => bytes.insert(at, 32 + rng.below(95) as u8),
        3 => drop(bytes.drain(from..to)),
        4 => bytes.truncate(at),
        5 => drop(bytes.drain(..at)),
        // A part of it again, somewhere else.
        6 => insert(bytes, at, &bytes[from..to].to_vec()),
        // A part of it again and again.
        7 => {
            let copy = bytes[from..to].repeat(1 + rng.few(5, 200));
            insert(bytes, to, &copy);
        }
        // A line of another recipe.
        8 => insert(bytes, at, corpus.lines()[rng.below(corpus.lines().len())].as_bytes()),
        // Two parts change places.
        9 => {
            let (other_from, other_to) = range(bytes, rng);
            if to <= other_from {
                let parts = [&bytes[..from], &bytes[other_from..other_to], &bytes[to..other_from], &bytes[from..to]];
                *bytes = [parts.concat().as_slice(), &bytes[other_to..]].concat();
            }
        }
        10 => {
            let piece = rng.pick(PIECES).repeat(1 + rng.few(3, 300));
            insert(bytes, at, piece.as_bytes());
        }
        // One of the marks that matter goes.
        11 => {
            let marks = b"()[]{}\",=#\n;.";
            let places: Vec<usize> = (0..length).filter(|i| marks.contains(&bytes[*i])).collect();
            if !places.is_empty() {
                bytes.remove(places[rng.below(places.len())]);
            }
        }
        _ => {
            let piece = rng.pick(PIECES);
            drop(bytes.splice(from..to, piece.bytes()));
        }
    }
}

/// Mostly a token, sometimes any part.
fn range(bytes: &[u8], rng: &mut Rng) -> (usize, usize) {
    let at = rng.below(bytes.len() + 1);
    if rng.once_in(4) {
        return (at, at + rng.below((bytes.len() - at).min(80) + 1));
    }
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | 0x80..);
    let before = bytes[..at].iter().rev().take_while(|byte| is_word(byte)).count();
    let after = bytes[at..].iter().take_while(|byte| is_word(byte)).count();
    let end = if before + after == 0 { bytes.len().min(at + 1) } else { at + after };
    (at - before, end)
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    drop(bytes.splice(at..at, piece.iter().copied()));
}
