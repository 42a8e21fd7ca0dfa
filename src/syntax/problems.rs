//! What is wrong with the text, gathered: one problem for each bad line, and never so many that they fill the memory.

use std::collections::BTreeSet;

use crate::source::{Diagnostic, FileId, Span, codes};

/// So many problems of one file are told. A file with more is not a recipe with slips but something else.
const MOST: usize = 200;

/// Gathers problems.
pub(super) struct Problems<'a> {
    file: FileId,
    text: &'a str,
    list: Vec<Diagnostic>,
    untold: usize,
    /// Where lines begin that can't be read: what else is wrong there mostly follows from the first problem.
    bad_lines: BTreeSet<usize>,
    /// The line asked for last.
    line: (usize, usize),
}

impl<'a> Problems<'a> {
    pub(super) fn new(file: FileId, text: &'a str) -> Self {
        let line = line_around(text, 0);
        Self { file, text, list: Vec::new(), untold: 0, bad_lines: BTreeSet::new(), line }
    }

    /// The file's text as it is, before the scan mended it.
    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// A span of the file, moved outwards to whole characters: the scan may have put ASCII in place of longer ones.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        let end = end.min(self.text.len());
        Span::new(self.file, self.text.floor_char_boundary(start.min(end)), self.text.ceil_char_boundary(end))
    }

    /// Something that was understood in spite of how it is written. Told unless the line can't be read anyway.
    pub(super) fn soft(&mut self, problem: Diagnostic) {
        let line = self.line_of(problem.span().map_or(0, |span| span.start));
        if !self.bad_lines.contains(&line) {
            self.push(problem);
        }
    }

    /// Something that can't be read. Only the first of a line is told; `problem` is asked only then.
    pub(super) fn hard(&mut self, at: usize, problem: impl FnOnce(&Self) -> Diagnostic) {
        let line = self.line_of(at);
        if self.bad_lines.insert(line) {
            self.push(problem(self));
        }
    }

    fn push(&mut self, problem: Diagnostic) {
        if self.list.len() < MOST {
            self.list.push(problem);
        } else {
            self.untold += 1;
        }
    }

    /// Where the line begins that holds `at`.
    fn line_of(&mut self, at: usize) -> usize {
        if at < self.line.0 || at > self.line.1 {
            self.line = line_around(self.text, at);
        }
        self.line.0
    }

    /// All of them, in the order of the text.
    pub(super) fn finish(mut self) -> Vec<Diagnostic> {
        self.list.sort_by_key(|problem| problem.span().map_or(0, |span| span.start));
        if self.untold > 0 {
            let end = self.span(self.text.len(), self.text.len());
            let message = format!("{} more problems of this file are not shown", self.untold);
            self.list.push(Diagnostic::note(&codes::SYNTAX, end, message, "is it a recipe at all?"));
        }
        self.list
    }
}

/// Where the line that holds `at` begins and ends.
fn line_around(text: &str, at: usize) -> (usize, usize) {
    let bytes = text.as_bytes();
    let at = at.min(bytes.len());
    let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let start = bytes[..at].iter().rposition(is_end).map_or(0, |end| end + 1);
    let end = bytes[at..].iter().position(is_end).map_or(bytes.len(), |end| at + end);
    (start, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_its_first_problem_only() {
        let mut problems = Problems::new(FileId(0), "ab\r\ncd");
        for at in [1, 0, 2, 4, 5, 6, 1] {
            problems.hard(at, |p| Diagnostic::error(&codes::SYNTAX, p.span(at, at), "m", "l"));
        }
        let starts: Vec<_> = problems.finish().iter().filter_map(|d| d.span()).map(|span| span.start).collect();
        assert_eq!(starts, [1, 4]);
    }

    #[test]
    fn spans_grow_to_whole_characters() {
        let problems = Problems::new(FileId(0), "a“b");
        assert_eq!(problems.span(2, 3), Span::new(FileId(0), 1, 4));
        assert_eq!(problems.span(9, 12), Span::new(FileId(0), 5, 5));
    }
}
