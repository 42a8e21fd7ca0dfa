//! What is wrong, where, and what to do about it.

use super::Span;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Note,
    /// Probably not what was meant; the recipe still runs.
    Warning,
    /// The recipe can't run.
    Error,
}

/// A kind of problem: its name and its page (`fviz explain unknown_class`).
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// snake_case name; shown as `fviz::name`.
    pub name: &'static str,
    /// What it means, why it matters and what to write instead, for `fviz explain`.
    pub doc: &'static str,
}

/// A place with a few words about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What was expected there, or what is there.
    pub text: String,
}

/// One problem of a recipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of problem.
    pub code: &'static Code,
    /// How bad.
    pub severity: Severity,
    /// One line, lower case, no full stop; backticks round what the user wrote.
    pub message: String,
    /// The places, the main one first. Empty for a problem of no place (a missing statement).
    pub labels: Vec<Label>,
    /// What to type instead.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at `span`; `label` says what was expected there.
    pub fn error(code: &'static Code, span: Span, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            labels: vec![Label { span, text: label.into() }],
            help: None,
        }
    }

    /// A warning at `span`.
    pub fn warning(code: &'static Code, span: Span, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message, label) }
    }

    /// A note at `span`.
    pub fn note(code: &'static Code, span: Span, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self { severity: Severity::Note, ..Self::error(code, span, message, label) }
    }

    /// Adds the help line.
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a second place.
    pub fn with_label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// The main place.
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }
}

/// Every code there is. A test asserts that each has a fixture under `tests/suite/`.
pub mod codes {
    use super::Code;

    macro_rules! codes {
        ($($(#[doc = $doc:literal])+ $name:ident = $text:literal;)+) => {
            $($(#[doc = $doc])+ pub static $name: Code = Code { name: $text, doc: concat!($($doc, "\n"),+) };)+
            /// All of them, in the order of this file.
            pub static ALL: &[&Code] = &[$(&$name),+];
        };
    }

    codes! {
        /// The text is not a statement of the language. Every statement is a word, its operands and clauses, and
        /// perhaps a block: `optimize sgd(lr = 1.5) for 200 steps`.
        SYNTAX = "syntax";
        /// Brackets or blocks are nested more than 64 levels deep.
        TOO_DEEP = "too_deep";
        /// Two `render` statements write the same file, so one would be lost. Names that differ only in case are the
        /// same on many machines.
        SAME_FILE = "same_file";
        /// Several variants would be written into one file whose layout shows one. Put `{label}`, or a let such as
        /// `{target}`, into the name, or show them together: `render "all.gif" as grid(4x2)`.
        SHARED_FILE = "shared_file";
        /// A grid has fewer cells than there are variants: `grid(4x2)` holds eight.
        GRID_TOO_SMALL = "grid_too_small";
        /// A still with `every` is written again and again, so its name must say which step it shows:
        /// `render "hen-{step}.png" every 50 steps`.
        STILL_NEEDS_STEP = "still_needs_step";
        /// The run would need more memory than is free. A step keeps every activation of the network until its
        /// gradient is known, so memory grows with the area of the canvas and the number of views.
        TOO_MUCH_MEMORY = "too_much_memory";
        /// While a recipe ran, a number became infinite or no number at all. Mostly the steps are too long: the canvas
        /// runs away, the network's values overflow. Lower `lr`, or hold the canvas with `as pixels(clamp = 0..1)`.
        NOT_FINITE = "not_finite";
        /// A run stopped for a reason that the check should have found; this is a fault of fviz.
        RUN_FAILED = "run_failed";
        /// All gradients of a picture died behind a ReLU, so nothing would have moved. For the first 16 steps the part
        /// that pushes the unit up was let through (lucid's redirected ReLU).
        DEAD_START = "dead_start";
        /// The network gave no gradient in the first steps: what is maximized does not answer to the picture, mostly
        /// since it is silent behind a ReLU. Let `redirect` on, or start from another picture or seed.
        NO_GRADIENT = "no_gradient";
    }
}
