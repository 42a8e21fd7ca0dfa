//! The networks that a recipe can name.

use super::graph::{Graph, Parameter};
use super::import::Header;
use super::{alexnet, densenet, googlenet, mobilenet, motifs, resnet, squeezenet, vgg};

/// A network that a recipe can name.
#[derive(Debug)]
pub struct Architecture {
    /// Its name: `resnet18`.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// Where its usual weights come from.
    pub source: Source,
    /// Mean and deviation of the pictures that its usual weights were trained on.
    pub(super) preprocessing: ([f64; 3], [f64; 3]),
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
    /// Read off the weights.
    Motifs,
    /// One of torchvision's, trained on ImageNet: for these numbers of the picture's channels and of classes.
    ImageNet(fn(usize, usize) -> Graph),
}

/// Where torchvision keeps its files of weights.
pub const TORCHVISION: &str = "https://download.pytorch.org/models/";

/// torchvision's preprocessing of its ImageNet classifiers.
const IMAGENET: ([f64; 3], [f64; 3]) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);

/// To this GoogLeNet's graph changes the picture in torchvision.
const INCEPTION: ([f64; 3], [f64; 3]) = ([0.5; 3], [0.5; 3]);

static EMBEDDED: &[u8] = include_bytes!("motifs.safetensors");

/// One of torchvision's networks. Names of files are torchvision's own, of its `IMAGENET1K_V1` weights.
const fn imagenet(
    name: &'static str,
    about: &'static str,
    file: &'static str,
    sha256: &'static str,
    graph: fn(usize, usize) -> Graph,
) -> Architecture {
    let source = Source::File { name: file, sha256, bytes: None };
    Architecture { name, about, source, preprocessing: IMAGENET, family: Family::ImageNet(graph) }
}

