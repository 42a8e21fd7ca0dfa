//! What is done to a sum before it is stored.

use pulp::{Simd, WithSimd};

use super::team::{Part, Stage, Target};
use super::tile::fetch_all;
use super::{Slot, Vectors};
use crate::ops::Rectifier;

/// How results become pixels of a buffer: `mask · relu(scale · sum + bias + more + what is there)`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Finish<'a> {
    /// Factors of the sum, a number for each channel; 1 if empty.
    pub scale: &'a [f32],
    /// Added, a number for each channel; none if empty.
    pub bias: &'a [f32],
    /// Added, from a buffer of the same grid.
    pub more: Option<usize>,
    /// Whether what is there already is added.
    pub add: bool,
    /// What results are bounded by.
    pub relu: Option<Rectifier>,
    /// Results become 0 where this buffer of the same grid, a rectifier's result, is at a bound: its gradient.
    pub mask: Option<(usize, Rectifier)>,
    /// Whether what is there has gone through that mask already.
    pub masked: bool,
}

/// A [`Finish`] with the buffers it reads.
#[derive(Clone, Copy)]
pub(super) struct Finisher<'a> {
    scale: &'a [f32],
    bias: &'a [f32],
    more: &'a [f32],
    add: bool,
    relu: Option<Rectifier>,
    mask: &'a [f32],
    /// The upper bound of what is in the mask, if it has one.
    top: Option<f32>,
}

impl<'a> Finish<'a> {
    /// Whether what is there stays as it is where the sum is zero.
    pub(super) fn only_adds(&self) -> bool {
        let settled = self.masked || self.mask.is_none();
        self.add && settled && self.bias.is_empty() && self.more.is_none() && self.relu.is_none()
    }

    /// For one piece of the work.
    pub(super) fn open(&self, part: &Part<'a>) -> Finisher<'a> {
        let read = |buffer: Option<usize>| buffer.map_or(&[][..], |buffer| part.read(buffer));
        let Self { scale, bias, add, relu, .. } = *self;
        let bounded = self.mask.filter(|(_, kind)| *kind == Rectifier::Relu6);
        let (mask, top) = (read(self.mask.map(|(buffer, _)| buffer)), bounded.map(|(_, kind)| kind.most()));
        Finisher { scale, bias, more: read(self.more), add, relu, mask, top }
    }
}

impl Finisher<'_> {
    /// Whether results depend on what lies in memory, which may be far away.
    #[inline(always)]
    pub fn reads(&self) -> bool {
        self.add || !self.mask.is_empty() || !self.more.is_empty()
    }

    /// Asks for what [`Finisher::store`] will read for `count` numbers from number `at` of the buffer on.
    #[inline(always)]
    pub fn fetch(&self, at: usize, count: usize) {
        for beside in [self.mask, self.more].into_iter().filter(|beside| !beside.is_empty()) {
            fetch_all(beside.as_ptr().wrapping_add(at), count);
        }
    }

    /// Stores `sums` of the channels from `channel` on; `to` begins at number `at` of its buffer.
    #[inline(always)]
    pub fn store<S: Simd>(&self, simd: S, (at, to): (usize, &mut [f32]), channel: usize, sums: &[f32]) {
        let n = to.len().min(sums.len());
        let of = |slice: &'_ [f32], first: usize| if slice.is_empty() { None } else { Some(first..first + n) };
        let scale = of(self.scale, channel).map(|range| &self.scale[range]);
        let bias = of(self.bias, channel).map(|range| &self.bias[range]);
        let more = of(self.more, at).map(|range| &self.more[range]);
        let mask = of(self.mask, at).map(|range| &self.mask[range]);
        let mut k = 0;
        while k + S::F32_LANES <= n {
            let mut x = whole(simd, &sums[k..]);
            if let Some(scale) = scale {
                x = simd.mul_f32s(x, whole(simd, &scale[k..]));
            }
            if self.add {
                x = simd.add_f32s(x, whole(simd, &to[k..]));
            }
            if let Some(bias) = bias {
                x = simd.add_f32s(x, whole(simd, &bias[k..]));
            }
            if let Some(more) = more {
                x = simd.add_f32s(x, whole(simd, &more[k..]));
            }
            if let Some(kind) = self.relu {
                x = positive(simd, x, x);
                if kind == Rectifier::Relu6 {
                    x = below(simd, x, kind.most(), x, kind.most());
                }
            }
            if let Some(mask) = mask {
                let sign = whole(simd, &mask[k..]);
                x = positive(simd, sign, x);
                if let Some(top) = self.top {
                    x = below(simd, sign, top, x, 0.0);
                }
            }
            save(simd, &mut to[k..k + S::F32_LANES], x);
            k += S::F32_LANES;
        }
        for k in k..n {
            let mut x = sums[k] * scale.map_or(1.0, |scale| scale[k]);
            x += if self.add { to[k] } else { 0.0 };
            x += bias.map_or(0.0, |bias| bias[k]);
            x += more.map_or(0.0, |more| more[k]);
            let low = |x: f32| x <= 0.0;
            if let Some(kind) = self.relu {
                x = if low(x) { 0.0 } else { x };
                x = if x >= kind.most() { kind.most() } else { x };
            }
            let masked = |mask: f32| low(mask) || self.top.is_some_and(|top| mask >= top);
            to[k] = if mask.is_some_and(|mask| masked(mask[k])) { 0.0 } else { x };
        }
    }
}

