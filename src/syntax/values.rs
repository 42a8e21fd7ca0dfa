//! Pairs → tree: numbers, sizes, strings, names, calls, lists.

use pest::iterators::Pair;

use super::ast::{Expr, ExprKind, Name};
use super::build::Builder;
use super::expr::Deep;
use super::grammar::Rule;
use crate::source::{Diagnostic, codes};

impl Builder<'_, '_> {
    /// What stands between operators; none if it can't be read, which is told.
    pub(super) fn operand(&mut self, pair: Pair<Rule>) -> Option<Deep<Expr>> {
        let span = self.span_of(&pair);
        let (kind, depth) = match pair.as_rule() {
            Rule::quantity => (self.quantity(pair)?, 1),
            Rule::size => (self.size(pair)?, 1),
            Rule::bad_number => {
                self.bad_number(&pair);
                return None;
            }
            Rule::string => (self.string(pair)?, 1),
            Rule::let_ref => {
                let name = pair.into_inner().find(|part| part.as_rule() == Rule::let_name)?;
                (ExprKind::Let(self.name(&name).text), 1)
            }
            Rule::clause => (ExprKind::Name(self.name(&pair.into_inner().next()?).text), 1),
            Rule::named => {
                let mut parts = pair.into_inner();
                let name = self.name(&parts.next()?);
                match parts.next() {
                    Some(args) => {
                        let (args, depth) = self.args(args);
                        (ExprKind::Call(name, args), depth)
                    }
                    None => (ExprKind::Name(name.text), 1),
                }
            }
            Rule::list => {
                let (list, depth) = self.phrases(pair);
                (ExprKind::List(list), depth)
            }
            Rule::group => {
                let (list, depth) = self.phrases(pair);
                if list.is_empty() {
                    self.hard_at(&codes::SYNTAX, span, "these parentheses are empty", "expected a value in them", None);
                    return None;
                }
                (ExprKind::Group(list), depth)
            }
            _ => return None,
        };
        Some((Expr { kind, span }, depth))
    }

