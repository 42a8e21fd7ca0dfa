//! Turning the hue of a colour.
//!
//! HSV's way round the colours has six sixths, red at 0, green at 2, blue at 4. With v the greatest of r, g, b, the
//! chroma c = greatest − least and the hue h in sixths, a channel is v − c · dip((n + h) mod 6) with n = 5, 3, 1 for
//! R, G, B and dip(k) = clamp(min(k, 4 − k), 0, 1). So turning the hue needs no saturation and divides only once.

use candle_core::{Result, Tensor};

use crate::ops::real::Real;

/// What a colour is made of.
struct Parts<T> {
    /// Which channel is greatest, the first of equals (torchvision's rule), and which least.
    greatest: usize,
    least: usize,
    value: T,
    chroma: T,
    /// The hue's part within its sixths: −1..=1.
    lean: T,
    /// The hue, in sixths.
    hue: T,
}

impl<T: Real> Parts<T> {
    /// None where r = g = b.
    #[inline]
    fn of(color: [T; 3]) -> Option<Self> {
        let [r, g, b] = color;
        let greatest = if r >= g && r >= b {
            0
        } else if g >= b {
            1
        } else {
            2
        };
        // Of two equal least channels either will do, but not the greatest itself.
        let (next, after) = ((greatest + 1) % 3, (greatest + 2) % 3);
        let least = if color[next] <= color[after] { next } else { after };
        let (value, chroma) = (color[greatest], color[greatest] - color[least]);
        if chroma == T::zero() {
            return None;
        }
        let lean = (color[next] - color[after]) / chroma;
        Some(Self { greatest, least, value, chroma, lean, hue: lean + T::from_f64(2.0 * greatest as f64) })
    }
}

/// (n + hue) mod 6 for the channels R, G, B.
const PLACE: [f64; 3] = [5.0, 3.0, 1.0];

/// k mod 6 in 0..6
#[inline]
fn place<T: Real>(channel: usize, hue: T) -> T {
    let k = T::from_f64(PLACE[channel]) + hue;
    let k = k.to_f64();
    T::from_f64(k - 6.0 * (k / 6.0).floor())
}

/// How far below the greatest value a channel lies, in chromas.
#[inline]
fn dip<T: Real>(k: T) -> T {
    k.least(T::from_f64(4.0) - k).least(T::one()).most(T::zero())
}

/// The colour with its hue turned.
#[inline]
pub(super) fn turn<T: Real>(color: [T; 3], sixths: T, clamp: bool) -> [T; 3] {
    let Some(parts) = Parts::of(color) else { return color };
    [0, 1, 2].map(|c| {
        let dip = dip(place(c, parts.hue + sixths));
        let v = parts.value - parts.chroma * dip;
        if clamp && dip > T::zero() { v.most(T::zero()).least(T::one()) } else { v }
    })
}

/// What goes back: for each channel v = value − chroma · dip(n + hue) the parts of its gradient, and from the parts to
/// the colour. With hue = (next − after)/chroma + …, chroma · ∂hue never divides.
#[inline]
pub(super) fn turn_back<T: Real>(color: [T; 3], grad: [T; 3], sixths: T, clamp: bool) -> [T; 3] {
    let Some(parts) = Parts::of(color) else { return grad };
    let (mut to_value, mut to_chroma, mut to_lean) = (T::zero(), T::zero(), T::zero());
    for (c, g) in grad.into_iter().enumerate() {
        let k = place(c, parts.hue + sixths);
        let dip = dip(k);
        let v = parts.value - parts.chroma * dip;
        if clamp && dip > T::zero() && !(T::zero()..=T::one()).contains(&v) {
            continue;
        }
        let slope = match () {
            _ if k > T::zero() && k < T::one() => T::one(),
            _ if k > T::from_f64(3.0) && k < T::from_f64(4.0) => T::zero() - T::one(),
            _ => T::zero(),
        };
        to_value += g;
        to_chroma -= g * dip;
        to_lean -= g * slope;
    }
    // lean = (next − after) / chroma
    let to_chroma = to_chroma - to_lean * parts.lean;
    let mut back = [T::zero(); 3];
    back[parts.greatest] += to_value + to_chroma;
    back[parts.least] -= to_chroma;
    back[(parts.greatest + 1) % 3] += to_lean;
    back[(parts.greatest + 2) % 3] -= to_lean;
    back
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
