//! Turning the hue of a colour.
//!
//! HSV's way round the colours has six sixths, red at 0, green at 2, blue at 4. With v the greatest of r, g, b, the
//! chroma c = greatest − least and the hue h in sixths, a channel is v − c · dip((n + h) mod 6) with n = 5, 3, 1 for
//! R, G, B and dip(k) = clamp(min(k, 4 − k), 0, 1). So turning the hue needs no saturation and divides only once.

use candle_core::{Result, Tensor};

use super::pixels::{BLOCK, Block, Bounds};

/// What a colour is made of. Where r = g = b the chroma is 0, and the rest means nothing.
struct Parts {
    /// Which channel is greatest, the first of equals (torchvision's rule): red, green, or else blue.
    red: bool,
    green: bool,
    value: f32,
    chroma: f32,
    /// Whether the least is the channel that follows the greatest, R → G → B → R. Of two equal least channels either
    /// will do, but not the greatest itself.
    next_is_least: bool,
    /// The hue's part within its sixths: −1..=1.
    lean: f32,
    /// The hue, in sixths.
    hue: f32,
}

/// `a` for red, `b` for green, `c` for blue.
#[inline(always)]
fn pick(red: bool, green: bool, a: f32, b: f32, c: f32) -> f32 {
    let other = if green { b } else { c };
    if red { a } else { other }
}

impl Parts {
    #[inline(always)]
    fn of(r: f32, g: f32, b: f32) -> Self {
        let red = (r >= g) & (r >= b);
        let green = g >= b;
        let value = pick(red, green, r, g, b);
        let next = pick(red, green, g, b, r);
        let after = pick(red, green, b, r, g);
        let next_is_least = next <= after;
        let chroma = value - if next_is_least { next } else { after };
        let lean = (next - after) / if chroma == 0.0 { 1.0 } else { chroma };
        Self { red, green, value, chroma, next_is_least, lean, hue: lean + pick(red, green, 0.0, 2.0, 4.0) }
    }
}

/// (n + hue) mod 6 for the channels R, G, B.
const PLACE: [f64; 3] = [5.0, 3.0, 1.0];

/// `k` mod 6 in 0..6, for −6 <= k < 18. The hue is −1..=5, turned by at most 3, and PLACE adds 1 to 5.
#[inline(always)]
fn around(k: f32) -> f32 {
    let k = if k < 0.0 { k + 6.0 } else { k };
    let k = if k >= 6.0 { k - 6.0 } else { k };
    if k >= 6.0 { k - 6.0 } else { k }
}

/// How far below the greatest value a channel lies, in chromas.
#[inline(always)]
fn dip(k: f32) -> f32 {
    let k = if 4.0 - k < k { 4.0 - k } else { k };
    let k = if k > 1.0 { 1.0 } else { k };
    if k < 0.0 { 0.0 } else { k }
}

/// Turns the hue of pixels.
#[expect(clippy::needless_range_loop, reason = "one place of three planes")]
#[inline(always)]
pub(super) fn turn(sixths: f32, bounds: Bounds, pixels: &mut Block) {
    for i in 0..BLOCK {
        let (r, g, b) = (pixels[0][i], pixels[1][i], pixels[2][i]);
        let parts = Parts::of(r, g, b);
        pixels[0][i] = parts.turned(0, sixths, bounds, r);
        pixels[1][i] = parts.turned(1, sixths, bounds, g);
        pixels[2][i] = parts.turned(2, sixths, bounds, b);
    }
}

