//! Animated GIFs: one palette, still pixels that stay still, and only what changed in each frame.
//!
//! Frames become palette entries ([`super::dither`]), a pixel that hardly changed keeps its entry ([`super::steady`]),
//! each frame is cut to the box of what changed, and boxes are compressed in parallel. The bytes do not depend on the
//! number of threads.
//!
//! Why one palette for all frames and not one a frame: MEASURED

use super::metadata::Metadata;
use super::palette::Palette;
use super::picture::MAX_SIDE;
use super::{dither, steady};
use ::gif::{AnyExtension, DisposalMethod, Encoder, EncodingError, Extension, Frame, Repeat};
use image::RgbImage;
use rayon::prelude::*;
use std::borrow::Cow;
use std::io::{self, Write};
use thiserror::Error;

/// The highest rate: a GIF counts in 1/100 s, and browsers slow down delays below 2 of them.
pub const MAX_FPS: f64 = 50.0;

/// How an animation plays and what the file says about itself.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Frames a second, above 0 and up to [`MAX_FPS`].
    pub fps: f64,
    /// How long the last frame is shown, in seconds.
    pub hold: f64,
    /// How often it plays.
    pub plays: Plays,
    /// What [`super::metadata::read`] finds in the file.
    pub metadata: Option<&'a Metadata>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self { fps: 12.0, hold: 1.0, plays: Plays::Forever, metadata: None }
    }
}

/// How often an animation plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plays {
    /// Without end.
    Forever,
    /// This many times; 0 counts as 1.
    Times(u16),
}

