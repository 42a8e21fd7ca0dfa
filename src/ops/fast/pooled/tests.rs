//! Against candle's gradient in f64, on all vectors and several threads.

use candle_core::{DType, Device, Tensor};

use super::*;
use crate::ops::fast::{Buffer, FastConvolution, Form, enter, leave, mask, pool, run};
use crate::ops::testing::{gradient, random, values};
use crate::ops::{Convolution, Rectifier, max_pool};

fn numbers(shape: &[usize], seed: u64) -> Vec<f32> {
    values(&random(shape, seed)).into_iter().map(|x| x as f32).collect()
}

/// The picture's gradient by the winners, for a gradient `g` of what the pool gives.
fn by_winners(layer: &Convolution, after: Window, x: &[f32], g: &[f32], side: [usize; 2], by: Vectors) -> Vec<f32> {
    let fast = FastConvolution::new(layer.clone(), by, Form::Prepared);
    assert!(fast.pools());
    let (window, channels, outputs, ..) = layer.parts();
    let [height, width] = side;
    let positions = |window: Window, grid: Grid, channels| Grid {
        height: window.positions(grid.height).unwrap(),
        width: window.positions(grid.width).unwrap(),
        channels,
        pad: 1,
    };
    let mut picture = Grid { height, width, channels, pad: 0 };
    let results = positions(window, picture, outputs);
    picture.pad = fast.pad(height, results.height).max(fast.pad(width, results.width));
    let small = positions(after, results, outputs);
    let slot = |buffer, grid| Slot { buffer, grid };
    let relu = Finish { relu: Some(Rectifier::Relu), ..Finish::default() };
    let mut stages = vec![enter(0, slot(1, picture))];
    stages.extend(fast.forward(slot(1, picture), slot(2, results), 5, relu));
    stages.push(pool(after, slot(2, results), slot(3, small), 4, by));
    let [mut a, mut b, mut c, mut places, mut scratch] = [picture, results, small, winners_grid(small)]
        .map(|grid| vec![0.0; grid.size()])
        .into_iter()
        .chain([vec![0.0; fast.scratch(picture, results, false)]])
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    let filled = [&mut a, &mut b, &mut c, &mut places, &mut scratch].map(|buffer| Buffer::Filled(buffer));
    run([Buffer::Given(x)].into_iter().chain(filled).collect(), &stages);
    let winners = Winners { window: after, gradient: slot(1, small), places: 4, results };
    let stages = vec![
        enter(0, slot(1, small)),
        mask(slot(1, small), Some((3, Rectifier::Relu)), by),
        fast.backward_of(winners, slot(2, picture), Finish::default()),
        leave(slot(2, picture), 5),
    ];
    let (mut gradient, mut back) = (vec![0.0; small.size()], vec![0.0; picture.size()]);
    let mut planes = vec![0.0; x.len()];
    run(
        vec![
            Buffer::Given(g),
            Buffer::Filled(&mut gradient),
            Buffer::Filled(&mut back),
            Buffer::Given(&c),
            Buffer::Given(&places),
            Buffer::Filled(&mut planes),
        ],
        &stages,
    );
    planes
}

fn check([channels, outputs]: [usize; 2], window: Window, after: Window, [height, width]: [usize; 2]) {
    let kernel = window.kernel;
    let weights = numbers(&[outputs, channels, kernel, kernel], 1);
    let layer = Convolution::new(window, channels, outputs, weights, numbers(&[outputs], 2)).unwrap();
    let x = numbers(&[1, channels, height, width], 3);
    let exact = |numbers: &[f32], shape: &[usize]| {
        Tensor::from_slice(numbers, shape, &Device::Cpu).unwrap().to_dtype(DType::F64).unwrap()
    };
    let through = |x: &Tensor| max_pool(&layer.forward(x)?.relu()?, after);
    let picture = exact(&x, &[1, channels, height, width]);
    let shape = through(&picture).unwrap().dims().to_vec();
    let g = numbers(&shape, 4);
    let want = values(&gradient(through, &picture, &exact(&g, &shape)));
    let most = want.iter().fold(1e-30f64, |most, x| most.max(x.abs()));
    let mut first: Option<Vec<f32>> = None;
    for (vectors, threads) in Vectors::all().into_iter().flat_map(|vectors| [1, 2, 3].map(|n| (vectors, n))) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let got = pool.install(|| by_winners(&layer, after, &x, &g, [height, width], vectors));
        let far = got.iter().zip(&want).map(|(got, want)| (f64::from(*got) - want).abs() / most).fold(0.0, f64::max);
        assert!(far < 1e-5, "{channels} {outputs} {window:?} {after:?} {height}x{width}: {far}");
        assert!(first.get_or_insert_with(|| got.clone()) == &got, "{window:?} {after:?}, {threads}: other bytes");
    }
}

#[test]
fn agrees_with_f64() {
    let pools = [Window::new(3, 2, 1), Window::new(2, 2, 0), Window::new(3, 2, 0).ceil(), Window::new(3, 1, 1)];
    for (kernel, stride, padding) in [(7, 2, 3), (11, 4, 2), (3, 1, 1), (3, 2, 0), (1, 3, 0), (5, 2, 2)] {
        for (after, outputs) in pools.into_iter().zip([64, 1, 70, 130]) {
            let window = Window::new(kernel, stride, padding);
            check([3, outputs], window, after, [37, 44]);
            check([1, outputs], window, after, [25, 19]);
        }
    }
}

#[test]
fn bits_are_of_the_bytes() {
    let bytes: [u8; 64] = std::array::from_fn(|n| (n * n % 9) as u8);
    for value in 0..9 {
        let bits = equal(&bytes, value);
        assert!((0..64).all(|n| (bits >> n & 1 == 1) == (bytes[n] == value)), "{value}");
    }
}
