//! Tests of the parser: what is read (`forms`), what is told (`mistakes`), what may never happen (`hostile`).

mod forms;
mod hostile;
mod mistakes;

use super::ast::{Args, Ast, Expr, ExprKind, Phrase, Statement, Unary};
use super::parse;
use crate::source::{Diagnostic, FileId};

/// The recipes of the language's own description.
const GUIDE: &str = include_str!("guide.fviz");

fn read(text: &str) -> (Ast, Vec<Diagnostic>) {
    parse(FileId(0), text)
}

/// The tree of a text without problems, one statement a line, brackets round every operation.
fn tree(text: &str) -> String {
    let (ast, problems) = read(text);
    assert_eq!(problems, [], "{text}");
    shape(&ast)
}

/// The tree of what could be read.
fn shape(ast: &Ast) -> String {
    ast.statements.iter().map(statement).collect::<Vec<_>>().join("\n")
}

/// The problems, each as `code: what is underlined`.
fn problems(text: &str) -> Vec<String> {
    let (_, problems) = read(text);
    problems.iter().map(|problem| format!("{}: {}", problem.code.name, under(text, problem))).collect()
}

fn under<'a>(text: &'a str, problem: &Diagnostic) -> &'a str {
    let span = problem.span().unwrap();
    &text[span.start..span.end]
}

fn statement(statement: &Statement) -> String {
    let mut text = statement.word.text.clone();
    if let Some(list) = &statement.args {
        text += &args(list);
    }
    if let Some(name) = &statement.binding {
        text += &format!(" {} =", name.text);
    }
    for item in &statement.items {
        text += &format!(" {}", expr(item));
    }
    if let Some(block) = &statement.block {
        let inner: Vec<_> = block.statements.iter().map(self::statement).collect();
        text += &format!(" {{ {} }}", inner.join("; "));
    }
    text
}

fn args(args: &Args) -> String {
    let list = args.list.iter().map(|argument| match &argument.name {
        Some(name) => format!("{} = {}", name.text, phrase(&argument.value)),
        None => phrase(&argument.value),
    });
    format!("({})", list.collect::<Vec<_>>().join(", "))
}

fn phrases(list: &[Phrase]) -> String {
    list.iter().map(phrase).collect::<Vec<_>>().join(", ")
}

fn phrase(phrase: &Phrase) -> String {
    phrase.items.iter().map(expr).collect::<Vec<_>>().join(" ")
}

fn expr(expression: &Expr) -> String {
    match &expression.kind {
        ExprKind::Number { value, unit: None } => format!("{value}"),
        ExprKind::Number { value, unit: Some(unit) } => format!("{value}'{}", unit.text),
        ExprKind::Text(text) => format!("{text:?}"),
        ExprKind::Size(width, height) => format!("{width}x{height}"),
        ExprKind::Name(name) => name.clone(),
        ExprKind::Let(name) => format!("${name}"),
        ExprKind::List(list) => format!("[{}]", phrases(list)),
        ExprKind::Group(list) => format!("({})", phrases(list)),
        ExprKind::Call(name, list) => format!("{}{}", name.text, args(list)),
        ExprKind::Unary(Unary::Minus, operand) => format!("<-{}>", expr(operand)),
        ExprKind::Unary(Unary::PlusMinus, operand) => format!("<±{}>", expr(operand)),
        ExprKind::Binary(operator, left, right) => {
            use super::ast::Binary::*;
            let sign = match operator {
                Tween => "->",
                Add => "+",
                Subtract => "-",
                Multiply => "*",
                Divide => "/",
                Range => "..",
            };
            format!("<{} {sign} {}>", expr(left), expr(right))
        }
    }
}