/// Why frames could not become a GIF.
#[derive(Debug, Error)]
pub enum GifError {
    /// There is no frame, or the frames have no pixel.
    #[error("an animation needs at least one frame of at least one pixel")]
    Empty,
    /// Frames differ in size; [`super::picture::same_size`] mends that.
    #[error("frame {frame} is {found}, the first one {first}")]
    Size {
        /// The frame's number, from 0.
        frame: usize,
        /// The size of that frame.
        found: String,
        /// The size of the first one.
        first: String,
    },
    /// A side is longer than [`MAX_SIDE`].
    #[error("{width}x{height} is too large for a GIF, whose sides end at {MAX_SIDE} pixels")]
    TooLarge {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// The rate is not a number above 0 and up to [`MAX_FPS`].
    #[error("a GIF can't play at {0} fps, only at up to {MAX_FPS}")]
    Rate(f64),
    /// The bytes could not be written.
    #[error(transparent)]
    Write(#[from] io::Error),
    /// The frames could not be encoded.
    #[error("can't encode the GIF: {0}")]
    Encode(String),
}

impl From<EncodingError> for GifError {
    fn from(error: EncodingError) -> Self {
        match error {
            EncodingError::Io(error) => Self::Write(error),
            other => Self::Encode(other.to_string()),
        }
    }
}

/// The animation as bytes.
pub fn encode(frames: &[RgbImage], options: &Options) -> Result<Vec<u8>, GifError> {
    let mut bytes = Vec::new();
    write(&mut bytes, frames, options)?;
    Ok(bytes)
}

/// Writes the animation. All frames must have the size of the first.
pub fn write(out: impl Write, frames: &[RgbImage], options: &Options) -> Result<(), GifError> {
    let (width, height) = check(frames)?;
    let delays = delays(frames.len(), options.fps, options.hold)?;
    let (palette, indexed) = quantize(frames);
    let changes: Vec<_> = (0..indexed.len())
        .into_par_iter()
        .map(|i| Change::between(i.checked_sub(1).map(|before| &indexed[before][..]), &indexed[i], width, &palette))
        .collect();

    let mut table = palette.colors().concat();
    table.extend([0, 0, 0]); // the transparent entry
    let mut encoder = Encoder::new(out, width, height, &table)?;
    match options.plays {
        Plays::Forever => encoder.set_repeat(Repeat::Infinite)?,
        // The file counts repetitions after the first time.
        Plays::Times(times) => encoder.set_repeat(Repeat::Finite(times.saturating_sub(1)))?,
    }
    if let Some(metadata) = options.metadata {
        let comment = metadata.to_ascii_json();
        encoder.write_raw_extension(AnyExtension(Extension::Comment as u8), &[comment.as_bytes()])?;
    }
    for (change, delay) in changes.into_iter().zip(delays) {
        encoder.write_lzw_pre_encoded_frame(&Frame {
            delay,
            dispose: DisposalMethod::Keep,
            transparent: change.transparent,
            left: change.left,
            top: change.top,
            width: change.width,
            height: change.height,
            buffer: Cow::Owned(change.compressed),
            ..Frame::default()
        })?;
    }
    // Without this the last bytes' errors would be lost when the encoder is dropped.
    encoder.into_inner()?.flush()?;
    Ok(())
}

/// The palette and the entries shown in each frame.
fn quantize(frames: &[RgbImage]) -> (Palette, Vec<Vec<u8>>) {
    let palette = Palette::of(frames);
    let mut indexed = dither::index(frames, &palette);
    steady::hold(frames, &mut indexed);
    (palette, indexed)
}

/// How long each of `frames` frames is shown, in 1/100 s.
///
/// Each frame starts at its true time rounded, so the whole has the right length: 12 fps are 8, 9, 8, 8, 9 …
pub fn delays(frames: usize, fps: f64, hold: f64) -> Result<Vec<u16>, GifError> {
    if !(fps > 0.0 && fps <= MAX_FPS) {
        return Err(GifError::Rate(fps));
    }
    let start = |frame: usize| (frame as f64 * 100.0 / fps).round();
    let last = frames.saturating_sub(1);
    let mut delays: Vec<_> = (0..last).map(|frame| (start(frame + 1) - start(frame)) as u16).collect();
    if frames > 0 {
        delays.push((hold * 100.0).round() as u16);
    }
    Ok(delays)
}

/// The size that all frames share.
fn check(frames: &[RgbImage]) -> Result<(u16, u16), GifError> {
    let size = |frame: &RgbImage| format!("{}x{}", frame.width(), frame.height());
    let first = frames.first().ok_or(GifError::Empty)?;
    let (width, height) = first.dimensions();
    if width == 0 || height == 0 {
        return Err(GifError::Empty);
    }
    if let Some(frame) = frames.iter().position(|frame| frame.dimensions() != (width, height)) {
        return Err(GifError::Size { frame, found: size(&frames[frame]), first: size(first) });
    }
    match (u16::try_from(width), u16::try_from(height)) {
        (Ok(width), Ok(height)) => Ok((width, height)),
        _ => Err(GifError::TooLarge { width, height }),
    }
}

/// What a frame changes: a box of the screen, compressed.
struct Change {
    left: u16,
    top: u16,
    width: u16,
    height: u16,
    transparent: Option<u8>,
    compressed: Vec<u8>,
}

impl Change {
    /// From the entries shown `before`, if any, to those of `now`.
    fn between(before: Option<&[u8]>, now: &[u8], width: u16, palette: &Palette) -> Self {
        let width = usize::from(width);
        let height = now.len() / width.max(1);
        let Some(before) = before else {
            return Self::compress(now.to_vec(), (0, 0), (width, height), None);
        };
        let clear = palette.colors().len() as u8;
        let Some(area) = Area::of_change(before, now, width) else {
            // Nothing changed: one clear pixel, so that the frame keeps its time.
            return Self::compress(vec![clear], (0, 0), (1, 1), Some(clear));
        };
        let opaque = Self::compress(area.cut(now, width), area.corner(), area.size(), None);
        // Clear pixels make long runs where much is still, and cost bytes where little is.
        let mut sparse = area.cut(now, width);
        let mut still = 0usize;
        for (entry, old) in sparse.iter_mut().zip(area.cut(before, width)) {
            if *entry == old {
                *entry = clear;
                still += 1;
            }
        }
        if still * 8 < sparse.len() {
            return opaque;
        }
        let sparse = Self::compress(sparse, area.corner(), area.size(), Some(clear));
        if sparse.compressed.len() < opaque.compressed.len() { sparse } else { opaque }
    }

    /// Compresses the entries of a box; sides are known to fit since the screen's do.
    fn compress(entries: Vec<u8>, corner: (usize, usize), size: (usize, usize), transparent: Option<u8>) -> Self {
        let (left, top, width, height) = (corner.0 as u16, corner.1 as u16, size.0 as u16, size.1 as u16);
        let mut frame = Frame { width, height, buffer: Cow::Owned(entries), ..Frame::default() };
        frame.make_lzw_pre_encoded();
        Self { left, top, width, height, transparent, compressed: frame.buffer.into_owned() }
    }
}

/// The smallest box that holds every pixel that changed; ends are excluded.
struct Area {
    x: std::ops::Range<usize>,
    y: std::ops::Range<usize>,
}

impl Area {
    fn of_change(before: &[u8], now: &[u8], width: usize) -> Option<Self> {
        let mut area: Option<Self> = None;
        for (y, (old, new)) in before.chunks(width).zip(now.chunks(width)).enumerate() {
            let differs = |(a, b): (&u8, &u8)| a != b;
            let Some(first) = old.iter().zip(new).position(differs) else { continue };
            let last = old.iter().zip(new).rposition(differs).unwrap_or(first);
            area = Some(match area {
                None => Self { x: first..last + 1, y: y..y + 1 },
                Some(area) => Self { x: area.x.start.min(first)..area.x.end.max(last + 1), y: area.y.start..y + 1 },
            });
        }
        area
    }

    fn corner(&self) -> (usize, usize) {
        (self.x.start, self.y.start)
    }

    fn size(&self) -> (usize, usize) {
        (self.x.len(), self.y.len())
    }

    /// The entries inside.
    fn cut(&self, entries: &[u8], width: usize) -> Vec<u8> {
        let rows = entries.chunks(width).skip(self.y.start).take(self.y.len());
        rows.flat_map(|row| row.get(self.x.clone()).unwrap_or_default()).copied().collect()
    }
}

#[cfg(test)]
mod tests;
