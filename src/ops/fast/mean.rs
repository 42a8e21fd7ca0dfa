//! The mean of each window, or of all, pixel by pixel.

use pulp::{Simd, WithSimd};

use super::finish::Finisher;
use super::pool::first;
use super::team::{Part, Stage, Target};
use super::{Finish, Grid, Slot, Vectors};
use crate::ops::Window;

/// As [`crate::ops::mean_pool`] with a window without padding, or with none of all positions.
pub fn average<'a>(
    window: Option<Window>,
    from: Slot,
    to: Slot,
    finish: Finish<'a>,
    vectors: Vectors,
) -> Box<dyn Stage + 'a> {
    stage(window.map_or(Seen::All, Seen::Window), from.grid, from, to, finish, vectors)
}

/// The gradient of [`average`]'s picture, into `to`, from that of its result.
pub fn spread<'a>(
    window: Option<Window>,
    from: Slot,
    to: Slot,
    finish: Finish<'a>,
    vectors: Vectors,
) -> Box<dyn Stage + 'a> {
    stage(window.map_or(Seen::All, Seen::Results), to.grid, from, to, finish, vectors)
}

fn stage<'a>(
    seen: Seen,
    picture: Grid,
    from: Slot,
    to: Slot,
    finish: Finish<'a>,
    vectors: Vectors,
) -> Box<dyn Stage + 'a> {
    let cells = match seen {
        Seen::Window(Window { kernel, .. }) | Seen::Results(Window { kernel, .. }) => kernel * kernel,
        Seen::All => picture.height * picture.width,
    };
    let target = Target::of_rows(to.buffer, to.grid, rayon::current_num_threads());
    Box::new(Mean { seen, share: 1.0 / cells as f32, from, target, finish, vectors })
}

/// What a pixel is the sum of.
#[derive(Clone, Copy)]
enum Seen {
    /// The cells of its window.
    Window(Window),
    /// The results whose windows have it.
    Results(Window),
    /// All cells, or the only result.
    All,
}

struct Mean<'a> {
    seen: Seen,
    share: f32,
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
        let [sums, line] = &mut [(); 2].map(|()| vec![0.0; self.target.grid.channels]);
        self.vectors.arch.dispatch(Piece { of: self, part, from, finish, sums, line });
    }
}

struct Piece<'a, 'p> {
    of: &'a Mean<'a>,
    part: &'a mut Part<'p>,
    from: &'a [f32],
    finish: Finisher<'a>,
    sums: &'a mut [f32],
    /// Those of one row.
    line: &'a mut [f32],
}

impl WithSimd for Piece<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { of: Mean { seen, share, from: source, target, .. }, part, from, finish, sums, line } = self;
        let (grid, Grid { height, width, .. }) = (target.grid, source.grid);
        let along = |at: usize, side: usize| match *seen {
            Seen::Window(Window { kernel, stride, .. }) => at * stride..at * stride + kernel,
            Seen::Results(window) => first(window, at)..(at / window.stride + 1).min(side),
            Seen::All => 0..side,
        };
        for y in part.rows() {
            for x in 0..grid.width {
                sums.fill(0.0);
                for row in along(y, height) {
                    // Row by row, as a long sum loses more to rounding than several short ones.
                    line.fill(0.0);
                    for column in along(x, width) {
                        let cell = &from[source.grid.at(row, column)..][..grid.channels];
                        line.iter_mut().zip(cell).for_each(|(sum, cell)| *sum += cell);
                    }
                    sums.iter_mut().zip(&*line).for_each(|(sum, line)| *sum += line);
                }
                sums.iter_mut().for_each(|sum| *sum *= share);
                let to = part.pixel((y, x), 0, grid.channels);
                finish.store(simd, to, 0, sums);
            }
        }
    }
}
