//! Brackets and braces: which belong together, which have no partner, and where what they hold would have ended.
//!
//! Partners are found with one stack. What is left over is settled by what a writer would see: a `(` or `[` that is
//! never closed ends with its line (or goes on while lines end in `,`, an operator or an open bracket); a `{` that is
//! never closed ends before the first line that is not indented further than its own.

use std::ops::Range;

use super::parse::DEEPEST_BRACKET;
use super::problems::Problems;
use super::scan::{Mark, Patch};
use crate::source::{Diagnostic, codes};

/// What a mark belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mate {
    /// The mark of that number.
    With(usize),
    /// The mark of that number, though it is of the other kind: `[1, 2)`.
    Wrong(usize),
    /// None.
    No,
}

/// Mends the text until all brackets have partners and none is nested too deeply, and tells what had to be mended.
pub(super) fn settle(marks: &[Mark], patch: &mut Patch, lost: &mut Vec<Range<usize>>, problems: &mut Problems) {
    let (mut mates, mut is_open) = pair_up(marks, false);
    if is_open {
        // A brace is missing somewhere; the indentation says best where.
        (mates, is_open) = pair_up(marks, true);
    }
    let text = patch.text;
    let mut settler = Settler { text, marks, mates, patch, lost, problems, open: Vec::new(), at: 0 };
    settler.run(is_open);
}

/// Finds partners. `by_indent`: a `}` that begins its line closes the brace whose line is indented alike.
/// Also says whether a brace is left open.
fn pair_up(marks: &[Mark], by_indent: bool) -> (Vec<Mate>, bool) {
    let mut mates = vec![Mate::No; marks.len()];
    let mut stack: Vec<usize> = Vec::new();
    // How many of each kind lie on the stack above the topmost brace.
    let mut round = 0_usize;
    let mut square = 0_usize;
    let mut is_open = false;
    let byte = |index: &usize| marks[*index].byte;
    for (index, mark) in marks.iter().enumerate() {
        match mark.byte {
            b'(' | b'[' | b'{' => {
                match mark.byte {
                    b'(' => round += 1,
                    b'[' => square += 1,
                    // A block never stands between brackets: those below are not closed.
                    _ => {
                        stack.truncate(stack.len() - round - square);
                        (round, square) = (0, 0);
                    }
                }
                stack.push(index);
            }
            b')' | b']' => {
                let wanted = if mark.byte == b')' { b'(' } else { b'[' };
                let has = if mark.byte == b')' { round } else { square };
                if round + square == 0 {
                    continue;
                }
                while let Some(open) = stack.pop() {
                    if byte(&open) == b'(' {
                        round -= 1
                    } else {
                        square -= 1
                    }
                    if byte(&open) == wanted {
                        mates[open] = Mate::With(index);
                        mates[index] = Mate::With(open);
                        break;
                    }
                    if has == 0 {
                        mates[open] = Mate::Wrong(index);
                        mates[index] = Mate::Wrong(open);
                        break;
                    }
                }
            }
            b'}' => {
                stack.truncate(stack.len() - round - square);
                (round, square) = (0, 0);
                if by_indent && mark.first {
                    let near = stack.len().saturating_sub(DEEPEST_BRACKET);
                    let alike = stack[near..].iter().rposition(|open| marks[*open].indent == mark.indent);
                    let inner = stack.last().is_some_and(|open| marks[*open].indent > mark.indent);
                    if let (Some(alike), true) = (alike, inner) {
                        stack.truncate(near + alike + 1);
                        is_open = true;
                    }
                }
                if let Some(open) = stack.pop() {
                    mates[open] = Mate::With(index);
                    mates[index] = Mate::With(open);
                }
            }
            _ => {}
        }
    }
    is_open |= stack.iter().any(|open| byte(open) == b'{');
    (mates, is_open)
}

struct Settler<'s, 'a, 'p> {
    text: &'a str,
    marks: &'s [Mark],
    mates: Vec<Mate>,
    patch: &'s mut Patch<'a>,
    lost: &'s mut Vec<Range<usize>>,
    problems: &'s mut Problems<'p>,
    /// The brackets that are open here, exactly as the grammar will see it.
    open: Vec<usize>,
    /// Up to here the lines have been looked at.
    at: usize,
}

