//! Convolution, fast enough to train on two cores: the picture's patches as
//! columns of a matrix, times the weights. Candle's own takes four times as long.
//!
//! Every sum has a fixed order, whatever the number of threads, so that one
//! seed makes one network.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

/// Convolves `[n, c, h, w]` with `[o, c, k, k]`; zeros, `k / 2` wide, surround the picture.
#[derive(Clone, Copy)]
pub struct Conv {
    /// Every how many pixels there is an output.
    pub stride: usize,
    /// Gradients are wanted for the weights and not only for the picture.
    pub learn: bool,
    /// Gradients are wanted for the picture.
    pub trace: bool,
}

/// The gradient of the picture, from that of the output and the weights.
struct PictureGrad(Conv, [usize; 4]);

/// The gradient of the weights, from the picture and that of the output.
struct WeightGrad(Conv, [usize; 4]);

/// All sizes of one convolution.
#[derive(Clone, Copy)]
struct Sizes {
    c: usize,
    h: usize,
    w: usize,
    o: usize,
    k: usize,
    stride: usize,
    oh: usize,
    ow: usize,
    /// Pictures that share one matrix product.
    group: usize,
}

impl Sizes {
    fn new(picture: &[usize], weight: &[usize], stride: usize) -> Self {
        let (c, h, w, o, k) = (picture[1], picture[2], picture[3], weight[0], weight[2]);
        let out = |size: usize| (size + 2 * (k / 2) - k) / stride + 1;
        let (oh, ow) = (out(h), out(w));
        // A product needs some columns to be worth its packing, and a batch some groups.
        let group = (600 / (oh * ow)).clamp(1, 8);
        Self { c, h, w, o, k, stride, oh, ow, group }
    }

    fn rows(&self) -> usize {
        self.c * self.k * self.k
    }

    fn plane(&self) -> usize {
        self.oh * self.ow
    }

    /// Calls back for every run of a row of the patch matrix: the index of its
    /// first pixel in the picture, that of its first output and its length.
    fn runs(&self, mut each: impl FnMut(usize, usize, usize, usize)) {
        let pad = self.k / 2;
        for row in 0..self.rows() {
            let (c, ky, kx) = (row / (self.k * self.k), row / self.k % self.k, row % self.k);
            let first = pad.saturating_sub(kx).div_ceil(self.stride);
            let last = ((self.w + pad - kx - 1) / self.stride + 1).min(self.ow);
            for oy in 0..self.oh {
                let y = oy * self.stride + ky;
                if y < pad || y - pad >= self.h || first >= last {
                    continue;
                }
                let x = first * self.stride + kx - pad;
                each(row, (c * self.h + y - pad) * self.w + x, oy * self.ow + first, last - first);
            }
        }
    }

    /// Copies patches of some pictures into a matrix of `rows` by all their outputs.
    fn patches(&self, pictures: &[f32]) -> Vec<f32> {
        let size = self.c * self.h * self.w;
        let width = pictures.len() / size * self.plane();
        let mut matrix = vec![0.; self.rows() * width];
        for (i, picture) in pictures.chunks(size).enumerate() {
            self.runs(|row, from, to, count| {
                let to = row * width + i * self.plane() + to;
                let target = &mut matrix[to..to + count];
                if self.stride == 1 {
                    target.copy_from_slice(&picture[from..from + count]);
                } else {
                    let source = picture[from..].iter().step_by(self.stride);
                    target.iter_mut().zip(source).for_each(|(t, s)| *t = *s);
                }
            });
        }
        matrix
    }

    /// Adds a matrix of patches back to the pictures that they came from.
    fn unpatch(&self, matrix: &[f32], pictures: &mut [f32]) {
        let size = self.c * self.h * self.w;
        let width = pictures.len() / size * self.plane();
        for (i, picture) in pictures.chunks_mut(size).enumerate() {
            self.runs(|row, to, from, count| {
                let from = row * width + i * self.plane() + from;
                let target = picture[to..].iter_mut().step_by(self.stride);
                target.zip(&matrix[from..from + count]).for_each(|(t, s)| *t += *s);
            });
        }
    }

    /// Turns `[picture, o, plane]` into `[o, picture, plane]`.
    fn channels_first(&self, grad: &[f32]) -> Vec<f32> {
        let (plane, count) = (self.plane(), grad.len() / self.o / self.plane());
        let mut out = vec![0.; grad.len()];
        for (i, from) in grad.chunks(plane).enumerate() {
            let to = (i % self.o * count + i / self.o) * plane;
            out[to..to + plane].copy_from_slice(from);
        }
        out
    }
}

/// Multiplies an `m` by `k` matrix with a `k` by `n` one; strides are (column, row).
fn product((m, n, k): (usize, usize, usize), a: (&[f32], isize, isize), b: (&[f32], isize, isize)) -> Vec<f32> {
    assert!(a.0.len() >= m * k && b.0.len() >= k * n);
    let mut out = vec![0f32; m * n];
    // SAFETY: all strides are those of whole matrices of the lengths asserted above.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            false,
            a.0.as_ptr(),
            a.1,
            a.2,
            b.0.as_ptr(),
            b.1,
            b.2,
            0.,
            1.,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
    out
}

fn floats<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("a convolution wants contiguous tensors"),
    }
}

