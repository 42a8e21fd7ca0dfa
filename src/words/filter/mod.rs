//! Actions on the canvas now and then, as `blur … every n steps`.

mod bilateral;
mod gaussian;
mod median;

use super::Filter;

/// All filters.
pub static FILTERS: &[&dyn Filter] = &[&gaussian::Gaussian, &bilateral::Bilateral, &median::Median];
