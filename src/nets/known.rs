//! Files of weights that are known by their checksum: what they don't say of themselves.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::source::World;

/// A known file.
#[derive(Debug)]
pub struct Known {
    /// The network whose weights it holds.
    pub model: &'static str,
    sha256: &'static str,
    bytes: usize,
    /// The name of its licence.
    pub licence: &'static str,
    /// Mean and deviation that it was trained with, where they are not those of torchvision's own weights.
    pub preprocessing: Option<([f64; 3], [f64; 3])>,
}

const FILES: [Known; 5] = [
    // facebookresearch/kill-the-bits, decoded.
    Known {
        model: "resnet18",
        sha256: "9b4c8dd8ba638b8f631915d9d80a9d7c21b94d33807700547b5519ca97569cde",
        bytes: 23_407_336,
        licence: "CC BY-NC 4.0",
        preprocessing: None,
    },
    // google-coral/test_data, dequantized. TensorFlow's networks see −1..1.
    Known {
        model: "mobilenet_v2",
        sha256: "9551dc22fad5d9840fbf4df743ef3878b7c96f82430c857a7177f12916d6037e",
        bytes: 7_102_736,
        licence: "Apache-2.0",
        preprocessing: Some(([0.5; 3], [0.5; 3])),
    },
    // Gluon's, by way of the ONNX model zoo.
    Known {
        model: "squeezenet1_1",
        sha256: "adbd6b19dad2d2f1494ea1e56d64510bdbaf3a7180948e74476c5dc31abf9451",
        bytes: 2_475_920,
        licence: "Apache-2.0",
        preprocessing: None,
    },
    Known {
        model: "squeezenet1_1",
        sha256: "37e98fa98ec18df3f57d609387081bad17a86c7b0c76e30bcbca8883b3a0571e",
        bytes: 4_958_627,
        licence: "Apache-2.0",
        preprocessing: None,
    },
    // The authors', from Caffe.
    Known {
        model: "squeezenet1_0",
        sha256: "2c116369e83f3edcd34240b364c3c964bcf85adf155c645b7f9d9e8b48677f19",
        bytes: 2_501_776,
        licence: "BSD-2-Clause",
        preprocessing: None,
    },
];

impl Known {
    /// The known file of that SHA-256 in hexadecimal.
    pub fn of_sha256(sha256: &str) -> Option<&'static Self> {
        FILES.iter().find(|known| known.sha256.eq_ignore_ascii_case(sha256))
    }

    /// The known file at a path, if one of that network needs another preprocessing: other files are hardly read.
    pub fn at(model: &str, world: &dyn World, path: &Path) -> Option<&'static Self> {
        let own = FILES.iter().filter(|known| known.model == model && known.preprocessing.is_some());
        let longest = own.map(|known| known.bytes).max()?;
        let bytes = world.read_start(path, longest + 1).ok()?;
        let found = FILES.iter().any(|known| known.bytes == bytes.len());
        found.then(|| Self::of_bytes(&bytes)).flatten()
    }

    /// The known file of these bytes.
    pub fn of_bytes(bytes: &[u8]) -> Option<&'static Self> {
        let sha256: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Self::of_sha256(&sha256)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::source::{MemoryWorld, SystemWorld};

    #[test]
    fn a_file_is_known_by_its_bytes_alone() {
        let mut world = MemoryWorld::default();
        world.files.insert(PathBuf::from("short"), vec![0; 3]);
        world.files.insert(PathBuf::from("alike"), vec![0; 7_102_736]);
        for path in ["short", "alike", "none"] {
            assert!(Known::at("mobilenet_v2", &world, Path::new(path)).is_none(), "{path}");
        }
        let Some(models) = crate::nets::testing::models() else { return };
        for known in FILES.iter().filter(|known| known.bytes != 4_958_627) {
            let path = models.join(known.model).with_extension("safetensors");
            let found = Known::of_bytes(&std::fs::read(&path).unwrap()).unwrap();
            assert_eq!((found.model, found.licence), (known.model, known.licence));
            let needs = Known::at(known.model, &SystemWorld::default(), &path).map(|known| known.model);
            assert_eq!(needs, (known.model == "mobilenet_v2").then_some("mobilenet_v2"));
        }
    }
}
