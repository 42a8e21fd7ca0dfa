//! How an objective's value for a photo is put down to the photo's parts.
//!
//! Each word answers by a map, one number a pixel; [`shades`] shows it over the photo. Sums over passes are made in
//! the order of the passes, so a map's bytes don't depend on how many pictures go through the network together.

mod grad_cam;
mod gradient_x_input;
mod heat;
mod integrated_gradients;
mod occlusion;
mod smoothgrad;
#[cfg(test)]
mod tests;

use candle_core::{DType, Result, Tensor};

use super::{Asked, Attribution};
use crate::spec::{Param, Presence, Type, Unit};

pub use heat::{shades, smoothed};

/// All methods; the first is that of a recipe that names none.
pub static ATTRIBUTIONS: &[&dyn Attribution] = &[
    &integrated_gradients::IntegratedGradients,
    &gradient_x_input::GradientXInput,
    &smoothgrad::SmoothGrad,
    &grad_cam::GradCam,
    &occlusion::Occlusion,
];

/// Pictures that go through the network together: more would only take more memory.
pub const AT_ONCE: usize = 4;

/// Of maps whose neighbouring pixels mostly disagree.
const SMOOTH: Param = Param::new(
    "smooth",
    Type::Number { unit: Unit::None, min: 0.0, max: 0.5 },
    Presence::Default("0.025"),
    "The picture shows the map through a gaussian of this deviation, a share of the shorter side, which adds up neighbours and keeps the sum: pixel by pixel red and blue stand side by side, and nothing is seen. `0` shows the pixels. The numbers of a `.csv` are those of the pixels.",
)
.alias(&["blur", "sigma"]);

/// A picture of the photo's size and of one colour: of the gray that was asked for, or the network's own zero.
fn plain(asked: &Asked, gray: Option<f64>) -> Result<Tensor> {
    let color = gray.map_or(asked.zero, |gray| [gray; 3]);
    let row = Tensor::new(&color, asked.photo.device())?.to_dtype(asked.photo.dtype())?.reshape((1, 3, 1, 1))?;
    row.broadcast_as(asked.photo.shape())?.contiguous()
}

/// The mean gradient of `count` pictures, `[3, H, W]` in f64: a sum of many f32 would lose digits.
fn mean_gradient(
    count: usize,
    mut picture: impl FnMut(usize) -> Result<Tensor>,
    scorer: &mut dyn super::Scorer,
) -> Result<Tensor> {
    let mut sum: Option<Tensor> = None;
    for first in (0..count).step_by(AT_ONCE) {
        let pictures = (first..count.min(first + AT_ONCE)).map(&mut picture).collect::<Result<Vec<_>>>()?;
        let gradients = scorer.gradients(&Tensor::cat(&pictures, 0)?)?.to_dtype(DType::F64)?;
        for image in 0..pictures.len() {
            let gradient = gradients.get(image)?;
            sum = Some(match sum {
                Some(sum) => (sum + gradient)?,
                None => gradient,
            });
        }
    }
    match sum {
        Some(sum) => sum / count as f64,
        None => candle_core::bail!("no pictures"),
    }
}

/// `[3, H, W]` of the photo less another picture, in f64.
fn less(photo: &Tensor, other: &Tensor) -> Result<Tensor> {
    (photo - other)?.get(0)?.to_dtype(DType::F64)
}
