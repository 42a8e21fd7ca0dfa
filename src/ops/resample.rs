//! Turning, zooming, shifting and shearing a picture by one resampling.
//!
//! Each pixel of the result asks where it comes from: the inverse of the placement, about the picture's centre, in f64.
//! The gradient is the exact adjoint of the forward pass: what a pixel took with a weight goes back with that weight.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::edge::Edge;
use super::real::{Dims, Kernel, Real, run};

/// How values between pixels are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// The nearest pixel; the even one of two that are equally near.
    Nearest,
    /// The 4 around, by distance.
    Bilinear,
    /// The 16 around, by Keys' cubic (1981) of a = −0.5, which leaves parabolas as they are.
    Bicubic,
}

impl Sample {
    /// By the name that it has in recipes; bilinear where there is none such.
    pub fn of(name: &str) -> Self {
        match name {
            "nearest" => Sample::Nearest,
            "bicubic" => Sample::Bicubic,
            _ => Sample::Bilinear,
        }
    }
}

/// How a picture is laid anew into its frame: sheared, zoomed and turned about its centre, then shifted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// Angle, counter-clockwise as seen.
    pub degrees: f64,
    /// Factor of size; above 1 zooms in.
    pub scale: f64,
    /// To the right and downwards, in pixels.
    pub shift: (f64, f64),
    /// Angles of the shear along x and along y, in degrees, torchvision's signs.
    pub shear: (f64, f64),
}

impl Default for Placement {
    fn default() -> Self {
        Self { degrees: 0.0, scale: 1.0, shift: (0.0, 0.0), shear: (0.0, 0.0) }
    }
}

impl Placement {
    /// `[a, b, c, d, e, f]`: the pixel (x, y) of the result comes from (ax + by + c, dx + ey + f).
    ///
    /// As torchvision's `_get_inverse_affine_matrix` with the angle's other sign.
    fn inverse(&self, height: usize, width: usize) -> [f64; 6] {
        let turn = -self.degrees.to_radians();
        let (shear_x, shear_y) = (self.shear.0.to_radians(), self.shear.1.to_radians());
        let (sin, cos) = (libm::sin(turn - shear_y), libm::cos(turn - shear_y));
        let (tan_x, cos_y) = (libm::tan(shear_x), libm::cos(shear_y));
        let a = cos / cos_y;
        let b = -cos * tan_x / cos_y - libm::sin(turn);
        let c = sin / cos_y;
        let d = -sin * tan_x / cos_y + libm::cos(turn);
        let [a, b, d, e] = [d, -b, -c, a].map(|entry| entry / self.scale);
        let (centre_x, centre_y) = ((width as f64 - 1.0) / 2.0, (height as f64 - 1.0) / 2.0);
        let (x, y) = (centre_x + self.shift.0, centre_y + self.shift.1);
        [a, b, centre_x - a * x - b * y, d, e, centre_y - d * x - e * y]
    }
}

/// Lays a picture anew into its frame: `[N, C, H, W]` → the same shape. Differentiable.
pub fn warp(picture: &Tensor, placement: &Placement, sample: Sample, edge: Edge) -> Result<Tensor> {
    if *placement == Placement::default() {
        return Ok(picture.clone());
    }
    let (_, _, height, width) = picture.dims4()?;
    let warp = Warp { map: placement.inverse(height, width), sample, edge };
    if picture.device().is_cpu() { picture.contiguous()?.apply_op1(warp) } else { warp.portable(picture) }
}

#[derive(Clone, Copy)]
struct Warp {
    map: [f64; 6],
    sample: Sample,
    edge: Edge,
}

/// What goes back through a [`Warp`].
struct Adjoint(Warp);

impl CustomOp1 for Warp {
    fn name(&self) -> &'static str {
        "warp"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((run(self, storage, layout)?, layout.shape().clone()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        grad.contiguous()?.apply_op1_no_bwd(&Adjoint(*self)).map(Some)
    }
}

impl CustomOp1 for Adjoint {
    fn name(&self) -> &'static str {
        "warp-adjoint"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((run(self, storage, layout)?, layout.shape().clone()))
    }
}

impl Kernel for Warp {
    fn run<T: Real>(&self, input: &[T], (_, _, height, width): Dims) -> Vec<T> {
        match self.sample {
            Sample::Nearest => self.gather::<T, 1>(input, height, width),
            Sample::Bilinear => self.gather::<T, 2>(input, height, width),
            Sample::Bicubic => self.gather::<T, 4>(input, height, width),
        }
    }
}

