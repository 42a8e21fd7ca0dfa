//! What a file says about itself: enough to make the same picture again.
//!
//! One JSON object, its keys always in the same order, in an `iTXt` chunk of a PNG or a comment of a GIF. No time, host,
//! path, thread count or speed: the same run gives the same file.

use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use thiserror::Error;

/// The keyword of the PNG chunk.
pub const KEYWORD: &str = "fviz";

/// The first bytes of the JSON, by which a GIF comment is known to be ours.
const OPENING: &str = "{\"fviz\":";

/// The most bytes that are read as metadata, far above any recipe.
const MAX_BYTES: usize = 16 << 20;

/// Everything that made a picture.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// The version of fviz that made it.
    #[serde(rename = "fviz")]
    pub version: String,
    /// The whole recipe, every default and every `use` written in.
    pub recipe: String,
    /// The weights of each model.
    #[serde(default)]
    pub weights: Vec<Weights>,
    /// Why the picture may not be used commercially, in the words of the weights' licence, if so.
    #[serde(default)]
    pub non_commercial: Option<String>,
    /// One entry for each variant that the picture shows.
    #[serde(default)]
    pub variants: Vec<Variant>,
}

/// Which weights a model had.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weights {
    /// The model's name, such as `resnet18`.
    pub name: String,
    /// The SHA-256 of the weights' file, in hexadecimal.
    pub sha256: String,
}

/// One variant and how it ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// What tells it from the others, such as `hen`; empty if it is the only one.
    pub label: String,
    /// Its seed.
    pub seed: u64,
    /// The last score of every term, in the recipe's order.
    #[serde(default)]
    pub scores: Vec<Score>,
    /// Where it was stopped, if the run was stopped before its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
}

/// How far a variant came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// Steps that were made.
    pub step: u64,
    /// Steps that the recipe asks for.
    pub of: u64,
}

/// The value of one term.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The term, as the recipe writes it.
    pub term: String,
    /// Its value; `null` in the file (a NaN or an infinity) is a NaN here.
    #[serde(deserialize_with = "number_or_null")]
    pub value: f64,
}

/// Why metadata that is there could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MetadataError {
    /// The bytes are neither a PNG nor a GIF.
    #[error("this is neither a PNG nor a GIF")]
    Format,
    /// The file ends early, or its parts contradict each other.
    #[error("the file is damaged")]
    Damaged,
    /// The metadata is longer than 16 MiB.
    #[error("the metadata is too long")]
    TooLong,
    /// The metadata is ours but is not what it should be.
    #[error("the metadata is damaged: {0}")]
    Json(String),
}

impl Metadata {
    /// The JSON that files hold.
    pub fn to_json(&self) -> String {
        // Only maps with keys that are no strings, and failing writers, can make this fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The same in ASCII, as a GIF's comments should be: other characters are escaped.
    pub fn to_ascii_json(&self) -> String {
        let json = self.to_json();
        let mut out = String::with_capacity(json.len());
        for c in json.chars() {
            if c.is_ascii() {
                out.push(c);
            } else {
                // Outside of ASCII, JSON has characters only inside strings, where an escape means the same.
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
        out
    }
}

/// The metadata of a PNG or GIF, or `None` if it holds none of ours.
///
/// Reads no pixel and stops at the first sign of damage, so hostile files cost neither time nor memory.
pub fn read(bytes: &[u8]) -> Result<Option<Metadata>, MetadataError> {
    let json = if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        png_text(bytes)?
    } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        gif_comment(bytes)?
    } else {
        return Err(MetadataError::Format);
    };
    json.map(|json| serde_json::from_slice(&json).map_err(|error| MetadataError::Json(error.to_string()))).transpose()
}

/// A place in a file that only moves forward.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], MetadataError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(MetadataError::Damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, MetadataError> {
        self.take(1)?.first().copied().ok_or(MetadataError::Damaged)
    }
}

/// The text of the first `iTXt` chunk under [`KEYWORD`].
fn png_text(bytes: &[u8]) -> Result<Option<Vec<u8>>, MetadataError> {
    let mut reader = Reader(bytes);
    reader.take(8)?;
    while !reader.0.is_empty() {
        let length = reader.take(4)?.iter().fold(0, |n, byte| n << 8 | usize::from(*byte));
        let kind = reader.take(4)?;
        let data = reader.take(length)?;
        reader.take(4)?; // the checksum
        if kind == b"IEND" {
            break;
        }
        // Keyword, compressed or not, method, language, translated keyword; each name ends in a zero.
        let Some(rest) = data.strip_prefix(KEYWORD.as_bytes()).filter(|_| kind == b"iTXt") else { continue };
        let Some(rest) = rest.strip_prefix(b"\0\0\0") else { continue };
        let mut parts = rest.splitn(3, |byte| *byte == 0);
        let text = parts.nth(2).ok_or(MetadataError::Damaged)?;
        return if text.len() > MAX_BYTES { Err(MetadataError::TooLong) } else { Ok(Some(text.to_vec())) };
    }
    Ok(None)
}

/// The first comment that is ours.
fn gif_comment(bytes: &[u8]) -> Result<Option<Vec<u8>>, MetadataError> {
    let mut reader = Reader(bytes);
    reader.take(10)?;
    let flags = reader.byte()?;
    reader.take(2)?;
    skip_colors(&mut reader, flags)?;
    // Some files lack the trailer; what they hold can be read all the same.
    while !reader.0.is_empty() {
        match reader.byte()? {
            0x21 => {
                let comment = reader.byte()? == 0xfe;
                let data = sub_blocks(&mut reader, comment)?;
                if data.starts_with(OPENING.as_bytes()) {
                    return Ok(Some(data));
                }
            }
            0x2c => {
                reader.take(8)?;
                let flags = reader.byte()?;
                skip_colors(&mut reader, flags)?;
                reader.byte()?; // the size of the first code
                sub_blocks(&mut reader, false)?;
            }
            0x3b => break,
            _ => return Err(MetadataError::Damaged),
        }
    }
    Ok(None)
}

/// Skips the colour table that `flags` announce.
fn skip_colors(reader: &mut Reader, flags: u8) -> Result<(), MetadataError> {
    if flags & 0x80 != 0 {
        reader.take(3 * (2 << (flags & 7)))?;
    }
    Ok(())
}

/// A chain of sub-blocks, gathered if `keep`.
fn sub_blocks(reader: &mut Reader, keep: bool) -> Result<Vec<u8>, MetadataError> {
    let mut data = Vec::new();
    loop {
        let length = usize::from(reader.byte()?);
        if length == 0 {
            return Ok(data);
        }
        let block = reader.take(length)?;
        if keep {
            if data.len() + length > MAX_BYTES {
                return Err(MetadataError::TooLong);
            }
            data.extend_from_slice(block);
        }
    }
}

/// JSON has no NaN; it becomes `null`.
fn number_or_null<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

#[cfg(test)]
mod tests;
