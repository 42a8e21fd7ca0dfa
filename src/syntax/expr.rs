//! Pairs → tree: operators and their precedence.

use std::sync::LazyLock;

use pest::iterators::Pair;
use pest::pratt_parser::{Assoc, Op, PrattParser};

use super::ast::{Binary, Expr, ExprKind, Unary};
use super::build::Builder;
use super::grammar::Rule;
use super::parse::DEEPEST_EXPRESSION;
use crate::source::{Diagnostic, Span, codes};

/// A part of the tree and how many levels of it lie below.
pub(super) type Deep<T> = (T, usize);

/// Loosest first. A sign binds tightest, so that `-15deg..15deg` is a range from a negative end.
static PRECEDENCE: LazyLock<PrattParser<Rule>> = LazyLock::new(|| {
    PrattParser::new()
        .op(Op::infix(Rule::tween, Assoc::Left))
        .op(Op::infix(Rule::add, Assoc::Left) | Op::infix(Rule::subtract, Assoc::Left))
        .op(Op::infix(Rule::multiply, Assoc::Left) | Op::infix(Rule::divide, Assoc::Left))
        .op(Op::infix(Rule::range, Assoc::Left))
        .op(Op::prefix(Rule::minus) | Op::prefix(Rule::plus_minus) | Op::prefix(Rule::plus))
});

impl Builder<'_, '_> {
    /// An expression; none if a part of it can't be read, which is told.
    pub(super) fn expr(&mut self, pair: Pair<Rule>) -> Option<Deep<Expr>> {
        let parts = || pair.clone().into_inner().filter(|part| part.as_rule() != Rule::comment);
        // First what stands between the operators: it recurses no deeper than brackets do.
        let mut operands = Vec::new();
        let mut is_whole = true;
        let mut signs = 0;
        let mut last = None;
        for part in parts() {
            let rule = part.as_rule();
            match rule {
                Rule::missing => {
                    self.missing_operand(&part, last.as_ref());
                    is_whole = false;
                }
                _ if is_operator(rule) => self.spelling(&part),
                _ => match self.operand(part.clone()) {
                    Some(operand) => operands.push(operand),
                    None => is_whole = false,
                },
            }
            signs = if is_sign(rule) { signs + 1 } else { 0 };
            if signs > DEEPEST_EXPRESSION {
                self.too_deep(self.span_of(&part));
                return None;
            }
            last = Some(part);
        }
        if !is_whole {
            return None;
        }
        if operands.len() == 1 && last.is_some_and(|last| last.as_span() == pair.as_span()) {
            return operands.pop();
        }
        let problems = &*self.problems;
        let span_of = |pair: &Pair<Rule>| problems.span(pair.as_span().start(), pair.as_span().end());
        let mut operands = operands.into_iter();
        let mut told = Vec::new();
        let tree = PRECEDENCE
            .map_primary(|pair| operands.next().ok_or(span_of(&pair)))
            .map_prefix(|sign, operand| signed(sign.as_rule(), span_of(&sign), operand?))
            .map_infix(|left, operator, right| {
                combined(left?, operator.as_rule(), span_of(&operator), right?, &mut told)
            })
            .parse(parts());
        for problem in told {
            let span = problem.span().unwrap_or_default();
            self.hard_at(problem.code, span, problem.message, label_of(&problem.labels), problem.help);
        }
        match tree {
            Ok(tree) => Some(tree),
            Err(span) => {
                self.too_deep(span);
                None
            }
        }
    }

    fn too_deep(&mut self, span: Span) {
        let message = format!("more than {DEEPEST_EXPRESSION} operators stand in one expression");
        let help = "divide it: several `maximize` statements add up as well";
        self.hard_at(&codes::TOO_DEEP, span, message, "one too many", Some(help.into()));
    }

    fn missing_operand(&mut self, pair: &Pair<Rule>, operator: Option<&Pair<Rule>>) {
        let written = operator.map_or("", |operator| operator.as_str());
        let span = operator.map_or(self.span_of(pair), |operator| self.span_of(operator));
        let message = format!("expected a value after `{written}`");
        let help = "a statement ends with its line; to go on over lines, put the whole value in parentheses";
        let rest = self.problems.text().get(pair.as_span().start()..).unwrap_or_default();
        let ends = rest.trim_start_matches([' ', '\t']).starts_with(['\n', '\r', '#']);
        self.is_cut_off |= ends;
        self.hard_at(&codes::SYNTAX, span, message, "nothing to work on", ends.then(|| help.into()));
    }

