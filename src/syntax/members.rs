//! Pairs → tree: names, and what stands between brackets.

use pest::iterators::Pair;

use super::ast::{Args, Argument, Expr, ExprKind, Name, Phrase, Unary};
use super::build::Builder;
use super::expr::Deep;
use super::grammar::Rule;
use super::hints::Place;
use crate::source::{Diagnostic, Span, codes};

impl Builder<'_, '_> {
    /// `(views = 2)`
    pub(super) fn args(&mut self, pair: Pair<Rule>) -> Deep<Args> {
        let span = self.span_of(&pair);
        let (list, depth) = self.members(pair);
        (Args { list, span }, depth)
    }

    /// The members of a list or a group, which have no names.
    pub(super) fn phrases(&mut self, pair: Pair<Rule>) -> Deep<Vec<Phrase>> {
        let is_list = pair.as_rule() == Rule::list;
        let (list, depth) = self.members(pair);
        if let Some(name) = list.iter().find_map(|member| member.name.as_ref()) {
            let message = format!("`{} =` can't stand in a {}", name.text, if is_list { "list" } else { "point" });
            let help = "the `(` of parameters follows its word at once: `sgd(lr = 1.5)`";
            self.hard_at(&codes::SYNTAX, name.span, message, "expected a value", Some(help.into()));
        }
        (list.into_iter().map(|member| member.value).collect(), depth)
    }