impl Kernel for Adjoint {
    fn run<T: Real>(&self, grad: &[T], (_, _, height, width): Dims) -> Vec<T> {
        match self.0.sample {
            Sample::Nearest => self.0.scatter::<T, 1>(grad, height, width),
            Sample::Bilinear => self.0.scatter::<T, 2>(grad, height, width),
            Sample::Bicubic => self.0.scatter::<T, 4>(grad, height, width),
        }
    }
}

/// The pixels along one axis that a place between them takes from. K is 1, 2 or 4: nearest, linear, cubic.
#[derive(Clone, Copy)]
struct Reach<const K: usize> {
    index: [usize; K],
    /// 0 where a constant stands for the pixel.
    weight: [f64; K],
    /// Whether no constant does.
    inside: bool,
}

impl<const K: usize> Reach<K> {
    #[inline]
    fn new(at: f64, length: usize, edge: Edge) -> Self {
        // Beyond this a place is as good as anywhere, and fits whole numbers.
        let at = at.clamp(-1e9, 1e9);
        let (first, weight) = Self::weights(at);
        let mut reach = Self { index: [0; K], weight, inside: true };
        if first >= 0 && first + K as i64 <= length as i64 {
            for (k, index) in reach.index.iter_mut().enumerate() {
                *index = first as usize + k;
            }
            return reach;
        }
        for k in 0..K {
            match edge.index(first + k as i64, length) {
                Some(index) => reach.index[k] = index,
                None => {
                    reach.weight[k] = 0.0;
                    reach.inside = false;
                }
            }
        }
        reach
    }

    /// The first pixel and the weights.
    #[inline]
    fn weights(at: f64) -> (i64, [f64; K]) {
        let mut weight = [1.0; K];
        if K == 1 {
            return (at.round_ties_even() as i64, weight);
        }
        let floor = at.floor();
        let t = at - floor;
        if K == 2 {
            weight[0] = 1.0 - t;
            weight[1] = t;
            return (floor as i64, weight);
        }
        // Keys' cubic of a = −0.5 at the distances 1 + t, t, 1 − t, 2 − t.
        weight.copy_from_slice(
            &[
                ((-0.5 * t + 1.0) * t - 0.5) * t,
                (1.5 * t - 2.5) * t * t + 1.0,
                ((-1.5 * t + 2.0) * t + 0.5) * t,
                (0.5 * t - 0.5) * t * t,
            ][..K],
        );
        (floor as i64 - 1, weight)
    }
}

impl Warp {
    /// Where the pixel (x, y) of the result comes from.
    #[inline]
    fn reach<const K: usize>(&self, x: usize, y: usize, height: usize, width: usize) -> (Reach<K>, Reach<K>) {
        let [a, b, c, d, e, f] = self.map;
        let (x, y) = (x as f64, y as f64);
        let across = Reach::new(a * x + b * y + c, width, self.edge);
        (across, Reach::new(d * x + e * y + f, height, self.edge))
    }

    fn gather<T: Real, const K: usize>(&self, input: &[T], height: usize, width: usize) -> Vec<T> {
        let area = height * width;
        let mut output = vec![T::zero(); input.len()];
        let fill = self.edge.fill().unwrap_or(0.0);
        output.par_chunks_mut(area.max(1)).zip(input.par_chunks(area.max(1))).for_each(|(output, input)| {
            for (y, row) in output.chunks_mut(width).enumerate() {
                for (x, value) in row.iter_mut().enumerate() {
                    let (across, down) = self.reach::<K>(x, y, height, width);
                    let mut sum = T::zero();
                    for k in 0..K {
                        let row = &input[down.index[k] * width..][..width];
                        let mut line = T::zero();
                        for l in 0..K {
                            line += T::from_f64(across.weight[l]) * row[across.index[l]];
                        }
                        sum += T::from_f64(down.weight[k]) * line;
                    }
                    if !(across.inside && down.inside) {
                        let covered = across.weight.iter().sum::<f64>() * down.weight.iter().sum::<f64>();
                        sum += T::from_f64((1.0 - covered) * fill);
                    }
                    *value = sum;
                }
            }
        });
        output
    }

