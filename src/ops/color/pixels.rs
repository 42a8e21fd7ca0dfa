//! What a change does to pixels, and what goes back through it.
//!
//! Plain loops over a block of pixels, without a branch in them: a compiler makes vectors of them, of any length. No
//! multiply-add is fused, so each number is the same with any vectors and with none.

use super::LUMINANCE;

/// Pixels that are changed together: few enough to stay in the nearest cache with all that they were on the way.
pub(super) const BLOCK: usize = 256;

/// Pixels side by side, channel by channel.
pub(super) type Block = [[f32; BLOCK]; 3];

/// A change whose numbers are all known.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// v ← times v + plus: brightness and contrast.
    Scale { times: f32, plus: f32 },
    /// v ← times v + rest L: saturation.
    Saturate { times: f32, rest: f32 },
    /// The hue is turned by so many sixths of a turn, −3..=3.
    Turn { sixths: f32 },
}

/// What results are clamped to; from −∞ to ∞ where they aren't.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    low: f32,
    high: f32,
}

impl Bounds {
    pub fn new(clamp: bool) -> Self {
        if clamp { Self { low: 0.0, high: 1.0 } } else { Self { low: f32::NEG_INFINITY, high: f32::INFINITY } }
    }

    /// NaN stays NaN.
    #[inline(always)]
    pub fn clamp(self, v: f32) -> f32 {
        let v = if self.low > v { self.low } else { v };
        if self.high < v { self.high } else { v }
    }

    /// Whether a clamp leaves `v` as it is.
    #[inline(always)]
    pub fn hold(self, v: f32) -> bool {
        (v >= self.low) & (v <= self.high)
    }

    /// `grad` where a clamp leaves `v` as it is.
    #[inline(always)]
    fn pass(self, v: f32, grad: f32) -> f32 {
        if self.hold(v) { grad } else { 0.0 }
    }
}

impl Step {
    /// Changes pixels.
    #[expect(clippy::needless_range_loop, reason = "one place of three planes")]
    #[inline(always)]
    pub fn apply(self, bounds: Bounds, pixels: &mut Block) {
        match self {
            Step::Scale { times, plus } => {
                for plane in pixels {
                    for v in plane {
                        *v = bounds.clamp(times * *v + plus);
                    }
                }
            }
            Step::Saturate { times, rest } => {
                for i in 0..BLOCK {
                    let gray = rest * luminance(pixels[0][i], pixels[1][i], pixels[2][i]);
                    pixels[0][i] = bounds.clamp(times * pixels[0][i] + gray);
                    pixels[1][i] = bounds.clamp(times * pixels[1][i] + gray);
                    pixels[2][i] = bounds.clamp(times * pixels[2][i] + gray);
                }
            }
            Step::Turn { sixths } => super::hue::turn(sixths, bounds, pixels),
        }
    }

    /// What goes back: `grad` for the changed pixels becomes that for the pixels `before`. A contrast's share of the
    /// mean is not in it.
    #[inline(always)]
    pub fn back(self, bounds: Bounds, before: &Block, grad: &mut Block) {
        match self {
            Step::Scale { times, plus } => {
                for i in 0..BLOCK {
                    let (r, g, b) = (before[0][i], before[1][i], before[2][i]);
                    grad[0][i] = times * bounds.pass(times * r + plus, grad[0][i]);
                    grad[1][i] = times * bounds.pass(times * g + plus, grad[1][i]);
                    grad[2][i] = times * bounds.pass(times * b + plus, grad[2][i]);
                }
            }
            Step::Saturate { times, rest } => {
                for i in 0..BLOCK {
                    let (r, g, b) = (before[0][i], before[1][i], before[2][i]);
                    let gray = rest * luminance(r, g, b);
                    let r = bounds.pass(times * r + gray, grad[0][i]);
                    let g = bounds.pass(times * g + gray, grad[1][i]);
                    let b = bounds.pass(times * b + gray, grad[2][i]);
                    let share = rest * (r + g + b);
                    grad[0][i] = times * r + share * LUMINANCE[0] as f32;
                    grad[1][i] = times * g + share * LUMINANCE[1] as f32;
                    grad[2][i] = times * b + share * LUMINANCE[2] as f32;
                }
            }
            Step::Turn { sixths } => super::hue::turn_back(sixths, bounds, before, grad),
        }
    }

    /// Only the clamp's part of what goes back, for a `Scale`.
    #[inline(always)]
    pub fn mask(self, bounds: Bounds, before: &Block, grad: &mut Block) {
        let Step::Scale { times, plus } = self else { return };
        for i in 0..BLOCK {
            let (r, g, b) = (before[0][i], before[1][i], before[2][i]);
            grad[0][i] = bounds.pass(times * r + plus, grad[0][i]);
            grad[1][i] = bounds.pass(times * g + plus, grad[1][i]);
            grad[2][i] = bounds.pass(times * b + plus, grad[2][i]);
        }
    }
}

/// The gray of a colour.
#[inline(always)]
fn luminance(r: f32, g: f32, b: f32) -> f32 {
    LUMINANCE[0] as f32 * r + LUMINANCE[1] as f32 * g + LUMINANCE[2] as f32 * b
}

/// Σ weights · channels of the first `count` pixels, in f64: 16 sums side by side, so that vectors can do it.
#[inline(always)]
pub(super) fn sum(weights: [f32; 3], pixels: &Block, count: usize) -> f64 {
    let mut weighed = [0.0; BLOCK];
    for (i, weighed) in weighed.iter_mut().enumerate() {
        let sum = weights[0] * pixels[0][i] + weights[1] * pixels[1][i] + weights[2] * pixels[2][i];
        *weighed = if i < count { sum } else { 0.0 };
    }
    let mut sums = [0.0f64; 16];
    for some in weighed.chunks_exact(16) {
        for (sum, weighed) in sums.iter_mut().zip(some) {
            *sum += f64::from(*weighed);
        }
    }
    let mut whole = 0.0;
    for sum in sums {
        whole += sum;
    }
    whole
}
