//! Where a picture's numbers lie.

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

    /// The rows inside the border, with what stands left and right of them.
    pub fn inside(&self) -> std::ops::Range<usize> {
        self.pad * self.row()..(self.pad + self.height) * self.row()
    }

    /// Takes in an image `[C, H, W]`.
    pub fn enter(&self, to: &mut [f32], planes: &[f32]) {
        let area = (self.height * self.width).max(1);
        for y in 0..self.height {
            let row = &mut to[self.at(y, 0)..][..self.width * self.channels];
            for (c, plane) in planes.chunks_exact(area).enumerate() {
                let from = &plane[y * self.width..][..self.width];
                row[c..].iter_mut().step_by(self.channels).zip(from).for_each(|(to, from)| *to = *from);
            }
        }
    }

    /// Hands out an image `[C, H, W]`.
    pub fn leave(&self, from: &[f32], planes: &mut [f32]) {
        let area = (self.height * self.width).max(1);
        for y in 0..self.height {
            let row = &from[self.at(y, 0)..][..self.width * self.channels];
            for (c, plane) in planes.chunks_exact_mut(area).enumerate() {
                let to = &mut plane[y * self.width..][..self.width];
                to.iter_mut().zip(row[c..].iter().step_by(self.channels)).for_each(|(to, from)| *to = *from);
            }
        }
    }
}
