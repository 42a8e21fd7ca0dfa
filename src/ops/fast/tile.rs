//! The matrix product that all convolutions are made of.

use pulp::Simd;

/// Rows of a product at most: their sums, two vectors each, fit the registers.
pub(super) fn most_rows<S: Simd>() -> usize {
    if S::F32_LANES >= 16 { 14 } else { 6 }
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

/// `to[m][n] = Σ over taps t, terms k of rows[m, t, k] · panel[t, k][n]` for `count` rows and the two vectors of a
/// panel; `to` holds row after row.
#[inline(always)]
pub(super) fn multiply<S: Simd>(simd: S, to: &mut [f32], count: usize, rows: Rows<'_>, panel: &[f32]) {
    let width = 2 * S::F32_LANES;
    assert!((1..=most_rows::<S>()).contains(&count) && to.len() >= count * width, "rows fit");
    assert!(panel.len() == rows.taps.len() * rows.run * width, "a panel has all terms");
    if rows.run > 0 {
        let last = rows.taps.iter().max().map_or(0, |tap| tap + (count - 1) * rows.down + rows.run);
        assert!(last <= rows.data.len(), "the last row lies within its slice");
    }
    let panel = S::as_simd_f32s(panel).0;
    macro_rules! of {
        ($($m:literal)*) => {
            match count {
                $($m => product::<S, $m>(simd, to, rows, panel),)*
                _ => {}
            }
        };
    }
    // Each number of rows is a loop of its own, all of whose sums live in registers.
    if S::F32_LANES >= 16 { of!(1 2 3 4 5 6 7 8 9 10 11 12 13 14) } else { of!(1 2 3 4 5 6) }
}

#[inline(always)]
#[allow(unsafe_code)]
fn product<S: Simd, const M: usize>(simd: S, to: &mut [f32], rows: Rows<'_>, panel: &[S::f32s]) {
    let mut sums = [[simd.splat_f32s(0.0); 2]; M];
    let mut panel = panel.chunks_exact(2);
    for &tap in rows.taps {
        for k in tap..tap + rows.run {
            let Some(&[left, right]) = panel.next().and_then(|pair| pair.first_chunk()) else { return };
            for (m, sums) in sums.iter_mut().enumerate() {
                // SAFETY: `multiply` checked that the last number of the last row at the furthest tap lies within the
                // slice; steps are not negative, so this one lies before it.
                let x = simd.splat_f32s(unsafe { *rows.data.get_unchecked(m * rows.down + k) });
                sums[0] = simd.mul_add_f32s(x, left, sums[0]);
                sums[1] = simd.mul_add_f32s(x, right, sums[1]);
            }
        }
    }
    for (to, sums) in S::as_mut_simd_f32s(to).0.chunks_exact_mut(2).zip(&sums) {
        to.copy_from_slice(sums);
    }
}
