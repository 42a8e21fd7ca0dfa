//! What fviz keeps on disk: the weights of models, and on a [`Shelf`] what took long to make.
//!
//! Weights by a model's name are looked for in the folders of `FVIZ_MODELS`, then in the cache, and only then fetched
//! ([`WeightStore::load`]); weights by a file's name are read from there ([`read_weights`]). Invariant: a file in the
//! cache is whole and has the checksum that its publisher states, or it is not there.

#[cfg(feature = "download")]
mod download;
mod problem;
mod sha256;
mod shelf;
mod weights;

pub use problem::{ByHand, FetchProblem, WeightsError};
pub use sha256::Checksum;
pub use shelf::{Shelf, SizeError};
pub use weights::{Limits, Published, WeightStore, Weights, read_weights};
