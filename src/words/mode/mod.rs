//! Changes of the canvas itself before each step. No gradient flows through them.

mod drift;
mod eternal_zoom;

use super::Mode;

/// All modes.
pub static MODES: &[&dyn Mode] = &[&eternal_zoom::EternalZoom, &drift::Drift];
