//! From true colour to palette entries, with ordered dithering where it is needed.
//!
//! Error diffusion gives every frame another grain, which flickers. Here an entry depends on nothing but the pixel, its
//! neighbours and its place on the screen: what does not change stays still.
//!
//! The method is T. Knoll's pattern dithering (US patent 6606166, expired 2019): for a colour, candidates are chosen one after another so that their
//! mean comes ever closer to it; sorted by lightness, a threshold matrix picks one. A colour that the palette holds stays
//! exact. Grain hides bands in smooth areas and only harms busy ones, so it is faded out where the neighbours differ.

use super::oklab::{self, Lab};
use super::palette::Palette;
use image::RgbImage;
use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};

/// How many candidates stand for a colour: the number of steps between two neighbouring palette entries.
const CANDIDATES: usize = 8;

/// Lightness differences (of 255) among the 3x3 neighbours: up to the first, full grain; from the second on, none.
const SMOOTH: (u8, u8) = (6, 24);

/// Grain fades in steps of so much between them.
const STEP: u8 = 6;

/// Bayer's 8x8 matrix: the rank of each place, 0..64.
const BAYER: [[u8; 8]; 8] = [
    [0, 32, 8, 40, 2, 34, 10, 42],
    [48, 16, 56, 24, 50, 18, 58, 26],
    [12, 44, 4, 36, 14, 46, 6, 38],
    [60, 28, 52, 20, 62, 30, 54, 22],
    [3, 35, 11, 43, 1, 33, 9, 41],
    [51, 19, 59, 27, 49, 17, 57, 25],
    [15, 47, 7, 39, 13, 45, 5, 37],
    [63, 31, 55, 23, 61, 29, 53, 21],
];

/// The palette entry of every pixel of every frame, row by row.
pub fn index(frames: &[RgbImage], palette: &Palette) -> Vec<Vec<u8>> {
    // Frames that follow one another share most colours, so each piece of work is several of them.
    let piece = frames.len().div_ceil(4 * rayon::current_num_threads()).max(1);
    // What one piece found serves the next.
    let found = Mutex::new(Vec::new());
    let pieces = frames.par_chunks(piece).map(|frames| {
        let kept = found.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut patterns = kept.unwrap_or_else(|| Patterns::new(palette));
        let indexed: Vec<_> = frames.iter().map(|frame| index_one(frame, &mut patterns)).collect();
        found.lock().unwrap_or_else(PoisonError::into_inner).push(patterns);
        indexed
    });
    pieces.collect::<Vec<_>>().into_iter().flatten().collect()
}

fn index_one(frame: &RgbImage, patterns: &mut Patterns) -> Vec<u8> {
    let spread = spread(frame);
    let width = frame.width().max(1) as usize;
    let mut out = Vec::with_capacity(spread.len());
    for ((row, spread), ranks) in frame.rows().zip(spread.chunks(width)).zip(BAYER.iter().cycle()) {
        for ((pixel, spread), rank) in row.zip(spread).zip(ranks.iter().cycle()) {
            out.push(patterns.of(pixel.0, *spread)[usize::from(*rank) * CANDIDATES / 64]);
        }
    }
    out
}

/// The entries that stand for a colour, from dark to light: which one it is depends on the place.
type Pattern = [u8; CANDIDATES];

/// Patterns of colours, the latest kept: pictures repeat their colours, and a pattern takes long to find.
struct Patterns<'p> {
    palette: &'p Palette,
    kept: Vec<(u32, Pattern)>,
}

impl<'p> Patterns<'p> {
    /// As many as a frame has, 2 to this power: 3 MB.
    const BITS: u32 = 18;

    fn new(palette: &'p Palette) -> Self {
        // No colour has this key.
        Self { palette, kept: vec![(u32::MAX, Pattern::default()); 1 << Self::BITS] }
    }

    fn of(&mut self, rgb: [u8; 3], spread: u8) -> Pattern {
        // In a few steps, as more can't be seen and would be as many more patterns.
        let spread = spread.saturating_add(STEP / 2).clamp(SMOOTH.0, SMOOTH.1) / STEP * STEP;
        let key = u32::from_le_bytes([rgb[0], rgb[1], rgb[2], spread]);
        // Multiplied by 2^32 over the golden ratio, the upper bits differ for keys that are alike.
        let slot = &mut self.kept[(key.wrapping_mul(0x9e37_79b9) >> (32 - Self::BITS)) as usize];
        if slot.0 != key {
            *slot = (key, pattern(oklab::from_srgb(rgb), grain(spread), self.palette));
        }
        slot.1
    }
}

/// Full grain is 1, none 0.
fn grain(spread: u8) -> f32 {
    let (low, high) = (f32::from(SMOOTH.0), f32::from(SMOOTH.1));
    ((high - f32::from(spread)) / (high - low)).clamp(0.0, 1.0)
}

fn pattern(color: Lab, grain: f32, palette: &Palette) -> Pattern {
    let nearest = palette.nearest(color);
    let mut candidates = [nearest; CANDIDATES];
    if grain == 0.0 || palette.lab(nearest) == color {
        return candidates;
    }
    let mut error = [0.0f32; 3];
    for slot in 1..CANDIDATES {
        let chosen = palette.lab(candidates[slot - 1]);
        for axis in 0..3 {
            error[axis] += color[axis] - chosen[axis];
        }
        candidates[slot] = palette.nearest(std::array::from_fn(|axis| color[axis] + grain * error[axis]));
    }
    // Entries are sorted by lightness.
    candidates.sort_unstable();
    candidates
}

/// How far the lightness of each pixel's 3x3 neighbours differs, 0..255.
fn spread(frame: &RgbImage) -> Vec<u8> {
    let width = frame.width().max(1) as usize;
    // Weights 1/4, 5/8, 1/8: luma is exact enough here, and integers are the same everywhere.
    let luma: Vec<u8> = frame
        .pixels()
        .map(|p| {
            let [r, g, b] = p.0.map(u16::from);
            ((2 * r + 5 * g + b) / 8) as u8
        })
        .collect();
    let rows: Vec<&[u8]> = luma.chunks(width).collect();
    let mut out = Vec::with_capacity(luma.len());
    // Of each column's three pixels; one more column at both ends repeats its neighbour.
    let (mut low, mut high) = (vec![0u8; width + 2], vec![0u8; width + 2]);
    for (y, row) in rows.iter().enumerate() {
        let (above, below) = (rows[y.saturating_sub(1)], rows[(y + 1).min(rows.len() - 1)]);
        let ends = low[1..].iter_mut().zip(&mut high[1..]);
        for (((low, high), here), (above, below)) in ends.zip(*row).zip(above.iter().zip(below)) {
            (*low, *high) = (*here.min(above).min(below), *here.max(above).max(below));
        }
        for ends in [&mut low, &mut high] {
            (ends[0], ends[width + 1]) = (ends[1], ends[width]);
        }
        let windows = low.windows(3).zip(high.windows(3));
        out.extend(windows.map(|(l, h)| h[0].max(h[1]).max(h[2]) - l[0].min(l[1]).min(l[2])));
    }
    out
}
