//! Pictures as bytes: from the canvas's floats, and to the size a file wants.

use image::imageops::FilterType;
use image::{ImageBuffer, Rgb, RgbImage, Rgba, RgbaImage};
use thiserror::Error;

/// Why numbers could not become a picture.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PictureError {
    /// The slice holds neither three planes of this size nor four.
    #[error("a picture of {width}x{height} needs {expected} numbers, or a third more with alpha, not {found}")]
    Length {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// 3 · height · width.
        expected: u64,
        /// The slice's length.
        found: usize,
    },
    /// Enlarged, a side would be longer than any picture's.
    #[error("{width}x{height} times {scale} is too large a picture")]
    TooLarge {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// The factor.
        scale: u32,
    },
}

/// The longest side that is drawn; a GIF's sides end here.
pub const MAX_SIDE: u32 = u16::MAX as u32;

/// The byte of one channel: `round(clamp(v, 0, 1) · 255)`, halves away from zero; NaN is black.
pub fn byte(value: f32) -> u8 {
    // `as` saturates and sends NaN to 0, so no clamp is needed.
    (value * 255.0).round() as u8
}

/// A picture from sRGB-encoded values in 0..1, laid out `[3, height, width]`, or `[4, height, width]` with straight alpha
/// behind them; values outside are clamped.
pub fn from_planes(planes: &[f32], width: u32, height: u32) -> Result<RgbaImage, PictureError> {
    let area = u64::from(width) * u64::from(height);
    let expected = area.saturating_mul(3);
    let has_alpha = area > 0 && planes.len() as u64 == area.saturating_mul(4);
    if planes.len() as u64 != expected && !has_alpha {
        return Err(PictureError::Length { width, height, expected, found: planes.len() });
    }
    let (red, rest) = planes.split_at(area as usize);
    let (green, rest) = rest.split_at(area as usize);
    let (blue, alpha) = rest.split_at(area as usize);
    let alpha = alpha.iter().copied().map(byte).chain(std::iter::repeat(u8::MAX));
    let mut picture = RgbaImage::new(width, height);
    for (pixel, (((r, g), b), a)) in picture.pixels_mut().zip(red.iter().zip(green).zip(blue).zip(alpha)) {
        *pixel = Rgba([byte(*r), byte(*g), byte(*b), a]);
    }
    Ok(picture)
}

/// The picture over middle gray, for formats that know no soft edges. Opaque pixels stay as they are.
pub fn over_gray(picture: &RgbaImage) -> RgbImage {
    const UNDER: u32 = 128;
    let mut out = RgbImage::new(picture.width(), picture.height());
    for (out, Rgba([r, g, b, alpha])) in out.pixels_mut().zip(picture.pixels()) {
        let alpha = u32::from(*alpha);
        *out = Rgb([r, g, b].map(|v| ((u32::from(*v) * alpha + UNDER * (255 - alpha) + 127) / 255) as u8));
    }
    out
}

/// Every pixel as a square of `scale` by `scale`; 0 counts as 1.
pub fn enlarge(picture: &RgbaImage, scale: u32) -> Result<RgbaImage, PictureError> {
    let ((width, height), scale) = (picture.dimensions(), scale.max(1));
    let side = |side: u32| side.checked_mul(scale).filter(|side| *side <= MAX_SIDE);
    let (Some(wide), Some(high)) = (side(width), side(height)) else {
        return Err(PictureError::TooLarge { width, height, scale });
    };
    if scale == 1 {
        return Ok(picture.clone());
    }
    Ok(RgbaImage::from_fn(wide, high, |x, y| *picture.get_pixel(x / scale, y / scale)))
}

/// Frames of one animation at one size, the largest width and height among them.
///
/// A smaller frame (an earlier, coarser stage) is enlarged as far as it fits, with the Catmull-Rom cubic, and centred on
/// `background`. Frames that have the size already are moved, not copied.
pub fn same_size(frames: Vec<RgbaImage>, background: Rgba<u8>) -> Vec<RgbaImage> {
    let width = frames.iter().map(RgbaImage::width).max().unwrap_or(0);
    let height = frames.iter().map(RgbaImage::height).max().unwrap_or(0);
    frames.into_iter().map(|frame| fit(frame, width, height, background)).collect()
}

/// `picture` as large as fits into `width` by `height`, its proportions kept, centred on `background`.
fn fit(picture: RgbaImage, width: u32, height: u32, background: Rgba<u8>) -> RgbaImage {
    let (w, h) = picture.dimensions();
    if (w, h) == (width, height) || w == 0 || h == 0 {
        return picture;
    }
    // The tighter side decides; in integers, so that equal proportions fill the frame exactly.
    let (w, h) = (u64::from(w), u64::from(h));
    let (fw, fh) = if u64::from(width) * h <= u64::from(height) * w {
        (width, (h * u64::from(width) / w).max(1) as u32)
    } else {
        ((w * u64::from(height) / h).max(1) as u32, height)
    };
    let resized = resized(&picture, fw, fh);
    if (fw, fh) == (width, height) {
        return resized;
    }
    let mut out = RgbaImage::from_pixel(width, height, background);
    image::imageops::replace(&mut out, &resized, i64::from((width - fw) / 2), i64::from((height - fh) / 2));
    out
}

