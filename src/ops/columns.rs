//! im2col and its adjoint: what each position of a window sees, as columns of a matrix.
//!
//! Row `(c · kernel + ky) · kernel + kx` of the matrix holds, for each position of some rows of positions, the cell of
//! channel c at offset (ky, kx) in that position's window; cells of the padding are zero. Chellapilla, Puri, Simard,
//! "High Performance Convolutional Neural Networks for Document Processing", 2006.

use std::ops::Range;

use super::Window;
use super::product::Factor;

/// A plane of cells over which a window slides.
#[derive(Clone, Copy)]
pub(super) struct Plane {
    /// Height and width.
    pub size: [usize; 2],
    /// The window.
    pub window: Window,
    /// Positions in a row of them.
    pub across: usize,
}

impl Plane {
    /// Positions for which column `kx` of the window lies inside, and the cell that the first of them sees.
    fn inside(&self, kx: usize) -> (Range<usize>, usize) {
        let Window { stride, padding, .. } = self.window;
        let first = padding.saturating_sub(kx).div_ceil(stride);
        let end = (self.size[1] + padding).saturating_sub(kx).div_ceil(stride).min(self.across);
        (first.min(end)..end, (first * stride + kx).saturating_sub(padding))
    }

    /// The row of cells that row `ky` of the window sees from that row of positions.
    fn row(&self, y: usize, ky: usize) -> Option<usize> {
        (y * self.window.stride + ky).checked_sub(self.window.padding).filter(|&row| row < self.size[0])
    }
}

/// Fills `columns` with what these rows of positions see of these channels of one image, `[C, H, W]`.
pub(super) fn gather<T: Factor>(columns: &mut [T], channels: &[T], plane: Plane, rows: Range<usize>) {
    let ([height, width], Window { kernel, stride, .. }) = (plane.size, plane.window);
    let positions = rows.len() * plane.across;
    if positions == 0 {
        return;
    }
    let mut lines = columns.chunks_exact_mut(positions);
    for channel in channels.chunks_exact(height * width) {
        for (ky, kx) in offsets(kernel) {
            let Some(line) = lines.next() else { return };
            let (inside, first) = plane.inside(kx);
            for (y, to) in rows.clone().zip(line.chunks_exact_mut(plane.across)) {
                let Some(row) = plane.row(y, ky) else {
                    to.fill(T::ZERO);
                    continue;
                };
                to[..inside.start].fill(T::ZERO);
                to[inside.end..].fill(T::ZERO);
                let to = &mut to[inside.clone()];
                if to.is_empty() {
                    continue;
                }
                let from = &channel[row * width + first..(row + 1) * width];
                match stride {
                    1 => to.copy_from_slice(&from[..to.len()]),
                    _ => to.iter_mut().zip(from.iter().step_by(stride)).for_each(|(to, from)| *to = *from),
                }
            }
        }
    }
}

/// The adjoint: adds what lies in `columns`, for rows `rows` of positions, to the cells that were seen. `bands` are the
/// same rows of cells, from `top` on, of each channel; cells outside of them are passed over.
pub(super) fn scatter<T>(columns: &[T], bands: &mut [&mut [T]], top: usize, plane: Plane, rows: Range<usize>)
where
    T: Factor + std::ops::AddAssign,
{
    let (width, Window { kernel, stride, .. }) = (plane.size[1], plane.window);
    let positions = rows.len() * plane.across;
    if positions == 0 {
        return;
    }
    let mut lines = columns.chunks_exact(positions);
    for band in bands {
        for (ky, kx) in offsets(kernel) {
            let Some(line) = lines.next() else { return };
            let (inside, first) = plane.inside(kx);
            for (y, from) in rows.clone().zip(line.chunks_exact(plane.across)) {
                let start = plane.row(y, ky).and_then(|row| row.checked_sub(top)).map(|row| row * width);
                let Some(to) = start.and_then(|start| band.get_mut(start..start + width)) else { continue };
                let from = &from[inside.clone()];
                if let Some(to) = to.get_mut(first..) {
                    to.iter_mut().step_by(stride).zip(from).for_each(|(to, from)| *to += *from);
                }
            }
        }
    }
}

fn offsets(kernel: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..kernel).flat_map(move |ky| (0..kernel).map(move |kx| (ky, kx)))
}
