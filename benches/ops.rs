//! The kernels, one by one: each kind of layer of a ResNet18 at 299x299, forward and back, with the speed that follows from
//! the convolution as it is defined.
//!
//! `cargo bench --bench ops`; `RAYON_NUM_THREADS=1` for one thread, `FVIZ_VECTORS=avx2` for shorter vectors.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fviz::ops::fast::{
    Buffer, FastConvolution, Finish, Form, Grid, Slot, Vectors, enter, floats, leave, pool, run, unpool, winners_grid,
};
use fviz::ops::{Convolution, Rectifier, Window};

/// Name, inputs, outputs, kernel, stride, padding, pixels a side.
const LAYERS: [(&str, usize, usize, usize, usize, usize, usize); 8] = [
    ("stem: 7x7, stride 2, 3 to 64", 3, 64, 7, 2, 3, 299),
    ("3x3, 64", 64, 64, 3, 1, 1, 75),
    ("3x3, 128", 128, 128, 3, 1, 1, 38),
    ("3x3, 256", 256, 256, 3, 1, 1, 19),
    ("3x3, 512", 512, 512, 3, 1, 1, 10),
    ("3x3, stride 2, 64 to 128", 64, 128, 3, 2, 1, 75),
    ("3x3, stride 2, 256 to 512", 256, 512, 3, 2, 1, 19),
    ("1x1, stride 2, 128 to 256", 128, 256, 1, 2, 0, 38),
];

fn convolutions(criterion: &mut Criterion) {
    let vectors = Vectors::best().expect("a processor with vectors");
    for (name, inputs, outputs, kernel, stride, padding, side) in LAYERS {
        let window = Window::new(kernel, stride, padding);
        let weights = (0..outputs * inputs * kernel * kernel).map(|i| ((i * 7919) % 1000) as f32 / 1e3 - 0.5).collect();
        let layer = Convolution::new(window, inputs, outputs, weights, vec![0.1; outputs]).expect("a layer");
        let layer = FastConvolution::new(layer, vectors, Form::Prepared);
        let results = window.positions(side).expect("a picture");
        let (pad, back) = (layer.pad(side, results), layer.gradient_pad(side, results));
        let from = Slot { buffer: 0, grid: Grid { height: side, width: side, channels: inputs, pad } };
        let to = Slot { buffer: 1, grid: Grid { height: results, width: results, channels: outputs, pad: back } };
        let (mut picture, mut result) = (floats(from.grid.size()), floats(to.grid.size()));
        let mut scratch = floats(layer.scratch(from.grid, to.grid, true));
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(2 * (results * results * outputs * inputs * kernel * kernel) as u64));
        for direction in ["forward", "back"] {
            group.bench_function(direction, |bencher| {
                bencher.iter(|| {
                    let finish =
                        Finish { relu: (direction == "forward").then_some(Rectifier::Relu), ..Finish::default() };
                    let stages = match direction {
                        "forward" => layer.forward(from, to, 2, finish),
                        _ => layer.backward(to, from, 2, finish),
                    };
                    let buffers =
                        vec![Buffer::Filled(&mut picture), Buffer::Filled(&mut result), Buffer::Filled(&mut scratch)];
                    run(buffers, &stages)
                });
            });
        }
        group.finish();
    }
}

fn pools(criterion: &mut Criterion) {
    let vectors = Vectors::best().expect("a processor with vectors");
    let window = Window::new(3, 2, 1);
    let from = Slot { buffer: 0, grid: Grid { height: 150, width: 150, channels: 64, pad: 1 } };
    let to = Slot { buffer: 1, grid: Grid { height: 75, width: 75, channels: 64, pad: 1 } };
    let (mut picture, mut result) = (floats(from.grid.size()), floats(to.grid.size()));
    let mut winners = floats(winners_grid(to.grid).size());
    let mut group = criterion.benchmark_group("max pool 3x3, stride 2, 64 channels of 150x150");
    for direction in ["forward", "back"] {
        group.bench_function(direction, |bencher| {
            bencher.iter(|| {
                let stage = match direction {
                    "forward" => pool(window, from, to, 2, vectors),
                    _ => unpool(window, to, from, 2, Finish::default(), vectors),
                };
                let buffers =
                    vec![Buffer::Filled(&mut picture), Buffer::Filled(&mut result), Buffer::Filled(&mut winners)];
                run(buffers, &[stage])
            });
        });
    }
    group.finish();
}

fn borders(criterion: &mut Criterion) {
    let slot = Slot { buffer: 1, grid: Grid { height: 299, width: 299, channels: 3, pad: 3 } };
    let (mut picture, mut planes) = (floats(slot.grid.size()), floats(3 * 299 * 299));
    criterion.bench_function("a picture in and out", |bencher| {
        bencher.iter(|| {
            let buffers = vec![Buffer::Filled(&mut planes), Buffer::Filled(&mut picture)];
            run(buffers, &[enter(0, slot), leave(slot, 0)])
        });
    });
}

criterion_group! { name = ops; config = Criterion::default().sample_size(30); targets = convolutions, pools, borders }
criterion_main!(ops);
