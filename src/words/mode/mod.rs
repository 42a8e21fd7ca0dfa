//! Changes of the canvas itself before each step, and of what it is taken for.

mod drift;
mod eternal_zoom;
mod kaleidoscope;
mod octaves;
mod tile;

use super::Mode;

/// All modes.
pub static MODES: &[&dyn Mode] =
    &[&eternal_zoom::EternalZoom, &drift::Drift, &octaves::Octaves, &tile::Tile, &kaleidoscope::Kaleidoscope];