static ARCHITECTURES: &[Architecture] = &[
    Architecture {
        name: "motifs",
        about: "a small network that knows drawn motifs; part of the program",
        source: Source::Embedded(EMBEDDED),
        preprocessing: ([0.5; 3], [0.25; 3]),
        family: Family::Motifs,
    },
    Architecture {
        source: Source::File {
            name: "resnet18-f37072fd.pth",
            sha256: "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
            bytes: Some(46_830_571),
        },
        ..imagenet("resnet18", "ResNet of 18 layers", "", "", |channels, classes| resnet::graph(18, channels, classes))
    },
    imagenet("resnet34", "ResNet of 34 layers", "resnet34-b627a593.pth", "b627a593", |channels, classes| {
        resnet::graph(34, channels, classes)
    }),
    imagenet("resnet50", "ResNet of 50 layers", "resnet50-0676ba61.pth", "0676ba61", |channels, classes| {
        resnet::graph(50, channels, classes)
    }),
    imagenet("resnet101", "ResNet of 101 layers", "resnet101-63fe2227.pth", "63fe2227", |channels, classes| {
        resnet::graph(101, channels, classes)
    }),
    imagenet("resnet152", "ResNet of 152 layers", "resnet152-394f9c45.pth", "394f9c45", |channels, classes| {
        resnet::graph(152, channels, classes)
    }),
    imagenet("squeezenet1_0", "SqueezeNet 1.0", "squeezenet1_0-b66bff10.pth", "b66bff10", |channels, classes| {
        squeezenet::graph(squeezenet::Version::First, channels, classes)
    }),
    imagenet("squeezenet1_1", "SqueezeNet 1.1", "squeezenet1_1-b8a52dc0.pth", "b8a52dc0", |channels, classes| {
        squeezenet::graph(squeezenet::Version::Second, channels, classes)
    }),
    imagenet("mobilenet_v2", "MobileNetV2", "mobilenet_v2-b0353104.pth", "b0353104", mobilenet::v2),
    imagenet("vgg11", "VGG of 11 layers", "vgg11-8a719046.pth", "8a719046", |channels, classes| {
        vgg::graph(11, false, channels, classes)
    }),
    imagenet(
        "vgg11_bn",
        "VGG of 11 layers with batch norms",
        "vgg11_bn-6002323d.pth",
        "6002323d",
        |channels, classes| vgg::graph(11, true, channels, classes),
    ),
    imagenet("vgg13", "VGG of 13 layers", "vgg13-19584684.pth", "19584684", |channels, classes| {
        vgg::graph(13, false, channels, classes)
    }),
    imagenet(
        "vgg13_bn",
        "VGG of 13 layers with batch norms",
        "vgg13_bn-abd245e5.pth",
        "abd245e5",
        |channels, classes| vgg::graph(13, true, channels, classes),
    ),
    imagenet("vgg16", "VGG of 16 layers", "vgg16-397923af.pth", "397923af", |channels, classes| {
        vgg::graph(16, false, channels, classes)
    }),
    imagenet(
        "vgg16_bn",
        "VGG of 16 layers with batch norms",
        "vgg16_bn-6c64b313.pth",
        "6c64b313",
        |channels, classes| vgg::graph(16, true, channels, classes),
    ),
    imagenet("vgg19", "VGG of 19 layers", "vgg19-dcbb9e9d.pth", "dcbb9e9d", |channels, classes| {
        vgg::graph(19, false, channels, classes)
    }),
    imagenet(
        "vgg19_bn",
        "VGG of 19 layers with batch norms",
        "vgg19_bn-c79401a0.pth",
        "c79401a0",
        |channels, classes| vgg::graph(19, true, channels, classes),
    ),
    imagenet("alexnet", "AlexNet", "alexnet-owt-7be5be79.pth", "7be5be79", alexnet::graph),
    Architecture {
        preprocessing: INCEPTION,
        ..imagenet(
            "googlenet",
            "GoogLeNet, the first Inception",
            "googlenet-1378be20.pth",
            "1378be20",
            googlenet::graph,
        )
    },
    imagenet("densenet121", "DenseNet of 121 layers", "densenet121-a639ec97.pth", "a639ec97", densenet::graph),
    imagenet(
        "resnext50_32x4d",
        "ResNeXt of 50 layers, 32 groups",
        "resnext50_32x4d-7cdf4587.pth",
        "7cdf4587",
        |channels, classes| resnet::variant(50, resnet::Middle { groups: 32, width: 4 }, channels, classes),
    ),
    imagenet(
        "wide_resnet50_2",
        "ResNet of 50 layers, wide inside",
        "wide_resnet50_2-95faca4d.pth",
        "95faca4d",
        |channels, classes| resnet::variant(50, resnet::Middle { groups: 1, width: 128 }, channels, classes),
    ),
];

/// All of them, the default first.
pub fn architectures() -> &'static [Architecture] {
    ARCHITECTURES
}

/// The one of that name.
pub fn architecture(name: &str) -> Option<&'static Architecture> {
    ARCHITECTURES.iter().find(|architecture| architecture.name == name)
}

impl Architecture {
    /// Its graph for a file of weights, whose tensors tell the numbers of classes and channels; without one, the graph
    /// of the usual weights. Whether all tensors fit is not looked at.
    pub fn graph(&self, header: Option<&Header>) -> Graph {
        let build = match self.family {
            Family::Motifs => return motifs::graph_of(header.unwrap_or(&Header::default())),
            Family::ImageNet(build) => build,
        };
        let usual = build(3, 1000);
        let Some(header) = header else { return usual };
        let parameters = usual.parameters();
        let mut weights = parameters.iter().filter(|parameter| parameter.shape.len() > 1);
        let size = |parameter: Option<&Parameter>, dimension: usize| {
            let shape = header.shape(&parameter?.name)?;
            shape.get(dimension).copied()
        };
        let channels = size(weights.next(), 1);
        build(channels.unwrap_or(3), size(weights.next_back(), 0).unwrap_or(1000))
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
        matches!(self.family, Family::ImageNet(_))
    }
}
