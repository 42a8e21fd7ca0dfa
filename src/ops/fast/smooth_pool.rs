//! The smooth gradient of a max pool, pixel by pixel.

use pulp::{Simd, WithSimd};

use super::finish::Finisher;
use super::pool::{cell, first};
use super::team::{Part, Stage, Target};
use super::{Finish, Slot, Vectors};
use crate::ops::Window;
use crate::ops::smooth_pool::EPSILON;

/// The gradient of [`crate::ops::smooth_max_pool`]'s picture, into `to`, from the picture's `values` and the gradient of
/// its result.
pub fn smooth_unpool<'a>(
    window: Window,
    values: Slot,
    from: Slot,
    to: Slot,
    finish: Finish<'a>,
    vectors: Vectors,
) -> Box<dyn Stage + 'a> {
    let target = Target::of_rows(to.buffer, to.grid, rayon::current_num_threads());
    Box::new(Unpool { window, values, from, target, finish, vectors })
}

struct Unpool<'a> {
    window: Window,
    values: Slot,
    from: Slot,
    target: Target,
    finish: Finish<'a>,
    vectors: Vectors,
}

impl Stage for Unpool<'_> {
    fn target(&self) -> Target {
        self.target
    }

    fn piece(&self, part: &mut Part<'_>) {
        let (values, from) = (part.read(self.values.buffer), part.read(self.from.buffer));
        let finish = self.finish.open(part);
        let channels = self.target.grid.channels;
        let [squares, sizes, sums] = [(); 3].map(|()| vec![0.0; channels]);
        self.vectors.arch.dispatch(Piece { of: self, part, values, from, finish, squares, sizes, sums });
    }
}

struct Piece<'a, 'p> {
    of: &'a Unpool<'a>,
    part: &'a mut Part<'p>,
    values: &'a [f32],
    from: &'a [f32],
    finish: Finisher<'a>,
    /// Of one window, channel by channel.
    squares: Vec<f32>,
    sizes: Vec<f32>,
    /// Of one pixel.
    sums: Vec<f32>,
}

impl WithSimd for Piece<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { of, part, values, from, finish, mut squares, mut sizes, mut sums } = self;
        let Window { kernel, stride, padding, .. } = of.window;
        let (small, grid) = (of.from.grid, of.target.grid);
        let windows = |at: usize, side: usize| first(of.window, at)..((at + padding) / stride + 1).min(side);
        for y in part.rows() {
            for x in 0..grid.width {
                sums.fill(0.0);
                let own = &values[of.values.grid.at(y, x)..][..grid.channels];
                for (py, px) in windows(y, small.height).flat_map(|py| windows(x, small.width).map(move |px| (py, px)))
                {
                    squares.fill(0.0);
                    sizes.fill(0.0);
                    let mut count = 0.0_f32;
                    for at in (0..kernel * kernel).filter_map(|k| cell(of.window, (py, px), k, of.values.grid)) {
                        let cell = &values[at..][..grid.channels];
                        for ((square, size), &cell) in squares.iter_mut().zip(&mut sizes).zip(cell) {
                            *square += cell * cell;
                            *size += cell.abs();
                        }
                        count += 1.0;
                    }
                    let gradient = &from[small.at(py, px)..][..grid.channels];
                    for (c, (sum, &own)) in sums.iter_mut().zip(own).enumerate() {
                        // d(a / b) / dx = (2x − sign(x) · a / b) / (b · count), where a = mean(x²), b = ε + mean|x|.
                        let below = EPSILON as f32 + sizes[c] / count;
                        let quotient = squares[c] / count / below;
                        let slope = own + own - if own > 0.0 { quotient } else { -quotient };
                        *sum += if own == 0.0 { 0.0 } else { gradient[c] / (below * count) * slope };
                    }
                }
                let to = part.pixel((y, x), 0, grid.channels);
                finish.store(simd, to, 0, &sums);
            }
        }
    }
}