impl CustomOp2 for Conv {
    fn name(&self) -> &'static str {
        "conv"
    }

    fn cpu_fwd(&self, x: &CpuStorage, lx: &Layout, w: &CpuStorage, lw: &Layout) -> Result<(CpuStorage, Shape)> {
        let s = Sizes::new(lx.dims(), lw.dims(), self.stride);
        let (x, w) = (floats(x, lx)?, floats(w, lw)?);
        let (n, rows) = (lx.dims()[0], s.rows());
        let mut out = vec![0f32; n * s.o * s.plane()];
        let groups = x.par_chunks(s.group * s.c * s.h * s.w);
        groups.zip(out.par_chunks_mut(s.group * s.o * s.plane())).for_each(|(x, out)| {
            let count = x.len() / (s.c * s.h * s.w);
            let width = count * s.plane();
            let matrix = s.patches(x);
            let y = product((s.o, width, rows), (w, 1, rows as isize), (&matrix, 1, width as isize));
            for (i, to) in out.chunks_mut(s.plane()).enumerate() {
                let from = (i % s.o * count + i / s.o) * s.plane();
                to.copy_from_slice(&y[from..from + s.plane()]);
            }
        });
        Ok((CpuStorage::F32(out), Shape::from((n, s.o, s.oh, s.ow))))
    }

    fn bwd(&self, x: &Tensor, w: &Tensor, _: &Tensor, grad: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let grad = grad.contiguous()?;
        let four = |dims: &[usize]| [dims[0], dims[1], dims[2], dims[3]];
        let dx = self.trace.then(|| grad.apply_op2_no_bwd(w, &PictureGrad(*self, four(x.dims()))));
        let dw = self.learn.then(|| x.apply_op2_no_bwd(&grad, &WeightGrad(*self, four(w.dims()))));
        Ok((dx.transpose()?, dw.transpose()?))
    }
}

impl CustomOp2 for PictureGrad {
    fn name(&self) -> &'static str {
        "conv-picture-gradient"
    }

    fn cpu_fwd(&self, grad: &CpuStorage, lg: &Layout, w: &CpuStorage, lw: &Layout) -> Result<(CpuStorage, Shape)> {
        let s = Sizes::new(&self.1, lw.dims(), self.0.stride);
        let (grad, w) = (floats(grad, lg)?, floats(w, lw)?);
        let rows = s.rows();
        let mut out = vec![0f32; self.1.iter().product()];
        let groups = out.par_chunks_mut(s.group * s.c * s.h * s.w);
        groups.zip(grad.par_chunks(s.group * s.o * s.plane())).for_each(|(out, grad)| {
            let width = grad.len() / s.o;
            let grad = s.channels_first(grad);
            let matrix = product((rows, width, s.o), (w, rows as isize, 1), (&grad, 1, width as isize));
            s.unpatch(&matrix, out);
        });
        Ok((CpuStorage::F32(out), Shape::from(self.1.to_vec())))
    }
}

impl CustomOp2 for WeightGrad {
    fn name(&self) -> &'static str {
        "conv-weight-gradient"
    }

    fn cpu_fwd(&self, x: &CpuStorage, lx: &Layout, grad: &CpuStorage, lg: &Layout) -> Result<(CpuStorage, Shape)> {
        let s = Sizes::new(lx.dims(), &self.1, self.0.stride);
        let (x, grad) = (floats(x, lx)?, floats(grad, lg)?);
        let rows = s.rows();
        let groups = x.par_chunks(s.group * s.c * s.h * s.w);
        let parts: Vec<Vec<f32>> = groups
            .zip(grad.par_chunks(s.group * s.o * s.plane()))
            .map(|(x, grad)| {
                let width = grad.len() / s.o;
                let (grad, matrix) = (s.channels_first(grad), s.patches(x));
                product((s.o, rows, width), (&grad, 1, width as isize), (&matrix, width as isize, 1))
            })
            .collect();
        let mut out = vec![0f32; s.o * rows];
        for part in parts {
            out.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
        }
        Ok((CpuStorage::F32(out), Shape::from(self.1.to_vec())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Var};

    #[test]
    fn agrees_with_candle() -> Result<()> {
        for (size, k, stride) in [(11, 5, 2), (12, 3, 2), (9, 3, 1), (6, 1, 1), (7, 3, 2)] {
            let x = Var::randn(0f32, 1., (11, 3, size, size), &Device::Cpu)?;
            let w = Var::randn(0f32, 1., (5, 3, k, k), &Device::Cpu)?;
            let ours = x.apply_op2(&w, Conv { stride, learn: true, trace: true })?;
            let theirs = x.conv2d(&w, k / 2, stride, 1, 1)?;
            let want = ours.randn_like(0., 1.)?;
            let ours_grad = (&ours * &want)?.sum_all()?.backward()?;
            let theirs_grad = (&theirs * &want)?.sum_all()?.backward()?;
            let far = |a: &Tensor, b: &Tensor| (a - b)?.abs()?.max_all()?.to_scalar::<f32>();
            assert!(far(&ours, &theirs)? < 1e-4);
            for var in [&x, &w] {
                assert!(far(ours_grad.get(var).unwrap(), theirs_grad.get(var).unwrap())? < 1e-3);
            }
        }
        Ok(())
    }
}
