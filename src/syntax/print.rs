//! Tree → text, in the one form that the language prints: what `parse` reads back as the same tree.

use super::ast::{Args, Argument, Ast, Binary, Expr, ExprKind, Phrase, Statement, Unary};

/// A whole file.
pub fn ast(ast: &Ast) -> String {
    let mut text = String::new();
    if let Some((edition, _)) = ast.edition {
        text.push_str(&format!("fviz {edition}\n"));
    }
    for statement in &ast.statements {
        write_statement(&mut text, statement, 0);
    }
    text
}

/// A statement, indented by `depth` levels, with its line end.
fn write_statement(text: &mut String, statement: &Statement, depth: usize) {
    let indent = "  ".repeat(depth);
    text.push_str(&indent);
    text.push_str(&statement.word.text);
    if let Some(args) = &statement.args {
        text.push_str(&arguments(args));
    }
    if let Some(name) = &statement.binding {
        text.push_str(&format!(" {} =", name.text));
    }
    if !statement.items.is_empty() {
        text.push(' ');
        text.push_str(&items(&statement.items));
    }
    if let Some(block) = &statement.block {
        text.push_str(" {\n");
        for inner in &block.statements {
            write_statement(text, inner, depth + 1);
        }
        text.push_str(&indent);
        text.push('}');
    }
    text.push('\n');
}

/// Expressions side by side.
pub fn items(items: &[Expr]) -> String {
    items.iter().map(|item| expr(item, 0)).collect::<Vec<_>>().join(" ")
}

fn arguments(args: &Args) -> String {
    let list: Vec<String> = args.list.iter().map(argument).collect();
    format!("({})", list.join(", "))
}

fn argument(argument: &Argument) -> String {
    match &argument.name {
        Some(name) => format!("{} = {}", name.text, items(&argument.value.items)),
        None => items(&argument.value.items),
    }
}

fn phrases(list: &[Phrase]) -> String {
    list.iter().map(|phrase| items(&phrase.items)).collect::<Vec<_>>().join(", ")
}

/// How tightly an operator binds; a looser one inside a tighter one needs parentheses.
fn tightness(operator: Binary) -> usize {
    match operator {
        Binary::Tween => 1,
        Binary::Add | Binary::Subtract => 2,
        Binary::Multiply | Binary::Divide => 3,
        Binary::Range => 5,
    }
}

/// Signs bind tightest: `-15deg..15deg` is a range.
const UNARY: usize = 6;

fn expr(expr: &Expr, outer: usize) -> String {
    let (text, own) = match &expr.kind {
        ExprKind::Number { value, unit: None } => (value.to_string(), 9),
        ExprKind::Number { value, unit: Some(unit) } => (format!("{value}{}", unit.text), 9),
        ExprKind::Text(text) => (quoted(text), 9),
        ExprKind::Size(width, height) => (format!("{width}x{height}"), 9),
        ExprKind::Name(name) => (name.clone(), 9),
        ExprKind::Let(name) => (format!("${name}"), 9),
        ExprKind::List(list) => (format!("[{}]", phrases(list)), 9),
        ExprKind::Group(list) => (format!("({})", phrases(list)), 9),
        ExprKind::Call(name, args) => (format!("{}{}", name.text, arguments(args)), 9),
        ExprKind::Unary(operator, inner) => {
            let sign = match operator {
                Unary::Minus => "-",
                Unary::PlusMinus => "±",
            };
            (format!("{sign}{}", self::expr(inner, UNARY)), UNARY)
        }
        ExprKind::Binary(operator, left, right) => {
            let own = tightness(*operator);
            let sign = match operator {
                Binary::Tween => " -> ",
                Binary::Add => " + ",
                Binary::Subtract => " - ",
                Binary::Multiply => " * ",
                Binary::Divide => " / ",
                Binary::Range => "..",
            };
            (format!("{}{sign}{}", self::expr(left, own), self::expr(right, own + 1)), own)
        }
    };
    if own < outer { format!("({text})") } else { text }
}

/// A string with quotes and escapes.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
