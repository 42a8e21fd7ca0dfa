//! Where text comes from and how a problem in it is told: spans, files, diagnostics, and the one door to the outside.
//!
//! Invariant: nothing here knows the language, the terminal or the network. Rooms below describe problems as
//! [`Diagnostic`]s; only the command line words them for a person.

mod cancel;
mod diagnostic;
pub mod photo;
mod span;
mod world;

pub use cancel::CancelToken;
pub use diagnostic::{Code, Diagnostic, Label, Severity, codes};
pub use span::{FileId, SourceFile, Sources, Span};
pub use world::{Entry, MemoryWorld, SystemWorld, World};
