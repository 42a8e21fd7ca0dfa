//! Products of bf16 numbers, summed in f32, as AMX computes them: in tiles of 16 rows, 16 columns and 32 terms.
//!
//! A bf16 is the upper half of an f32. Two are multiplied exactly; terms 0, 2, 4 … of a tile are summed by one chain of
//! fused multiply-adds, terms 1, 3, 5 … by another, and both sums are added to those of the tiles before: Intel,
//! Architecture Instruction Set Extensions Programming Reference, TDPBF16PS. The portable form does the same, number by
//! number, for tests on processors without such tiles; it is no faster than f32.

mod amx;

use super::Vectors;

/// Rows of a product at most.
pub(super) const ROWS: usize = 32;

/// Terms of a tile.
pub(super) const TERMS: usize = 32;

/// Columns of a tile.
pub(super) const COLUMNS: usize = 16;

/// What multiplies tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tiles {
    /// The processor's own.
    Amx,
    /// Plain loops.
    Portable,
}

impl Tiles {
    /// AMX where processor and system have it. `FVIZ_TILES` (`portable`, `none`) says otherwise, for tests.
    pub fn best() -> Option<Self> {
        // What stands between products is done with vectors.
        Vectors::best()?;
        match std::env::var("FVIZ_TILES").unwrap_or_default().as_str() {
            "none" => None,
            "portable" => Some(Self::Portable),
            _ => amx::available().then_some(Self::Amx),
        }
    }

    /// Makes the current thread ready to multiply.
    pub(super) fn open(self) -> Open {
        match self {
            Self::Amx => Open::Amx(amx::Configured::new()),
            Self::Portable => Open::Portable,
        }
    }
}

/// A thread that is ready to multiply.
pub(super) enum Open {
    Amx(amx::Configured),
    Portable,
}

/// The left side of a product: row m, tap t, term k is number `taps[t] + m · down + k`.
#[derive(Clone, Copy)]
pub(super) struct Left<'a> {
    /// The numbers.
    pub data: &'a [u16],
    /// From one row to the next.
    pub down: usize,
    /// Where the runs of a row begin.
    pub taps: &'a [usize],
    /// Tiles of a run.
    pub run: usize,
}

/// The right side: for each tap and tile of its run, `[width / 16][16][16][2]`: half of the columns, pair of terms, column,
/// term.
#[derive(Clone, Copy)]
pub(super) struct Right<'a> {
    /// The numbers.
    pub data: &'a [u16],
    /// Columns: 16 or 32.
    pub width: usize,
}

/// Results, row after row.
#[repr(align(64))]
pub(super) struct Products(pub [f32; ROWS * 2 * COLUMNS]);

impl Open {
    /// `to[m][n] = Σ over taps and terms` for `rows` rows. They are computed by sixteen, so the left side has numbers
    /// for all of these.
    #[inline(always)]
    pub fn multiply(&self, to: &mut Products, rows: usize, left: Left<'_>, right: Right<'_>) {
        let rows = rows.next_multiple_of(16);
        assert!((1..=ROWS).contains(&rows) && [COLUMNS, 2 * COLUMNS].contains(&right.width), "rows and columns fit");
        if left.taps.is_empty() || left.run == 0 {
            return to.0.fill(0.0);
        }
        let last = left.taps.iter().max().map_or(0, |tap| tap + (rows - 1) * left.down + left.run * TERMS);
        assert!(last <= left.data.len(), "the last row lies within its slice");
        assert!(left.taps.len() * left.run * TERMS * right.width <= right.data.len(), "columns have all terms");
        match self {
            Self::Amx(tiles) => tiles.multiply(to, rows, left, right),
            Self::Portable => multiply(to, rows, left, right),
        }
    }
}

/// Rows that are computed side by side: enough chains for a core's multipliers.
const TOGETHER: usize = 4;