/// What goes back through a turn: see [`Parts::back`].
#[inline(always)]
pub(super) fn turn_back(sixths: f32, bounds: Bounds, before: &Block, grad: &mut Block) {
    for i in 0..BLOCK {
        let parts = Parts::of(before[0][i], before[1][i], before[2][i]);
        let (r, g, b) = (grad[0][i], grad[1][i], grad[2][i]);
        let red = parts.back(0, sixths, bounds, r);
        let green = parts.back(1, sixths, bounds, g);
        let blue = parts.back(2, sixths, bounds, b);
        let to_value = red.0 + green.0 + blue.0;
        let to_lean = red.2 + green.2 + blue.2;
        // lean = (next − after) / chroma: with chroma · ∂lean never divides.
        let to_chroma = red.1 + green.1 + blue.1 - to_lean * parts.lean;
        let to_greatest = to_value + to_chroma;
        let to_next = to_lean - if parts.next_is_least { to_chroma } else { 0.0 };
        let to_after = -to_lean - if parts.next_is_least { 0.0 } else { to_chroma };
        let gray = parts.chroma == 0.0;
        let (is_red, is_green) = (parts.red, parts.green);
        let to_red = pick(is_red, is_green, to_greatest, to_after, to_next);
        let to_green = pick(is_red, is_green, to_next, to_greatest, to_after);
        let to_blue = pick(is_red, is_green, to_after, to_next, to_greatest);
        grad[0][i] = if gray { r } else { to_red };
        grad[1][i] = if gray { g } else { to_green };
        grad[2][i] = if gray { b } else { to_blue };
    }
}

impl Parts {
    /// A channel after the turn; `own` is what it was.
    #[inline(always)]
    fn turned(&self, channel: usize, sixths: f32, bounds: Bounds, own: f32) -> f32 {
        let dip = dip(around(PLACE[channel] as f32 + (self.hue + sixths)));
        let v = self.value - self.chroma * dip;
        let v = if dip > 0.0 { bounds.clamp(v) } else { v };
        if self.chroma == 0.0 { own } else { v }
    }

    /// What a channel v = value − chroma · dip sends back to the value, the chroma and (times chroma) the hue.
    #[inline(always)]
    fn back(&self, channel: usize, sixths: f32, bounds: Bounds, grad: f32) -> (f32, f32, f32) {
        let k = around(PLACE[channel] as f32 + (self.hue + sixths));
        let dip = dip(k);
        let cut = (dip > 0.0) & !bounds.hold(self.value - self.chroma * dip);
        let grad = if cut { 0.0 } else { grad };
        let up = if (k > 0.0) & (k < 1.0) { grad } else { 0.0 };
        let down = if (k > 3.0) & (k < 4.0) { grad } else { 0.0 };
        (grad, -(grad * dip), down - up)
    }
}

/// The same in candle's own operations.
pub(super) fn portable(picture: &Tensor, turns: f64, clamp: bool) -> Result<Tensor> {
    let channel = |c: usize| picture.narrow(1, c, 1);
    let (r, g, b) = (channel(0)?, channel(1)?, channel(2)?);
    let value = r.maximum(&g)?.maximum(&b)?;
    let chroma = (&value - r.minimum(&g)?.minimum(&b)?)?;
    let colored = chroma.gt(&chroma.zeros_like()?)?;
    let divisor = colored.where_cond(&chroma, &chroma.ones_like()?)?;
    let lean = |next: &Tensor, after: &Tensor, hue: f64| ((next - after)? / &divisor)?.affine(1.0, hue);
    let blue_or_green = g.ge(&b)?.where_cond(&lean(&b, &r, 2.0)?, &lean(&r, &g, 4.0)?)?;
    let hue = r.eq(&value)?.where_cond(&lean(&g, &b, 0.0)?, &blue_or_green)?;
    let mut channels = Vec::new();
    for (place, own) in PLACE.into_iter().zip([&r, &g, &b]) {
        let k = hue.affine(1.0, place + 6.0 * turns)?;
        let k = (&k - ((k.detach() / 6.0)?.floor()? * 6.0)?)?;
        let dip = k.minimum(&k.affine(-1.0, 4.0)?)?.clamp(0.0, 1.0)?;
        let v = (&value - (&chroma * &dip)?)?;
        let v = match clamp {
            true => dip.gt(&dip.zeros_like()?)?.where_cond(&v.clamp(0.0, 1.0)?, &v)?,
            false => v,
        };
        channels.push(colored.where_cond(&v, own)?);
    }
    Tensor::cat(&channels, 1)
}
