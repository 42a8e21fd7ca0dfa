//! Changes of brightness, contrast, saturation and hue, after torchvision's `adjust_…` functions, with exact gradients.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, DType, Layout, Result, Shape, Tensor, bail};

use super::fast;
use super::filled::copied;
use super::passage::{Operation, operation};
use super::real::dense;

mod hue;
mod kernel;
mod pixels;

use kernel::Changes;
use pixels::{Bounds, Step};

/// One change of all pixels' colours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Adjust {
    /// v ← f v
    Brightness(f64),
    /// v ← f v + (1 − f) M, with M the mean of the picture's luminance
    Contrast(f64),
    /// v ← f v + (1 − f) L, with L the pixel's luminance
    Saturation(f64),
    /// The hue is turned, in turns; HSV's saturation and value stay.
    Hue(f64),
}

/// Weights of R, G and B in the luminance: ITU-R BT.601, rounded as torchvision does (they sum to 0.9999).
const LUMINANCE: [f64; 3] = [0.2989, 0.587, 0.114];

impl Adjust {
    /// For a picture whose mean luminance is `mean`.
    fn step(self, mean: f64) -> Step {
        match self {
            Adjust::Brightness(factor) => Step::Scale { times: factor as f32, plus: 0.0 },
            Adjust::Contrast(factor) => Step::Scale { times: factor as f32, plus: ((1.0 - factor) * mean) as f32 },
            Adjust::Saturation(factor) => Step::Saturate { times: factor as f32, rest: (1.0 - factor) as f32 },
            Adjust::Hue(turns) => Step::Turn { sixths: (6.0 * (turns - turns.round())) as f32 },
        }
    }
}

/// Changes the colours of `[N, 3, H, W]`, one change after another. With `clamp` the result of each is clamped to 0..1,
/// except that a hue leaves the greatest of a pixel's three values alone, as torchvision does. Differentiable: a clamp
/// passes the gradient where it cuts nothing off, and where r = g = b, which has no hue, a hue passes it unchanged.
pub fn adjust(picture: &Tensor, changes: &[Adjust], clamp: bool) -> Result<Tensor> {
    if picture.dims4()?.1 != 3 {
        bail!("colours need 3 channels");
    }
    if changes.is_empty() || picture.elem_count() == 0 {
        return Ok(picture.clone());
    }
    match adjust_operation(picture, changes, clamp) {
        Some(color) => picture.contiguous()?.apply_op1_arc(color),
        None => portable(picture, changes, clamp),
    }
}

/// What [`adjust`] does, if it is one operation.
pub fn adjust_operation(picture: &Tensor, changes: &[Adjust], clamp: bool) -> Option<Operation> {
    let fits = picture.device().is_cpu() && picture.dtype() == DType::F32 && !changes.is_empty();
    fits.then(|| operation(Color { changes: changes.to_vec(), clamp, steps: OnceLock::new() }))
}

struct Color {
    changes: Vec<Adjust>,
    clamp: bool,
    /// What each picture went through, kept for the way back.
    steps: OnceLock<Vec<Vec<Step>>>,
}

/// What goes back through a [`Color`].
struct Adjoint<'a> {
    color: &'a Color,
    steps: &'a [Vec<Step>],
}

impl Color {
    fn on(&self, layout: &Layout) -> Result<Changes<'_>> {
        let (_, _, height, width) = layout.shape().dims4()?;
        let bounds = Bounds::new(self.clamp);
        Ok(Changes { list: &self.changes, bounds, arch: fast::arch(), area: height * width })
    }
}

impl CustomOp1 for Color {
    fn name(&self) -> &'static str {
        "color"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut values = copied(dense(storage.as_slice::<f32>()?, layout)?);
        let steps = self.on(layout)?.apply(&mut values);
        let _ = self.steps.set(steps);
        Ok((CpuStorage::F32(values), layout.shape().clone()))
    }

    fn bwd(&self, picture: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let Some(steps) = self.steps.get() else { bail!("a gradient before its value") };
        picture.contiguous()?.apply_op2_no_bwd(&grad.contiguous()?, &Adjoint { color: self, steps }).map(Some)
    }
}

impl CustomOp2 for Adjoint<'_> {
    fn name(&self) -> &'static str {
        "color-adjoint"
    }

    fn cpu_fwd(
        &self,
        picture: &CpuStorage,
        picture_layout: &Layout,
        grad: &CpuStorage,
        grad_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let picture = dense(picture.as_slice::<f32>()?, picture_layout)?;
        let mut values = copied(dense(grad.as_slice::<f32>()?, grad_layout)?);
        self.color.on(picture_layout)?.back(picture, self.steps, &mut values);
        Ok((CpuStorage::F32(values), picture_layout.shape().clone()))
    }
}

/// The same in candle's own operations, for other devices and types.
fn portable(picture: &Tensor, changes: &[Adjust], clamp: bool) -> Result<Tensor> {
    changes.iter().try_fold(picture.clone(), |picture, change| portable_one(&picture, *change, clamp))
}

fn portable_one(picture: &Tensor, change: Adjust, clamp: bool) -> Result<Tensor> {
    let luminance = || -> Result<Tensor> {
        let weights = Tensor::new(&LUMINANCE, picture.device())?.to_dtype(picture.dtype())?;
        picture.broadcast_mul(&weights.reshape((1, 3, 1, 1))?)?.sum_keepdim(1)
    };
    // As a tensor: through a number that is 0 candle sends no gradient at all, not even zeros.
    let times = |factor: f64| picture.broadcast_mul(&Tensor::new(factor, picture.device())?.to_dtype(picture.dtype())?);
    let changed = match change {
        Adjust::Brightness(factor) => times(factor)?,
        Adjust::Contrast(factor) => {
            let mean = luminance()?.mean_keepdim(3)?.mean_keepdim(2)?;
            times(factor)?.broadcast_add(&(mean * (1.0 - factor))?)?
        }
        Adjust::Saturation(factor) => times(factor)?.broadcast_add(&(luminance()? * (1.0 - factor))?)?,
        Adjust::Hue(turns) => return hue::portable(picture, turns, clamp),
    };
    if clamp { changed.clamp(0.0, 1.0) } else { Ok(changed) }
}

#[cfg(test)]
mod tests;
