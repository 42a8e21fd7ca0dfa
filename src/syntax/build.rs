//! Pairs → tree: statements and blocks. What stands between brackets is in [`super::members`], expressions in
//! [`super::expr`].

use pest::iterators::{Pair, Pairs};

use super::ast::{Ast, Block, Expr, ExprKind, Name, Statement, Unread};
use super::grammar::Rule;
use super::hints::{self, Place};
use super::parse::EDITION;
use super::problems::Problems;
use super::scan::Scan;
use crate::source::{Code, Diagnostic, Span, codes};

/// Builds the tree and tells what the grammar marked as wrong.
pub(super) struct Builder<'s, 'a> {
    pub(super) problems: &'s mut Problems<'a>,
    scan: &'s Scan<'s>,
    unread: Vec<Unread>,
    /// Whether a part of the statement at hand could not be read.
    broken: bool,
    /// Whether the statement at hand ends with its line though something should follow.
    pub(super) is_cut_off: bool,
}

impl<'s, 'a> Builder<'s, 'a> {
    pub(super) fn new(scan: &'s Scan<'s>, problems: &'s mut Problems<'a>) -> Self {
        Self { problems, scan, unread: Vec::new(), broken: false, is_cut_off: false }
    }

    /// The whole file.
    pub(super) fn file(mut self, mut pairs: Pairs<Rule>) -> Ast {
        let mut edition = None;
        let statements = match pairs.next() {
            Some(file) => self.statements(file.into_inner(), Some(&mut edition)),
            None => Vec::new(),
        };
        Ast { edition, statements, unread: self.unread }
    }

    /// Statements of a file or, where no edition can stand, of a block.
    fn statements(&mut self, pairs: Pairs<Rule>, mut edition: Option<&mut Option<(u32, Span)>>) -> Vec<Statement> {
        let mut statements: Vec<Statement> = Vec::new();
        let mut cut_off: Option<usize> = None;
        for pair in pairs {
            let start = pair.as_span().start();
            if matches!(pair.as_rule(), Rule::statement | Rule::nameless) {
                if cut_off.is_some_and(|indent| self.indent_of(start) > indent) {
                    // What follows a line that was cut off, and steps to the right, belongs to it.
                    self.unread.push(Unread { word: None, binding: None, span: self.span_of(&pair) });
                    continue;
                }
                self.is_cut_off = false;
            }
            match pair.as_rule() {
                Rule::statement => {
                    let first = edition.take();
                    let statement = self.statement(pair);
                    cut_off = self.is_cut_off.then(|| self.indent_of(start));
                    let Some(statement) = statement else { continue };
                    match (statement.word.text.as_str(), first) {
                        ("fviz", Some(edition)) => *edition = self.edition(&statement),
                        ("fviz", None) => self.late_edition(&statement),
                        _ => statements.push(statement),
                    }
                }
                Rule::nameless => {
                    (edition, cut_off) = (None, None);
                    self.nameless(pair);
                }
                Rule::block => self.orphan_block(pair, statements.last_mut()),
                Rule::closer => {
                    self.hard(&codes::UNCLOSED, &pair, "this `}` closes nothing", "nothing is open here", None)
                }
                _ => {}
            }
        }
        self.is_cut_off = false;
        statements
    }

    /// How many blanks the line begins with that holds `at`.
    fn indent_of(&self, at: usize) -> usize {
        let before = self.scan.text.get(..at).unwrap_or_default();
        let line = before.rfind(['\n', '\r']).map_or(before, |newline| &before[newline + 1..]);
        line.len() - line.trim_start_matches([' ', '\t']).len()
    }