    fn scatter<T: Real, const K: usize>(&self, grad: &[T], height: usize, width: usize) -> Vec<T> {
        let area = height * width;
        let mut output = vec![T::zero(); grad.len()];
        // One thread a plane: the order of the sums is the order of the pixels.
        output.par_chunks_mut(area.max(1)).zip(grad.par_chunks(area.max(1))).for_each(|(output, grad)| {
            for (y, row) in grad.chunks(width).enumerate() {
                for (x, value) in row.iter().enumerate() {
                    let (across, down) = self.reach::<K>(x, y, height, width);
                    for k in 0..K {
                        let line = T::from_f64(down.weight[k]) * *value;
                        let row = &mut output[down.index[k] * width..][..width];
                        for l in 0..K {
                            row[across.index[l]] += T::from_f64(across.weight[l]) * line;
                        }
                    }
                }
            }
        });
        output
    }

    /// The same in candle's own operations, for devices without a kernel: one `index_select` for each tap.
    fn portable(&self, picture: &Tensor) -> Result<Tensor> {
        match self.sample {
            Sample::Nearest => self.portable_taps::<1>(picture),
            Sample::Bilinear => self.portable_taps::<2>(picture),
            Sample::Bicubic => self.portable_taps::<4>(picture),
        }
    }

    fn portable_taps<const K: usize>(&self, picture: &Tensor) -> Result<Tensor> {
        let (n, c, height, width) = picture.dims4()?;
        let flat = picture.reshape((n, c, height * width))?;
        let constant = |values: Vec<f64>| -> Result<Tensor> {
            Tensor::from_vec(values, (1, 1, height * width), picture.device())?.to_dtype(picture.dtype())
        };
        let reaches: Vec<_> =
            (0..height * width).map(|i| self.reach::<K>(i % width, i / width, height, width)).collect();
        let covered = |(across, down): &(Reach<K>, Reach<K>)| match across.inside && down.inside {
            true => 1.0,
            false => across.weight.iter().sum::<f64>() * down.weight.iter().sum::<f64>(),
        };
        let fill = self.edge.fill().unwrap_or(0.0);
        let rest = constant(reaches.iter().map(|reach| (1.0 - covered(reach)) * fill).collect())?;
        let mut sum = rest.broadcast_as((n, c, height * width))?;
        for k in 0..K {
            for l in 0..K {
                let index: Vec<u32> =
                    reaches.iter().map(|(across, down)| (down.index[k] * width + across.index[l]) as u32).collect();
                let weight = reaches.iter().map(|(across, down)| down.weight[k] * across.weight[l]).collect();
                let taken = flat.index_select(&Tensor::new(index, picture.device())?, 2)?;
                sum = (sum + taken.broadcast_mul(&constant(weight)?)?)?;
            }
        }
        sum.reshape((n, c, height, width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::agreement::{assert_agree, picture};

    #[test]
    fn the_kernel_agrees_with_the_portable_form() {
        let placements = [
            Placement { degrees: 33.0, ..Placement::default() },
            Placement { scale: 0.4, shift: (1.5, -30.2), ..Placement::default() },
            Placement { degrees: -120.0, scale: 1.9, shift: (-0.5, 2.0), shear: (10.0, -20.0) },
        ];
        for placement in placements {
            for sample in [Sample::Nearest, Sample::Bilinear, Sample::Bicubic] {
                for edge in [Edge::Constant(0.3), Edge::Reflect, Edge::Replicate, Edge::Wrap] {
                    let op = Warp { map: placement.inverse(5, 7), sample, edge };
                    let kernel = |x: &Tensor| warp(x, &placement, sample, edge);
                    let what = format!("{placement:?} {sample:?} {edge:?}");
                    assert_agree(&what, kernel, |x| op.portable(x), &picture((2, 3, 5, 7)));
                }
            }
        }
    }

    #[test]
    fn far_away_is_outside() {
        let placement = Placement { scale: 1e-12, shift: (1e300, 0.0), ..Placement::default() };
        let picture = picture((1, 3, 4, 4)).affine(0.0, 1.0).unwrap();
        let warped = warp(&picture, &placement, Sample::Bicubic, Edge::Constant(0.25)).unwrap();
        assert!(warped.flatten_all().unwrap().to_vec1::<f64>().unwrap().iter().all(|v| *v == 0.25));
    }
}
