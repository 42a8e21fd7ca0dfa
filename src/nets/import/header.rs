//! What a file of weights says of itself, without its numbers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use super::{Format, ImportError, pth, safetensors};
use crate::source::World;

/// The types of numbers that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    /// IEEE single precision.
    F32,
    /// IEEE half precision.
    F16,
    /// The upper half of a single.
    BF16,
}

impl Dtype {
    /// Bytes of one number.
    pub fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
        }
    }

    /// The numbers whose bytes, little endian, these are.
    pub(super) fn decode(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::F32 => bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect(),
            Self::F16 => bytes.as_chunks().0.iter().map(|&b| half::f16::from_le_bytes(b).to_f32()).collect(),
            Self::BF16 => bytes.as_chunks().0.iter().map(|&b| half::bf16::from_le_bytes(b).to_f32()).collect(),
        }
    }
}

/// One tensor of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its shape.
    pub shape: Vec<usize>,
    /// The type of its numbers.
    pub dtype: Dtype,
}

/// Names and shapes of a file's tensors, and its metadata.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The tensors by name.
    pub tensors: BTreeMap<String, Entry>,
    /// What safetensors files may say besides; empty for `.pth`.
    pub metadata: BTreeMap<String, String>,
}

impl Header {
    /// The header of a file. Of safetensors only the first bytes are read; a `.pth` is read whole.
    ///
    /// # Errors
    /// The file can't be read or is no file of weights.
    pub fn open(world: &dyn World, path: &Path) -> Result<Self, ImportError> {
        // Holds the header of a ResNet152.
        let start = world.read_start(path, 128 << 10)?;
        match Format::of(&start)? {
            Format::Pth => pth::header(&world.read(path)?),
            Format::Safetensors => match safetensors::header_end(&start)? {
                end if end <= start.len() => safetensors::header(&start),
                end => safetensors::header(&world.read_start(path, end)?),
            },
        }
    }

    /// The header of a file that is there whole.
    ///
    /// # Errors
    /// It is no file of weights.
    pub fn of(bytes: &[u8]) -> Result<Self, ImportError> {
        match Format::of(bytes)? {
            Format::Pth => pth::header(bytes),
            Format::Safetensors => safetensors::header(bytes),
        }
    }

    /// The shape of a tensor.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|entry| entry.shape.as_slice())
    }

    /// A piece of metadata.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }
}

/// A tensor of more numbers is damage, not a network's.
const MOST_CELLS: usize = 1 << 34;

/// How many numbers a shape holds; `None` where that is absurd.
pub(super) fn count(shape: &[usize]) -> Option<usize> {
    let count = shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side))?;
    (count <= MOST_CELLS).then_some(count)
}

/// The name under which a tensor is known, or `None` for one that is passed over.
pub(super) fn known_as(name: &str) -> Option<Cow<'_, str>> {
    let name = name.strip_prefix("module.").unwrap_or(name);
    let known = name != "num_batches_tracked" && !name.ends_with(".num_batches_tracked");
    known.then(|| joined(name).map_or(Cow::Borrowed(name), Cow::Owned))
}

/// torchvision's files of DenseNet are older than its module names: `denselayer1.norm.1.weight` is `denselayer1.norm1.weight`
/// now.
fn joined(name: &str) -> Option<String> {
    let (path, layer) = name.split_once(".denselayer")?;
    let mut parts = layer.split('.');
    let (number, kind, nth, rest) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let old = matches!(kind, "norm" | "conv") && matches!(nth, "1" | "2") && parts.next().is_none();
    old.then(|| format!("{path}.denselayer{number}.{kind}{nth}.{rest}"))
}

#[cfg(test)]
mod tests {
    use super::known_as;

    #[test]
    fn names_of_old_files_are_todays() {
        let is = |name: &str, known: Option<&str>| assert_eq!(known_as(name).as_deref(), known, "{name}");
        let layer = "features.denseblock1.denselayer12";
        for (name, known) in [
            (format!("{layer}.norm.1.weight"), format!("{layer}.norm1.weight")),
            (format!("module.{layer}.conv.2.weight"), format!("{layer}.conv2.weight")),
            (format!("{layer}.norm1.weight"), format!("{layer}.norm1.weight")),
            ("features.norm.1.weight".into(), "features.norm.1.weight".into()),
            (format!("{layer}.norm"), format!("{layer}.norm")),
        ] {
            is(&name, Some(&known));
        }
        is("bn1.num_batches_tracked", None);
    }
}
