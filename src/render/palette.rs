//! One palette for a whole animation, made in Oklab.
//!
//! A sample of all frames is split by Wu's method and refined by k-means (both of the `quantette` crate). Colours that
//! fill flat areas (gutters, label strips, the grey of the start) are kept exactly, and an animation that has no more
//! colours than a palette holds loses nothing.

use super::nearest::Nearest;
use super::oklab::{self, Lab};
use image::RgbImage;
use quantette::deps::palette::Oklab;
use quantette::kmeans::{Kmeans, KmeansOptions};
use quantette::wu::{BinnerF32x3, WuF32x3};
use quantette::{PaletteBuf, PaletteSize};
use rayon::prelude::*;
use std::collections::HashSet;

/// The most colours of a palette: 256 less the index that a GIF needs for transparency.
pub const MAX_COLORS: usize = 255;

/// How many pixels of all frames the palette is made from; more changes nothing that can be seen.
const SAMPLE: usize = 200_000;

/// A colour that fills at least this share of the sample is a flat area and gets an exact entry.
const FLAT_SHARE: f64 = 1.0 / 400.0;

/// The most exact entries for flat areas, so that a noisy grey can't take the palette.
const MAX_FLAT: usize = 16;

/// Up to [`MAX_COLORS`] colours, sorted from dark to light, with a fast search for the nearest one.
pub struct Palette {
    colors: Vec<[u8; 3]>,
    labs: Vec<Lab>,
    nearest: Nearest,
}

impl Palette {
    /// The palette that suits all `frames` together.
    pub fn of(frames: &[RgbImage]) -> Self {
        if let Some(colors) = few_colors(frames) {
            return Self::new(colors);
        }
        let mut sample = sample(frames);
        let flat = flat_colors(&sample);
        sample.retain(|color| !flat.contains(color));
        let mut colors = cluster(&sample, MAX_COLORS - flat.len());
        colors.extend(flat);
        Self::new(colors)
    }

    /// A palette of the first [`MAX_COLORS`] of `colors`, doubles removed; of black if there are none.
    pub fn new(mut colors: Vec<[u8; 3]>) -> Self {
        colors.truncate(MAX_COLORS);
        if colors.is_empty() {
            colors.push([0, 0, 0]);
        }
        let mut entries: Vec<_> = colors.into_iter().map(|color| (oklab::from_srgb(color), color)).collect();
        entries.sort_by(|(p, c), (q, d)| p[0].total_cmp(&q[0]).then(c.cmp(d)));
        entries.dedup();
        let (labs, colors): (Vec<_>, Vec<_>) = entries.into_iter().unzip();
        Self { nearest: Nearest::new(&labs), colors, labs }
    }

    /// The colours, sRGB-encoded, from dark to light.
    pub fn colors(&self) -> &[[u8; 3]] {
        &self.colors
    }

    /// The colour of an entry in Oklab; an index past the end means the last entry.
    pub fn lab(&self, index: u8) -> Lab {
        self.labs.get(usize::from(index)).or(self.labs.last()).copied().unwrap_or_default()
    }

    /// The entry nearest to `color`, the darkest of several equally near.
    pub fn nearest(&self, color: Lab) -> u8 {
        self.nearest.of(color)
    }
}

/// All colours of the frames, sorted, unless there are more than a palette holds.
fn few_colors(frames: &[RgbImage]) -> Option<Vec<[u8; 3]>> {
    let mut seen = HashSet::new();
    for frame in frames {
        let mut last = None;
        for pixel in frame.pixels() {
            if last != Some(pixel.0) && seen.insert(pixel.0) && seen.len() > MAX_COLORS {
                return None;
            }
            last = Some(pixel.0);
        }
    }
    let mut colors: Vec<_> = seen.into_iter().collect();
    colors.sort_unstable();
    Some(colors)
}

/// Evenly spread pixels of all frames, about [`SAMPLE`] of them.
fn sample(frames: &[RgbImage]) -> Vec<[u8; 3]> {
    let total: usize = frames.iter().map(|frame| frame.width() as usize * frame.height() as usize).sum();
    // Odd, so that it does not run down a column of a picture whose width is even.
    let stride = (total / SAMPLE).max(1) | 1;
    frames.iter().flat_map(RgbImage::pixels).step_by(stride).map(|pixel| pixel.0).collect()
}

/// The colours that fill flat areas, the most frequent first.
fn flat_colors(sample: &[[u8; 3]]) -> Vec<[u8; 3]> {
    let mut sorted = sample.to_vec();
    sorted.par_sort_unstable();
    let least = ((sample.len() as f64 * FLAT_SHARE) as usize).max(2);
    let runs = sorted.chunk_by(|a, b| a == b).filter(|run| run.len() >= least);
    let mut flat: Vec<_> = runs.filter_map(|run| Some((run.len(), *run.first()?))).collect();
    flat.sort_by(|(n, c), (m, d)| m.cmp(n).then(c.cmp(d)));
    flat.truncate(MAX_FLAT);
    flat.into_iter().map(|(_, color)| color).collect()
}

/// `count` colours that stand for the sample: Wu's boxes, then k-means.
fn cluster(sample: &[[u8; 3]], count: usize) -> Vec<[u8; 3]> {
    let labs: Vec<_> = sample
        .par_iter()
        .map(|color| {
            let [l, a, b] = oklab::from_srgb(*color);
            Oklab::new(l, a, b)
        })
        .collect();
    let Ok(wu) = WuF32x3::run_slice(&labs, BinnerF32x3::oklab_from_srgb8()) else {
        return Vec::new(); // nothing was sampled
    };
    let boxes: PaletteBuf<Oklab> = wu.palette(PaletteSize::from_u16_clamped(count as u16));
    // Serial on purpose: the parallel form's result depends on its batches.
    let Ok(kmeans) = Kmeans::run_slice(&labs, boxes, KmeansOptions::new()) else {
        return Vec::new(); // unreachable: a sample is never longer than 2^32
    };
    kmeans.into_palette().into_vec().into_iter().map(|c| oklab::to_srgb([c.l, c.a, c.b])).collect()
}
