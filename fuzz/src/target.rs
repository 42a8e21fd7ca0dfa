//! What is fuzzed. To fuzz one more stage, call it in [`answer`].

use std::io;
use std::path::{Path, PathBuf};

use fviz::check::{Input, check};
use fviz::plan::plan;
use fviz::source::{Entry, FileId, Severity, Span, World};
use fviz::syntax::ast::{Args, Expr, ExprKind, Phrase, Statement};
use fviz::syntax::parse;

/// A machine without files, whose memory a plan of frames can't fill.
struct Bare;

impl World for Bare {
    fn read(&self, _: &Path) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn exists(&self, _: &Path) -> bool {
        false
    }

    fn list(&self, _: &Path) -> io::Result<Vec<Entry>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn model_folders(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    fn memory(&self) -> u64 {
        256 << 20
    }
}

/// Answers one input; says whether it had no problem. Panics on anything that may not be.
///
/// `is_valid`: the input was made by the rules of the language, so it must have no problem.
pub fn answer(text: &str, is_valid: bool) -> bool {
    let (ast, problems) = parse(FileId(0), text);
    let spans = Spans { text };
    for problem in &problems {
        assert!(!problem.labels.is_empty(), "a problem without a place");
        problem.labels.iter().for_each(|label| spans.check(label.span));
    }
    ast.unread.iter().for_each(|unread| spans.check(unread.span));
    spans.statements(&ast.statements);
    let is_clean = problems.iter().all(|problem| problem.severity < Severity::Error);
    assert!(!is_clean || ast.unread.is_empty(), "a statement was dropped in silence");
    assert!(is_clean || !is_valid, "a good recipe is refused: {problems:?}");
    // The checker must answer whatever the parser hands on; its problems may lie in other files, so only that it does.
    let input = Input { name: "fuzz.fviz".into(), stem: "fuzz".into(), text: text.into(), ..Input::default() };
    let checked = check(&input, &Bare);
    let is_error = checked.diagnostics.iter().any(|problem| problem.severity == Severity::Error);
    assert!(checked.recipe.is_some() != is_error, "a recipe and an error, or neither");
    if let Some(recipe) = &checked.recipe {
        let (planned, problems) = plan(recipe, &Bare);
        let is_error = problems.iter().any(|problem| problem.severity == Severity::Error);
        assert!(planned.is_some() != is_error, "a plan and an error, or neither");
    }
    is_clean
}

/// Every span must lie in the text, on character boundaries.
struct Spans<'a> {
    text: &'a str,
}

impl Spans<'_> {
    fn check(&self, span: Span) {
        assert!(self.text.get(span.start..span.end).is_some(), "{span:?} is no part of the text");
    }

    fn statements(&self, statements: &[Statement]) {
        for statement in statements {
            self.check(statement.span);
            self.check(statement.word.span);
            statement.args.iter().for_each(|args| self.args(args));
            statement.binding.iter().for_each(|name| self.check(name.span));
            statement.items.iter().for_each(|item| self.expr(item));
            if let Some(block) = &statement.block {
                self.check(block.span);
                self.statements(&block.statements);
            }
        }
    }

    fn args(&self, args: &Args) {
        self.check(args.span);
        for argument in &args.list {
            argument.name.iter().for_each(|name| self.check(name.span));
            self.phrase(&argument.value);
        }
    }

    fn phrase(&self, phrase: &Phrase) {
        self.check(phrase.span);
        assert!(!phrase.items.is_empty(), "a phrase of nothing");
        phrase.items.iter().for_each(|item| self.expr(item));
    }

    fn expr(&self, expr: &Expr) {
        self.check(expr.span);
        match &expr.kind {
            ExprKind::List(list) | ExprKind::Group(list) => list.iter().for_each(|phrase| self.phrase(phrase)),
            ExprKind::Call(_, args) => self.args(args),
            ExprKind::Unary(_, operand) => self.expr(operand),
            ExprKind::Binary(_, left, right) => {
                self.expr(left);
                self.expr(right);
            }
            ExprKind::Number { value, .. } => assert!(value.is_finite(), "a number that is none"),
            _ => {}
        }
    }
}
