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
    /// Whether a last position counts that reaches beyond the padding.
    pub ceil: bool,
}

impl Window {
    /// A window of that kernel, stride and padding.
    pub const fn new(kernel: usize, stride: usize, padding: usize) -> Self {
        Self { kernel, stride, padding, ceil: false }
    }

    /// The same with a last position beyond the padding, where cells are left over: PyTorch's `ceil_mode`.
    pub const fn ceil(self) -> Self {
        Self { ceil: true, ..self }
    }

    /// How many positions fit along a side of that many cells: `(side + 2·padding − kernel) / stride + 1`, rounded
    /// down or up as PyTorch does; `None` where none fits.
    pub const fn positions(&self, side: usize) -> Option<usize> {
        let beyond = if self.ceil { self.stride - 1 } else { 0 };
        match (side + 2 * self.padding + beyond).checked_sub(self.kernel) {
            // A last window that begins where there is nothing but padding is none.
            Some(room) if side > 0 && self.ceil && room / self.stride * self.stride >= side + self.padding => {
                Some(room / self.stride)
            }
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
        let ceil = |kernel, stride, padding, side| Window::new(kernel, stride, padding).ceil().positions(side);
        assert_eq!([ceil(3, 2, 0, 55), ceil(3, 2, 0, 109), ceil(3, 2, 0, 112)], [Some(27), Some(54), Some(56)]);
        // The window at 3 would see only padding: `F.max_pool2d(torch.zeros(1, 1, 2, 2), 2, 3, 1, ceil_mode=True)`.
        assert_eq!([ceil(2, 3, 1, 2), ceil(3, 2, 0, 2), ceil(3, 2, 0, 1)], [Some(1), Some(1), None]);
    }
}
