//! Text → tree. `parse` never fails: what can't be read becomes a diagnostic, the rest a tree.

pub mod ast;
