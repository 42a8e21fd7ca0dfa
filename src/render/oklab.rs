//! Oklab, a colour space in which equal distances look equally different: where palettes are made and colours compared.
//!
//! Source of the matrices: B. Ottosson, "A perceptual color space for image processing", 2020,
//! <https://bottosson.github.io/posts/oklab/>. Powers and roots come from `libm`, so every machine gets the same bits.

use std::sync::LazyLock;

/// Lightness 0..1, green-red and blue-yellow, both about -0.32..0.28 for colours of sRGB.
pub type Lab = [f32; 3];

/// The linear light of each sRGB-encoded byte (IEC 61966-2-1).
static LINEAR: LazyLock<[f32; 256]> = LazyLock::new(|| {
    std::array::from_fn(|byte| {
        let v = byte as f64 / 255.0;
        (if v <= 0.04045 { v / 12.92 } else { libm::pow((v + 0.055) / 1.055, 2.4) }) as f32
    })
});

/// From sRGB-encoded bytes.
pub fn from_srgb(rgb: [u8; 3]) -> Lab {
    let [r, g, b] = rgb.map(|byte| LINEAR[usize::from(byte)]);
    let l = libm::cbrtf(0.412_221_47 * r + 0.536_332_5 * g + 0.051_445_994 * b);
    let m = libm::cbrtf(0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b);
    let s = libm::cbrtf(0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b);
    [
        0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
        1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
        0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
    ]
}

/// To sRGB-encoded bytes; colours outside of sRGB are clamped channel by channel.
pub fn to_srgb([lightness, a, b]: Lab) -> [u8; 3] {
    let cube = |v: f32| v * v * v;
    let l = cube(lightness + 0.396_337_78 * a + 0.215_803_76 * b);
    let m = cube(lightness - 0.105_561_346 * a - 0.063_854_17 * b);
    let s = cube(lightness - 0.089_484_18 * a - 1.291_485_5 * b);
    [
        encode(4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s),
        encode(-1.268_438 * l + 2.609_757_4 * m - 0.341_319_4 * s),
        encode(-0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s),
    ]
}

/// The squared distance of two colours.
pub fn distance2(p: Lab, q: Lab) -> f32 {
    let (l, a, b) = (p[0] - q[0], p[1] - q[1], p[2] - q[2]);
    l * l + a * a + b * b
}

/// The sRGB-encoded byte of linear light.
fn encode(linear: f32) -> u8 {
    let v = f64::from(linear.clamp(0.0, 1.0));
    let encoded = if v <= 0.003_130_8 { 12.92 * v } else { 1.055 * libm::pow(v, 1.0 / 2.4) - 0.055 };
    (encoded * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_colours() {
        // Figures of the CSS Color 4 draft's sample code.
        let close = |got: Lab, want: Lab| assert!(distance2(got, want) < 1e-7, "{got:?} {want:?}");
        close(from_srgb([0, 0, 0]), [0.0, 0.0, 0.0]);
        close(from_srgb([255, 255, 255]), [1.0, 0.0, 0.0]);
        close(from_srgb([255, 0, 0]), [0.627_96, 0.224_86, 0.125_85]);
        close(from_srgb([0, 0, 255]), [0.452_01, -0.032_46, -0.311_53]);
    }

    #[test]
    fn every_byte_comes_back() {
        for r in (0..=255).step_by(15) {
            for g in (0..=255).step_by(15) {
                for b in (0..=255).step_by(5) {
                    let rgb = [r as u8, g as u8, b as u8];
                    assert_eq!(to_srgb(from_srgb(rgb)), rgb);
                }
            }
        }
    }
}
