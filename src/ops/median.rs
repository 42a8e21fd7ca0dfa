//! The median of a window.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::edge::Edge;
use super::real::{Dims, Kernel, Real, run};

/// Each value becomes the middle one of the (2 radius + 1)² round it, channel by channel, the picture mirrored about
/// its outermost pixels. No gradient.
pub fn median(picture: &Tensor, radius: usize) -> Result<Tensor> {
    picture.detach().contiguous()?.apply_op1_no_bwd(&Median { radius })
}

struct Median {
    radius: usize,
}

impl CustomOp1 for Median {
    fn name(&self) -> &'static str {
        "median"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((run(self, storage, layout)?, layout.shape().clone()))
    }
}

impl Kernel for Median {
    fn run<T: Real>(&self, input: &[T], (_, _, height, width): Dims) -> Vec<T> {
        let mut output = vec![T::zero(); input.len()];
        if input.is_empty() {
            return output;
        }
        let radius = self.radius as i64;
        let mirrored = |at: usize, length: usize| -> Vec<usize> {
            (-radius..=radius).filter_map(|d| Edge::Reflect.index(at as i64 + d, length)).collect()
        };
        let columns: Vec<Vec<usize>> = (0..width).map(|x| mirrored(x, width)).collect();
        output.par_chunks_mut(width).enumerate().for_each(|(row, output)| {
            let (plane, y) = (&input[row / height * height * width..][..height * width], row % height);
            let rows: Vec<&[T]> = mirrored(y, height).into_iter().map(|y| &plane[y * width..][..width]).collect();
            let mut window = Vec::new();
            for (value, columns) in output.iter_mut().zip(&columns) {
                window.clear();
                window.extend(rows.iter().flat_map(|row| columns.iter().map(|x| row[*x])));
                *value = middle(&mut window);
            }
        });
        output
    }
}

/// The middle one of an odd number of values.
fn middle<T: Real>(values: &mut [T]) -> T {
    if let Ok(nine) = <&mut [T; 9]>::try_from(&mut *values) {
        return middle_of_nine(nine);
    }
    let half = values.len() / 2;
    let order = |a: &T, b: &T| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal);
    *values.select_nth_unstable_by(half, order).1
}

/// Paeth's network of 19 exchanges (Graphics Gems, 1990).
fn middle_of_nine<T: Real>(v: &mut [T; 9]) -> T {
    const EXCHANGES: [(usize, usize); 19] = [
        (1, 2),
        (4, 5),
        (7, 8),
        (0, 1),
        (3, 4),
        (6, 7),
        (1, 2),
        (4, 5),
        (7, 8),
        (0, 3),
        (5, 8),
        (4, 7),
        (3, 6),
        (1, 4),
        (2, 5),
        (4, 7),
        (4, 2),
        (6, 4),
        (4, 2),
    ];
    for (low, high) in EXCHANGES {
        (v[low], v[high]) = (v[low].least(v[high]), v[low].most(v[high]));
    }
    v[4]
}
