//! The mean of each window, pixel by pixel.

use pulp::{Simd, WithSimd};

use super::finish::Finisher;
use super::pool::first;
use super::team::{Part, Stage, Target};
use super::{Finish, Grid, Slot, Vectors};
use crate::ops::Window;

/// As [`crate::ops::mean_pool`] with a window without padding.
pub fn average<'a>(window: Window, from: Slot, to: Slot, finish: Finish<'a>, vectors: Vectors) -> Box<dyn Stage + 'a> {
    stage(Seen::Windows, window, from, to, finish, vectors)
}

/// The gradient of [`average`]'s picture, into `to`, from that of its result.
pub fn spread<'a>(window: Window, from: Slot, to: Slot, finish: Finish<'a>, vectors: Vectors) -> Box<dyn Stage + 'a> {
    stage(Seen::Results, window, from, to, finish, vectors)
}

fn stage<'a>(
    seen: Seen,
    window: Window,
    from: Slot,
    to: Slot,
    finish: Finish<'a>,
    vectors: Vectors,
) -> Box<dyn Stage + 'a> {
    let target = Target::of_rows(to.buffer, to.grid, rayon::current_num_threads());
    Box::new(Mean { seen, window, from, target, finish, vectors })
}

/// What a pixel is the sum of.
#[derive(Clone, Copy)]
enum Seen {
    /// The cells of its window.
    Windows,
    /// The results whose windows have it.
    Results,
}

struct Mean<'a> {
    seen: Seen,
    window: Window,
    from: Slot,
    target: Target,
    finish: Finish<'a>,
    vectors: Vectors,
}

impl Stage for Mean<'_> {
    fn target(&self) -> Target {
        self.target
    }

    fn piece(&self, part: &mut Part<'_>) {
        let (from, finish) = (part.read(self.from.buffer), self.finish.open(part));
        let sums = &mut vec![0.0; self.target.grid.channels];
        self.vectors.arch.dispatch(Piece { of: self, part, from, finish, sums });
    }
}

struct Piece<'a, 'p> {
    of: &'a Mean<'a>,
    part: &'a mut Part<'p>,
    from: &'a [f32],
    finish: Finisher<'a>,
    sums: &'a mut [f32],
}

impl WithSimd for Piece<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { of: Mean { seen, window, from: source, target, .. }, part, from, finish, sums } = self;
        let (Window { kernel, stride, .. }, grid, Grid { height, width, .. }) = (*window, target.grid, source.grid);
        let share = 1.0 / (kernel * kernel) as f32;
        let along = |at: usize, side: usize| match seen {
            Seen::Windows => at * stride..at * stride + kernel,
            Seen::Results => first(*window, at)..(at / stride + 1).min(side),
        };
        for y in part.rows() {
            for x in 0..grid.width {
                sums.fill(0.0);
                for row in along(y, height) {
                    for column in along(x, width) {
                        let cell = &from[source.grid.at(row, column)..][..grid.channels];
                        sums.iter_mut().zip(cell).for_each(|(sum, cell)| *sum += cell);
                    }
                }
                sums.iter_mut().for_each(|sum| *sum *= share);
                let to = part.pixel((y, x), 0, grid.channels);
                finish.store(simd, to, 0, sums);
            }
        }
    }
}
