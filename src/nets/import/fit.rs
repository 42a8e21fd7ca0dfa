//! Whether a file's tensors are the ones that a network needs: all of them, no others, in the right shapes.

use super::{Fault, Header, ImportError};
use crate::nets::graph::{Graph, Parameter};

/// Compares what a network needs with what a file has.
///
/// # Errors
/// Every tensor that is missing, extra or of another shape, the missing ones with the file's nearest name.
pub fn check_fit(architecture: &str, graph: &Graph, header: &Header) -> Result<(), ImportError> {
    let needed = graph.parameters();
    let known = |name: &str| needed.iter().any(|parameter| parameter.name == name);
    let extra = header.tensors.keys().map(String::as_str).filter(|name| !known(name) && !graph.is_unused(name));
    let extra: Vec<&str> = extra.collect();
    let mut faults = Vec::new();
    for Parameter { name, shape } in &needed {
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
    use crate::nets::graph::Op;
    use crate::nets::import::{Dtype, Entry};
    use crate::ops::Window;

    #[test]
    fn everything_that_does_not_fit_is_named() {
        let mut graph = Graph::new(3);
        graph.add("conv1", Op::convolution(Window::new(1, 1, 0)), &[0], 4);
        graph.add("fc", Op::Linear, &[1], 2);
        graph.pass_over(&["aux"]);
        let mut header = Header::default();
        let mut put = |name: &str, shape: &[usize]| {
            header.tensors.insert(name.into(), Entry { shape: shape.into(), dtype: Dtype::F32 });
        };
        put("conv1.weights", &[4, 3, 1, 1]);
        put("fc.weight", &[2, 5]);
        put("fc.bias", &[2]);
        put("zebra", &[]);
        put("aux.fc.weight", &[7]);
        let error = check_fit("resnet18", &graph, &header).unwrap_err().to_string();
        assert_eq!(
            error,
            "the weights don't fit resnet18: `conv1.weight` is missing (the file has `conv1.weights`), \
             `fc.weight` is 2x5, not 2x4, `conv1.weights` is not part of it, `zebra` is not part of it"
        );
    }
}
