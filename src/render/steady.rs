//! Still pixels stay still: a pixel that hardly changed keeps the palette entry it had.

use image::RgbImage;

/// The change of a channel, of 255, that is not worth a new entry; it can't be seen, but noise of that size would
/// flicker between neighbouring entries.
const TOLERANCE: u8 = 2;

/// Replaces entries of `indexed` (one list a frame) by the ones already shown where the picture has not moved.
///
/// A pixel is compared with the colour it had when its entry was chosen, so slow changes are followed, at most
/// `TOLERANCE` late.
pub fn hold(frames: &[RgbImage], indexed: &mut [Vec<u8>]) {
    let Some(first) = frames.first() else { return };
    let mut shown = first.clone();
    for (i, frame) in frames.iter().enumerate().skip(1) {
        let Some([before, now]) = indexed.get_mut(i - 1..=i) else { return };
        let pixels = shown.pixels_mut().zip(frame.pixels());
        for ((shown, pixel), (old, new)) in pixels.zip(before.iter().zip(now.iter_mut())) {
            if shown.0.iter().zip(pixel.0).all(|(a, b)| a.abs_diff(b) <= TOLERANCE) {
                *new = *old;
            } else {
                *shown = *pixel;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn noise_is_held_and_drift_is_followed() {
        let frames: Vec<_> = [100, 102, 98, 101, 103, 106].map(|v| RgbImage::from_pixel(1, 1, Rgb([v, 50, 50]))).into();
        let mut indexed: Vec<_> = (0..6u8).map(|i| vec![i]).collect();
        hold(&frames, &mut indexed);
        assert_eq!(indexed.concat(), [0, 0, 0, 0, 4, 5]);
    }

    #[test]
    fn nothing_is_held_of_nothing() {
        hold(&[], &mut []);
    }
}
