//! What the picture starts as.

mod gaussian;
mod gray;
mod image;
mod spectrum;
mod uniform;

use candle_core::{Device, Result, Tensor};

use super::{Init, Start};

pub use image::cover;

/// All inits.
pub static INITS: &[&dyn Init] =
    &[&gray::Gray, &uniform::Uniform, &gaussian::Gaussian, &image::Image, &spectrum::Spectrum];

/// `[1, 3, H, W]` of values that are made one after another: red row by row, then green, then blue.
fn fill(height: usize, width: usize, mut value: impl FnMut() -> f64) -> Result<Start> {
    let values: Vec<f32> = (0..3 * height * width).map(|_| value() as f32).collect();
    Ok(Start::Picture(Tensor::from_vec(values, (1, 3, height, width), &Device::Cpu)?))
}
