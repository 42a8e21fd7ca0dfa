//! What has to be right before a grammar can run: quotes, comments, characters that nobody can see, and brackets.
//!
//! The scan mends what it can in a copy of the text in which every byte keeps its place, so that spans stay true:
//! `'hen'` becomes `"hen"`, an invisible character a blank, and what can't be mended (all that follows a quote or a
//! bracket without a partner) becomes blanks up to where the statement goes on. One pass over the bytes, and one over
//! the brackets (see [`super::brackets`]).

use std::borrow::Cow;
use std::ops::Range;

use super::brackets;
use super::problems::Problems;
use crate::source::{Diagnostic, codes};

/// A text that the grammar can read.
pub(super) struct Scan<'a> {
    /// As long as the file's text; brackets and quotes have partners, and nest no deeper than the cap.
    pub text: Cow<'a, str>,
    /// What was blanked, in order: a statement that touches one of these is not whole. Already told.
    pub lost: Vec<Range<usize>>,
}

/// What matters to the structure: a bracket, a brace, `;`, or the `#` of a comment.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    /// Where.
    pub at: usize,
    /// Which.
    pub byte: u8,
    /// Whether it is the first of its line.
    pub first: bool,
    /// How many blanks its line begins with.
    pub indent: usize,
}

/// Looks at the whole text once.
pub(super) fn scan<'a>(text: &'a str, problems: &mut Problems) -> Scan<'a> {
    let mut scanner = Scanner {
        text,
        bytes: text.as_bytes(),
        patch: Patch { text, bytes: None },
        marks: Vec::new(),
        lost: Vec::new(),
        line: Line::default(),
        no_more_block_comments: false,
    };
    scanner.run(problems);
    let Scanner { mut patch, marks, mut lost, .. } = scanner;
    brackets::settle(&marks, &mut patch, &mut lost, problems);
    lost.sort_by_key(|range| range.start);
    Scan { text: patch.finish(), lost }
}

/// The text, and the copy of it that is mended.
pub(super) struct Patch<'a> {
    /// The original.
    pub text: &'a str,
    bytes: Option<Vec<u8>>,
}

impl<'a> Patch<'a> {
    /// Puts `byte`, which is ASCII, in place of another ASCII byte or within a blanked range.
    pub(super) fn put(&mut self, at: usize, byte: u8) {
        let bytes = self.bytes.get_or_insert_with(|| self.text.as_bytes().to_vec());
        if let Some(place) = bytes.get_mut(at) {
            *place = byte;
        }
    }

    /// Makes a range of whole characters blank; lines stay lines.
    pub(super) fn blank(&mut self, range: Range<usize>) {
        let bytes = self.bytes.get_or_insert_with(|| self.text.as_bytes().to_vec());
        for byte in bytes.get_mut(range).unwrap_or_default() {
            if !matches!(*byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
    }

    fn finish(self) -> Cow<'a, str> {
        match self.bytes {
            None => Cow::Borrowed(self.text),
            // Only whole characters are replaced, so it is UTF-8; an empty text would be the safe answer if it were not.
            Some(bytes) => Cow::Owned(String::from_utf8(bytes).unwrap_or_default()),
        }
    }
}

/// The line the scanner is in.
#[derive(Default)]
struct Line {
    start: usize,
    /// How many blanks it begins with; known from its first other character on.
    indent: Option<usize>,
    /// The first mark of this line.
    first_mark: usize,
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    patch: Patch<'a>,
    marks: Vec<Mark>,
    lost: Vec<Range<usize>>,
    line: Line,
    /// There is no `*/` any more.
    no_more_block_comments: bool,
}

impl Scanner<'_> {
    fn run(&mut self, problems: &mut Problems) {
        let mut at = if self.text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        self.line.start = at;
        while let Some(&byte) = self.bytes.get(at) {
            let first = self.line.indent.is_none();
            if first && !matches!(byte, b' ' | b'\t') {
                self.line.indent = Some(at - self.line.start);
            }
            at = match (byte, self.bytes.get(at + 1)) {
                (b'\n' | b'\r', _) => {
                    self.line = Line { start: at + 1, indent: None, first_mark: self.marks.len() };
                    at + 1
                }
                (b'\t' | b' ', _) => at + 1,
                (b'"', _) => self.string(at, problems),
                (b'\'', _) => self.foreign_string(at, &['\''], problems),
                (b'(' | b')' | b'[' | b']' | b'{' | b'}' | b';', _) => {
                    self.mark(at, byte, first);
                    at + 1
                }
                (b'#', _) => {
                    self.mark(at, byte, first);
                    self.line_end(at)
                }
                (b'/', Some(b'/' | b'*')) if at == 0 || self.bytes[at - 1] != b':' => {
                    self.foreign_comment(at, problems)
                }
                (b'$', Some(b'{')) => self.braced_let(at, problems),
                (0..0x20 | 0x7f, _) => self.unseen(at, at + 1, problems),
                (0x80.., _) => self.wide(at, problems),
                _ => at + 1,
            };
        }
    }

