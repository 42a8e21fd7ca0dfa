//! Whatever the text: no panic, an end, and spans that lie in the text.

use proptest::prelude::*;

use super::*;
use crate::source::Span;

/// Parses, and checks every span.
fn sound(text: &str) {
    let (ast, problems) = read(text);
    let check = |span: Span| {
        assert!(span.start <= span.end && span.end <= text.len(), "{span:?} in {text:?}");
        assert!(text.is_char_boundary(span.start) && text.is_char_boundary(span.end), "{span:?} in {text:?}");
    };
    for problem in &problems {
        assert!(!problem.labels.is_empty() && !problem.message.is_empty());
        problem.labels.iter().for_each(|label| check(label.span));
    }
    ast.unread.iter().for_each(|unread| check(unread.span));
    ast.edition.iter().for_each(|(_, span)| check(*span));
    walk(&ast.statements, &check);
}

fn walk(statements: &[Statement], check: &dyn Fn(Span)) {
    for statement in statements {
        check(statement.span);
        check(statement.word.span);
        statement.args.iter().for_each(|args| walk_args(args, check));
        statement.binding.iter().for_each(|name| check(name.span));
        statement.items.iter().for_each(|item| walk_expr(item, check));
        if let Some(block) = &statement.block {
            check(block.span);
            walk(&block.statements, check);
        }
    }
}

fn walk_args(args: &Args, check: &dyn Fn(Span)) {
    check(args.span);
    for argument in &args.list {
        argument.name.iter().for_each(|name| check(name.span));
        walk_phrase(&argument.value, check);
    }
}

fn walk_phrase(phrase: &Phrase, check: &dyn Fn(Span)) {
    check(phrase.span);
    phrase.items.iter().for_each(|item| walk_expr(item, check));
}

fn walk_expr(expr: &Expr, check: &dyn Fn(Span)) {
    check(expr.span);
    match &expr.kind {
        ExprKind::List(list) | ExprKind::Group(list) => list.iter().for_each(|phrase| walk_phrase(phrase, check)),
        ExprKind::Call(_, args) => walk_args(args, check),
        ExprKind::Unary(_, operand) => walk_expr(operand, check),
        ExprKind::Binary(_, left, right) => {
            walk_expr(left, check);
            walk_expr(right, check);
        }
        _ => {}
    }
}

/// Pieces of the language, and of what it is not.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(
        "( ) [ ] { } ( [ { ; , = : == -> .. ... - + * / ± +- # // /* */ \" ' “ ” \\ $ ${a} $a a layer3.1.conv2 a-b é 12 \
         0.5 1e-3 2% 15deg 4x2 10x .5 1_0 fviz let \u{a0} \0 ° 🐔 \u{feff}"
            .split(' ')
            .chain([" ", " ", "\n", "\n  ", "\r\n", "\r", "\t"])
            .collect::<Vec<_>>(),
    );
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// A recipe with parts of it cut out, moved and replaced.
fn mutants() -> impl Strategy<Value = String> {
    let edit = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..4_u8, pieces());
    prop::collection::vec(edit, 1..4).prop_map(|edits| {
        let mut text: Vec<char> = GUIDE.chars().collect();
        for (from, to, kind, piece) in edits {
            let (from, to) = (from.index(text.len() + 1), to.index(text.len() + 1));
            let (from, to) = (from.min(to), from.max(to));
            let near = to.min(from + 8);
            match kind {
                0 => drop(text.splice(from..near, piece.chars())),
                1 => drop(text.drain(from..to)),
                2 => text.extend_from_within(from..to),
                _ => text.truncate(to),
            }
        }
        text.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        sound(&text);
    }

    #[test]
    fn any_pieces_are_answered(text in pieces()) {
        sound(&text);
    }

    #[test]
    fn any_mutant_is_answered(text in mutants()) {
        sound(&text);
    }
}

/// So many bytes of `piece`.
fn much(piece: &str, bytes: usize) -> String {
    piece.repeat(bytes / piece.len())
}

/// Pieces that are hard to read when there are many of them: between blanks, `↵` for a newline.
const HARD: &str = "( ) [ ] { } ([{ f( f([ a{ a{↵ {{↵ f(↵ f(a,↵ - ± -± * 1+ 1.. 1-> $a- = a= , [, \" \"\\ \"a\" ' “ “\" \\ # // \
    /* /**/ $ ${ ${a} a a. a- a; 1 1. .1 1x 0 9e9 1_ ° é 🐔 \u{feff} \0 ↵ ; @ @↵ a@↵ f(@ f(1)↵ a{b}↵ (↵)↵ }↵ a{↵}↵}↵ a#{↵";

#[test]
fn many_of_anything_are_answered() {
    let blanks = [" ", "\t", "\r", "\r\n", "\u{a0}", "a ", " {\n", "a {\n "];
    for piece in HARD.split_whitespace().chain(blanks) {
        let piece = &piece.replace('↵', "\n");
        let text = much(piece, 10_000);
        sound(&text);
        sound(&format!("a f({text})"));
        sound(&format!("a {{\n{text}\n}}"));
    }
}

/// Were the time not linear, this would not come to an end.
#[test]
fn a_megabyte_is_answered() {
    const BYTES: usize = 1 << 20;
    for piece in ["(", "-", "{", "[", "\"", "'", "/*", "a.", "a {\n  "] {
        sound(&format!("a {}", much(piece, BYTES)));
    }
    sound(&format!("a {}{}", much("(", BYTES / 2), much(")", BYTES / 2)));
    sound(&format!("{}{}", much("a {", BYTES / 2), much("}", BYTES / 2)));
    sound(&format!("{}{}{}", much("{", BYTES / 4), much("\n    a", BYTES / 2), much("\n}", BYTES / 4)));
}