    /// `12`, `2%`, `15deg`
    fn quantity(&mut self, pair: Pair<Rule>) -> Option<ExprKind> {
        let whole = self.span_of(&pair);
        let written = pair.as_str();
        let (mut value, mut unit, mut digits) = (0.0, None, "");
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::number => {
                    digits = part.as_str();
                    value = digits.parse::<f64>().unwrap_or(f64::INFINITY);
                }
                _ => unit = Some(Name { text: part.as_str().into(), span: self.span_of(&part) }),
            }
        }
        let mantissa = digits.split(['e', 'E']).next().unwrap_or_default();
        if value.is_infinite() || value == 0.0 && mantissa.contains(|c: char| c != '0' && c != '.') {
            let what = if value == 0.0 { "small" } else { "large" };
            let label = "numbers reach from 1e-308 to 1e308";
            self.hard_at(&codes::BAD_NUMBER, whole, format!("this number is too {what}"), label, None);
            return None;
        }
        if let Some(unit) = &mut unit {
            if unit.text == "°" {
                let message = "the unit of an angle is written `deg`";
                let problem = Diagnostic::error(&codes::FOREIGN_SYNTAX, unit.span, message, "expected `deg`");
                self.problems.soft(problem.with_help(format!("write `{digits}deg`")));
                unit.text = "deg".into();
            } else if unit.text.starts_with(['x', 'X'])
                && unit.text.bytes().all(|byte| matches!(byte, b'x' | b'X' | b'0'..=b'9'))
            {
                let (label, help) = if digits.contains(['.', 'e', 'E']) {
                    ("sizes are whole pixels", "write a whole number on both sides: `299x299`".to_string())
                } else if unit.text.len() > 1 {
                    ("a size has two sides", "write width and height: `299x299`".to_string())
                } else {
                    ("the height is missing", format!("write `{digits}x{digits}` for a size, `{digits}` for a number"))
                };
                self.hard_at(&codes::BAD_NUMBER, whole, format!("`{written}` is not a size"), label, Some(help));
                return None;
            }
        }
        Some(ExprKind::Number { value, unit })
    }

    /// `299x299`
    fn size(&mut self, pair: Pair<Rule>) -> Option<ExprKind> {
        let span = self.span_of(&pair);
        let mut sides = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::side => sides.push(part.as_str().parse::<u32>().ok()),
                _ if part.as_str() != "x" => {
                    let message = format!("a size is written with `x`, not with `{}`", part.as_str());
                    let problem =
                        Diagnostic::error(&codes::FOREIGN_SYNTAX, self.span_of(&part), message, "expected `x`");
                    self.problems.soft(problem.with_help("write `299x299`"));
                }
                _ => {}
            }
        }
        if let [Some(width), Some(height)] = sides[..] {
            return Some(ExprKind::Size(width, height));
        }
        let label = format!("a side has at most {} pixels", u32::MAX);
        self.hard_at(&codes::BAD_NUMBER, span, "this size is too large", label, None);
        None
    }

    /// What begins with a digit and is no number.
    fn bad_number(&mut self, pair: &Pair<Rule>) {
        let written = pair.as_str();
        let plain = written.replace('_', "");
        let help = if written.starts_with('.') {
            Some(format!("write `0{written}`"))
        } else if written.ends_with('.') {
            Some(format!("write `{}`", written.trim_end_matches('.')))
        } else if plain != written && plain.parse::<f64>().is_ok() {
            Some(format!("write `{plain}`"))
        } else if written.contains(['x', 'X']) {
            Some("a size has two sides: `299x299`".to_string())
        } else {
            None
        };
        let shown = if written.len() <= 40 { written } else { "…" };
        let label = "numbers are `12`, `0.5`, `1e-3`, with a unit `15deg`";
        self.hard(&codes::BAD_NUMBER, pair, format!("`{shown}` is not a number"), label, help);
    }

    /// `"hen"`
    fn string(&mut self, pair: Pair<Rule>) -> Option<ExprKind> {
        let mut text = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::text => text = self.unescaped(&part),
                _ => {
                    self.hard(&codes::UNCLOSED, &part, "this string has no end", "up to here", None);
                    return None;
                }
            }
        }
        text.map(ExprKind::Text)
    }

    /// The text between quotes, escapes resolved.
    fn unescaped(&mut self, pair: &Pair<Rule>) -> Option<String> {
        let (raw, start) = (pair.as_str(), pair.as_span().start());
        if !raw.bytes().any(|byte| byte == b'\\' || byte.is_ascii_control()) {
            return Some(raw.to_string());
        }
        let mut text = String::with_capacity(raw.len());
        let mut rest = raw;
        let mut is_whole = true;
        while let Some(c) = rest.chars().next() {
            let at = start + raw.len() - rest.len();
            let (length, found) = match c {
                '\\' => escape(rest),
                c if c.is_ascii_control() && c != '\t' => (1, None),
                c => (c.len_utf8(), Some(c)),
            };
            match found {
                Some(c) => text.push(c),
                None => {
                    is_whole = false;
                    let span = self.problems.span(at, at + length);
                    if c == '\\' {
                        let shown = rest.get(..length).unwrap_or("\\");
                        let message = format!("the escape `{shown}` is not known");
                        let help = r#"write `\\` for a backslash; folders are divided by `/`"#;
                        let label = r#"escapes are `\"`, `\\`, `\n`, `\t` and `\u{e9}`"#;
                        self.hard_at(&codes::BAD_TEXT, span, message, label, Some(help.into()));
                    } else {
                        let message = format!("the invisible character U+{:04X} stands in this string", u32::from(c));
                        self.hard_at(&codes::BAD_TEXT, span, message, "it can't be seen, but it is there", None);
                    }
                }
            }
            rest = rest.get(length..).unwrap_or_default();
        }
        is_whole.then_some(text)
    }
}

/// The escape that `rest` begins with: its length, and what it stands for.
fn escape(rest: &str) -> (usize, Option<char>) {
    let Some(c) = rest.chars().nth(1) else { return (1, None) };
    let plain = match c {
        '"' | '\\' => Some(c),
        'n' => Some('\n'),
        't' => Some('\t'),
        _ => None,
    };
    if c != 'u' {
        return (1 + c.len_utf8(), plain);
    }
    let digits = rest.get(2..).and_then(|rest| rest.strip_prefix('{')).unwrap_or_default();
    let length = digits.bytes().take(9).take_while(u8::is_ascii_hexdigit).count();
    match digits.get(length..).unwrap_or_default().strip_prefix('}') {
        Some(_) => {
            let number = u32::from_str_radix(digits.get(..length).unwrap_or_default(), 16).ok();
            (3 + length + 1, number.filter(|number| *number != 0).and_then(char::from_u32))
        }
        None => (2, None),
    }
}