    fn mark(&mut self, at: usize, byte: u8, first: bool) {
        self.marks.push(Mark { at, byte, first, indent: self.line.indent.unwrap_or(0) });
    }

    /// Where the line ends that holds `at`.
    fn line_end(&self, at: usize) -> usize {
        self.bytes[at..].iter().position(|byte| matches!(byte, b'\n' | b'\r')).map_or(self.bytes.len(), |n| at + n)
    }

    /// `"…"`, always on one line.
    fn string(&mut self, open: usize, problems: &mut Problems) -> usize {
        let mut at = open + 1;
        loop {
            match self.bytes.get(at) {
                Some(b'"') => return at + 1,
                Some(b'\\') if !matches!(self.bytes.get(at + 1), None | Some(b'\n' | b'\r')) => at += 2,
                None | Some(b'\n' | b'\r') => break,
                Some(_) => at += 1,
            }
        }
        problems.hard(open, |problems| {
            Diagnostic::error(
                &codes::UNCLOSED,
                problems.span(open, open + 1),
                "this string has no end",
                "opened here, and never closed on this line",
            )
            .with_help("write the closing `\"`; strings end on the line where they begin")
        });
        // The bracket that was opened on this line before the quote is most likely closed within the string.
        let mut open_before = Vec::new();
        for (index, mark) in self.marks.iter().enumerate().skip(self.line.first_mark) {
            match mark.byte {
                b'(' | b'[' => open_before.push(index),
                b')' | b']' => drop(open_before.pop()),
                b'{' | b'}' | b';' => open_before.clear(),
                _ => {}
            }
        }
        let mut start = open;
        if let Some(&index) = open_before.first() {
            start = self.marks[index].at;
            self.marks.truncate(index);
        }
        self.lose(start..at);
        at
    }

    /// Strings in quotes of other languages and of text processors, which all of `same` may open and close.
    fn foreign_string(&mut self, open: usize, same: &[char], problems: &mut Problems) -> usize {
        let width = self.text[open..].chars().next().map_or(1, char::len_utf8);
        let start = open + width;
        let found = self.text[start..].char_indices().find(|(_, c)| matches!(c, '\n' | '\r') || same.contains(c));
        let Some((length, close)) = found.filter(|(_, c)| same.contains(c)) else {
            return start; // a lone one is a stray character for the grammar
        };
        let (end, after) = (start + length, start + length + close.len_utf8());
        let inside = &self.text[start..end];
        if inside.contains(['"', '\\']) {
            return start;
        }
        let shown = if inside.chars().count() <= 40 { inside } else { "…" };
        problems.soft(
            Diagnostic::error(
                &codes::BAD_TEXT,
                problems.span(open, after),
                "strings stand in straight double quotes",
                "these quotes are of another kind",
            )
            .with_help(format!("write `\"{shown}\"`")),
        );
        self.patch.blank(open..start);
        self.patch.put(start - 1, b'"');
        self.patch.blank(end..after);
        self.patch.put(end, b'"');
        after
    }

