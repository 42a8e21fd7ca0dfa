use candle_core::DType;
use pulp::Arch;
use rayon::ThreadPoolBuilder;

use super::*;
use crate::ops::agreement::picture;
use crate::ops::fast::Vectors;
use crate::ops::testing::{assert_close, check_gradient, gradient, random, values};

fn placements() -> [Placement; 3] {
    [
        Placement { degrees: 33.0, ..Placement::default() },
        Placement { scale: 0.4, shift: (1.5, -30.2), ..Placement::default() },
        Placement { degrees: -120.0, scale: 1.9, shift: (-0.5, 2.0), shear: (10.0, -20.0) },
    ]
}

const SAMPLES: [Sample; 3] = [Sample::Nearest, Sample::Bilinear, Sample::Bicubic];
const EDGES: [Edge; 4] = [Edge::Constant(0.3), Edge::Reflect, Edge::Replicate, Edge::Wrap];

#[test]
fn the_kernel_agrees_with_the_portable_form() {
    // Planes in whole groups and in part; rows shorter than a block and longer.
    for shape in [(2, 3, 5, 7), (1, 1, 3, 3), (1, 4, 40, 70)] {
        let x = picture(shape);
        let weights = random(x.dims(), 7);
        let (x32, weights32) = (x.to_dtype(DType::F32).unwrap(), weights.to_dtype(DType::F32).unwrap());
        for placement in placements() {
            for (sample, edge) in SAMPLES.into_iter().flat_map(|sample| EDGES.map(|edge| (sample, edge))) {
                println!("{placement:?} {sample:?} {edge:?}");
                let warp = |x: &Tensor| warp(x, &placement, sample, edge);
                assert_close(&warp(&x32).unwrap(), &warp(&x).unwrap(), 1e-5);
                assert_close(&gradient(warp, &x32, &weights32), &gradient(warp, &x, &weights), 1e-5);
            }
        }
    }
}

#[test]
fn the_portable_gradient_is_that_of_finite_differences() {
    for placement in placements() {
        for (sample, edge) in SAMPLES.into_iter().flat_map(|sample| EDGES.map(|edge| (sample, edge))) {
            println!("{placement:?} {sample:?} {edge:?}");
            check_gradient(|x| warp(x, &placement, sample, edge), &picture((1, 1, 5, 7)));
        }
    }
}

#[test]
fn threads_and_vectors_change_no_byte() {
    let (height, width) = (170, 201);
    let picture = random(&[5, height, width], 1).to_dtype(DType::F32).unwrap();
    let picture: Vec<f32> = picture.flatten_all().unwrap().to_vec1().unwrap();
    for placement in placements() {
        for (sample, edge) in SAMPLES.into_iter().flat_map(|sample| EDGES.map(|edge| (sample, edge))) {
            let both = |arch: Arch| {
                let warp = Warp { map: placement.inverse(height, width), sample, edge };
                let frame = Frame::new(warp, height, width, arch);
                (frame.gather(&picture), frame.scatter(&picture))
            };
            let of = |threads| ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let expected = of(1).install(|| both(Arch::Scalar));
            for (threads, vectors) in
                [1, 2, 3].into_iter().flat_map(|t| Vectors::all().into_iter().map(move |v| (t, v)))
            {
                let same = of(threads).install(|| both(vectors.arch())) == expected;
                assert!(same, "{placement:?} {sample:?} {edge:?}, {threads} threads, {vectors:?}");
            }
        }
    }
}

#[test]
fn far_away_is_outside() {
    let placement = Placement { scale: 1e-12, shift: (1e300, 0.0), ..Placement::default() };
    for dtype in [DType::F64, DType::F32] {
        let picture = picture((1, 3, 4, 4)).to_dtype(dtype).unwrap();
        let warped = warp(&picture, &placement, Sample::Bicubic, Edge::Constant(0.25)).unwrap();
        assert!(values(&warped).iter().all(|v| *v == 0.25));
    }
}

#[test]
fn an_empty_picture_stays_empty() {
    let empty = Tensor::zeros((1, 3, 0, 4), DType::F32, &candle_core::Device::Cpu).unwrap();
    assert_eq!(warp(&empty, &placements()[0], Sample::Nearest, Edge::Wrap).unwrap().dims(), [1, 3, 0, 4]);
}
