//! Photos as pictures.

use candle_core::{Device, Tensor};
use image::ImageError;

use crate::source::photo;

/// Under transparent pixels lies this: middle gray, on every channel.
const UNDER: f32 = 0.5;

/// Why bytes are no photo.
#[derive(Debug, thiserror::Error)]
pub enum PhotoError {
    /// They are of no format that is read: PNG, JPEG and WebP are.
    #[error("it is no PNG, JPEG or WebP")]
    Format,
    /// They are damaged, or the picture is too large.
    #[error("{0}")]
    Decode(String),
}

/// A photo as `[1, 3, H, W]`, f32, 0..1, sRGB-encoded as it is in the file: turned as its EXIF says, gray on all three
/// channels, transparent parts over middle gray.
///
/// # Errors
/// The bytes are no picture of a known format.
pub fn decode(bytes: &[u8]) -> Result<Tensor, PhotoError> {
    let picture = photo::decode(bytes).map_err(|error| match error {
        ImageError::Unsupported(_) => PhotoError::Format,
        other => PhotoError::Decode(other.to_string()),
    })?;
    let picture = picture.into_rgba32f();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let mut planes = Vec::with_capacity(3 * width * height);
    for channel in 0..3 {
        planes.extend(picture.pixels().map(|pixel| {
            let [.., alpha] = pixel.0;
            let value = pixel.0.get(channel).copied().unwrap_or(UNDER);
            value * alpha + UNDER * (1.0 - alpha)
        }));
    }
    Tensor::from_vec(planes, (1, 3, height, width), &Device::Cpu)
        .map_err(|error| PhotoError::Decode(crate::run::reason(&error)))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use image::{DynamicImage, ImageFormat, Luma, Rgba, RgbaImage};

    fn png(picture: impl Into<DynamicImage>) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.into().write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn transparency_lies_over_gray() {
        let picture = RgbaImage::from_fn(2, 1, |x, _| Rgba([255, 0, 51, if x == 0 { 255 } else { 0 }]));
        let photo = decode(&png(picture)).unwrap();
        assert_eq!(photo.dims(), [1, 3, 1, 2]);
        assert_eq!(photo.flatten_all().unwrap().to_vec1::<f32>().unwrap(), [1.0, 0.5, 0.0, 0.5, 0.2, 0.5]);
    }

    #[test]
    fn gray_is_on_all_channels() {
        let photo = decode(&png(image::GrayImage::from_pixel(1, 2, Luma([102])))).unwrap();
        let values = photo.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!(values.len() == 6 && values.iter().all(|value| (value - 0.4).abs() < 1e-6));
    }

    #[test]
    fn a_jpeg_is_turned_as_its_exif_says() {
        let mut jpeg = Cursor::new(Vec::new());
        let picture = image::RgbImage::from_fn(16, 8, |x, _| image::Rgb(if x < 8 { [250; 3] } else { [5; 3] }));
        picture.write_to(&mut jpeg, ImageFormat::Jpeg).unwrap();
        let mut bytes = jpeg.into_inner();
        assert_eq!(decode(&bytes).unwrap().dims(), [1, 3, 8, 16]);
        // An APP1 segment with one entry: tag 0x0112 (orientation), a short, 6: a quarter turn clockwise.
        let exif = b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        bytes.splice(2..2, exif.iter().copied());
        let turned = decode(&bytes).unwrap();
        assert_eq!(turned.dims(), [1, 3, 16, 8]);
        let at = |y: usize| {
            turned.get(0).unwrap().get(0).unwrap().get(y).unwrap().get(4).unwrap().to_scalar::<f32>().unwrap()
        };
        assert!(at(2) > 0.9 && at(13) < 0.1);
    }

    #[test]
    fn what_is_no_picture_is_told() {
        assert!(matches!(decode(b"hello, this is text"), Err(PhotoError::Format)));
        let mut broken = png(RgbaImage::new(20, 20));
        broken.truncate(40);
        assert!(matches!(decode(&broken), Err(PhotoError::Decode(_))));
    }
}
