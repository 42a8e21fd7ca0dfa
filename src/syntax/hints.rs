//! What to say about a character that means nothing where it stands.

use crate::source::{Diagnostic, Span, codes};

/// Where something stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In a statement's line.
    Line,
    /// Between `( )` or `[ ]`.
    Brackets,
}

/// The problem with the stray character `c`; `rest` is the text from it on.
pub(super) fn stray(c: &str, rest: &str, span: Span, place: Place) -> Diagnostic {
    if let Some(path) = path(rest) {
        let end = span.start + path.len();
        let message = "the name of a file stands in double quotes";
        return Diagnostic::error(&codes::SYNTAX, Span { end, ..span }, message, "expected a string")
            .with_help(format!("write `\"{path}\"`"));
    }
    let expected = match place {
        Place::Line => "expected a value, a clause or the end of the line",
        Place::Brackets => "expected a value, `,` or the closing bracket",
    };
    let (code, message, help) = match (c, place) {
        (",", _) => (
            &codes::SYNTAX,
            "no comma stands between the parts of a statement".to_string(),
            "leave it out: `render \"hen.gif\" every 10 steps`; several values are a list: `[1, 2, 3]`",
        ),
        (";", _) => (&codes::SYNTAX, "values between brackets are separated by `,`".into(), "write `,`"),
        ("=" | ":", _) => {
            (&codes::SYNTAX, format!("no name stands before this `{c}`"), "write `name = value`, such as `lr = 1.5`")
        }
        ("'" | "‘" | "’" | "‚" | "“" | "”" | "„" | "‟" | "«" | "»", _) => (
            &codes::BAD_TEXT,
            format!("the quote `{c}` has no partner"),
            "strings stand in straight double quotes: `\"hen\"`",
        ),
        ("\\", Place::Line) => (
            &codes::FOREIGN_SYNTAX,
            "no `\\` continues a line".into(),
            "put the whole value in parentheses: between them newlines are blanks",
        ),
        ("%", _) => (&codes::SYNTAX, "no number stands before this `%`".into(), "it follows its number at once: `50%`"),
        ("$", _) => (&codes::SYNTAX, "no name follows this `$`".into(), "write the name of a `let`: `$target`"),
        ("*" | "/" | "-" | ">" | "→" | "÷" | "×", _) => {
            (&codes::SYNTAX, format!("no value stands before this `{c}`"), "write the value")
        }
        ("." | "…", _) => (&codes::SYNTAX, "nothing stands before this dot".into(), "a range has two ends: `0..60`"),
        ("°", _) => (&codes::FOREIGN_SYNTAX, "the unit of an angle is written `deg`".into(), "write `15deg`"),
        (c, _) if c.is_ascii() => (
            &codes::SYNTAX,
            format!("`{c}` means nothing here"),
            "remove it; if it is part of a text, put the text in double quotes",
        ),
        _ => (
            &codes::SYNTAX,
            format!("`{c}` means nothing here"),
            "other texts than names stand in double quotes: `\"hen\"`",
        ),
    };
    Diagnostic::error(code, span, message, expected).with_help(help)
}

/// The path that a text begins with, if it does.
fn path(text: &str) -> Option<&str> {
    let name =
        text.strip_prefix("./").or(text.strip_prefix("../")).or(text.strip_prefix("~/")).or(text.strip_prefix('/'))?;
    let is_path = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '~' | '{' | '}');
    let end = text.find(|c| !is_path(c)).unwrap_or(text.len());
    (name.starts_with(|c: char| c.is_alphanumeric() || c == '.') && end < 200).then(|| &text[..end])
}

/// What the user wrote, in backticks if it is short.
pub(super) fn quoted(text: &str) -> String {
    let is_short = text.chars().count() <= 40 && !text.contains(['\n', '\r', '`']);
    if is_short { format!("`{text}`") } else { "this value".into() }
}
