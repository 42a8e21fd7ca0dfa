//! One step, forward to the logits and the gradient of the picture: of ResNet18 at 299x299, of every network at 224x224.
//! Weights are random.
//!
//! `cargo bench --bench network`; `RAYON_NUM_THREADS=1` for one thread.

use std::hint::black_box;

use candle_core::{Device, Tensor, Var};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fviz::nets::import::Array;
use fviz::nets::{Architecture, Facts, Network, Source, Weights, architectures};

/// Weights that keep activations near 1, from a linear congruence.
fn weights(facts: &Facts) -> Weights {
    let mut state = 1u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    let mut weights = Weights::default();
    for parameter in facts.graph.parameters() {
        let inputs: usize = parameter.shape.iter().skip(1).product();
        let length = parameter.shape.iter().product();
        let data = match parameter.name.rsplit('.').next() {
            Some("running_var") => vec![1.0; length],
            Some("weight") if parameter.shape.len() == 1 => vec![0.5; length],
            _ => (0..length).map(|_| random() * (6.0 / inputs as f32).sqrt()).collect(),
        };
        weights.tensors.insert(parameter.name, Array { shape: parameter.shape, data });
    }
    weights
}

fn step(criterion: &mut Criterion) {
    let resnet18 = architectures().iter().filter(|one| one.name == "resnet18");
    for (architecture, node, side) in resnet18.flat_map(|one| [(one, "fc", 299), (one, "layer2", 299)]) {
        both(criterion, architecture, node, side);
    }
    for architecture in architectures().iter().filter(|one| matches!(one.source, Source::File { .. })) {
        let node = architecture.graph(None).output().name.clone();
        both(criterion, architecture, &node, 224);
    }
}

fn both(criterion: &mut Criterion, architecture: &'static Architecture, node: &str, side: usize) {
    let Ok(facts) = Facts::new(architecture, None) else { return };
    let network = Network::load(&facts, &weights(&facts), [node]).unwrap();
    let picture = Tensor::rand(-1f32, 1.0, (1, 3, side, side), &Device::Cpu).unwrap();
    let mut group = criterion.benchmark_group(format!("{} to {node} at {side}", architecture.name));
    if let (Ok(shapes), Some(id)) = (facts.graph.shapes(side, side), facts.graph.find(node)) {
        // An addition comes with each, and the way back takes as many.
        group.throughput(Throughput::Elements(4 * facts.graph.multiplications(&shapes, &[id])));
    }
    group.sample_size(10);
    group.bench_function("forward and gradient", |bencher| {
        bencher.iter(|| {
            let picture = Var::from_tensor(&picture).unwrap();
            let taps = network.forward(&picture, false).unwrap();
            let loss = taps[node].flatten_from(1).unwrap().narrow(1, 8, 1).unwrap().sum_all().unwrap();
            black_box(loss.backward().unwrap().remove(&picture).unwrap())
        });
    });
    group.finish();
}

criterion_group!(network, step);
criterion_main!(network);
