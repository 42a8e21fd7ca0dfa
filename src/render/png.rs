//! Still pictures: PNG with the metadata in text chunks.

use super::metadata::{KEYWORD, Metadata};
use ::png::{BitDepth, ColorType, Encoder, EncodingError, SrgbRenderingIntent};
use image::RgbaImage;
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
pub fn encode(picture: &RgbaImage, metadata: Option<&Metadata>) -> Result<Vec<u8>, PngError> {
    let mut bytes = Vec::new();
    write(&mut bytes, picture, metadata)?;
    Ok(bytes)
}

/// Writes the picture: 8 bits a channel, marked as sRGB; with straight alpha only if some pixel is not opaque.
pub fn write(mut out: impl Write, picture: &RgbaImage, metadata: Option<&Metadata>) -> Result<(), PngError> {
    let (width, height) = picture.dimensions();
    if width == 0 || height == 0 {
        return Err(PngError::Empty);
    }
    let mut encoder = Encoder::new(&mut out, width, height);
    let opaque = picture.pixels().all(|pixel| pixel.0[3] == u8::MAX);
    encoder.set_color(if opaque { ColorType::Rgb } else { ColorType::Rgba });
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
    if opaque {
        let colours: Vec<u8> = picture.pixels().flat_map(|pixel| [pixel.0[0], pixel.0[1], pixel.0[2]]).collect();
        writer.write_image_data(&colours)?;
    } else {
        writer.write_image_data(picture.as_raw())?;
    }
    writer.finish()?;
    out.flush().map_err(PngError::Write)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_comes_back() {
        let of = |alpha: fn(u32) -> u8| {
            RgbaImage::from_fn(7, 5, |x, y| image::Rgba([x as u8 * 30, y as u8 * 50, 7, alpha(x)]))
        };
        let opaque = of(|_| 255);
        let bytes = encode(&opaque, None).unwrap();
        assert_eq!(bytes, encode(&opaque, None).unwrap());
        let back = image::load_from_memory(&bytes).unwrap();
        assert_eq!((back.color(), back.into_rgba8()), (image::ColorType::Rgb8, opaque));
        // Colours of what is clear are kept.
        let clear = of(|x| x as u8 * 40);
        let back = image::load_from_memory(&encode(&clear, None).unwrap()).unwrap();
        assert_eq!((back.color(), back.into_rgba8()), (image::ColorType::Rgba8, clear));
    }

    #[test]
    fn nothing_is_no_picture() {
        assert!(matches!(encode(&RgbaImage::new(0, 4), None), Err(PngError::Empty)));
    }

    #[test]
    fn texts_of_the_standard_are_there() {
        let metadata =
            Metadata { version: "1.2".into(), non_commercial: Some("für Forschung".into()), ..Metadata::default() };
        let bytes = encode(&RgbaImage::new(1, 1), Some(&metadata)).unwrap();
        let reader = ::png::Decoder::new(io::Cursor::new(bytes)).read_info().unwrap();
        let info = reader.info();
        assert_eq!(info.uncompressed_latin1_text[0].keyword, "Software");
        assert_eq!(info.uncompressed_latin1_text[0].text, "fviz 1.2");
        assert_eq!(info.utf8_text[0].keyword, "Disclaimer");
        assert_eq!(info.utf8_text[0].get_text().unwrap(), "für Forschung");
        assert_eq!(info.utf8_text[1].get_text().unwrap(), metadata.to_json());
    }

    #[test]
    fn a_full_disk_is_told() {
        let mut little = [0; 20];
        let error = write(&mut little[..], &RgbaImage::new(9, 9), None).unwrap_err();
        assert!(matches!(error, PngError::Write(_)), "{error}");
    }
}
