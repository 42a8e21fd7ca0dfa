//! The palette entry nearest to a colour, exactly, without a look at all of them.
//!
//! A table of cubes gives a guess, the entry nearest to the middle of the colour's cube. By the triangle inequality,
//! what is nearer than the best one known lies, seen from the guess, no further than the colour and that one's distance
//! from the colour together; so of the entries around the guess, in order of distance, only the first few are looked at.

use super::oklab::{self, Lab};
use rayon::prelude::*;

/// How many cubes there are along each axis.
const CUBES: usize = 32;

/// A search among up to 256 entries.
pub struct Nearest {
    labs: Vec<Lab>,
    /// For each entry all entries, itself first.
    around: Vec<Vec<Neighbour>>,
    /// Guesses for cubes of the box that holds all entries.
    guesses: Vec<u8>,
    low: Lab,
    /// Cubes per unit along each axis.
    per_unit: Lab,
}

/// An entry as seen from another.
#[derive(Clone, Copy)]
struct Neighbour {
    distance: f32,
    lab: Lab,
    index: u8,
}

impl Nearest {
    /// A search among these; there must be at least one.
    pub fn new(labs: &[Lab]) -> Self {
        let labs: Vec<Lab> = labs.iter().take(256).copied().collect();
        let around = labs.par_iter().map(|lab| around(*lab, &labs)).collect();
        let ends =
            |of: fn(f32, f32) -> f32| labs.iter().copied().reduce(|p, q| [0, 1, 2].map(|axis| of(p[axis], q[axis])));
        let (low, high) = (ends(f32::min).unwrap_or_default(), ends(f32::max).unwrap_or_default());
        // A grey palette is flat, but its box must not be.
        let per_unit = [0, 1, 2].map(|axis| CUBES as f32 / (high[axis] - low[axis]).max(1e-3));
        let mut new = Self { labs, around, guesses: Vec::new(), low, per_unit };
        let mut guess = 0;
        for number in 0..CUBES.pow(3) {
            let place = [number / CUBES / CUBES, number / CUBES % CUBES, number % CUBES];
            let middle = [0, 1, 2].map(|axis| low[axis] + (place[axis] as f32 + 0.5) / per_unit[axis]);
            // The cube beside has nearly the same.
            guess = new.search(guess, middle);
            new.guesses.push(guess);
        }
        new
    }

    /// The number of the entry nearest to `color`, the lowest of several equally near.
    pub fn of(&self, color: Lab) -> u8 {
        // A colour outside takes the guess of a cube at the border: it is only a guess.
        let [x, y, z] = [0, 1, 2].map(|axis| {
            let place = ((color[axis] - self.low[axis]) * self.per_unit[axis]) as i32;
            place.clamp(0, CUBES as i32 - 1) as usize
        });
        self.search(self.guesses[(x * CUBES + y) * CUBES + z], color)
    }

    /// The same, from any guess.
    fn search(&self, guess: u8, color: Lab) -> u8 {
        // Distances are not negative, so their bits have their order; the number behind them decides between equals.
        let key = |lab: Lab, index: u8| u64::from(oklab::distance2(color, lab).to_bits()) << 8 | u64::from(index);
        let Some(&lab) = self.labs.get(usize::from(guess)) else { return 0 };
        let mut best = key(lab, guess);
        let off = oklab::distance2(color, lab).sqrt();
        // A hair of slack for rounding.
        let mut reach = 2.0002 * off + 1e-6;
        for other in &self.around[usize::from(guess)] {
            if other.distance > reach {
                break;
            }
            let found = key(other.lab, other.index);
            if found < best {
                best = found;
                let off_best = f32::from_bits((found >> 8) as u32).sqrt();
                reach = 1.0001 * (off + off_best) + 1e-6;
            }
        }
        best as u8
    }
}

/// All entries by their distance from one.
fn around(lab: Lab, labs: &[Lab]) -> Vec<Neighbour> {
    let neighbour =
        |(index, &other): (u8, &Lab)| Neighbour { distance: oklab::distance2(lab, other).sqrt(), lab: other, index };
    let mut all: Vec<_> = (0..=u8::MAX).zip(labs).map(neighbour).collect();
    all.sort_by(|p, q| p.distance.total_cmp(&q.distance));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fixed sequence of numbers in 0..1 that look random.
    fn noise() -> impl FnMut() -> f32 {
        let mut state = 1u64;
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1 << 24) as f32
        }
    }

    #[test]
    fn it_is_the_one_that_a_look_at_all_finds() {
        let mut noise = noise();
        for count in [1, 2, 16, 255] {
            let mut byte = || (noise() * 256.0) as u8;
            let mut labs: Vec<Lab> = (0..count).map(|_| oklab::from_srgb([byte(), byte(), byte()])).collect();
            // Two equal entries, and two crowds.
            labs.extend_from_within(..1);
            labs.extend((0..count / 16).map(|i| [0.6 + 0.001 * i as f32, 0.0, 0.0]));
            labs.extend((0..count / 16).map(|i| [0.5, 0.125 + 1e-5 * i as f32, 0.0625]));
            labs.truncate(256);
            let nearest = Nearest::new(&labs);
            let by_hand = |color: Lab| {
                let mut best = (f32::INFINITY, 0);
                for (index, &lab) in labs.iter().enumerate() {
                    let distance = oklab::distance2(color, lab);
                    if distance < best.0 {
                        best = (distance, index as u8);
                    }
                }
                best.1
            };
            let mut same = |color: Lab| assert_eq!(nearest.of(color), by_hand(color), "{color:?} of {count}");
            labs.iter().for_each(|lab| same(*lab));
            // As far from two entries as can be.
            labs.windows(2).for_each(|pair| same([0, 1, 2].map(|axis| (pair[0][axis] + pair[1][axis]) / 2.0)));
            [[f32::INFINITY; 3], [f32::NAN; 3], [-9.0; 3]].into_iter().for_each(&mut same);
            for _ in 0..30_000 {
                // Beyond all cubes too.
                let color = [noise() * 2.0 - 0.5, noise() * 1.2 - 0.6, noise() * 1.2 - 0.6];
                same(color);
                same(color.map(|v| (v * 256.0).round() / 256.0));
                same([0.6 + color[0] / 64.0, color[1] / 64.0, color[2] / 64.0]);
                same([0.5, 0.125, 0.0625].map(|v| v * (1.0 + (noise() - 0.5) * 1e-6)));
            }
        }
    }
}