#[inline(always)]
fn multiply(to: &mut Products, rows: usize, left: Left<'_>, right: Right<'_>) {
    let width = right.width;
    to.0.fill(0.0);
    let mut tiles = right.data.chunks_exact(TERMS * COLUMNS);
    for &tap in left.taps {
        for k in 0..left.run {
            for half in (0..width).step_by(COLUMNS) {
                let tile = tiles.next().unwrap_or_default();
                let mut terms = [[[0.0f32; COLUMNS]; 2]; TERMS / 2];
                for (pair, numbers) in terms.iter_mut().zip(tile.chunks_exact(2 * COLUMNS)) {
                    for (n, both) in numbers.chunks_exact(2).enumerate() {
                        (pair[0][n], pair[1][n]) = (widen(both[0]), widen(both[1]));
                    }
                }
                for m in (0..rows).step_by(TOGETHER) {
                    let mut sums = [[[0.0f32; COLUMNS]; 2]; TOGETHER];
                    for (pair, terms) in terms.iter().enumerate() {
                        for (row, sums) in sums.iter_mut().enumerate() {
                            let at = tap + (m + row) * left.down + k * TERMS + 2 * pair;
                            for (term, sums) in sums.iter_mut().enumerate() {
                                let x = widen(left.data[at + term]);
                                for n in 0..COLUMNS {
                                    sums[n] = x.mul_add(terms[term][n], sums[n]);
                                }
                            }
                        }
                    }
                    for (row, [even, odd]) in sums.iter().enumerate() {
                        let to = &mut to.0[(m + row) * width + half..][..COLUMNS];
                        for n in 0..COLUMNS {
                            to[n] += even[n] + odd[n];
                        }
                    }
                }
            }
        }
    }
}

/// A bf16 as a number.
#[inline(always)]
fn widen(x: u16) -> f32 {
    f32::from_bits(u32::from(x) << 16)
}

/// The nearest bf16, the even one of two that are equally near; NaN stays NaN.
#[inline(always)]
pub(super) fn round(x: f32) -> u16 {
    let bits = x.to_bits();
    let rounded = bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16;
    (if x.is_nan() { 0x7fc0 } else { rounded }) as u16
}

#[cfg(test)]
mod tests {
    use half::bf16;

    use super::*;

    fn numbers(count: usize, seed: u32) -> Vec<u16> {
        (0..count as u32).map(|k| round(((k * 7919 + seed * 104_729) % 2003) as f32 / 1001.5 - 1.0)).collect()
    }

    #[test]
    fn rounds_to_the_nearest_even() {
        for x in [0.0, -0.0, 1.0, 1.003_906_2, 1.011_718_8, 1.004, -3.3e38, 1e-40, f32::MAX, f32::INFINITY, 0.1, -7.7] {
            assert_eq!(round(x), bf16::from_f32(x).to_bits(), "{x}");
        }
        assert!(widen(round(f32::NAN)).is_nan());
    }

    #[test]
    fn products_are_right() {
        let (down, taps, run) = (37, [0, 130], 2);
        for (rows, width) in [(1, 16), (16, 32), (17, 16), (32, 32)] {
            let data = numbers(130 + 31 * down + run * TERMS, 1);
            let weights = numbers(taps.len() * run * TERMS * width, 2);
            let mut to = Products([f32::NAN; 1024]);
            let (left, right) = (Left { data: &data, down, taps: &taps, run }, Right { data: &weights, width });
            Tiles::Portable.open().multiply(&mut to, rows, left, right);
            for (m, n) in (0..rows).flat_map(|m| (0..width).map(move |n| (m, n))) {
                let mut want = 0.0;
                for term in 0..taps.len() * run * TERMS {
                    let (tile, k) = (term / TERMS, term % TERMS);
                    let x = data[taps[tile / run] + m * down + tile % run * TERMS + k];
                    let weight = weights[((tile * width / 16 + n / 16) * 16 + k / 2) * 32 + n % 16 * 2 + k % 2];
                    want += f64::from(widen(x)) * f64::from(widen(weight));
                }
                assert!((f64::from(to.0[m * width + n]) - want).abs() < 1e-5, "{rows} {width} {m} {n}");
            }
            if amx::available() {
                let mut by_amx = Products([f32::NAN; 1024]);
                Tiles::Amx.open().multiply(&mut by_amx, rows, left, right);
                let count = rows * width;
                assert!(by_amx.0[..count] == to.0[..count], "AMX sums in the same order");
            }
        }
    }

    #[test]
    #[should_panic(expected = "the last row lies within its slice")]
    fn a_slice_that_is_too_short_is_noticed() {
        let left = Left { data: &[0; 32 * 16 - 1], down: 32, taps: &[0], run: 1 };
        Tiles::Portable.open().multiply(&mut Products([0.0; 1024]), 1, left, Right { data: &[0; 512], width: 16 });
    }
}