/// A picture at another size, by the Catmull-Rom cubic. Colours count as much as they are opaque: those of what is clear
/// are seen by nobody, and would stain the edges.
fn resized(picture: &RgbaImage, width: u32, height: u32) -> RgbaImage {
    let cubic = FilterType::CatmullRom;
    if picture.pixels().all(|pixel| pixel.0[3] == u8::MAX) {
        return image::imageops::resize(picture, width, height, cubic);
    }
    let weighed: ImageBuffer<Rgba<f32>, Vec<f32>> = ImageBuffer::from_fn(picture.width(), picture.height(), |x, y| {
        let [r, g, b, a] = picture.get_pixel(x, y).0.map(|value| f32::from(value) / 255.0);
        // The cubic overshoots, and is clamped to 1: at half of that, colours and alpha keep their ratio.
        Rgba([r * a, g * a, b * a, a].map(|value| 0.5 * value))
    });
    let weighed = image::imageops::resize(&weighed, width, height, cubic);
    RgbaImage::from_fn(width, height, |x, y| {
        let [r, g, b, a] = weighed.get_pixel(x, y).0;
        let plain = |value: f32| if a > 0.0 { byte(value / a) } else { 0 };
        Rgba([plain(r), plain(g), plain(b), byte(2.0 * a)])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_rounded_and_clamped() {
        assert_eq!(byte(-0.5), 0);
        assert_eq!(byte(0.5 / 255.0), 1, "a half goes up");
        assert_eq!(byte(0.49 / 255.0), 0);
        assert_eq!(byte(0.5), 128);
        assert_eq!(byte(1.0), 255);
        assert_eq!(byte(7.0), 255);
        assert_eq!(byte(f32::INFINITY), 255);
        assert_eq!(byte(f32::NAN), 0);
        // Every byte survives the way to 0..1 and back.
        assert!((0..=255u8).all(|v| byte(f32::from(v) / 255.0) == v));
    }

    #[test]
    fn planes_become_pixels() {
        let planes = [0.0, 1.0, 0.5, 0.25, 1.0, 0.0];
        let picture = from_planes(&planes, 2, 1).unwrap();
        assert_eq!(picture.into_raw(), vec![0, 128, 255, 255, 255, 64, 0, 255]);
        let with_alpha = [&planes[..], &[1.0, 0.25]].concat();
        let picture = from_planes(&with_alpha, 2, 1).unwrap();
        assert_eq!(picture.as_raw(), &[0, 128, 255, 255, 255, 64, 0, 64]);
        // A quarter of 255, 64, 0 over 128.
        assert_eq!(over_gray(&picture).into_raw(), vec![0, 128, 255, 160, 112, 96]);
    }

    #[test]
    fn a_slice_of_the_wrong_length_is_an_error() {
        let error = from_planes(&[0.0; 11], 2, 2).unwrap_err();
        assert_eq!(error.to_string(), "a picture of 2x2 needs 12 numbers, or a third more with alpha, not 11");
        assert!(from_planes(&[], u32::MAX, u32::MAX).is_err());
    }

    #[test]
    fn enlarging_repeats_pixels() {
        let picture = RgbaImage::from_raw(2, 1, vec![1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
        let large = enlarge(&picture, 2).unwrap();
        assert_eq!(large.dimensions(), (4, 2));
        assert_eq!(large.get_pixel(1, 1).0, [1, 2, 3, 4]);
        assert_eq!(large.get_pixel(2, 0).0, [5, 6, 7, 8]);
        assert_eq!(enlarge(&picture, 0).unwrap(), picture);
        assert!(enlarge(&picture, u32::MAX).is_err());
    }

    #[test]
    fn what_is_clear_stains_no_edge() {
        let of = |x| if x < 4 { Rgba([200, 100, 50, 255]) } else { Rgba([0, 255, 0, 0]) };
        let frames = vec![RgbaImage::from_fn(8, 8, |x, _| of(x)), RgbaImage::from_pixel(19, 19, of(0))];
        let out = same_size(frames, Rgba([9, 9, 9, 255]));
        assert_eq!((out[0].get_pixel(0, 9), out[0].get_pixel(18, 9).0[3]), (&of(0), 0));
        let seen: Vec<_> = out[0].pixels().map(|pixel| pixel.0).filter(|pixel| pixel[3] > 4).collect();
        assert!(seen.iter().any(|pixel| pixel[3] < 255));
        for [r, g, b, _] in seen {
            assert!(r.abs_diff(200) <= 1 && g.abs_diff(100) <= 1 && b.abs_diff(50) <= 1, "{r} {g} {b}");
        }
    }

    #[test]
    fn smaller_frames_grow_to_the_largest() {
        let ground = Rgba([9, 9, 9, 255]);
        let frames = vec![
            RgbaImage::from_pixel(4, 4, Rgba([200, 100, 50, 255])),
            RgbaImage::from_pixel(16, 16, Rgba([1, 2, 3, 255])),
            RgbaImage::from_pixel(8, 4, Rgba([50, 60, 70, 255])),
        ];
        let out = same_size(frames, ground);
        assert!(out.iter().all(|f| f.dimensions() == (16, 16)));
        assert!(out[0].pixels().all(|p| p.0 == [200, 100, 50, 255]));
        assert_eq!(out[2].get_pixel(0, 0), &ground);
        assert_eq!(out[2].get_pixel(0, 4).0, [50, 60, 70, 255]);
        assert!(same_size(Vec::new(), ground).is_empty());
    }
}