    /// `// …` and `/* … */`
    fn foreign_comment(&mut self, open: usize, problems: &mut Problems) -> usize {
        let mut end = None;
        if self.bytes.get(open + 1) == Some(&b'*') && !self.no_more_block_comments {
            end = self.text[open + 2..].find("*/").map(|length| open + 2 + length + 2);
            self.no_more_block_comments = end.is_none();
        }
        let end = end.unwrap_or_else(|| self.line_end(open));
        problems.soft(
            Diagnostic::error(
                &codes::FOREIGN_SYNTAX,
                problems.span(open, open + 2),
                format!("a comment begins with `#`, not with `{}`", &self.text[open..open + 2]),
                "this comment",
            )
            .with_help("write `#`; a comment ends with its line"),
        );
        self.patch.blank(open..end);
        // Lines within the comment are still lines.
        let is_newline = |byte: &u8| matches!(byte, b'\n' | b'\r');
        if let Some(newline) = self.bytes[open..end].iter().rposition(is_newline) {
            self.line = Line { start: open + newline + 1, indent: None, first_mark: self.marks.len() };
        }
        end
    }

    /// `${target}` for `$target`
    fn braced_let(&mut self, dollar: usize, problems: &mut Problems) -> usize {
        let start = dollar + 2;
        let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
        let length = self.bytes[start..].iter().take_while(is_name).count();
        let end = start + length;
        if length == 0 || self.bytes.get(end) != Some(&b'}') {
            return dollar + 1;
        }
        let name = &self.text[start..end];
        problems.soft(
            Diagnostic::error(
                &codes::FOREIGN_SYNTAX,
                problems.span(dollar, end + 1),
                "the value of a `let` is written without braces",
                "braces stand only in strings",
            )
            .with_help(format!("write `${name}`")),
        );
        self.patch.put(dollar, b' ');
        self.patch.put(dollar + 1, b'$');
        self.patch.put(end, b' ');
        end + 1
    }

    /// A character beyond ASCII outside of strings and comments.
    fn wide(&mut self, at: usize, problems: &mut Problems) -> usize {
        let Some(c) = self.text.get(at..).and_then(|rest| rest.chars().next()) else { return at + 1 };
        let end = at + c.len_utf8();
        match c {
            '“' | '”' | '„' | '‟' | '«' | '»' => {
                self.foreign_string(at, &['“', '”', '„', '‟', '«', '»'], problems)
            }
            '‘' | '’' | '‚' => self.foreign_string(at, &['‘', '’', '‚'], problems),
            c if is_unseen(c) => self.unseen(at, end, problems),
            _ => end,
        }
    }

    /// A control character or an odd blank: told, and read as a blank.
    fn unseen(&mut self, start: usize, end: usize, problems: &mut Problems) -> usize {
        let number = self.text[start..end].chars().next().map_or(0, u32::from);
        self.patch.blank(start..end);
        problems.hard(start, |problems| {
            let help = match number {
                0 => "save the file as UTF-8 text",
                0x80.. => "type an ordinary blank, or nothing",
                _ => "remove it",
            };
            Diagnostic::error(
                &codes::BAD_CHARACTER,
                problems.span(start, end),
                format!("the invisible character U+{number:04X} stands here"),
                "it can't be seen, but it is there",
            )
            .with_help(help)
        });
        end
    }

    /// Blanks what can't be mended.
    fn lose(&mut self, range: Range<usize>) {
        self.patch.blank(range.clone());
        self.lost.push(range);
    }
}

/// Blanks of odd widths, characters without any width, and those that change the direction of what follows.
fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{a0}' | '\u{ad}' | '\u{1680}' | '\u{180e}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}'
        | '\u{205f}'..='\u{206f}' | '\u{3000}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
