//! **fviz** shows what a neural network has learned: it runs recipes that grow a picture until a part of a frozen
//! convnet answers to it.
//!
//! One road leads through this crate and never back; each room hands the next a type of its own:
//! `source` → `syntax` → `check` → `plan` → `run` → `render`. docs/ARCHITECTURE.md is the map, `tests/walls.rs` holds it.

pub mod canvas;
pub mod check;
pub mod cli;
pub mod live;
pub mod nets;
pub mod ops;
pub mod plan;
pub mod render;
pub mod run;
pub mod session;
pub mod source;
pub mod spec;
pub mod store;
pub mod syntax;
pub mod words;
