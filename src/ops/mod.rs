//! Differentiable operations that candle lacks, gets wrong or does slowly, and the filters' plain ones.
//!
//! Each runs in f32 and f64, has a portable form in candle's own tensor operations where other devices or the tests
//! need one, and gives the same bytes with any number of threads.

#[cfg(test)]
mod agreement;
mod bilateral;
mod color;
mod columns;
mod convolution;
mod edge;
pub mod fast;
pub(crate) mod filled;
mod gradient_scale;
mod linear;
mod log_mean_exp;
mod mean_pool;
mod median;
mod mix;
mod passage;
mod pool;
mod product;
mod real;
mod relu;
mod resample;
mod resize;
mod scale_shift;
mod separable;
mod smooth_pool;
pub mod softmax;
mod spectrum;
mod squares;
mod strips;
#[cfg(test)]
pub(crate) mod testing;
mod window;

pub use bilateral::bilateral;
pub use color::{Adjust, adjust, adjust_operation};
pub use convolution::Convolution;
pub use edge::Edge;
pub use gradient_scale::scale_gradient;
pub use linear::Linear;
pub use log_mean_exp::{log_mean_exp, log_mean_exp_portable};
pub use mean_pool::{Parts, mean_pool, mean_pool_portable};
pub use median::median;
pub use mix::{Matrix3, invert, logit, mix, product, sigmoid};
pub use passage::{Operation, Passage};
pub use pool::{average_pool, average_pool_portable, max_pool, max_pool_portable};
pub use relu::{Rectifier, Redirected, redirected_relu, relu, relu_portable};
pub use resample::{Placement, Sample, warp, warp_operation};
pub use resize::resize;
pub use scale_shift::ScaleShift;
pub use separable::{Taps, separable};
pub use smooth_pool::{smooth_max_pool, smooth_max_pool_portable};
pub use spectrum::Spectrum;
pub use squares::{add_scaled, add_squares_gradient, squares, squares_portable};
pub use window::Window;
