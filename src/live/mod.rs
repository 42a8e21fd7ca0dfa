//! Hot reload: a saved recipe starts anew at once.
//!
//! [`Watcher`] notices what was saved; [`Reload`] is the loop: events in, runs out. Runs happen on a thread of their
//! own, so that a recipe is checked while the last one still runs. Invariant: knows no terminal; what is to be seen is
//! told to a [`Screen`].

mod fingerprint;
mod folders;
mod preview;
mod recorder;
mod reload;
mod runner;
mod watcher;

pub use preview::preview_path;
pub use reload::{Reload, Screen};
pub use runner::{Step, Told};
pub use watcher::{Change, Watcher};
