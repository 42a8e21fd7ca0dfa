//! What differs, to be looked at: expected, got and their difference side by side.

use image::{Rgba, RgbaImage};

use super::{Golden, Rows, SIDE};
use crate::render::layout::{Cell, grid};
use crate::render::picture::enlarge;

/// A pixel of a reduced frame becomes a square of this side.
const SCALE: u32 = 5;

/// Differences are shown this many times as strong around middle gray.
const GAIN: i32 = 4;

/// Rows of the picture, at most; the first ones say enough.
const MOST: usize = 24;

/// Three columns (expected, got, four times the difference around gray), a row for each frame of each variant. `None`
/// where there is nothing to see.
pub fn side_by_side(expected: &Golden, got: &Golden) -> Option<RgbaImage> {
    let mut cells: Vec<(RgbaImage, String)> = Vec::new();
    for (expected, variant) in expected.variants.iter().zip(&got.variants) {
        for (before, now) in expected.frames.iter().zip(&variant.frames) {
            if cells.len() >= 3 * MOST {
                break;
            }
            let name = if variant.label.is_empty() { String::new() } else { format!(": {}", variant.label) };
            cells.push((drawn(&before.rows)?, format!("expected{name}")));
            cells.push((drawn(&now.rows)?, format!("got, step {}", now.step)));
            cells.push((drawn(&difference(&before.rows, &now.rows))?, format!("difference x{GAIN}")));
        }
    }
    let shown: Vec<Cell> = cells.iter().map(|(picture, label)| Cell { picture, label }).collect();
    grid(&shown, 3, cells.len().div_ceil(3)).ok()
}

fn difference(a: &Rows, b: &Rows) -> Rows {
    let pixel = |(a, b): (&[u8; 3], &[u8; 3])| {
        let mut out = [0; 3];
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            *out = (128 + GAIN * (i32::from(*b) - i32::from(*a))).clamp(0, 255) as u8;
        }
        out
    };
    Rows(a.0.iter().zip(&b.0).map(pixel).collect())
}

fn drawn(rows: &Rows) -> Option<RgbaImage> {
    let side = SIDE as u32;
    let pixel = |x: u32, y: u32| {
        let [r, g, b] = rows.0.get((y * side + x) as usize).copied().unwrap_or_default();
        Rgba([r, g, b, u8::MAX])
    };
    enlarge(&RgbaImage::from_fn(side, side, pixel), SCALE).ok()
}