    /// Operators as other languages and text processors write them.
    fn spelling(&mut self, pair: &Pair<Rule>) {
        let (right, help) = match (pair.as_rule(), pair.as_str()) {
            (Rule::tween, "->") | (Rule::range, "..") | (Rule::subtract | Rule::minus, "-") => return,
            (Rule::multiply, "*") | (Rule::divide, "/") | (Rule::add, "+") => return,
            (Rule::plus_minus, "±" | "+-") => return,
            (Rule::tween, _) => ("->", ""),
            (Rule::range, _) => ("..", "; both ends of a range are included"),
            (Rule::multiply, _) => ("*", ""),
            (Rule::divide, _) => ("/", ""),
            (Rule::plus_minus, _) => ("±", ""),
            (Rule::plus, _) => ("", ""),
            _ => ("-", ""),
        };
        let written = pair.as_str();
        let (message, help) = if right.is_empty() {
            (format!("a value has no `{written}` before it"), "remove it".to_string())
        } else {
            (format!("`{written}` is written `{right}`"), format!("write `{right}`{help}"))
        };
        let label = if right.is_empty() { "needless".to_string() } else { format!("expected `{right}`") };
        let problem = Diagnostic::error(&codes::FOREIGN_SYNTAX, self.span_of(pair), message, label);
        self.problems.soft(problem.with_help(help));
    }
}

fn label_of(labels: &[crate::source::Label]) -> &str {
    labels.first().map_or("", |label| label.text.as_str())
}

fn is_sign(rule: Rule) -> bool {
    matches!(rule, Rule::minus | Rule::plus_minus | Rule::plus)
}

fn is_operator(rule: Rule) -> bool {
    use Rule::{add, divide, multiply, range, subtract, tween};
    is_sign(rule) || matches!(rule, tween | add | subtract | multiply | divide | range)
}

/// `-a`, `±a`. The error is the place where the tree is too deep.
fn signed(rule: Rule, at: Span, (operand, depth): Deep<Expr>) -> Result<Deep<Expr>, Span> {
    let sign = match rule {
        Rule::minus => Unary::Minus,
        Rule::plus_minus => Unary::PlusMinus,
        _ => return Ok((operand, depth)), // a needless `+`
    };
    if depth >= DEEPEST_EXPRESSION {
        return Err(at);
    }
    let span = at.to(operand.span);
    Ok((Expr { kind: ExprKind::Unary(sign, Box::new(operand)), span }, depth + 1))
}

/// `a + b`. The error is the place where the tree is too deep; `told` gets what is wrong otherwise.
fn combined(
    (left, left_depth): Deep<Expr>,
    rule: Rule,
    at: Span,
    (right, right_depth): Deep<Expr>,
    told: &mut Vec<Diagnostic>,
) -> Result<Deep<Expr>, Span> {
    let depth = left_depth.max(right_depth);
    if depth >= DEEPEST_EXPRESSION {
        return Err(at);
    }
    let operator = match rule {
        Rule::tween => Binary::Tween,
        Rule::add => Binary::Add,
        Rule::subtract => Binary::Subtract,
        Rule::multiply => Binary::Multiply,
        Rule::divide => Binary::Divide,
        _ => Binary::Range,
    };
    if told.is_empty() {
        told.extend(objection(&left, operator, at, &right));
    }
    let span = left.span.to(right.span);
    Ok((Expr { kind: ExprKind::Binary(operator, Box::new(left), Box::new(right)), span }, depth + 1))
}

/// What is wrong with two operands, both well-formed.
fn objection(left: &Expr, operator: Binary, at: Span, right: &Expr) -> Option<Diagnostic> {
    let is = |expr: &Expr, wanted: Binary| matches!(&expr.kind, ExprKind::Binary(found, ..) if *found == wanted);
    let has_sign = |expr: &Expr| matches!(&expr.kind, ExprKind::Unary(Unary::PlusMinus, _));
    let error = |code, span, message: &str, label: &str, help: &str| {
        Some(Diagnostic::error(code, span, message, label).with_help(help))
    };
    match operator {
        Binary::Tween if is(left, Binary::Tween) => error(
            &codes::SYNTAX,
            at,
            "a tween has two ends",
            "a third one begins here",
            "write a `stage` for each part of the way",
        ),
        Binary::Range if is(left, Binary::Range) => error(
            &codes::SYNTAX,
            at,
            "a range has two ends",
            "a third one begins here",
            "for steps write `each 0..60 by 4`",
        ),
        Binary::Range if has_sign(left) || has_sign(right) => error(
            &codes::SYNTAX,
            left.span.to(right.span),
            "`±` makes a range already",
            "a range of ranges",
            "write either `±0.1` or `-0.1..0.1`",
        ),
        Binary::Add if matches!(&right.kind, ExprKind::Unary(Unary::Minus, _)) && at.end == right.span.start => error(
            &codes::SYNTAX,
            at.to(right.span.at_start()),
            "`+-` stands between two values",
            "`±` stands before one value",
            "write `-` for a difference, or both ends of a range: `0.9..1.1`",
        ),
        Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide => {
            let range = [left, right].into_iter().find(|side| is(side, Binary::Range))?;
            error(
                &codes::NEEDS_PARENTHESES,
                range.span,
                "a range within a calculation needs parentheses",
                "where does it end?",
                "write `2 * (0.9..1.1)`, or `(2 * 0.9)..1.1`",
            )
        }
        _ => None,
    }
}
