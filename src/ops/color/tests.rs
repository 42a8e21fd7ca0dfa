use std::sync::OnceLock;

use candle_core::Device;
use pulp::Arch;
use rayon::ThreadPoolBuilder;

use super::*;
use crate::ops::agreement::picture;
use crate::ops::fast::Vectors;
use crate::ops::testing::{assert_close, check_gradient, gradient, random, values};

/// Each change alone, strong and weak, and the four together in some orders.
fn lists() -> Vec<Vec<Adjust>> {
    let factors = [0.0, 0.6, 1.0, 1.7];
    let hues = [-0.5, -0.21, -0.01, 0.0, 0.13, 0.5];
    let alone = factors.into_iter().flat_map(|f| [Adjust::Brightness(f), Adjust::Contrast(f), Adjust::Saturation(f)]);
    let mut lists: Vec<_> = alone.chain(hues.map(Adjust::Hue)).map(|change| vec![change]).collect();
    let four = [Adjust::Brightness(1.2), Adjust::Contrast(0.7), Adjust::Saturation(1.4), Adjust::Hue(0.09)];
    lists.extend((0..4).map(|first| (0..4).map(|k| four[(first + k) % 4]).collect()));
    lists.extend((0..4).map(|first| (0..4).map(|k| four[(first + 4 - k) % 4]).collect()));
    // More than one contrast, and none but contrasts.
    lists.push(vec![four[1], four[3], Adjust::Contrast(1.3), four[2], Adjust::Contrast(0.8)]);
    lists.push(vec![four[1], Adjust::Contrast(1.6)]);
    lists
}

/// Values from −0.2 to 1.2: those that are evenly spread, and some by chance.
fn pictures(shape: (usize, usize, usize, usize)) -> [Tensor; 2] {
    let (n, c, height, width) = shape;
    let by_chance = random(&[n, c, height, width], 5).affine(0.7, 0.5).unwrap();
    // As f32 has them, so that both forms see the same.
    [picture(shape), by_chance].map(|x| x.to_dtype(DType::F32).unwrap().to_dtype(DType::F64).unwrap())
}

#[test]
fn the_kernel_agrees_with_the_portable_form() {
    // More pixels than a block, so that there is a whole one, and one in part.
    for shape in [(2, 3, 5, 7), (1, 3, 20, 17)] {
        for x in pictures(shape) {
            let weights = random(x.dims(), 7);
            let (x32, weights32) = (x.to_dtype(DType::F32).unwrap(), weights.to_dtype(DType::F32).unwrap());
            for (changes, clamp) in lists().iter().flat_map(|list| [(list, true), (list, false)]) {
                let kernel = |x: &Tensor| adjust(x, changes, clamp);
                println!("{changes:?} {clamp}");
                assert_close(&kernel(&x32).unwrap(), &kernel(&x).unwrap(), 1e-6);
                assert_close(&gradient(kernel, &x32, &weights32), &gradient(kernel, &x, &weights), 1e-5);
            }
        }
    }
}

#[test]
fn the_portable_gradient_is_that_of_finite_differences() {
    for x in pictures((1, 3, 3, 5)) {
        for (changes, clamp) in lists().iter().flat_map(|list| [(list, true), (list, false)]) {
            println!("{changes:?} {clamp}");
            check_gradient(|x| adjust(x, changes, clamp), &x);
        }
    }
}

#[test]
fn ties_of_two_channels_have_a_hue() {
    for color in [[0.8, 0.8, 0.2], [0.2, 0.8, 0.8], [0.8, 0.2, 0.8], [0.2, 0.2, 0.8], [0.8, 0.2, 0.2], [0.2, 0.8, 0.2]]
    {
        for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 1e-6)] {
            let x = Tensor::new(&color, &Device::Cpu).unwrap().reshape((1, 3, 1, 1)).unwrap().to_dtype(dtype).unwrap();
            let back = values(&adjust(&x, &[Adjust::Hue(0.3), Adjust::Hue(-0.3)], true).unwrap());
            assert!(back.iter().zip(color).all(|(a, b)| (a - b).abs() < tolerance), "{color:?} {back:?}");
        }
    }
}

#[test]
fn gray_has_no_hue() {
    let gray = Tensor::new(0.4f32, &Device::Cpu).unwrap().broadcast_as((1, 3, 2, 2)).unwrap();
    let weights = random(&[1, 3, 2, 2], 3).to_dtype(DType::F32).unwrap();
    let turned = |x: &Tensor| adjust(x, &[Adjust::Hue(0.3)], true);
    assert_close(&turned(&gray).unwrap(), &gray, 0.0);
    assert_close(&gradient(turned, &gray.contiguous().unwrap(), &weights), &weights, 0.0);
}

#[test]
fn what_is_no_number_stays_so() {
    let x = Tensor::new(&[f32::NAN, 0.2, 0.6], &Device::Cpu).unwrap().reshape((1, 3, 1, 1)).unwrap();
    for change in [Adjust::Brightness(0.5), Adjust::Contrast(0.5), Adjust::Saturation(0.5), Adjust::Hue(0.1)] {
        let changed = values(&adjust(&x, &[change], true).unwrap());
        assert!(changed.iter().any(|v| v.is_nan()), "{change:?}");
    }
}

#[test]
fn threads_and_vectors_change_no_byte() {
    let picture = random(&[2, 3, 150, 201], 1).affine(0.7, 0.5).unwrap().to_dtype(DType::F32).unwrap();
    let picture: Vec<f32> = picture.flatten_all().unwrap().to_vec1().unwrap();
    let list = &lists()[22];
    let both = |arch: Arch| {
        let changes = Changes { list, bounds: Bounds::new(true), arch, area: 150 * 201 };
        let (mut changed, mut grad) = (picture.clone(), picture.clone());
        let steps = changes.apply(&mut changed);
        changes.back(&picture, &steps, &mut grad);
        (changed, grad)
    };
    let expected = both(Arch::Scalar);
    for threads in 1..4 {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        for vectors in Vectors::all() {
            assert!(pool.install(|| both(vectors.arch())) == expected, "{threads} threads, {vectors:?}");
        }
    }
}

#[test]
fn a_gradient_needs_three_channels_and_its_value() {
    assert!(adjust(&picture((1, 2, 3, 3)), &[Adjust::Hue(0.1)], true).is_err());
    let color = Color { changes: vec![Adjust::Hue(0.1)], clamp: true, steps: OnceLock::new() };
    let x = picture((1, 3, 3, 3));
    assert!(color.bwd(&x, &x, &x).is_err());
}
