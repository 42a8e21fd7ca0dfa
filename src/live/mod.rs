//! Hot reload: a saved recipe starts anew at once. So far, the part that notices what was saved.

mod fingerprint;
mod folders;
mod watcher;

pub use watcher::{Change, Watcher};
