//! Pictures whose channels lie one after another in a wider one.

use pulp::{Simd, WithSimd};

use super::finish::Finisher;
use super::team::{Part, Stage, Target};
use super::{Finish, Slot, Vectors};

/// The channels of some pictures of one size, one picture's after another's.
pub fn gather<'a>(from: Vec<Slot>, to: Slot, finish: Finish<'a>, vectors: Vectors) -> Box<dyn Stage + 'a> {
    let target = Target::of_rows(to.buffer, to.grid, rayon::current_num_threads());
    let from = from.into_iter().map(|slot| Run { slot, first: 0, count: slot.grid.channels }).collect();
    Box::new(Channels { from, target, finish, vectors })
}

/// As many channels of a wider picture as `to` has, from one of them on.
pub fn pick<'a>(from: Slot, first: usize, to: Slot, finish: Finish<'a>, vectors: Vectors) -> Box<dyn Stage + 'a> {
    let target = Target::of_rows(to.buffer, to.grid, rayon::current_num_threads());
    let from = vec![Run { slot: from, first, count: to.grid.channels }];
    Box::new(Channels { from, target, finish, vectors })
}

/// Some channels of a picture.
struct Run {
    slot: Slot,
    first: usize,
    count: usize,
}

struct Channels<'a> {
    from: Vec<Run>,
    target: Target,
    finish: Finish<'a>,
    vectors: Vectors,
}

impl Stage for Channels<'_> {
    fn target(&self) -> Target {
        self.target
    }

    fn piece(&self, part: &mut Part<'_>) {
        let finish = self.finish.open(part);
        let mut channel = 0;
        for run in &self.from {
            let from = part.read(run.slot.buffer);
            for y in part.rows() {
                let (at, to) = part.row(y);
                self.vectors.arch.dispatch(Row {
                    run,
                    y,
                    from,
                    at,
                    to,
                    channel,
                    all: self.target.grid.channels,
                    finish,
                });
            }
            channel += run.count;
        }
    }
}

/// One row of the channels of one run.
struct Row<'a> {
    run: &'a Run,
    y: usize,
    from: &'a [f32],
    /// Where the target's row begins in its buffer.
    at: usize,
    to: &'a mut [f32],
    /// The first channel that is filled.
    channel: usize,
    /// Channels of the target.
    all: usize,
    finish: Finisher<'a>,
}

impl WithSimd for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { run: Run { slot, first, count }, y, from, at, to, channel, all, finish } = self;
        let from = from[slot.grid.at(y, 0)..].chunks(slot.grid.channels.max(1));
        for (x, (to, from)) in to.chunks_exact_mut(all.max(1)).zip(from).enumerate() {
            let place = (at + x * all + channel, &mut to[channel..channel + count]);
            finish.store(simd, place, channel, &from[*first..first + count]);
        }
    }
}