    fn statement(&mut self, pair: Pair<Rule>) -> Option<Statement> {
        let span = self.span_of(&pair);
        let lost = self.touches_lost(&pair);
        let outer = std::mem::replace(&mut self.broken, lost);
        let (mut word, mut set_end) = (None, 0);
        let (mut args, mut binding, mut items, mut block) = (None, None, Vec::new(), None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::name if word.is_none() => word = Some(self.name(&part)),
                Rule::args => args = Some(self.args(part).0),
                Rule::binding => {
                    set_end = part.as_span().end();
                    binding = self.binding(part);
                }
                Rule::setter => self.set_word(word.as_ref(), &part),
                Rule::block => block = Some(self.block(part)),
                _ => self.item(part, &mut items),
            }
        }
        if let (Some(name), true, false) = (&binding, items.is_empty(), self.broken) {
            let message = format!("`{}` has no value", name.text);
            let setter = self.problems.span(set_end - 1, set_end);
            self.hard_at(&codes::SYNTAX, setter, message, "expected a value after this", None);
        }
        let word = word?;
        if std::mem::replace(&mut self.broken, outer) {
            self.unread.push(Unread { word: Some(word.clone()), binding: binding.clone(), span });
            block.as_ref()?;
        }
        Some(Statement { word, args, binding, items, block, span })
    }

    /// `steps = 100`, `transform:`
    fn set_word(&mut self, word: Option<&Name>, setter: &Pair<Rule>) {
        let word = word.map_or("", |word| word.text.as_str());
        let rest = self.problems.text().get(setter.as_span().end()..).unwrap_or_default();
        let message = format!("no `{}` follows the word of a statement", setter.as_str());
        let help = if rest.trim_start_matches([' ', '\t']).starts_with(['\n', '\r', '#']) {
            format!("a block stands in braces: `{word} {{ … }}`")
        } else {
            format!("leave it out: `{word} …`; to name a value write `let {word} = …`")
        };
        self.hard(&codes::FOREIGN_SYNTAX, setter, message, "not here", Some(help));
    }

    fn block(&mut self, pair: Pair<Rule>) -> Block {
        let span = self.span_of(&pair);
        Block { statements: self.statements(pair.into_inner(), None), span }
    }

    /// `target =`
    fn binding(&mut self, pair: Pair<Rule>) -> Option<Name> {
        let mut name = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::dollar => {
                    let span = self.span_of(&part);
                    let problem = Diagnostic::error(
                        &codes::SYNTAX,
                        span,
                        "a `let` is named without `$`",
                        "the dollar stands only where the value is used",
                    );
                    self.problems.soft(problem.with_help("remove the `$`"));
                }
                Rule::name => name = self.plain_name(&part, "a `let` or a model"),
                _ => drop(self.setter(&part)),
            }
        }
        name
    }

    /// An operand or a clause of a statement.
    fn item(&mut self, pair: Pair<Rule>, items: &mut Vec<Expr>) {
        match pair.as_rule() {
            Rule::setting => {
                let name = word_of(&pair);
                let owner = match items.last().map(|item| &item.kind) {
                    Some(ExprKind::Name(owner)) => owner,
                    _ => "sgd",
                };
                let message = format!("`{name}` can't be set here");
                let label = "values are set only between parentheses and after `let`";
                let help = format!("a parameter is written `{owner}({name} = …)`, a clause `{name} …`");
                self.hard(&codes::FOREIGN_SYNTAX, &pair, message, label, Some(help));
            }
            Rule::line_expr => {
                if let Some((expr, _)) = self.expr(pair)
                    && self.may_follow(items, &expr, Place::Line)
                {
                    items.push(expr);
                }
            }
            Rule::stray => self.stray(&pair, Place::Line),
            _ => {}
        }
    }

    /// A line without a word in front.
    fn nameless(&mut self, pair: Pair<Rule>) {
        let outer = std::mem::replace(&mut self.broken, true);
        let span = self.span_of(&pair);
        let mut parts = pair.into_inner();
        if let Some(first) = parts.next() {
            if first.as_rule() == Rule::stray && !first.as_str().starts_with(['+', '-', '*', '/', '.', '>', '→']) {
                self.stray(&first, Place::Line);
            } else if first.as_str().starts_with(['+', '-', '*', '/', '.', '>', '→']) {
                let help = "to go on over several lines, put the whole value in parentheses";
                let message = "a statement ends with its line";
                self.hard(&codes::SYNTAX, &first, message, "a statement begins with a word", Some(help.into()));
            } else {
                let help = "write what it is for, such as `canvas 299x299` or `render \"hen.gif\"`";
                let message = format!("no word stands before {}", hints::quoted(first.as_str()));
                self.hard(&codes::SYNTAX, &first, message, "a statement begins with a word", Some(help.into()));
            }
        }
        for block in parts.filter(|part| part.as_rule() == Rule::block) {
            self.block(block);
        }
        self.unread.push(Unread { word: None, binding: None, span });
        self.broken = outer;
    }

    /// A block on a line of its own. It is taken for the one of the statement above, if that has none.
    fn orphan_block(&mut self, pair: Pair<Rule>, above: Option<&mut Statement>) {
        let brace = self.problems.span(pair.as_span().start(), pair.as_span().start() + 1);
        let block = self.block(pair);
        let between = |above: &Statement| self.problems.text().get(above.span.end..brace.start).unwrap_or_default();
        let above = above.filter(|above| above.block.is_none() && between(above).trim().is_empty());
        let message = "a block begins on the line of its word";
        let help = match &above {
            Some(above) => format!("write `{} … {{`", above.word.text),
            None => "write the word that the block belongs to, such as `transform {`".into(),
        };
        self.hard_at(&codes::SYNTAX, brace, message, "no word stands before this brace", Some(help));
        if let Some(above) = above {
            above.span = above.span.to(block.span);
            above.block = Some(block);
        }
    }

    /// `fviz 1`
    fn edition(&mut self, statement: &Statement) -> Option<(u32, Span)> {
        let unknown = |message: String, span: Span| {
            Diagnostic::error(&codes::UNKNOWN_EDITION, span, message, format!("this program knows edition {EDITION}"))
        };
        if let ([Expr { kind: ExprKind::Number { value, unit: None }, span }], None, None, None) =
            (statement.items.as_slice(), &statement.args, &statement.binding, &statement.block)
        {
            let text = self.problems.text().get(span.start..span.end).unwrap_or_default();
            if let Ok(number) = text.parse::<u32>() {
                if number != EDITION {
                    let problem = unknown(format!("edition `{number}` of the language is not known"), *span);
                    self.problems.soft(problem.with_help(format!("write `fviz {EDITION}`, or get a newer fviz")));
                }
                return Some((number, statement.span));
            }
            self.problems.soft(
                unknown(format!("`{value}` is no edition of the language"), *span)
                    .with_help(format!("write `fviz {EDITION}`")),
            );
        } else {
            self.problems.soft(
                unknown("this line names the edition of the language, and nothing else".into(), statement.span)
                    .with_help(format!("write `fviz {EDITION}`")),
            );
        }
        Some((EDITION, statement.span))
    }

    fn late_edition(&mut self, statement: &Statement) {
        let message = "the edition is named above all statements";
        let problem = Diagnostic::error(&codes::UNKNOWN_EDITION, statement.span, message, "too late here");
        self.problems.soft(problem.with_help("move this line to the top"));
    }

    /// Tells of something that can't be read; the statement is not whole.
    pub(super) fn hard(
        &mut self,
        code: &'static Code,
        pair: &Pair<Rule>,
        message: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) {
        let span = self.span_of(pair);
        self.hard_at(code, span, message, label, help);
    }

    /// Tells of something that can't be read; the statement is not whole.
    pub(super) fn hard_at(
        &mut self,
        code: &'static Code,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) {
        self.broken = true;
        self.problems.hard(span.start, |_| Diagnostic { help, ..Diagnostic::error(code, span, message, label) });
    }

    /// Tells of a character that means nothing where it stands.
    pub(super) fn stray(&mut self, pair: &Pair<Rule>, place: Place) {
        self.broken = true;
        let span = self.span_of(pair);
        let rest = self.problems.text().get(span.start..).unwrap_or_default();
        self.problems.hard(span.start, |_| hints::stray(pair.as_str(), rest, span, place));
    }

    pub(super) fn span_of(&self, pair: &Pair<Rule>) -> Span {
        let span = pair.as_span();
        self.problems.span(span.start(), span.end())
    }

    /// Whether the scan blanked something in the head of a statement or behind it.
    fn touches_lost(&self, pair: &Pair<Rule>) -> bool {
        if self.scan.lost.is_empty() {
            return false;
        }
        let (start, mut end) = (pair.as_span().start(), pair.as_span().end());
        match pair.clone().into_inner().find(|part| part.as_rule() == Rule::block) {
            Some(block) => end = block.as_span().start(),
            None => {
                let rest = self.scan.text.as_bytes().get(end..).unwrap_or_default();
                end += rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            }
        }
        let after = self.scan.lost.partition_point(|range| range.start <= end);
        after.checked_sub(1).and_then(|last| self.scan.lost.get(last)).is_some_and(|range| range.end > start)
    }
}

/// The first name in a pair.
fn word_of<'i>(pair: &Pair<'i, Rule>) -> &'i str {
    pair.clone().into_inner().next().map_or("", |name| name.as_str())
}
