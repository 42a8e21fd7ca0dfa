//! Where a picture's numbers lie.

use super::Slot;
use super::team::{Part, Stage, Target};

/// One image of `height` x `width` pixels, `channels` numbers a pixel, inside a border of `pad` pixels of zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Rows.
    pub height: usize,
    /// Pixels of a row.
    pub width: usize,
    /// Numbers of a pixel.
    pub channels: usize,
    /// Width of the border.
    pub pad: usize,
}

impl Grid {
    /// Numbers from one row to the next.
    pub fn row(&self) -> usize {
        (self.width + 2 * self.pad) * self.channels
    }

    /// Numbers in all, border included.
    pub fn size(&self) -> usize {
        (self.height + 2 * self.pad) * self.row()
    }

    /// Where a pixel begins.
    pub fn at(&self, y: usize, x: usize) -> usize {
        (y + self.pad) * self.row() + (x + self.pad) * self.channels
    }
}

/// Takes in an image `[C, H, W]`.
pub fn enter(planes: usize, to: Slot) -> Box<dyn Stage> {
    Box::new(Enter { planes, target: Target::of_rows(to.buffer, to.grid, rayon::current_num_threads()) })
}

struct Enter {
    planes: usize,
    target: Target,
}

impl Stage for Enter {
    fn target(&self) -> Target {
        self.target
    }

    fn piece(&self, part: &mut Part<'_>) {
        let (planes, grid) = (part.read(self.planes), self.target.grid);
        for y in part.rows() {
            let (_, row) = part.row(y);
            for (c, plane) in planes.chunks_exact(grid.height * grid.width).enumerate() {
                let from = &plane[y * grid.width..][..grid.width];
                row[c..].iter_mut().step_by(grid.channels).zip(from).for_each(|(to, from)| *to = *from);
            }
        }
    }
}

/// Hands out an image `[C, H, W]`.
pub fn leave(from: Slot, planes: usize) -> Box<dyn Stage> {
    let Grid { height, width, channels, .. } = from.grid;
    // Planes as rows, so that a piece has the same rows of all planes.
    let grid = Grid { height: channels, width: 1, channels: height * width, pad: 0 };
    let across = height.min(4 * rayon::current_num_threads()).max(1);
    let target = Target { down: 1, across, channels: width.max(1), ..Target::of_rows(planes, grid, 1) };
    Box::new(Leave { from, target })
}

struct Leave {
    from: Slot,
    target: Target,
}

impl Stage for Leave {
    fn target(&self) -> Target {
        self.target
    }

    fn piece(&self, part: &mut Part<'_>) {
        let (from, grid) = (part.read(self.from.buffer), self.from.grid);
        for start in part.channels().step_by(grid.width.max(1)) {
            let row = &from[grid.at(start / grid.width, 0)..][..grid.width * grid.channels];
            for c in 0..grid.channels {
                let (_, to) = part.pixel((c, 0), start, grid.width);
                to.iter_mut().zip(row[c..].iter().step_by(grid.channels)).for_each(|(to, from)| *to = *from);
            }
        }
    }
}
