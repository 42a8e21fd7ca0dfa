//! Turning, zooming, shifting and shearing a picture by one resampling.
//!
//! Each pixel of the result asks where it comes from: the inverse of the placement, about the picture's centre, in f64.
//! The gradient is the exact adjoint of the forward pass: what a pixel took with a weight goes back with that weight.

use candle_core::{CpuStorage, CustomOp1, DType, Layout, Result, Shape, Tensor};

use super::edge::Edge;
use super::fast;
use super::passage::{Operation, operation};
use super::real::dense;

mod kernel;
mod nearest;
mod reach;

use kernel::Frame;

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
    if *placement == Placement::default() || picture.elem_count() == 0 {
        return Ok(picture.clone());
    }
    match warp_operation(picture, placement, sample, edge)? {
        Some(warp) => picture.contiguous()?.apply_op1_arc(warp),
        None => {
            let (_, _, height, width) = picture.dims4()?;
            Warp { map: placement.inverse(height, width), sample, edge }.portable(picture)
        }
    }
}

/// What [`warp`] does, if it is one operation.
pub fn warp_operation(
    picture: &Tensor,
    placement: &Placement,
    sample: Sample,
    edge: Edge,
) -> Result<Option<Operation>> {
    let (_, _, height, width) = picture.dims4()?;
    let fits = picture.device().is_cpu() && picture.dtype() == DType::F32 && Frame::fits(height, width);
    Ok(fits.then(|| operation(Warp { map: placement.inverse(height, width), sample, edge })))
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
        let (_, _, height, width) = layout.shape().dims4()?;
        let frame = Frame::new(*self, height, width, fast::arch());
        let values = frame.gather(dense(storage.as_slice::<f32>()?, layout)?);
        Ok((CpuStorage::F32(values), layout.shape().clone()))
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
        let (_, _, height, width) = layout.shape().dims4()?;
        let frame = Frame::new(self.0, height, width, fast::arch());
        let values = frame.scatter(dense(storage.as_slice::<f32>()?, layout)?);
        Ok((CpuStorage::F32(values), layout.shape().clone()))
    }
}

#[cfg(test)]
mod tests;
