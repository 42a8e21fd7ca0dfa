//! The matrix product that all convolutions are made of.

use pulp::{Simd, WithSimd};

/// Numbers of the sums of a product at most, whatever the vectors.
pub(super) const SUMS: usize = 16 * 32;

/// Rows of a product of `width` columns at most: so many that its sums fit the registers.
pub(super) fn most_rows<S: Simd>(width: usize) -> usize {
    match (S::REGISTER_COUNT >= 32, width > S::F32_LANES) {
        (true, true) => 14,
        (true, false) => 28,
        (false, true) => 6,
        (false, false) => 12,
    }
}

/// The left side of a product: row m, tap t, term k is number `taps[t] + m · down + k`.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    /// The numbers.
    pub data: &'a [f32],
    /// From one row to the next.
    pub down: usize,
    /// Where the runs of a row begin.
    pub taps: &'a [usize],
    /// Terms of a run.
    pub run: usize,
}

/// The right side of a product: tap t, term k is the one or two vectors from number `taps[t] + k · down` on.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    /// The numbers.
    pub data: &'a [f32],
    /// From one term of a run to the next.
    pub down: usize,
    /// Where the runs begin.
    pub taps: &'a [usize],
    /// Columns: the lanes of one or two vectors.
    pub width: usize,
}

impl<'a> Columns<'a> {
    /// A panel of weights for a left side of one tap.
    pub fn panel(data: &'a [f32], width: usize) -> Self {
        Self { data, down: width, taps: &[0], width }
    }
}

/// `to[m][n] = Σ over taps t, terms k of rows[m, t, k] · columns[t, k][n]` for `count` rows; `to` holds row after row.
/// Meanwhile `next` is fetched, which will be multiplied with before long.
#[inline(always)]
pub(super) fn multiply<S: Simd>(
    simd: S,
    to: &mut [f32],
    count: usize,
    rows: Rows<'_>,
    columns: Columns<'_>,
    next: &[f32],
) {
    let width = columns.width;
    assert!(width == S::F32_LANES || width == 2 * S::F32_LANES, "columns are vectors");
    assert!((1..=most_rows::<S>(width)).contains(&count) && to.len() >= count * width, "rows fit");
    assert!(rows.taps.len() == columns.taps.len(), "both sides have the same terms");
    if rows.run > 0 {
        let last = rows.taps.iter().max().map_or(0, |tap| tap + (count - 1) * rows.down + rows.run);
        assert!(last <= rows.data.len(), "the last row lies within its slice");
        let last = columns.taps.iter().max().map_or(0, |tap| tap + (rows.run - 1) * columns.down + width);
        assert!(last <= columns.data.len(), "the last column lies within its slice");
    }
    macro_rules! of {
        ($vectors:literal: $($m:literal)*) => {
            match count {
                $($m => simd.vectorize(Product::<'_, $m, $vectors> { to, rows, columns, next }),)*
                _ => {}
            }
        };
    }
    // Each number of rows is a loop of its own, all of whose sums live in registers.
    match (S::REGISTER_COUNT >= 32, width > S::F32_LANES) {
        (true, true) => of!(2: 1 2 3 4 5 6 7 8 9 10 11 12 13 14),
        (true, false) => of!(1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28),
        (false, true) => of!(2: 1 2 3 4 5 6),
        (false, false) => of!(1: 1 2 3 4 5 6 7 8 9 10 11 12),
    }
}

/// A product of M rows and V vectors: a function of its own even where it is used once, as among other code its sums
/// would be moved out of the registers.
struct Product<'a, const M: usize, const V: usize> {
    to: &'a mut [f32],
    rows: Rows<'a>,
    columns: Columns<'a>,
    next: &'a [f32],
}

impl<const M: usize, const V: usize> WithSimd for Product<'_, M, V> {
    type Output = ();

    #[inline(always)]
    #[allow(unsafe_code)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { to, rows, columns, next } = self;
        let mut sums = [[simd.splat_f32s(0.0); V]; M];
        // Spread evenly over the terms, a line of the cache or two with each.
        let step = next.len().div_ceil((rows.taps.len() * rows.run).max(1));
        let mut ahead = next.as_ptr();
        for (&tap, &column) in rows.taps.iter().zip(columns.taps) {
            for k in 0..rows.run {
                // SAFETY: `multiply` checked that the last column of the furthest tap lies within the slice, of V
                // vectors; steps are not negative, so this one lies before it. A vector is as many f32.
                let weights = unsafe {
                    columns.data.as_ptr().add(column + k * columns.down).cast::<[S::f32s; V]>().read_unaligned()
                };
                fetch(ahead);
                fetch(ahead.wrapping_add(16));
                ahead = ahead.wrapping_add(step);
                for (m, sums) in sums.iter_mut().enumerate() {
                    // SAFETY: as above, of the last number of the last row at the furthest tap.
                    let x = simd.splat_f32s(unsafe { *rows.data.get_unchecked(tap + m * rows.down + k) });
                    for (sum, weights) in sums.iter_mut().zip(&weights) {
                        *sum = simd.mul_add_f32s(x, *weights, *sum);
                    }
                }
            }
        }
        // Of a length known here, or the sums would live in memory all along.
        if let Some(to) = S::as_mut_simd_f32s(to).0.as_chunks_mut::<V>().0.first_chunk_mut::<M>() {
            for (to, sums) in to.iter_mut().zip(sums) {
                *to = sums;
            }
        }
    }
}

/// Asks for the lines of so many numbers.
#[inline(always)]
pub(super) fn fetch_all(from: *const f32, count: usize) {
    (0..count).step_by(16).for_each(|k| fetch(from.wrapping_add(k)));
}

/// Asks for a line of memory that will be read soon, wherever it is.
#[inline(always)]
#[allow(unsafe_code)]
fn fetch(at: *const f32) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint that reads nothing; any address will do, and every processor of this kind knows it.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T1 }>(at.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}
