//! The networks that a recipe can name.

use super::graph::Graph;
use super::import::Header;
use super::{motifs, resnet};

/// A network that a recipe can name.
#[derive(Debug)]
pub struct Architecture {
    /// Its name: `resnet18`.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// Where its usual weights come from.
    pub source: Source,
    family: Family,
}

/// Where the usual weights of a network come from.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// They are part of the program: a safetensors file.
    Embedded(&'static [u8]),
    /// They are a file that people have or fetch.
    File {
        /// Its name; torchvision's names end in the first 8 digits of the file's SHA-256.
        name: &'static str,
        /// The whole SHA-256 in hexadecimal where it is known, else its first digits.
        sha256: &'static str,
        /// Its length, where it is known.
        bytes: Option<u64>,
    },
}

#[derive(Clone, Copy, Debug)]
enum Family {
    Motifs,
    ResNet(usize),
}

/// Where torchvision keeps its files of weights.
pub const TORCHVISION: &str = "https://download.pytorch.org/models/";

static EMBEDDED: &[u8] = include_bytes!("motifs.safetensors");

/// Names of the files are torchvision's (`torchvision/models/resnet.py`, the `IMAGENET1K_V1` weights).
const fn resnet(
    name: &'static str,
    depth: usize,
    about: &'static str,
    file: &'static str,
    sha256: &'static str,
    bytes: Option<u64>,
) -> Architecture {
    Architecture { name, about, source: Source::File { name: file, sha256, bytes }, family: Family::ResNet(depth) }
}

static ARCHITECTURES: [Architecture; 6] = [
    Architecture {
        name: "motifs",
        about: "a small network that knows drawn motifs; part of the program",
        source: Source::Embedded(EMBEDDED),
        family: Family::Motifs,
    },
    resnet(
        "resnet18",
        18,
        "ResNet of 18 layers, 1000 classes of ImageNet",
        "resnet18-f37072fd.pth",
        "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
        Some(46_830_571),
    ),
    resnet("resnet34", 34, "ResNet of 34 layers, 1000 classes of ImageNet", "resnet34-b627a593.pth", "b627a593", None),
    resnet("resnet50", 50, "ResNet of 50 layers, 1000 classes of ImageNet", "resnet50-0676ba61.pth", "0676ba61", None),
    resnet(
        "resnet101",
        101,
        "ResNet of 101 layers, 1000 classes of ImageNet",
        "resnet101-63fe2227.pth",
        "63fe2227",
        None,
    ),
    resnet(
        "resnet152",
        152,
        "ResNet of 152 layers, 1000 classes of ImageNet",
        "resnet152-394f9c45.pth",
        "394f9c45",
        None,
    ),
];

/// All of them, the default first.
pub fn architectures() -> &'static [Architecture] {
    &ARCHITECTURES
}

/// The one of that name.
pub fn architecture(name: &str) -> Option<&'static Architecture> {
    ARCHITECTURES.iter().find(|architecture| architecture.name == name)
}

impl Architecture {
    /// Its graph for a file of weights, whose tensors tell the numbers of classes and channels; without one, the graph
    /// of the usual weights. Whether all tensors fit is not looked at.
    pub fn graph(&self, header: Option<&Header>) -> Graph {
        let size = |name: &str, dimension: usize| header?.shape(name)?.get(dimension).copied();
        match self.family {
            Family::ResNet(depth) => {
                let (channels, classes) = (size("conv1.weight", 1), size("fc.weight", 0));
                resnet::graph(depth, channels.unwrap_or(3), classes.unwrap_or(1000))
            }
            Family::Motifs => motifs::graph_of(header.unwrap_or(&Header::default())),
        }
    }

    /// Names under which a file of its weights may lie in a folder, in the order in which they are taken; none where they are embedded.
    pub fn file_names(&self) -> Vec<String> {
        match self.source {
            Source::Embedded(_) => vec![],
            Source::File { name, .. } => {
                vec![format!("{}.safetensors", self.name), format!("{}.pth", self.name), name.to_string()]
            }
        }
    }

    /// Whether its usual weights were trained on ImageNet with torchvision's preprocessing.
    pub(super) fn of_imagenet(&self) -> bool {
        matches!(self.family, Family::ResNet(_))
    }
}
