//! The tree of a recipe: shape and places, no meaning.
//!
//! The grammar knows no keywords, so neither does the tree: `every 10 steps` is a name, a number and a name here.
//! [`crate::check`] gives the words their meaning.

use crate::source::Span;

/// One file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ast {
    /// The edition on the first line, `fviz 1`: its number and place.
    pub edition: Option<(u32, Span)>,
    /// The statements, in order; a line that can't be read has become a diagnostic and is not here.
    pub statements: Vec<Statement>,
    /// Where statements stood that could not be read, or not whole, those in blocks too. They are already told; what
    /// follows only from their absence (a missing `model`, an unknown `$target`) should not be told as well. One that
    /// has a block is in the tree nevertheless, for what stands in the block is whole.
    pub unread: Vec<Unread>,
}

/// What is known of a statement that could not be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Unread {
    /// Its first word, if it has one.
    pub word: Option<Name>,
    /// What it would have named.
    pub binding: Option<Name>,
    /// Where it stands.
    pub span: Span,
}

/// A name and where it stands. Nodes of a network are dotted names: `layer3.1.conv2`.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// As written.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// `word (args)? (name =)? item* block?`
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// Its first word.
    pub word: Name,
    /// Arguments that follow the word at once: `transform(views = 2)`.
    pub args: Option<Args>,
    /// What it names: `let target = …`, `model a = …`.
    pub binding: Option<Name>,
    /// Operands and clauses, side by side.
    pub items: Vec<Expr>,
    /// What stands in `{ }`.
    pub block: Option<Block>,
    /// From the word to the last item or brace.
    pub span: Span,
}

/// Statements between braces.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The statements.
    pub statements: Vec<Statement>,
    /// Braces included.
    pub span: Span,
}

/// Arguments between parentheses.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// In order, as written.
    pub list: Vec<Argument>,
    /// Parentheses included.
    pub span: Span,
}

/// `value` or `name = value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// The parameter's name, if given.
    pub name: Option<Name>,
    /// The value.
    pub value: Phrase,
}

/// Expressions side by side, at least one: `each 0..60 by 4`, `2.5 -> 0.5 cosine`, `pick [1, 2]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Phrase {
    /// The expressions.
    pub items: Vec<Expr>,
    /// From the first to the last.
    pub span: Span,
}

/// An expression and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where.
    pub span: Span,
}

/// The forms of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `12`, `0.5`, `1e-3`; with a unit that follows at once: `15deg`, `2%` (not yet divided by 100).
    Number {
        /// As written.
        value: f64,
        /// The unit, if any.
        unit: Option<Name>,
    },
    /// `"hen"`, escapes resolved; `{target}` in it is not yet filled in.
    Text(String),
    /// `299x299`: width, height.
    Size(u32, u32),
    /// A bare name.
    Name(String),
    /// `$name`, without the dollar.
    Let(String),
    /// `[a, b]`
    List(Vec<Phrase>),
    /// `(x, y)`; with one member, parentheses that only group.
    Group(Vec<Phrase>),
    /// `name(…)`
    Call(Name, Args),
    /// `-a`, `±a`
    Unary(Unary, Box<Expr>),
    /// `a + b`, `a .. b`, `a -> b`
    Binary(Binary, Box<Expr>, Box<Expr>),
}

/// Operators before an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    /// `-`
    Minus,
    /// `±` (`+-` is accepted)
    PlusMinus,
}

/// Operators between operands, loosest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// `->`
    Tween,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `..`
    Range,
}
