//! Everything that is known of a network without its numbers: what a checker asks.

use super::architecture::{Architecture, Source};
use super::graph::{Graph, Node};
use super::import::{Header, ImportError, check_fit};
use super::known::Known;
use super::labels::Labels;
use super::network::LUMINANCE;

/// What is known of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// The architecture's name.
    pub name: &'static str,
    /// Its nodes.
    pub graph: Graph,
    /// What its classes are called; empty where nothing says so.
    pub labels: Labels,
    /// Mean that its preprocessing takes from each channel, R, G, B, of values 0..1. Of what then is left, a network of
    /// one channel sees the luminance.
    pub mean: [f64; 3],
    /// Deviation by which its preprocessing then divides.
    pub std: [f64; 3],
    /// Width and height in pixels of the pictures that it was trained on.
    pub size: (usize, usize),
    /// Side in pixels to which the shorter side of a photo is scaled before its middle is cut out.
    pub photo_side: usize,
    /// The licence of the weights, where anything says so.
    pub licence: Option<Licence>,
}

/// Under which terms weights may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Licence {
    /// Its name: `CC BY-NC 4.0`.
    pub name: String,
    /// Whether it forbids commercial use, also of what is made with the weights.
    pub non_commercial: bool,
}

impl Licence {
    /// The licence of a known file by its SHA-256 in hexadecimal.
    pub fn of_file(sha256: &str) -> Option<Self> {
        Known::of_sha256(sha256).map(|known| Self::named(known.licence))
    }

    /// The licence of that name; Creative Commons marks the non-commercial ones by `NC`.
    pub fn named(name: &str) -> Self {
        let upper = name.to_uppercase();
        let mut words = upper.split(|c: char| !c.is_alphanumeric());
        let non_commercial =
            words.any(|word| word == "NC") || upper.contains("NONCOMMERCIAL") || upper.contains("NON-COMMERCIAL");
        Self { name: name.trim().into(), non_commercial }
    }
}

impl Facts {
    /// The facts of a network with the weights of a file, or, without one, with its usual weights.
    ///
    /// # Errors
    /// The file's tensors are not the network's, or its metadata can't be understood.
    pub fn new(architecture: &'static Architecture, header: Option<&Header>) -> Result<Self, ImportError> {
        let embedded = match (header, architecture.source) {
            (None, Source::Embedded(bytes)) => Some(Header::of(bytes)?),
            _ => None,
        };
        let header = header.or(embedded.as_ref());
        let graph = architecture.graph(header);
        if let Some(header) = header {
            check_fit(architecture.name, &graph, header)?;
        }
        let channels = graph.nodes().first().map_or(0, |input| input.channels);
        if !matches!(channels, 1 | 3) {
            return Err(ImportError::Channels(channels));
        }
        let imagenet = architecture.of_imagenet();
        let (mean, std) = architecture.preprocessing;
        let labels = match graph.output().channels {
            1000 if imagenet => Labels::imagenet(),
            _ => Labels::default(),
        };
        let (size, photo_side) = if imagenet { ((224, 224), 256) } else { ((96, 96), 96) };
        let facts = Self { name: architecture.name, graph, labels, mean, std, size, photo_side, licence: None };
        header.map_or(Ok(facts.clone()), |header| facts.clone().told_by(header))
    }

    /// The same for a known file that needs another preprocessing.
    pub fn of_known(mut self, known: Option<&Known>) -> Self {
        if let Some((mean, std)) = known.and_then(|known| known.preprocessing) {
            (self.mean, self.std) = (mean, std);
        }
        self
    }

    /// What a file's metadata says goes before what is usual.
    fn told_by(mut self, header: &Header) -> Result<Self, ImportError> {
        let wrong = |key: &str, problem: String| ImportError::Metadata { key: key.into(), problem };
        if let Some(text) = header.metadata("labels") {
            self.labels = Labels::parse(text.as_bytes()).map_err(|error| wrong("labels", error.to_string()))?;
            if self.labels.len() != self.classes() {
                let problem = format!("{} labels for {} classes", self.labels.len(), self.classes());
                return Err(wrong("labels", problem));
            }
        }
        for (key, values) in [("mean", &mut self.mean), ("std", &mut self.std)] {
            if let Some(text) = header.metadata(key) {
                *values = three(text).ok_or_else(|| wrong(key, format!("`{text}` is not three numbers, or one")))?;
                if key == "mean" && self.graph.channels(0) == 1 && !text.contains(',') {
                    // It is the luminance's own, whose factors are not quite 1 together.
                    *values = values.map(|mean| mean / LUMINANCE.iter().sum::<f64>());
                }
            }
        }
        if self.std.iter().any(|&deviation| deviation <= 0.) {
            return Err(wrong("std", "a deviation must be above 0".into()));
        }
        if let Some(text) = header.metadata("size") {
            let size = text.split_once('x').and_then(|(w, h)| Some((w.trim().parse().ok()?, h.trim().parse().ok()?)));
            self.size = size
                .filter(|&(w, h)| (1..=8192).contains(&w) && (1..=8192).contains(&h))
                .ok_or_else(|| wrong("size", format!("`{text}` is not a width and height such as `96x96`")))?;
            self.photo_side = self.size.0.min(self.size.1);
        }
        self.licence = header.metadata("licence").or(header.metadata("license")).map(Licence::named);
        Ok(self)
    }

