//! Several pictures in one: grids and sheets of variants, strips of steps.

use super::label::{GROUND, Lettering};
use super::picture::MAX_SIDE;
use image::{RgbaImage, imageops};
use thiserror::Error;

/// A picture and what is written under it; without a label for any cell, no room is kept for them.
#[derive(Debug, Clone, Copy)]
pub struct Cell<'a> {
    /// The picture; smaller ones are centred in their cell.
    pub picture: &'a RgbaImage,
    /// Lines of text, each shortened if it does not fit.
    pub label: &'a str,
}

/// Why pictures could not be laid out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LayoutError {
    /// There is no picture, or there are no places for any.
    #[error("a layout needs at least one picture and one place")]
    Empty,
    /// More pictures than places.
    #[error("{pictures} pictures don't fit into a grid of {columns}x{rows}")]
    TooFew {
        /// How many pictures there are.
        pictures: usize,
        /// Places in a row.
        columns: usize,
        /// Rows.
        rows: usize,
    },
    /// A side of the whole would be longer than [`MAX_SIDE`].
    #[error("the whole would be {width}x{height}, and sides end at {MAX_SIDE} pixels")]
    TooLarge {
        /// Pixels in a row.
        width: u64,
        /// Rows.
        height: u64,
    },
}

/// `columns` by `rows` places, filled row by row; places left over stay dark.
pub fn grid(cells: &[Cell], columns: usize, rows: usize) -> Result<RgbaImage, LayoutError> {
    if cells.is_empty() || columns == 0 || rows == 0 {
        return Err(LayoutError::Empty);
    }
    if columns.saturating_mul(rows) < cells.len() {
        return Err(LayoutError::TooFew { pictures: cells.len(), columns, rows });
    }
    let frame = Frame::around(cells);
    let (width, height) = frame.size(columns, rows);
    let side = |side: u64| u32::try_from(side).ok().filter(|side| *side <= MAX_SIDE);
    let (Some(wide), Some(high)) = (side(width), side(height)) else {
        return Err(LayoutError::TooLarge { width, height });
    };
    let mut whole = RgbaImage::from_pixel(wide, high, GROUND);
    for (place, cell) in cells.iter().enumerate() {
        frame.draw(&mut whole, (place % columns) as u32, (place / columns) as u32, cell);
    }
    Ok(whole)
}

/// As many rows of `columns` places as the pictures need.
pub fn sheet(cells: &[Cell], columns: usize) -> Result<RgbaImage, LayoutError> {
    let columns = columns.min(cells.len()).max(usize::from(columns > 0));
    grid(cells, columns, cells.len().div_ceil(columns.max(1)))
}

/// Steps of one run, each with its number under it, in rows of `columns`.
pub fn strip(steps: &[(usize, &RgbaImage)], columns: usize) -> Result<RgbaImage, LayoutError> {
    let labels: Vec<_> = steps.iter().map(|(step, _)| format!("step {step}")).collect();
    let cells: Vec<_> = steps.iter().zip(&labels).map(|((_, picture), label)| Cell { picture, label }).collect();
    sheet(&cells, columns)
}

/// A number of columns for `count` pictures: whole rows if that stays less than twice as wide as high, else about square.
pub fn columns_for(count: usize) -> usize {
    let square = (1..=count).find(|side| side * side >= count).unwrap_or(1);
    (square..2 * square)
        .find(|columns| count.is_multiple_of(*columns) && columns * columns <= 4 * count)
        .unwrap_or(square)
}

/// The sizes that all cells of a layout share, in pixels.
struct Frame {
    cell: (u32, u32),
    gutter: u32,
    lettering: Lettering,
    strip: u32,
}

impl Frame {
    fn around(cells: &[Cell]) -> Self {
        let width = cells.iter().map(|cell| cell.picture.width()).max().unwrap_or(0);
        let height = cells.iter().map(|cell| cell.picture.height()).max().unwrap_or(0);
        let lettering = Lettering::for_cells(width, cells.iter().map(|cell| cell.label));
        let lines = cells.iter().map(|cell| cell.label.lines().count()).max().unwrap_or(0);
        let strip = if lines > 0 { lettering.strip_height(lines) } else { 0 };
        Self { cell: (width, height), gutter: (width.max(height) / 64).clamp(2, 8), lettering, strip }
    }

    /// The distance from one cell to the next.
    fn pitch(&self) -> (u64, u64) {
        let gutter = u64::from(self.gutter);
        // A label's strip is gutter enough below a picture.
        let below = u64::from(self.strip).max(gutter);
        (u64::from(self.cell.0) + gutter, u64::from(self.cell.1) + below)
    }

    fn size(&self, columns: usize, rows: usize) -> (u64, u64) {
        let (across, down) = self.pitch();
        let gutter = u64::from(self.gutter);
        (
            gutter.saturating_add(across.saturating_mul(columns as u64)),
            gutter.saturating_add(down.saturating_mul(rows as u64)),
        )
    }

