//! One step of ResNet18 at 299x299: forward to the logits, and the gradient of the picture. Weights are random.

use std::hint::black_box;

use candle_core::{Device, Tensor, Var};
use criterion::{Criterion, criterion_group, criterion_main};
use fviz::nets::import::Array;
use fviz::nets::{Facts, Network, Weights, architecture};

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
    let facts = architecture("resnet18").map(|resnet18| Facts::new(resnet18, None));
    let Some(Ok(facts)) = facts else { return };
    let weights = weights(&facts);
    for (name, node) in [("resnet18 to fc", "fc"), ("resnet18 to layer2", "layer2")] {
        let network = Network::load(&facts, &weights, [node]).unwrap();
        let picture = Tensor::rand(-1f32, 1.0, (1, 3, 299, 299), &Device::Cpu).unwrap();
        let mut forward = criterion.benchmark_group(name);
        forward.sample_size(20);
        forward.bench_function("forward", |bencher| {
            bencher.iter(|| black_box(network.forward(&picture, false).unwrap()));
        });
        forward.bench_function("forward and gradient", |bencher| {
            bencher.iter(|| {
                let picture = Var::from_tensor(&picture).unwrap();
                let taps = network.forward(&picture, false).unwrap();
                let loss = taps[node].flatten_from(1).unwrap().narrow(1, 8, 1).unwrap().sum_all().unwrap();
                black_box(loss.backward().unwrap().remove(&picture).unwrap())
            });
        });
        forward.finish();
    }
}

criterion_group!(network, step);
criterion_main!(network);