/// `value` where `sign` is not 0 or below; NaN is neither.
#[inline(always)]
fn positive<S: Simd>(simd: S, sign: S::f32s, value: S::f32s) -> S::f32s {
    let zero = simd.splat_f32s(0.0);
    simd.select_f32s(simd.less_than_or_equal_f32s(sign, zero), zero, value)
}

/// `value` where `sign` is not `top` or above, and `other` there.
#[inline(always)]
fn below<S: Simd>(simd: S, sign: S::f32s, top: f32, value: S::f32s, other: f32) -> S::f32s {
    let reached = simd.less_than_or_equal_f32s(simd.splat_f32s(top), sign);
    simd.select_f32s(reached, simd.splat_f32s(other), value)
}

/// The vector at the beginning of a slice.
#[inline(always)]
pub(super) fn whole<S: Simd>(_: S, from: &[f32]) -> S::f32s {
    S::as_simd_f32s(&from[..S::F32_LANES]).0[0]
}

/// Stores a vector in as many numbers.
#[inline(always)]
pub(super) fn save<S: Simd>(_: S, to: &mut [f32], value: S::f32s) {
    S::as_mut_simd_f32s(to).0[0] = value;
}

/// `from` as the sums of `to`, both of one grid.
pub fn copy<'a>(from: usize, to: Slot, finish: Finish<'a>, vectors: Vectors) -> Box<dyn Stage + 'a> {
    Box::new(Copy { from: Some(from), target: rows(to), finish, vectors })
}

/// What is there already, where `mask` is at no bound: a rectifier's gradient.
pub fn mask<'a>(to: Slot, mask: Option<(usize, Rectifier)>, vectors: Vectors) -> Box<dyn Stage + 'a> {
    Box::new(Copy { from: None, target: rows(to), finish: Finish { add: true, mask, ..Finish::default() }, vectors })
}

fn rows(to: Slot) -> Target {
    Target::of_rows(to.buffer, to.grid, rayon::current_num_threads())
}

/// Sums that need no work.
struct Copy<'a> {
    /// Zeros if none.
    from: Option<usize>,
    target: Target,
    finish: Finish<'a>,
    vectors: Vectors,
}

impl Stage for Copy<'_> {
    fn target(&self) -> Target {
        self.target
    }

    fn piece(&self, part: &mut Part<'_>) {
        let grid = self.target.grid;
        // A row is as good as one pixel where channels are alike.
        let alike = self.finish.bias.is_empty() && self.finish.scale.is_empty();
        let channels = if alike { grid.width * grid.channels } else { grid.channels }.max(1);
        let zeros = if self.from.is_none() { vec![0.0; grid.width * grid.channels] } else { Vec::new() };
        let from = self.from.map(|from| part.read(from));
        let finish = self.finish.open(part);
        for y in part.rows() {
            let to = part.row(y);
            let sums = from.map_or(&zeros[..], |from| &from[to.0..][..to.1.len()]);
            self.vectors.arch.dispatch(Row { finish, to, sums, channels });
        }
    }
}

struct Row<'a> {
    finish: Finisher<'a>,
    to: (usize, &'a mut [f32]),
    sums: &'a [f32],
    /// Numbers of a pixel.
    channels: usize,
}

impl WithSimd for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (at, to) = self.to;
        let pixels = to.chunks_mut(self.channels).zip(self.sums.chunks(self.channels));
        for (x, (to, sums)) in pixels.enumerate() {
            self.finish.store(simd, (at + x * self.channels, to), 0, sums);
        }
    }
}
