//! Labels in pictures: small fixed-width bitmap fonts (the X11 "misc-fixed" ones, public domain), sized to their cell.

use embedded_graphics::Drawable;
use embedded_graphics::mono_font::iso_8859_1::{FONT_5X8, FONT_6X10, FONT_6X13, FONT_9X15, FONT_10X20};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::prelude::{DrawTarget, OriginDimensions, Pixel, Point, Size};
use embedded_graphics::text::{Baseline, Text};
use image::{Rgba, RgbaImage};
use std::borrow::Cow;
use std::convert::Infallible;

/// The dark ground that labels and gutters share.
pub const GROUND: Rgba<u8> = Rgba([24, 24, 27, 255]);

/// The colour of letters.
pub const INK: Rgba<u8> = Rgba([235, 235, 230, 255]);

/// From small to large, each with the narrowest cell that it is used for.
const SIZES: [(u32, &MonoFont); 5] =
    [(0, &FONT_5X8), (56, &FONT_6X10), (112, &FONT_6X13), (176, &FONT_9X15), (280, &FONT_10X20)];

/// From here on letters are enlarged by whole numbers.
const DOUBLED: u32 = 800;

/// A font at the size that suits cells of some width.
#[derive(Debug, Clone, Copy)]
pub struct Lettering {
    font: &'static MonoFont<'static>,
    scale: u32,
}

impl Lettering {
    /// For cells of this width: the font that suits it, or the next smaller one if only that lets all lines of `labels`
    /// fit.
    pub fn for_cells<'a>(width: u32, labels: impl Iterator<Item = &'a str>) -> Self {
        Self::choice(width, labels).0
    }

    /// Whether that font leaves all lines of `labels` whole.
    pub fn fits<'a>(width: u32, labels: impl Iterator<Item = &'a str>) -> bool {
        Self::choice(width, labels).1
    }

    fn choice<'a>(width: u32, labels: impl Iterator<Item = &'a str>) -> (Self, bool) {
        let longest = labels.flat_map(str::lines).map(|line| line.chars().count()).max().unwrap_or(0);
        let scale = (width / (DOUBLED / 2)).max(1);
        let suited = SIZES.iter().rposition(|(from, _)| width >= *from).unwrap_or(0);
        let sizes = [suited, suited.saturating_sub(1)].map(|size| Self { font: SIZES[size].1, scale });
        let fitting = sizes.into_iter().find(|lettering| lettering.letters(width) >= longest);
        (fitting.unwrap_or(sizes[0]), fitting.is_some())
    }

    /// The height of a strip for so many lines, with room above and below.
    pub fn strip_height(&self, lines: usize) -> u32 {
        self.height() * lines as u32 + 2 * self.padding()
    }

    /// Draws the lines of `text` in the middle of a strip of `width`, its top left corner at (x, y); too long a line ends
    /// in `…`.
    pub fn draw(&self, picture: &mut RgbaImage, (x, y): (u32, u32), width: u32, text: &str) {
        for (number, line) in text.lines().enumerate() {
            self.draw_line(picture, (x, y + number as u32 * self.height()), width, line);
        }
    }

    fn draw_line(&self, picture: &mut RgbaImage, (x, y): (u32, u32), width: u32, text: &str) {
        let text = shorten(text, self.letters(width));
        let letter = self.font.character_size.width * self.scale;
        let x = x + width.saturating_sub(letter * text.chars().count() as u32) / 2;
        let y = y + self.padding();
        let mut paper = Paper { picture, corner: (x, y), scale: self.scale };
        // Characters that the font lacks show as `?`.
        let style = MonoTextStyle::new(self.font, BinaryColor::On);
        let Ok(_) = Text::with_baseline(&text, Point::zero(), style, Baseline::Top).draw(&mut paper);
        if let Some(before) = text.strip_suffix('…') {
            self.draw_dots(&mut paper, before.chars().count() as u32);
        }
    }

    /// How many letters a strip of `width` holds, with a pixel free on either side: neighbours must not run together.
    fn letters(&self, width: u32) -> usize {
        (width.saturating_sub(2 * self.scale) / (self.font.character_size.width * self.scale)) as usize
    }

    fn height(&self) -> u32 {
        self.font.character_size.height * self.scale
    }

    fn padding(&self) -> u32 {
        (self.height() / 6).max(1)
    }

    /// The font has no `…` and drew a `?` there; this draws three dots over it.
    fn draw_dots(&self, paper: &mut Paper, place: u32) {
        let (width, height) = (self.font.character_size.width, self.font.character_size.height);
        for y in 0..height {
            for x in 0..width {
                paper.paint(place * width + x, y, GROUND);
            }
        }
        let size = (width / 8).max(1);
        for dot in 0..3 {
            let x = place * width + (2 * dot + 1) * width / 6;
            for (dx, dy) in (0..size * size).map(|i| (i % size, i / size)) {
                paper.paint(x + dx, (self.font.baseline + dy).saturating_sub(size - 1), INK);
            }
        }
    }
}

