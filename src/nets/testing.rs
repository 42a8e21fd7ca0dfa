//! What the tests of this room share.

use std::path::PathBuf;

use super::graph::{Graph, Parameter};
use super::import::{Array, Weights};

/// The folder of real weights that `FVIZ_MODELS` names; without it a line says which kind of test is left out.
pub(crate) fn models() -> Option<PathBuf> {
    let folder = std::env::var_os("FVIZ_MODELS").map(PathBuf::from);
    if folder.is_none() {
        println!("left out: needs real weights, and FVIZ_MODELS names no folder");
    }
    folder
}

/// A safetensors file of that header and those numbers.
pub(crate) fn safetensors_file(json: &str, data: &[u8]) -> Vec<u8> {
    [&(json.len() as u64).to_le_bytes(), json.as_bytes(), data].concat()
}

/// Numbers below a bound, the same for a seed every time (a linear congruence of Knuth's MMIX).
pub(crate) fn seeded(seed: u64) -> impl FnMut(u32) -> u32 {
    let mut state = seed;
    move |bound| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % u64::from(bound)) as u32
    }
}

/// Weights for a graph that keep activations near 1, the same for a seed every time.
pub(crate) fn random_weights(graph: &Graph, seed: u64) -> Weights {
    let mut next = seeded(seed);
    let mut random = move || next(1 << 20) as f32 / (1 << 19) as f32 - 1.0;
    let mut weights = Weights::default();
    for Parameter { name, shape } in graph.parameters() {
        let length = shape.iter().product();
        let inputs: usize = shape.iter().skip(1).product();
        let (middle, reach) = match (name.rsplit('.').next(), shape.len()) {
            (Some("running_var"), _) => (1.0, 0.5),
            (Some("weight"), 1) => (1.0, 0.3),
            (Some("weight"), _) => (0.0, (6.0 / inputs as f32).sqrt()),
            _ => (0.0, 0.2),
        };
        let data = (0..length).map(|_| middle + reach * random()).collect();
        weights.tensors.insert(name, Array { shape, data });
    }
    weights
}
