//! Differentiable operations that candle lacks, gets wrong or does slowly, and the filters' plain ones.
//!
//! Each runs in f32 and f64, has a portable form in candle's own tensor operations where other devices or the tests
//! need one, and gives the same bytes with any number of threads.

mod bilateral;
mod color;
mod edge;
mod median;
mod real;
mod resample;
mod resize;
mod separable;
pub mod softmax;
mod window;

pub use bilateral::bilateral;
pub use color::{Adjust, adjust};
pub use edge::Edge;
pub use median::median;
pub use resample::{Placement, Sample, warp};
pub use resize::resize;
pub use separable::{Taps, separable};
pub use window::Window;
