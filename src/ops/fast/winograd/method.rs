//! The transforms of Winograd's method: of weights (G), of cells (Bᵀ) and of sums (Aᵀ).

use pulp::Simd;

/// The points of F(4x4) besides 0 and ∞ are ±A and ±B: 1/√2 and √2 lose half as much to rounding as 1 and 2 do.
const A: f64 = std::f64::consts::FRAC_1_SQRT_2;
const B: f64 = std::f64::consts::SQRT_2;

/// Row p: 1, p, p² over the product of p's distances from the other points: 1 for 0, 2A²(A² − B²), 2B²(B² − A²).
pub(super) const G4: [[f64; 3]; 6] = [
    [1.0, 0.0, 0.0],
    [-2.0 / 3.0, -2.0 / 3.0 * A, -1.0 / 3.0],
    [-2.0 / 3.0, 2.0 / 3.0 * A, -1.0 / 3.0],
    [1.0 / 6.0, 1.0 / 6.0 * B, 1.0 / 3.0],
    [1.0 / 6.0, -1.0 / 6.0 * B, 1.0 / 3.0],
    [0.0, 0.0, 1.0],
];
pub(super) const G2: [[f64; 3]; 4] = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]];

/// The transforms of a method of N x N points and M x M results. Functions rather than closures, as only they can be
/// made to be inlined where the vectors' instructions are allowed.
pub(super) trait Method<const N: usize, const M: usize> {
    /// Bᵀd
    fn forth<S: Simd>(simd: S, cells: [S::f32s; N]) -> [S::f32s; N];
    /// Aᵀm
    fn back<S: Simd>(simd: S, sums: [S::f32s; N]) -> [S::f32s; M];
}

/// F(4x4)
pub(super) struct Four;

/// F(2x2)
pub(super) struct Two;

#[inline(always)]
fn fma<S: Simd>(simd: S, by: f64, x: S::f32s, to: S::f32s) -> S::f32s {
    simd.mul_add_f32s(simd.splat_f32s(by as f32), x, to)
}

#[inline(always)]
fn times<S: Simd>(simd: S, by: f64, x: S::f32s) -> S::f32s {
    simd.mul_f32s(simd.splat_f32s(by as f32), x)
}

impl Method<6, 4> for Four {
    /// The coefficients of x(x² − A²)(x² − B²) without the factor of each point.
    #[inline(always)]
    fn forth<S: Simd>(simd: S, [d0, d1, d2, d3, d4, d5]: [S::f32s; 6]) -> [S::f32s; 6] {
        let (odd_a, even_a) = (fma(simd, -2.0, d1, d3), fma(simd, -2.0, d2, d4));
        let (odd_b, even_b) = (fma(simd, -0.5, d1, d3), fma(simd, -0.5, d2, d4));
        [
            fma(simd, -2.5, d2, simd.add_f32s(d0, d4)),
            fma(simd, A, odd_a, even_a),
            fma(simd, -A, odd_a, even_a),
            fma(simd, B, odd_b, even_b),
            fma(simd, -B, odd_b, even_b),
            fma(simd, -2.5, d3, simd.add_f32s(d1, d5)),
        ]
    }

    /// The powers 0 to 3 of the points.
    #[inline(always)]
    fn back<S: Simd>(simd: S, [m0, m1, m2, m3, m4, m5]: [S::f32s; 6]) -> [S::f32s; 4] {
        let (sum_a, difference_a) = (simd.add_f32s(m1, m2), simd.sub_f32s(m1, m2));
        let (sum_b, difference_b) = (simd.add_f32s(m3, m4), simd.sub_f32s(m3, m4));
        [
            simd.add_f32s(simd.add_f32s(m0, sum_a), sum_b),
            fma(simd, B, difference_b, times(simd, A, difference_a)),
            fma(simd, 2.0, sum_b, times(simd, 0.5, sum_a)),
            simd.add_f32s(fma(simd, 2.0 * B, difference_b, times(simd, 0.5 * A, difference_a)), m5),
        ]
    }
}

impl Method<4, 2> for Two {
    #[inline(always)]
    fn forth<S: Simd>(simd: S, [d0, d1, d2, d3]: [S::f32s; 4]) -> [S::f32s; 4] {
        [simd.sub_f32s(d0, d2), simd.add_f32s(d1, d2), simd.sub_f32s(d2, d1), simd.sub_f32s(d1, d3)]
    }

    #[inline(always)]
    fn back<S: Simd>(simd: S, [m0, m1, m2, m3]: [S::f32s; 4]) -> [S::f32s; 2] {
        let (sum, difference) = (simd.add_f32s(m1, m2), simd.sub_f32s(m1, m2));
        [simd.add_f32s(m0, sum), simd.sub_f32s(difference, m3)]
    }
}