    /// What stands between brackets.
    fn members(&mut self, pair: Pair<Rule>) -> Deep<Vec<Argument>> {
        let mut list: Vec<Argument> = Vec::new();
        let mut deepest = 0;
        let mut needs_comma = false;
        let mut expects_value = true;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::comma => {
                    if expects_value {
                        self.hard(
                            &codes::SYNTAX,
                            &part,
                            "expected a value before `,`",
                            "nothing stands before it",
                            None,
                        );
                    }
                    (needs_comma, expects_value) = (false, true);
                }
                Rule::argument => {
                    if needs_comma {
                        let start = part.as_span().start();
                        let problem = Diagnostic::error(
                            &codes::SYNTAX,
                            self.problems.span(start, start + 1),
                            "a comma is missing",
                            "expected `,` before this",
                        );
                        self.problems.soft(problem.with_help("write `,` after the value before"));
                    }
                    expects_value = false;
                    let argument = self.argument(part);
                    needs_comma = argument.is_some(); // else the comma may be part of what can't be read
                    if let Some((argument, depth)) = argument {
                        list.push(argument);
                        deepest = deepest.max(depth);
                    }
                }
                Rule::stray_inside => {
                    self.stray(&part, Place::Brackets);
                    (needs_comma, expects_value) = (false, false);
                }
                Rule::unclosed => self.hard(&codes::UNCLOSED, &part, "a bracket is never closed", "up to here", None),
                _ => {}
            }
        }
        (list, deepest + 1)
    }

    /// `value` or `name = value`
    fn argument(&mut self, pair: Pair<Rule>) -> Option<Deep<Argument>> {
        let (mut name, mut value) = (None, None);
        let mut setter = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::label => {
                    for part in part.into_inner() {
                        match part.as_rule() {
                            Rule::name => name = self.plain_name(&part, "a parameter"),
                            Rule::setter => setter = Some(self.setter(&part)),
                            _ => {}
                        }
                    }
                }
                Rule::phrase => value = self.phrase(part),
                Rule::missing => {
                    let name = name.as_ref().map_or("the parameter", |name: &Name| name.text.as_str());
                    let message = format!("`{name}` has no value");
                    let span = setter.unwrap_or(self.span_of(&part));
                    self.hard_at(&codes::SYNTAX, span, message, "expected a value after this", None);
                }
                _ => {}
            }
        }
        value.map(|(value, depth)| (Argument { name, value }, depth))
    }

    /// `each 0..60 by 4`
    fn phrase(&mut self, pair: Pair<Rule>) -> Option<Deep<Phrase>> {
        let span = self.span_of(&pair);
        let (mut items, mut deepest) = (Vec::new(), 0);
        for part in pair.into_inner().filter(|part| part.as_rule() == Rule::bracket_expr) {
            if let Some((expr, depth)) = self.expr(part)
                && self.may_follow(&items, &expr, Place::Brackets)
            {
                items.push(expr);
                deepest = deepest.max(depth);
            }
        }
        (!items.is_empty()).then_some((Phrase { items, span }, deepest))
    }

    /// Whether an expression may stand beside those before it; if not, says so.
    pub(super) fn may_follow(&mut self, before: &[Expr], expr: &Expr, place: Place) -> bool {
        let is_plain = |expr: &Expr| matches!(expr.kind, ExprKind::Number { unit: None, .. });
        if let [.., width, Expr { kind: ExprKind::Name(x), .. }] = before
            && matches!(x.as_str(), "x" | "X")
            && is_plain(width)
            && is_plain(expr)
        {
            let (span, text) = (width.span.to(expr.span), self.problems.text());
            let number = |expr: &Expr| text.get(expr.span.start..expr.span.end).unwrap_or_default();
            let help = format!("write `{}x{}`", number(width), number(expr));
            self.hard_at(&codes::BAD_NUMBER, span, "a size has no blanks in it", "expected a size", Some(help));
            return false;
        }
        let is_value = |expr: &Expr| !matches!(expr.kind, ExprKind::Name(_));
        let Some(last) = before.last().filter(|last| is_value(last) && is_value(expr)) else { return true };
        if matches!(expr.kind, ExprKind::Unary(Unary::PlusMinus, _)) {
            let help = "write both ends: `0.9..1.1`, or `±0.1` alone for a range around 0";
            let message = "`±` stands before one value, not between two";
            self.hard_at(&codes::SYNTAX, last.span.to(expr.span), message, "expected a range", Some(help.into()));
            return false;
        }
        if place == Place::Brackets {
            let message = "two values stand side by side";
            self.hard_at(&codes::SYNTAX, expr.span, message, "expected `,` before this", Some("write `,`".into()));
            return false;
        }
        true
    }

    /// What stands where `=` should.
    pub(super) fn setter(&mut self, pair: &Pair<Rule>) -> Span {
        let (span, written) = (self.span_of(pair), pair.as_str());
        if written != "=" {
            let message = format!("a value is given with `=`, not with `{written}`");
            let problem = Diagnostic::error(&codes::FOREIGN_SYNTAX, span, message, "expected `=`");
            self.problems.soft(problem.with_help("write `=`"));
        }
        span
    }

    /// A name without dots.
    pub(super) fn plain_name(&mut self, pair: &Pair<Rule>, of: &str) -> Option<Name> {
        let name = self.name(pair);
        if !name.text.contains('.') {
            return Some(name);
        }
        let message = format!("the name of {of} has no dots");
        let help = format!("write `{}`", name.text.replace('.', "_"));
        self.hard_at(&codes::BAD_NAME, name.span, message, "dots belong to the nodes of a network", Some(help));
        None
    }

    /// A name, hyphens mended.
    pub(super) fn name(&mut self, pair: &Pair<Rule>) -> Name {
        let (text, span) = (pair.as_str(), self.span_of(pair));
        if !text.is_ascii() {
            let message = format!("`{text}` is not a name");
            let label = "names are made of the letters a to z, digits and `_`";
            let help = "write it so; a label or another text stands in double quotes";
            self.hard_at(&codes::BAD_NAME, span, message, label, Some(help.into()));
        } else if text.contains('-') {
            let right = text.replace('-', "_");
            let apart = text.replace('-', " - ");
            let message = format!("`{text}` is not a name");
            let problem = Diagnostic::error(&codes::BAD_NAME, span, message, "names are written in snake_case");
            self.problems.soft(problem.with_help(format!("write `{right}`; a difference has blanks: `{apart}`")));
            return Name { text: right, span };
        }
        Name { text: text.into(), span }
    }
}
