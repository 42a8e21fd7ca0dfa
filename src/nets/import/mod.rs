//! Files of weights: safetensors, and torch's `.pth` in its zip format.
//!
//! A file is hostile until read: what it says of lengths and shapes is compared with what is there before anything is
//! allocated, and a pickle is only taken apart, never executed. Names lose a leading `module.` (DataParallel), and
//! `num_batches_tracked`, which inference does not use, is passed over.

mod error;
mod fit;
mod header;
mod pickle;
mod pth;
mod safetensors;

use std::collections::BTreeMap;

use rayon::prelude::*;

pub use error::{Fault, ImportError};
pub use fit::check_fit;
pub use header::{Dtype, Entry, Header};

/// A tensor of weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its numbers, the last dimension fastest.
    pub data: Vec<f32>,
}

/// All tensors of a file by name, as f32.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    /// The tensors.
    pub tensors: BTreeMap<String, Array>,
    /// What safetensors files may say besides; empty for `.pth`.
    pub metadata: BTreeMap<String, String>,
}

impl Weights {
    /// Reads a file that is there whole.
    ///
    /// # Errors
    /// It is no file of weights, is damaged, or holds a number that is not finite.
    pub fn read(bytes: &[u8]) -> Result<Self, ImportError> {
        let weights = match Format::of(bytes)? {
            Format::Safetensors => safetensors::weights(bytes)?,
            Format::Pth => pth::weights(bytes)?,
        };
        let broken =
            |(name, array): (&String, &Array)| (!array.data.iter().all(|x| x.is_finite())).then(|| name.clone());
        let broken: Vec<String> = weights.tensors.par_iter().filter_map(broken).collect();
        if broken.is_empty() { Ok(weights) } else { Err(ImportError::NotFinite(broken)) }
    }

    /// The same without the numbers.
    pub fn header(&self) -> Header {
        let entry = |array: &Array| Entry { shape: array.shape.clone(), dtype: Dtype::F32 };
        let tensors = self.tensors.iter().map(|(name, array)| (name.clone(), entry(array))).collect();
        Header { tensors, metadata: self.metadata.clone() }
    }
}

/// The formats that are read.
enum Format {
    Safetensors,
    Pth,
}

impl Format {
    fn of(start: &[u8]) -> Result<Self, ImportError> {
        match start {
            [b'P', b'K', 3, 4, ..] => Ok(Self::Pth),
            // The PROTO opcode of a bare pickle, protocols 1 to 5.
            [0x80, 1..=5, ..] => Err(ImportError::Legacy),
            // The length of the header, then the header, a JSON object.
            [_, _, _, _, _, _, _, _, b'{', ..] => Ok(Self::Safetensors),
            _ => Err(ImportError::Unknown),
        }
    }
}
