//! What the bytes of a photo hold: one reading for the check and for the run, so that both see the same picture.
//!
//! A photo is turned as its EXIF says. Where that can't be understood it stays as it is.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader};

/// Width and height, turned, from the header alone.
///
/// # Errors
/// The bytes are no picture of a known format.
pub fn size(bytes: &[u8]) -> Result<(usize, usize), ImageError> {
    let (decoder, orientation) = opened(bytes)?;
    let (width, height) = decoder.dimensions();
    let (width, height) = (width as usize, height as usize);
    Ok(match orientation {
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH => {
            (height, width)
        }
        _ => (width, height),
    })
}

/// The picture, turned.
///
/// # Errors
/// The bytes are no picture of a known format, or damaged.
pub fn decode(bytes: &[u8]) -> Result<DynamicImage, ImageError> {
    let (decoder, orientation) = opened(bytes)?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn opened(bytes: &[u8]) -> Result<(impl ImageDecoder, Orientation), ImageError> {
    let mut decoder = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?.into_decoder()?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Ok((decoder, orientation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_that_of_the_picture() {
        let mut jpeg = Cursor::new(Vec::new());
        image::RgbImage::new(16, 8).write_to(&mut jpeg, image::ImageFormat::Jpeg).unwrap();
        let plain = jpeg.into_inner();
        for orientation in 0..=9 {
            // An APP1 segment with one entry: tag 0x0112 (orientation), a short. 0 and 9 mean nothing.
            let mut exif =
                b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0".to_vec();
            exif[29] = orientation;
            let mut bytes = plain.clone();
            bytes.splice(2..2, exif);
            let picture = decode(&bytes).unwrap();
            let expected = if (5..=8).contains(&orientation) { (8, 16) } else { (16, 8) };
            assert_eq!((picture.width() as usize, picture.height() as usize), expected, "{orientation}");
            assert_eq!(size(&bytes).unwrap(), expected, "{orientation}");
        }
        assert!(size(b"hello, this is text").is_err());
    }
}
