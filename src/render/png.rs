//! Still pictures: PNG with the metadata in text chunks.

use super::metadata::{KEYWORD, Metadata};
use ::png::{BitDepth, ColorType, Encoder, EncodingError, SrgbRenderingIntent};
use image::RgbImage;
use std::io::{self, Write};
use thiserror::Error;

/// Why a picture could not become a PNG.
#[derive(Debug, Error)]
pub enum PngError {
    /// The picture has no pixel.
    #[error("a picture needs at least one pixel")]
    Empty,
    /// The bytes could not be written.
    #[error(transparent)]
    Write(io::Error),
    /// The picture could not be encoded.
    #[error("can't encode the PNG: {0}")]
    Encode(String),
}

impl From<EncodingError> for PngError {
    fn from(error: EncodingError) -> Self {
        match error {
            EncodingError::IoError(error) => Self::Write(error),
            other => Self::Encode(other.to_string()),
        }
    }
}

/// The picture as bytes.
pub fn encode(picture: &RgbImage, metadata: Option<&Metadata>) -> Result<Vec<u8>, PngError> {
    let mut bytes = Vec::new();
    write(&mut bytes, picture, metadata)?;
    Ok(bytes)
}

/// Writes the picture: 8 bits a channel, no alpha, marked as sRGB.
pub fn write(mut out: impl Write, picture: &RgbImage, metadata: Option<&Metadata>) -> Result<(), PngError> {
    let (width, height) = picture.dimensions();
    if width == 0 || height == 0 {
        return Err(PngError::Empty);
    }
    let mut encoder = Encoder::new(&mut out, width, height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_source_srgb(SrgbRenderingIntent::Perceptual);
    if let Some(metadata) = metadata {
        // `Software` and `Disclaimer` are keywords of the standard that other programs show.
        encoder.add_text_chunk("Software".to_owned(), format!("fviz {}", metadata.version))?;
        if let Some(reason) = &metadata.non_commercial {
            encoder.add_itxt_chunk("Disclaimer".to_owned(), reason.clone())?;
        }
        encoder.add_itxt_chunk(KEYWORD.to_owned(), metadata.to_json())?;
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(picture.as_raw())?;
    writer.finish()?;
    out.flush().map_err(PngError::Write)
}