    /// How many classes it tells apart.
    pub fn classes(&self) -> usize {
        self.output().channels
    }

    /// Its last node, the logits.
    pub fn output(&self) -> &Node {
        self.graph.output()
    }
}

/// `0.5, 0.5, 0.5`, in brackets or not; `0.5` stands for all three.
fn three(text: &str) -> Option<[f64; 3]> {
    let text = text.trim().trim_start_matches('[').trim_end_matches(']');
    let numbers: Option<Vec<f64>> = text.split(',').map(|number| number.trim().parse().ok()).collect();
    let numbers = numbers?;
    let numbers = if let [number] = numbers[..] { vec![number; 3] } else { numbers };
    numbers.try_into().ok().filter(|numbers: &[f64; 3]| numbers.iter().all(|number| number.is_finite()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nets::architecture;
    use crate::nets::import::{Dtype, Entry};

    fn header_of(graph: &Graph) -> Header {
        let entry = |shape: &[usize]| Entry { shape: shape.to_vec(), dtype: Dtype::F32 };
        let tensors = graph.parameters().iter().map(|p| (p.name.clone(), entry(&p.shape))).collect();
        Header { tensors, ..Default::default() }
    }

    #[test]
    fn every_network_has_facts_without_weights() {
        for architecture in crate::nets::architectures() {
            let facts = Facts::new(architecture, None).unwrap();
            assert!(facts.classes() >= 32, "{}", facts.name);
            assert_eq!(facts.labels.len(), facts.classes(), "{}", facts.name);
            assert!(facts.graph.shapes(facts.size.1, facts.size.0).is_ok());
        }
    }

    #[test]
    fn a_fine_tuned_network_has_its_own_classes() {
        let resnet18 = architecture("resnet18").unwrap();
        let mut header = header_of(&crate::nets::resnet::graph(18, 3, 2));
        let facts = Facts::new(resnet18, Some(&header)).unwrap();
        assert_eq!((facts.classes(), facts.labels.len(), facts.mean[0]), (2, 0, 0.485));
        for (key, value) in [("labels", "ant\nbee"), ("mean", "[0.1, 0.2, 0.3]"), ("std", "1,1,1"), ("size", "64x32")] {
            header.metadata.insert(key.into(), value.into());
        }
        header.metadata.insert("license".into(), "cc-by-nc-4.0".into());
        let facts = Facts::new(resnet18, Some(&header)).unwrap();
        assert_eq!((facts.labels.find("bee"), facts.mean, facts.size), (vec![1], [0.1, 0.2, 0.3], (64, 32)));
        assert!(facts.licence.unwrap().non_commercial);
        header.metadata.insert("labels".into(), "ant".into());
        let error = Facts::new(resnet18, Some(&header)).unwrap_err().to_string();
        assert_eq!(error, "the metadata `labels` of the weights is wrong: 1 labels for 2 classes");
    }

    #[test]
    fn weights_of_another_depth_are_refused() {
        let header = header_of(&crate::nets::resnet::graph(34, 3, 1000));
        let error = Facts::new(architecture("resnet18").unwrap(), Some(&header)).unwrap_err();
        let ImportError::Unfit { faults, .. } = &error else { panic!("{error}") };
        let found: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert!(found.iter().any(|fault| fault == "`layer1.2.conv1.weight` is not part of it"), "{found:?}");
        let of = |channels| {
            let header = header_of(&crate::nets::resnet::graph(18, channels, 10));
            Facts::new(architecture("resnet18").unwrap(), Some(&header))
        };
        assert_eq!(of(1).unwrap().graph.nodes()[0].channels, 1);
        let error = of(4).unwrap_err();
        assert_eq!(error.to_string(), "the network takes 4 channels, and a picture has 3, or 1 as gray");
        assert!(error.help().unwrap().contains("`conv1.weight`"), "{:?}", error.help());
    }

    #[test]
    fn one_number_stands_for_all_channels() {
        let mut header = header_of(&crate::nets::resnet::graph(18, 1, 10));
        header.metadata.extend([("mean", "0.1307"), ("std", "[0.3081]")].map(|(k, v)| (k.to_string(), v.to_string())));
        let facts = Facts::new(architecture("resnet18").unwrap(), Some(&header)).unwrap();
        let seen: f64 = LUMINANCE.iter().zip(facts.mean).map(|(factor, mean)| factor * mean).sum();
        assert!((seen - 0.1307).abs() < 1e-12 && facts.std == [0.3081; 3]);
        header.metadata.insert("std".into(), "1, 2".into());
        assert!(Facts::new(architecture("resnet18").unwrap(), Some(&header)).is_err());
    }

    #[test]
    fn licences() {
        let known = "9b4c8dd8ba638b8f631915d9d80a9d7c21b94d33807700547b5519ca97569cde";
        assert!(Licence::of_file(known).is_some_and(|licence| licence.non_commercial));
        assert_eq!(Licence::of_file("00"), None);
        assert!(!Licence::named("Apache-2.0").non_commercial);
    }
}