impl Settler<'_, '_, '_> {
    fn run(&mut self, is_open: bool) {
        let mut index = 0;
        while let Some(&mark) = self.marks.get(index) {
            if is_open {
                self.close_by_indent(mark.at, index);
            }
            index = match mark.byte {
                b'(' | b'[' | b'{' => self.opening(index),
                b')' | b']' | b'}' => self.closing(index),
                _ => index + 1,
            };
        }
        if is_open {
            self.close_by_indent(self.text.len(), self.marks.len());
        }
        for index in std::mem::take(&mut self.open) {
            if self.mates[index] == Mate::No {
                self.tell_unclosed(self.marks[index], None, "}");
            }
        }
    }

    /// Handles the bracket that opens at `index`, and returns the mark to go on with.
    fn opening(&mut self, index: usize) -> usize {
        let mark = self.marks[index];
        let mate = self.mates[index];
        if let Mate::With(close) | Mate::Wrong(close) = mate {
            let partner = self.marks[close];
            if self.open.len() >= DEEPEST_BRACKET {
                self.tell_too_deep(mark);
                self.lose(mark.at..partner.at + 1);
                return close + 1;
            }
            if let Mate::Wrong(_) = mate {
                self.tell_wrong(mark, partner);
                self.patch.put(partner.at, closer_of(mark.byte));
            }
            self.open.push(index);
            return index + 1;
        }
        if mark.byte == b'{' {
            if self.open.len() >= DEEPEST_BRACKET {
                self.tell_too_deep(mark);
                self.lose(mark.at..self.text.len());
                return self.marks.len();
            }
            self.open.push(index);
            return index + 1;
        }
        let (end, next) = self.end_of_unclosed(index);
        let needed = (index..next).rev().filter(|i| self.mates[*i] == Mate::No);
        let needed: String = needed
            .filter(|i| matches!(self.marks[*i].byte, b'(' | b'['))
            .map(|i| char::from(closer_of(self.marks[i].byte)))
            .take(8)
            .collect();
        self.tell_unclosed(mark, None, &needed);
        self.lose(mark.at..end);
        next
    }

    /// Handles the bracket that closes at `index`.
    fn closing(&mut self, index: usize) -> usize {
        let mark = self.marks[index];
        if self.mates[index] != Mate::No {
            // A brace that could not be closed by indentation lies above its own partner.
            if let Some(open) = self.open.pop().filter(|open| self.mates[*open] == Mate::No) {
                self.tell_unclosed(self.marks[open], Some(mark.at), "}");
            }
            return index + 1;
        }
        let shown = char::from(mark.byte);
        self.problems.hard(mark.at, |problems| {
            Diagnostic::error(
                &codes::UNCLOSED,
                problems.span(mark.at, mark.at + 1),
                format!("this `{shown}` closes nothing"),
                "nothing is open here",
            )
            .with_help("remove it, or write its partner further up")
        });
        if mark.byte == b'}' {
            self.patch.blank(mark.at..mark.at + 1); // what stands beside it is whole
        } else {
            self.lose(mark.at..mark.at + 1);
        }
        index + 1
    }

    /// Closes braces without a partner before lines, up to `to`, that are not indented further than theirs: the newline
    /// before becomes a `}`. `index` is the next mark.
    fn close_by_indent(&mut self, to: usize, index: usize) {
        let start = self.at;
        self.at = self.at.max(to);
        let bytes = self.text.as_bytes();
        // A comment before the first of these newlines would swallow the brace.
        let before = index.checked_sub(1).map(|before| self.marks[before]);
        let mut comment = before.filter(|mark| mark.byte == b'#' && mark.at >= start);
        for end in start..to {
            if !matches!(bytes[end], b'\n' | b'\r') {
                continue;
            }
            let comment = comment.take();
            let rest = &bytes[end + 1..];
            let indent = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            if matches!(rest.get(indent), None | Some(b'\n' | b'\r' | b'#')) {
                continue;
            }
            let Some(&open) = self.open.last() else { continue };
            let mark = self.marks[open];
            if mark.byte == b'{' && self.mates[open] == Mate::No && indent <= mark.indent {
                if let Some(comment) = comment {
                    self.patch.blank(comment.at..end);
                }
                self.patch.put(end, b'}');
                self.open.pop();
                self.tell_unclosed(mark, Some(end + 1 + indent), "}");
            }
        }
    }

    /// Where the statement probably ends in which the bracket at `index` is never closed, and the next mark there.
    fn end_of_unclosed(&self, index: usize) -> (usize, usize) {
        let text = self.text;
        let mut at = self.marks[index].at;
        let mut next = index + 1;
        loop {
            let mut line = at..line_end(text, at);
            let mut comment = None;
            while let Some(mark) = self.marks.get(next).filter(|mark| mark.at < line.end) {
                match (mark.byte, self.mates[next]) {
                    (b'{' | b'}' | b';', _) => return (mark.at, next),
                    (b'(' | b'[', Mate::With(close) | Mate::Wrong(close)) => {
                        next = close + 1;
                        let after = self.marks[close].at;
                        if after >= line.end {
                            line = after..line_end(text, after);
                        }
                    }
                    (b')' | b']', Mate::With(open) | Mate::Wrong(open)) if open < index => return (mark.at, next),
                    (b'#', _) => {
                        comment = Some(mark.at);
                        break;
                    }
                    _ => next += 1,
                }
            }
            let end = comment.unwrap_or(line.end);
            let code = text.get(line.start..end).unwrap_or_default().trim_matches([' ', '\t']);
            let goes_on = code.ends_with(['(', '[', ',', '+', '-', '*', '/', '=', '>']) || code.ends_with("..");
            if line.end == text.len() || !(goes_on || code.is_empty() && comment.is_some()) {
                return (end, next);
            }
            next += usize::from(comment.is_some());
            at = line.end + if text[line.end..].starts_with("\r\n") { 2 } else { 1 };
        }
    }

    /// Blanks what can't be mended.
    fn lose(&mut self, range: Range<usize>) {
        self.at = self.at.max(range.end);
        self.patch.blank(range.clone());
        self.lost.push(range);
    }

    fn tell_unclosed(&mut self, mark: Mark, before: Option<usize>, needed: &str) {
        self.problems.hard(mark.at, |problems| {
            let problem = Diagnostic::error(
                &codes::UNCLOSED,
                problems.span(mark.at, mark.at + 1),
                format!("this `{}` is never closed", char::from(mark.byte)),
                "opened here",
            )
            .with_help(format!("write the closing `{needed}`"));
            match before {
                Some(at) => problem.with_label(problems.span(at, at), "it should be closed before this line"),
                None => problem,
            }
        });
    }

    fn tell_wrong(&mut self, open: Mark, close: Mark) {
        self.problems.hard(close.at, |problems| {
            let (shown, right) = (char::from(close.byte), char::from(closer_of(open.byte)));
            Diagnostic::error(
                &codes::UNCLOSED,
                problems.span(close.at, close.at + 1),
                format!("`{}` is closed by `{shown}`", char::from(open.byte)),
                format!("expected `{right}`"),
            )
            .with_label(problems.span(open.at, open.at + 1), "opened here")
            .with_help(format!("write `{right}`"))
        });
    }

    fn tell_too_deep(&mut self, mark: Mark) {
        self.problems.hard(mark.at, |problems| {
            let message = format!("brackets are nested more than {DEEPEST_BRACKET} levels deep");
            let label = format!("level {} begins here", DEEPEST_BRACKET + 1);
            Diagnostic::error(&codes::TOO_DEEP, problems.span(mark.at, mark.at + 1), message, label)
                .with_help("a recipe needs a handful of levels; remove the needless brackets")
        });
    }
}

/// What closes an opening bracket.
fn closer_of(open: u8) -> u8 {
    match open {
        b'(' => b')',
        b'[' => b']',
        _ => b'}',
    }
}

/// Where the line ends that holds `at`.
fn line_end(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).map_or(text.len(), |length| at + length)
}
