//! The square window that a convolution or a pool slides over a picture.

/// Kernel, stride and padding, the same both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Side of the kernel in cells, at least 1.
    pub kernel: usize,
    /// Cells from one position to the next, at least 1.
    pub stride: usize,
    /// Cells added on each side.
    pub padding: usize,
}

impl Window {
    /// A window of that kernel, stride and padding.
    pub const fn new(kernel: usize, stride: usize, padding: usize) -> Self {
        Self { kernel, stride, padding }
    }

    /// How many positions fit along a side of that many cells: `(side + 2·padding − kernel) / stride + 1`, rounded
    /// down, as PyTorch does; `None` where none fits.
    pub const fn positions(&self, side: usize) -> Option<usize> {
        match (side + 2 * self.padding).checked_sub(self.kernel) {
            Some(room) if side > 0 => Some(room / self.stride + 1),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn positions_are_pytorchs() {
        assert_eq!(Window::new(7, 2, 3).positions(224), Some(112));
        assert_eq!(Window::new(3, 2, 1).positions(75), Some(38));
        assert_eq!(Window::new(3, 2, 0).positions(2), None);
        assert_eq!(Window::new(3, 1, 1).positions(0), None);
    }
}