    fn draw(&self, whole: &mut RgbaImage, column: u32, row: u32, cell: &Cell) {
        let (across, down) = self.pitch();
        // The size of the whole has been checked, so both fit.
        let (x, y) = (self.gutter + column * across as u32, self.gutter + row * down as u32);
        let (width, height) = cell.picture.dimensions();
        let (left, top) = ((self.cell.0 - width) / 2, (self.cell.1 - height) / 2);
        imageops::replace(whole, cell.picture, i64::from(x + left), i64::from(y + top));
        if self.strip > 0 {
            self.lettering.draw(whole, (x, y + self.cell.1), self.cell.0, cell.label);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgba;

    fn plain(width: u32, height: u32, v: u8) -> RgbaImage {
        RgbaImage::from_pixel(width, height, Rgba([v, v, v, 255]))
    }

    #[test]
    fn cells_stand_row_by_row() {
        let pictures: Vec<_> = (0..5).map(|i| plain(10, 8, 100 + i)).collect();
        let cells: Vec<_> = pictures.iter().map(|picture| Cell { picture, label: "" }).collect();
        let whole = grid(&cells, 3, 2).unwrap();
        assert_eq!(whole.dimensions(), (2 + 3 * 12, 2 + 2 * 10));
        assert_eq!(whole.get_pixel(2, 2).0[..3], [100; 3]);
        assert_eq!(whole.get_pixel(2 + 12, 2).0[..3], [101; 3]);
        assert_eq!(whole.get_pixel(2 + 12, 2 + 10).0[..3], [104; 3]);
        assert_eq!(whole.get_pixel(2 + 24, 2 + 10), &GROUND, "the last place is empty");
        assert_eq!(whole.get_pixel(12, 2), &GROUND, "a gutter");
        assert_eq!(sheet(&cells, 3).unwrap(), whole);
        assert_eq!(sheet(&cells, 100).unwrap().width(), 2 + 5 * 12, "no wider than needed");
    }

    #[test]
    fn labels_get_room_and_small_pictures_are_centred() {
        let (large, small) = (plain(64, 64, 200), plain(32, 16, 90));
        let cells = [Cell { picture: &large, label: "hen" }, Cell { picture: &small, label: "" }];
        let whole = sheet(&cells, 2).unwrap();
        let strip = whole.height() - 2 - 64;
        assert!(strip >= 10, "{strip}");
        assert_eq!(whole.get_pixel(2 + 66 + 16, 2 + 24).0[..3], [90; 3]);
        assert_eq!(whole.get_pixel(2 + 66 + 15, 2 + 24), &GROUND);
        let ink = |from: u32| {
            (from..from + 64).any(|x| (66..66 + strip).any(|y| *whole.get_pixel(x, y) == super::super::label::INK))
        };
        assert!(ink(2) && !ink(2 + 66));
    }

    #[test]
    fn a_layout_does_not_depend_on_what_is_in_the_pictures() {
        let (a, b) = (plain(20, 20, 1), plain(20, 20, 2));
        let size = |picture| grid(&[Cell { picture, label: "x" }], 1, 1).unwrap().dimensions();
        assert_eq!(size(&a), size(&b));
    }

    #[test]
    fn impossible_layouts_are_errors() {
        let picture = plain(4, 4, 0);
        let cells = [Cell { picture: &picture, label: "" }; 5];
        assert_eq!(grid(&cells, 2, 2), Err(LayoutError::TooFew { pictures: 5, columns: 2, rows: 2 }));
        assert_eq!(grid(&[], 2, 2), Err(LayoutError::Empty));
        assert_eq!(grid(&cells, 0, 9), Err(LayoutError::Empty));
        assert_eq!(sheet(&cells, 0), Err(LayoutError::Empty));
        assert_eq!(sheet(&[], 3), Err(LayoutError::Empty));
        assert!(matches!(grid(&cells, 1, 100_000), Err(LayoutError::TooLarge { .. })));
        assert!(matches!(grid(&cells, usize::MAX, usize::MAX), Err(LayoutError::TooLarge { .. })));
    }

    #[test]
    fn steps_are_labelled() {
        let picture = plain(80, 80, 50);
        let steps: Vec<_> = (0..4).map(|i| (i * 10, &picture)).collect();
        let whole = strip(&steps, 4).unwrap();
        assert_eq!(whole.width(), 2 + 4 * 82);
        assert!(whole.height() > 2 + 82);
    }

    #[test]
    fn columns_are_chosen_well() {
        let columns: Vec<_> = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 16, 32, 64].map(columns_for).into();
        assert_eq!(columns, [1, 2, 3, 2, 3, 3, 3, 4, 3, 5, 4, 4, 8, 8]);
    }
}
