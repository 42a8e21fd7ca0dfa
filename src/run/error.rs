//! Why a run stopped, with the place in the recipe that caused it.

use crate::source::{Diagnostic, Span, codes};

/// Why a run stopped. Every frame made before it was handed out.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A number became infinite or no number at all.
    #[error("{}", .0.message())]
    NotFinite(NotFinite),
    /// A word could not do its work; the checker should have said so before.
    #[error("`{word}` failed: {}", reason(source))]
    Word {
        /// The word.
        word: &'static str,
        /// Where it stands.
        span: Span,
        /// What the tensor library said.
        source: candle_core::Error,
    },
    /// The tensor library failed outside of any word.
    #[error("the run failed: {}", reason(.0))]
    Tensor(#[from] candle_core::Error),
}

/// What became infinite or no number at all, and where that was noticed first.
#[derive(Clone, Debug, PartialEq)]
pub struct NotFinite {
    /// What it is of the word.
    pub what: Culprit,
    /// The word.
    pub word: &'static str,
    /// Where it stands.
    pub span: Span,
    /// The variant's label; empty where there is only one variant.
    pub variant: String,
    /// The iteration of the variant's whole way, from 0.
    pub step: usize,
    /// The greatest |value| of the canvas before that step.
    pub greatest: f64,
}

/// What of a word is not finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Culprit {
    /// The value of a term or a penalty.
    Value,
    /// The gradient of a term or a penalty, with respect to what it reads.
    Gradient,
    /// The gradient behind the network, of terms whose own gradients are finite.
    Network,
    /// The gradient behind the transforms, of a network whose own gradient is finite.
    Transforms,
    /// The canvas after this word acted on it.
    Canvas,
}

/// What is wrong with a word, and its place.
pub(super) struct Fault(pub Culprit, pub &'static str, pub Span);

/// Beyond this the canvas has run away: a picture's values lie in 0..1, and a canvas that is not clamped within a few
/// units of it.
const RUNAWAY: f64 = 100.0;

/// What is told of errors that the checker rules out.
const UNEXPECTED: &str = "`fviz check` tells whether a file has changed since; else it is a mistake in fviz: please report it, with the recipe";

impl NotFinite {
    fn message(&self) -> String {
        let what = match self.what {
            Culprit::Value => format!("the value of `{}`", self.word),
            Culprit::Gradient => format!("the gradient of `{}`", self.word),
            Culprit::Network => format!("the gradient behind `{}`", self.word),
            Culprit::Transforms => "the gradient behind the transforms".to_string(),
            Culprit::Canvas => format!("the canvas after `{}`", self.word),
        };
        let of = if self.variant.is_empty() { String::new() } else { format!(" of `{}`", self.variant) };
        format!("{what} is no finite number at step {}{of}", self.step)
    }

    fn diagnostic(&self) -> Diagnostic {
        let label = match self.what {
            Culprit::Value => "became infinite or no number here",
            Culprit::Gradient => "its gradient overflowed",
            Culprit::Network => "overflowed on the way back through the network",
            Culprit::Transforms => "overflowed on the way back through these",
            Culprit::Canvas => "left all bounds here",
        };
        let help = if self.greatest > RUNAWAY || self.what == Culprit::Canvas {
            format!(
                "the canvas had run away before (greatest value {:.3e}): lower `lr`, or hold it with `as pixels(clamp = 0..1)`",
                self.greatest
            )
        } else {
            "lower its weight or `lr`".to_string()
        };
        Diagnostic::error(&codes::NOT_FINITE, self.span, self.message(), label).with_help(help)
    }
}

impl RunError {
    /// Wraps an error of a word's own code.
    pub(super) fn of(word: &'static str, span: Span) -> impl Fn(candle_core::Error) -> RunError {
        move |source| RunError::Word { word, span, source }
    }

    /// The same, as it is told to a person.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            RunError::NotFinite(problem) => problem.diagnostic(),
            RunError::Word { span, .. } => {
                Diagnostic::error(&codes::RUN_FAILED, *span, self.to_string(), "this word stopped the run")
                    .with_help(UNEXPECTED)
            }
            RunError::Tensor(_) => Diagnostic {
                labels: Vec::new(),
                ..Diagnostic::error(&codes::RUN_FAILED, Span::default(), self.to_string(), "")
            }
            .with_help(UNEXPECTED),
        }
    }
}

/// The tensor library's words without the backtrace that it adds under `RUST_BACKTRACE=1`.
pub(crate) fn reason(error: &candle_core::Error) -> String {
    match error {
        candle_core::Error::WithBacktrace { inner, .. } => reason(inner),
        candle_core::Error::Context { inner, context } => format!("{context}: {}", reason(inner)),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_a_help() {
        let error = || candle_core::Error::Msg("no room".into());
        let span = Span { start: 3, end: 7, ..Span::default() };
        for problem in [RunError::of("style", span)(error()), RunError::from(error())] {
            let told = problem.diagnostic();
            assert!(told.help.is_some_and(|help| help.contains("report it")), "{}", told.message);
        }
    }
}
