//! What of a picture a mask holds.

use candle_core::{Result, Tensor};

/// A mask and the picture that it holds: shown is mask · picture + (1 − mask) · start.
///
/// One mechanism for every parametrization: what it makes of the held part is never seen, and no gradient comes from
/// there.
#[derive(Clone, Debug)]
pub struct Held {
    /// `[1, 1, H, W]`: 1 moves, 0 stays.
    mask: Tensor,
    /// `[1, 3 or 4, H, W]`
    start: Tensor,
}

impl Held {
    /// Of a mask, a picture `[1, 3, H, W]` of 0..1 whose channels' mean counts, and of the picture that is held.
    ///
    /// # Errors
    /// They differ in size.
    pub fn new(mask: &Tensor, start: &Tensor) -> Result<Self> {
        let mask = mask.clamp(0.0, 1.0)?.mean_keepdim(1)?.detach();
        Ok(Self { mask, start: start.detach() })
    }

    /// The picture that is held.
    pub fn start(&self) -> &Tensor {
        &self.start
    }

    /// What is shown of a picture. Where the mask is 0 these are the start's own numbers.
    ///
    /// # Errors
    /// It has another size.
    pub fn over(&self, picture: &Tensor) -> Result<Tensor> {
        picture.broadcast_mul(&self.mask)? + self.start.broadcast_mul(&self.mask.affine(-1.0, 1.0)?)?
    }

    /// The picture behind the mask after something made `after` of what was shown, `before`: it moves as far, so what is
    /// shown moves as far as the mask lets it, and what is held doesn't.
    ///
    /// # Errors
    /// They differ in size.
    pub fn follow(&self, behind: &Tensor, before: &Tensor, after: &Tensor) -> Result<Tensor> {
        let step = (after - before)?.broadcast_mul(&self.mask.sign()?)?;
        behind + step
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::ops::testing::{assert_close, check_gradient, gradient, random, values};

    /// Black, a third and white, in columns.
    fn held() -> Held {
        let row = Tensor::new(&[0.0, 1.0 / 3.0, 1.0], &Device::Cpu).unwrap().reshape((1, 1, 1, 3)).unwrap();
        Held::new(&row.broadcast_as((1, 3, 2, 3)).unwrap(), &random(&[1, 3, 2, 3], 1)).unwrap()
    }

    #[test]
    fn black_holds_white_moves_and_gray_is_between() {
        let (held, picture) = (held(), random(&[1, 3, 2, 3], 2));
        let (shown, start, moved) = (values(&held.over(&picture).unwrap()), values(held.start()), values(&picture));
        for (k, shown) in shown.iter().enumerate() {
            match k % 3 {
                0 => assert_eq!(*shown, start[k]),
                1 => assert!((shown - (2.0 * start[k] + moved[k]) / 3.0).abs() < 1e-12),
                _ => assert_eq!(*shown, moved[k]),
            }
        }
        check_gradient(|picture| held.over(picture), &picture);
        let slope = values(&gradient(|picture| held.over(picture), &picture, &random(&[1, 3, 2, 3], 3)));
        assert!(slope.iter().step_by(3).all(|slope| *slope == 0.0));
    }

    /// However often something acts, what is shown moves by the mask's share of it.
    #[test]
    fn what_acts_moves_the_picture_as_far_as_the_mask_lets_it() {
        let (held, behind) = (held(), random(&[1, 3, 2, 3], 2));
        let before = held.over(&behind).unwrap();
        let after = (&before + 0.3).unwrap();
        let shown = held.over(&held.follow(&behind, &before, &after).unwrap()).unwrap();
        let moved = (shown - &before).unwrap();
        let expected = Tensor::new(&[0.0, 0.1, 0.3], &Device::Cpu).unwrap().reshape((1, 1, 1, 3)).unwrap();
        assert_close(&moved, &expected.broadcast_as((1, 3, 2, 3)).unwrap().contiguous().unwrap(), 1e-12);
    }
}