/// `text` in at most `letters` letters; what is cut off becomes `…`. Control characters become blanks.
fn shorten(text: &str, letters: usize) -> Cow<'_, str> {
    let clean: Cow<str> = if text.contains(char::is_control) {
        Cow::Owned(text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    };
    if clean.chars().count() <= letters {
        return clean;
    }
    let kept: String = clean.chars().take(letters.saturating_sub(1)).collect();
    let dots = if letters == 0 { "" } else { "…" };
    Cow::Owned(format!("{}{dots}", kept.trim_end_matches([' ', ','])))
}

/// A place in a picture that letters are drawn on, each of their pixels a square of `scale`.
struct Paper<'a> {
    picture: &'a mut RgbaImage,
    corner: (u32, u32),
    scale: u32,
}

impl Paper<'_> {
    fn paint(&mut self, x: u32, y: u32, color: Rgba<u8>) {
        for (dx, dy) in (0..self.scale * self.scale).map(|i| (i % self.scale, i / self.scale)) {
            let (x, y) = (self.corner.0 + x * self.scale + dx, self.corner.1 + y * self.scale + dy);
            if let Some(pixel) = self.picture.get_pixel_mut_checked(x, y) {
                *pixel = color;
            }
        }
    }
}

impl OriginDimensions for Paper<'_> {
    fn size(&self) -> Size {
        Size::new(self.picture.width(), self.picture.height())
    }
}

impl DrawTarget for Paper<'_> {
    type Color = BinaryColor;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<BinaryColor>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(point, color) in pixels {
            if let (Ok(x), Ok(y), BinaryColor::On) = (u32::try_from(point.x), u32::try_from(point.y), color) {
                self.paint(x, y, INK);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_labels_are_shortened() {
        assert_eq!(shorten("hen", 3), "hen");
        assert_eq!(shorten("great grey owl", 8), "great g…");
        assert_eq!(shorten("great grey owl", 7), "great…");
        assert_eq!(shorten("owl, bird", 5), "owl…");
        assert_eq!(shorten("owl", 1), "…");
        assert_eq!(shorten("owl", 0), "");
        assert_eq!(shorten("a\nb", 3), "a b");
    }

    #[test]
    fn fonts_grow_with_the_cell() {
        let widths = [1, 32, 64, 128, 224, 299, 800, 4000];
        let heights = widths.map(|width| Lettering::for_cells(width, ["hen"].into_iter()).strip_height(1));
        assert!(heights.is_sorted(), "{heights:?}");
        // One size smaller where that makes a label fit, and no smaller than that.
        let long = Lettering::for_cells(224, ["a label of 30 letters, as it is"].into_iter());
        assert_eq!(long.font.character_size.width, 6);
        let hopeless = Lettering::for_cells(224, ["x".repeat(100).as_str()].into_iter());
        assert_eq!(hopeless.font.character_size.width, 9);
    }

    #[test]
    fn lines_fit_where_all_of_them_do() {
        let fits = |width, label: &str| Lettering::fits(width, ["x", label].into_iter());
        assert!(!fits(96, "peacock feather, blur = 0.5") && fits(96, "peacock feather\nblur = 0.5"));
        // 16 letters of 6 pixels would touch those of the next cell; 5 pixels each leave a gap.
        let touching = Lettering::for_cells(96, ["0123456789abcdef"].into_iter());
        assert_eq!(touching.font.character_size.width, 5);
    }

    #[test]
    fn letters_stay_inside_their_strip() {
        for width in [1, 7, 40, 120, 300, 900] {
            let lettering = Lettering::for_cells(width, ["hen"].into_iter());
            let height = lettering.strip_height(2);
            let mut picture = RgbaImage::from_pixel(width + 20, height + 20, GROUND);
            lettering.draw(&mut picture, (10, 10), width, &["Ågjy|".repeat(40), "Ågjy|".repeat(40)].join("\n"));
            for (x, y, pixel) in picture.enumerate_pixels() {
                let inside = (10..10 + width).contains(&x) && (10..10 + height).contains(&y);
                assert!(inside || *pixel == GROUND, "{width}: a letter leaves its strip at {x},{y}");
            }
            assert!(width < 7 || picture.pixels().any(|p| *p == INK));
        }
    }
}
