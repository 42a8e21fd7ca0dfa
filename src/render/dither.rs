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

/// How many candidates stand for a colour: the number of steps between two neighbouring palette entries.
const CANDIDATES: usize = 8;

/// Lightness differences (of 255) among the 3x3 neighbours: up to the first, full grain; from the second on, none.
const SMOOTH: (u8, u8) = (6, 24);

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

/// The palette entry of every pixel, row by row.
pub fn index(frame: &RgbImage, palette: &Palette) -> Vec<u8> {
    let spread = spread(frame);
    let width = frame.width().max(1) as usize;
    // Flat areas repeat a colour; its search is not repeated.
    let mut last: Option<([u8; 3], Lab, u8)> = None;
    let mut out = Vec::with_capacity(spread.len());
    for (place, (pixel, spread)) in frame.pixels().zip(spread).enumerate() {
        let (color, nearest) = match last {
            Some((rgb, lab, nearest)) if rgb == pixel.0 => (lab, nearest),
            _ => {
                let lab = oklab::from_srgb(pixel.0);
                (lab, palette.nearest(lab))
            }
        };
        last = Some((pixel.0, color, nearest));
        let grain = grain(spread);
        out.push(if grain == 0.0 {
            nearest
        } else {
            let rank = BAYER[place / width % 8][place % width % 8];
            pattern(color, nearest, grain, rank, palette)
        });
    }
    out
}

/// Full grain is 1, none 0.
fn grain(spread: u8) -> f32 {
    let (low, high) = (f32::from(SMOOTH.0), f32::from(SMOOTH.1));
    ((high - f32::from(spread)) / (high - low)).clamp(0.0, 1.0)
}

/// The candidate for `color` at a place of this rank. `nearest` is the first candidate.
fn pattern(color: Lab, nearest: u8, grain: f32, rank: u8, palette: &Palette) -> u8 {
    let mut candidates = [nearest; CANDIDATES];
    let mut error = [0.0f32; 3];
    for (slot, entry) in candidates.iter_mut().enumerate() {
        if slot > 0 {
            *entry = palette.nearest(std::array::from_fn(|axis| color[axis] + grain * error[axis]));
        }
        let chosen = palette.lab(*entry);
        for axis in 0..3 {
            error[axis] += color[axis] - chosen[axis];
        }
    }
    // Entries are sorted by lightness.
    candidates.sort_unstable();
    candidates[usize::from(rank) * CANDIDATES / 64]
}

/// How far the lightness of each pixel's 3x3 neighbours differs, 0..255.
fn spread(frame: &RgbImage) -> Vec<u8> {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    // Weights 1/4, 5/8, 1/8: luma is exact enough here, and integers are the same everywhere.
    let luma: Vec<u8> = frame
        .pixels()
        .map(|p| {
            let [r, g, b] = p.0.map(u16::from);
            ((2 * r + 5 * g + b) / 8) as u8
        })
        .collect();
    let mut out = vec![0; luma.len()];
    let mut across = vec![(0, 0); luma.len()];
    for (row, out) in luma.chunks(width.max(1)).zip(across.chunks_mut(width.max(1))) {
        for (x, out) in out.iter_mut().enumerate() {
            let near = &row[x.saturating_sub(1)..(x + 2).min(width)];
            *out = near.iter().fold((255, 0), |(low, high), v| (v.min(&low).to_owned(), v.max(&high).to_owned()));
        }
    }
    for y in 0..height {
        for x in 0..width {
            let rows = y.saturating_sub(1)..(y + 2).min(height);
            let (low, high) = rows.fold((255u8, 0u8), |(low, high), y| {
                let (l, h) = across[y * width + x];
                (low.min(l), high.max(h))
            });
            out[y * width + x] = high.saturating_sub(low);
        }
    }
    out
}
