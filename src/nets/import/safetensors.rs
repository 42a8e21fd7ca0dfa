//! safetensors: the length of a JSON header (8 bytes), the header, the numbers.
//! <https://huggingface.co/docs/safetensors/index>; the crate `safetensors` reads the header and checks that the
//! tensors lie one after another and are as long as their shapes say.

use std::collections::BTreeMap;

use rayon::prelude::*;
use safetensors::tensor::{Dtype as Theirs, Metadata, TensorInfo};

use super::header::{count, known_as};
use super::{Array, Dtype, Entry, Header, ImportError, Weights};

/// The crate's own limit, restated because the crate applies it only to whole files.
const MOST_HEADER: u64 = 100_000_000;

/// The byte after the header.
pub fn header_end(start: &[u8]) -> Result<usize, ImportError> {
    let length = start.first_chunk().map(|&bytes| u64::from_le_bytes(bytes)).ok_or(ImportError::Unknown)?;
    if length > MOST_HEADER {
        return Err(ImportError::Unknown);
    }
    Ok(length as usize + 8)
}

fn metadata(start: &[u8]) -> Result<(Metadata, usize), ImportError> {
    let end = header_end(start)?;
    let json = start.get(8..end).ok_or_else(|| ImportError::Truncated { missing: (end - start.len()) as u64 })?;
    let metadata = serde_json::from_slice(json).map_err(|error| ImportError::Damaged(error.to_string()))?;
    Ok((metadata, end))
}

/// The header of a file of which at least the header is there.
pub fn header(start: &[u8]) -> Result<Header, ImportError> {
    let (metadata, _) = metadata(start)?;
    let mut tensors = BTreeMap::new();
    for (tensor, info) in &metadata.tensors() {
        let Some(name) = known_as(tensor) else { continue };
        let dtype = match info.dtype {
            Theirs::F32 => Dtype::F32,
            Theirs::F16 => Dtype::F16,
            Theirs::BF16 => Dtype::BF16,
            other => {
                return Err(ImportError::Numbers { tensor: name.into(), dtype: format!("{other:?}").to_lowercase() });
            }
        };
        if count(&info.shape).is_none() {
            return Err(ImportError::Damaged(format!("`{name}` is impossibly large")));
        }
        if tensors.insert(name.to_string(), Entry { shape: info.shape.clone(), dtype }).is_some() {
            return Err(ImportError::Damaged(format!("`{name}` is there twice")));
        }
    }
    let metadata = metadata.metadata().iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect();
    Ok(Header { tensors, metadata })
}

/// The whole file.
pub fn weights(bytes: &[u8]) -> Result<Weights, ImportError> {
    let header = header(bytes)?;
    let (metadata, start) = metadata(bytes)?;
    let data = bytes.get(start..).unwrap_or_default();
    let needed = metadata.tensors().values().map(|info| info.data_offsets.1).max().unwrap_or(0);
    match needed.cmp(&data.len()) {
        std::cmp::Ordering::Greater => return Err(ImportError::Truncated { missing: (needed - data.len()) as u64 }),
        std::cmp::Ordering::Less => {
            return Err(ImportError::Damaged(format!("{} bytes follow its last tensor", data.len() - needed)));
        }
        std::cmp::Ordering::Equal => {}
    }
    let decoded = |(tensor, info): (&String, &&TensorInfo)| {
        let (name, entry) = known_as(tensor).and_then(|name| header.tensors.get_key_value(&*name))?;
        let bytes = data.get(info.data_offsets.0..info.data_offsets.1).unwrap_or_default();
        Some((name.clone(), Array { shape: entry.shape.clone(), data: entry.dtype.decode(bytes) }))
    };
    let tensors = metadata.tensors().par_iter().filter_map(decoded).collect();
    Ok(Weights { tensors, metadata: header.metadata })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nets::testing::{safetensors_file as file, seeded};

    #[test]
    fn all_three_types_of_numbers() {
        for (dtype, bytes) in [
            ("F32", [0f32, 1.5, -2.].iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>()),
            ("F16", [0f32, 1.5, -2.].iter().flat_map(|&x| half::f16::from_f32(x).to_le_bytes()).collect()),
            ("BF16", [0f32, 1.5, -2.].iter().flat_map(|&x| half::bf16::from_f32(x).to_le_bytes()).collect()),
        ] {
            let json =
                format!(r#"{{"module.a":{{"dtype":"{dtype}","shape":[3,1],"data_offsets":[0,{}]}}}}"#, bytes.len());
            let read = Weights::read(&file(&json, &bytes)).unwrap();
            assert_eq!(read.tensors["a"], Array { shape: vec![3, 1], data: vec![0., 1.5, -2.] });
        }
    }

    #[test]
    fn numbers_of_other_types_are_named_unless_passed_over() {
        let json = r#"{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#;
        let error = Weights::read(&file(json, &[0; 8])).unwrap_err();
        assert_eq!(error.to_string(), "`a` holds f64 numbers; f32, f16 and bf16 are read");
        let json = r#"{"bn1.num_batches_tracked":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}"#;
        assert_eq!(Weights::read(&file(json, &[0; 8])).unwrap(), Weights::default());
    }

    #[test]
    fn damage_is_an_error_never_a_panic() {
        let good = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
        let whole = file(good, &[0; 8]);
        for cut in 0..whole.len() {
            assert!(Weights::read(&whole[..cut]).is_err(), "{cut}");
        }
        assert!(matches!(Weights::read(&whole[..whole.len() - 3]), Err(ImportError::Truncated { missing: 3 })));
        assert!(matches!(Weights::read(&[whole.clone(), vec![0]].concat()), Err(ImportError::Damaged(_))));
        for json in [
            r#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#,
            r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}"#,
            r#"{"a":{"dtype":"F32","shape":[9223372036854775807,4],"data_offsets":[0,8]}}"#,
            r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#,
            r#"{"a":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}}"#,
            r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"module.a":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}}"#,
            r#"{"a":1}"#,
            "{",
        ] {
            assert!(matches!(Weights::read(&file(json, &[0; 8])), Err(ImportError::Damaged(_))), "{json}");
        }
        let absurd = r#"{"a":{"dtype":"F32","shape":[2305843009213693951],"data_offsets":[0,9223372036854775804]}}"#;
        assert!(matches!(Header::of(&file(absurd, &[])), Err(ImportError::Damaged(_))));
        let mut long = whole.clone();
        long[..8].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(matches!(Weights::read(&long), Err(ImportError::Unknown)));
        // Any one byte changed: read or refused, no panic.
        let mut random = seeded(7);
        for _ in 0..2000 {
            let mut bytes = whole.clone();
            bytes[random(whole.len() as u32) as usize] = random(256) as u8;
            let _ = (Weights::read(&bytes), Header::of(&bytes));
        }
    }

    #[test]
    fn nan_and_infinity_are_named() {
        let json = r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#;
        let bytes = [f32::NAN.to_le_bytes(), f32::INFINITY.to_le_bytes()].concat();
        let error = Weights::read(&file(json, &bytes)).unwrap_err();
        assert_eq!(error.to_string(), "not all numbers are finite in `a`, `b`");
    }
}
