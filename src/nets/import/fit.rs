//! Whether a file's tensors are the ones that a network needs: all of them, no others, in the right shapes.

use super::{Fault, Header, ImportError};
use crate::nets::graph::Parameter;

/// Compares what a network needs with what a file has.
///
/// # Errors
/// Every tensor that is missing, extra or of another shape, the missing ones with the file's nearest name.
pub fn check_fit(architecture: &str, needed: &[Parameter], header: &Header) -> Result<(), ImportError> {
    let known = |name: &str| needed.iter().any(|parameter| parameter.name == name);
    let extra: Vec<&str> = header.tensors.keys().map(String::as_str).filter(|name| !known(name)).collect();
    let mut faults = Vec::new();
    for Parameter { name, shape } in needed {
        match header.shape(name) {
            None => faults.push(Fault::Missing { name: name.clone(), near: nearest(name, &extra) }),
            Some(found) if found != shape => {
                faults.push(Fault::Shape { name: name.clone(), needed: shape.clone(), found: found.to_vec() });
            }
            Some(_) => {}
        }
    }
    faults.extend(extra.iter().map(|name| Fault::Extra { name: name.to_string() }));
    if faults.is_empty() {
        return Ok(());
    }
    Err(ImportError::Unfit { architecture: architecture.into(), faults })
}

/// The likeliest meaning of a name among those that nothing else claims.
fn nearest(name: &str, extra: &[&str]) -> Option<String> {
    // Where a file is of quite another network, hundreds are missing and hundreds extra: then no name is near.
    let few = &extra[..extra.len().min(64)];
    let ends = |candidate: &&&str| candidate.ends_with(&format!(".{name}"));
    let alike =
        || few.iter().map(|other| (strsim::jaro_winkler(name, other), other)).max_by(|a, b| a.0.total_cmp(&b.0));
    let found =
        few.iter().find(ends).or_else(|| alike().filter(|(likeness, _)| *likeness > 0.85).map(|(_, other)| other));
    found.map(|other| other.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nets::import::{Dtype, Entry};

    #[test]
    fn everything_that_does_not_fit_is_named() {
        let parameter = |name: &str, shape: &[usize]| Parameter { name: name.into(), shape: shape.into() };
        let needed =
            [parameter("conv1.weight", &[4, 3, 1, 1]), parameter("fc.weight", &[2, 4]), parameter("fc.bias", &[2])];
        let mut header = Header::default();
        let mut put = |name: &str, shape: &[usize]| {
            header.tensors.insert(name.into(), Entry { shape: shape.into(), dtype: Dtype::F32 });
        };
        put("conv1.weights", &[4, 3, 1, 1]);
        put("fc.weight", &[2, 5]);
        put("fc.bias", &[2]);
        put("zebra", &[]);
        let error = check_fit("resnet18", &needed, &header).unwrap_err().to_string();
        assert_eq!(
            error,
            "the weights don't fit resnet18: `conv1.weight` is missing (the file has `conv1.weights`), \
             `fc.weight` is 2x5, not 2x4, `conv1.weights` is not part of it, `zebra` is not part of it"
        );
    }
}
