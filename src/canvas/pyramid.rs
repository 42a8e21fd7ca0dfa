//! A sum of pictures of many sizes.

use candle_core::{CpuStorage, CustomOp1, Device, Layout, Result, Shape, Tensor, Var, WithDType, bail};

use super::fourier::{IMAGENET, mixed};
use super::{Canvas, Form};
use crate::ops::{Sample, invert, logit, resize, sigmoid};

pub(super) struct Pyramid;

/// How far from 0 and 1 a value is held that becomes a parameter: the sigmoid never reaches them.
const RIM: f64 = 1e-3;

impl Canvas for Pyramid {
    fn name(&self) -> &'static str {
        "pyramid"
    }

    /// (tanh x + 1) / 2 is the sigmoid of 2 x.
    fn decode(&self, params: &Tensor, form: Form) -> Result<Tensor> {
        sigmoid(&mixed(&(params.contiguous()?.apply_op1(Sum::of(form))? * 2.0)?, IMAGENET, form)?)
    }

    fn length(&self, form: Form) -> usize {
        form.planes() * sizes(form).map(|(height, width)| height * width).sum::<usize>()
    }

    /// All of it in the finest level.
    fn encode(&self, picture: &Tensor, form: Form) -> Result<Tensor> {
        let share = share((form.height, form.width), form);
        let values = mixed(&logit(&picture.clamp(RIM, 1.0 - RIM)?)?, invert(IMAGENET), form)?;
        let finest = (values * (0.5 / share))?.flatten_from(2)?;
        let coarser: usize = sizes(form).map(|(height, width)| height * width).sum::<usize>() - finest.dim(2)?;
        Tensor::cat(&[&Tensor::zeros((1, form.planes(), coarser), picture.dtype(), picture.device())?, &finest], 2)
    }

    fn noise(&self, form: Form, normal: &mut dyn FnMut() -> f64) -> Result<Tensor> {
        let length = self.length(form);
        let values: Vec<f32> = (0..length).map(|_| normal() as f32).collect();
        Tensor::from_vec(values, (1, form.planes(), length / form.planes()), &Device::Cpu)
    }
}

/// The sizes of the levels, coarsest first: the longer side 1, 1 + step, 1 + 2 step … and the picture's own.
fn sizes(form: Form) -> impl Iterator<Item = (usize, usize)> {
    let Form { height, width, .. } = form;
    let (longer, step) = (height.max(width), form.args.integer("step").max(1) as usize);
    let scaled = move |length: usize, side: usize| ((length * side + longer / 2) / longer.max(1)).max(1);
    let coarser = (1..longer).step_by(step).map(move |side| (scaled(height, side), scaled(width, side)));
    coarser.chain([(height, width)])
}

/// By what a level is multiplied.
fn share((height, width): (usize, usize), form: Form) -> f64 {
    let decay = form.args.dial("decay").map_or(0.0, |dial| dial.at(0.0, 0.0));
    libm::pow(height.max(width) as f64, -decay)
}

/// `[1, C, Σ h w]` → `[1, C, H, W]`: all levels resized and summed, one after another. In candle's graph every level
/// would be kept at the full size until the way back.
struct Sum {
    levels: Vec<(usize, usize)>,
    /// By what each is multiplied.
    shares: Vec<f64>,
    planes: usize,
    height: usize,
    width: usize,
}

impl Sum {
    fn of(form: Form) -> Self {
        let levels: Vec<(usize, usize)> = sizes(form).collect();
        let shares = levels.iter().map(|&level| share(level, form)).collect();
        Self { levels, shares, planes: form.planes(), height: form.height, width: form.width }
    }

    fn resized(&self, level: &Tensor, share: f64) -> Result<Tensor> {
        resize(&(level * share)?, self.height, self.width, Sample::Bicubic)
    }

    fn forward<T: WithDType>(&self, all: &[T]) -> Result<Vec<T>> {
        let length: usize = self.levels.iter().map(|(height, width)| height * width).sum();
        if all.len() != self.planes * length {
            bail!("a pyramid of {length} values a channel got {}", all.len() / self.planes);
        }
        let mut sum = Tensor::zeros((1, self.planes, self.height, self.width), T::DTYPE, &Device::Cpu)?;
        let mut from = 0;
        for (&(height, width), &share) in self.levels.iter().zip(&self.shares) {
            let values: Vec<T> =
                all.chunks(length).flat_map(|plane| &plane[from..][..height * width]).copied().collect();
            from += height * width;
            sum = (sum
                + self.resized(&Tensor::from_vec(values, (1, self.planes, height, width), &Device::Cpu)?, share)?)?;
        }
        sum.flatten_all()?.to_vec1()
    }
}

impl CustomOp1 for Sum {
    fn name(&self) -> &'static str {
        "pyramid"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let Some((from, until)) = layout.contiguous_offsets() else { bail!("the tensor is not dense") };
        let picture = match storage {
            CpuStorage::F32(all) => CpuStorage::F32(self.forward(&all[from..until])?),
            CpuStorage::F64(all) => CpuStorage::F64(self.forward(&all[from..until])?),
            _ => bail!("pictures are f32 or f64"),
        };
        Ok((picture, (1, self.planes, self.height, self.width).into()))
    }

    /// Each level's own: that of Σ resized(level) · grad.
    fn bwd(&self, params: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let grad = grad.detach();
        let mut parts = Vec::with_capacity(self.levels.len());
        for (&(height, width), &share) in self.levels.iter().zip(&self.shares) {
            let level = Var::zeros((1, self.planes, height, width), params.dtype(), params.device())?;
            let mut gradients = (self.resized(&level, share)? * &grad)?.sum_all()?.backward()?;
            parts.push(gradients.remove(&level).map_or_else(|| level.zeros_like(), Ok)?.flatten_from(2)?);
        }
        Tensor::cat(&parts, 2).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use candle_core::DType;

    use super::*;
    use crate::ops::testing::{assert_close, check_gradient, random, values};
    use crate::spec::{Arg, Args};

    #[test]
    fn levels_grow_step_by_step_up_to_the_picture() {
        let args = Args::new().with("step", Arg::Number(4.0.into()));
        let of = |height, width| sizes(Form { args: &args, height, width }).collect::<Vec<_>>();
        assert_eq!(of(10, 10), [(1, 1), (5, 5), (9, 9), (10, 10)]);
        assert_eq!(of(5, 9), [(1, 1), (3, 5), (5, 9)]);
        assert_eq!(of(1, 1), [(1, 1)]);
    }

    #[test]
    fn a_picture_comes_back_and_gradients_are_those_of_differences() {
        for (height, width, decay, colours) in [(7, 5, 0.0, "off"), (8, 8, 1.0, "imagenet"), (1, 4, 0.5, "off")] {
            let args = Args::new().with("step", Arg::Number(3.0.into())).with("decay", Arg::Number(decay.into()));
            let args = args.with("decorrelate", Arg::Choice(colours));
            let form = Form { args: &args, height, width };
            let picture = random(&[1, 3, height, width], 5).affine(0.4, 0.5).unwrap();
            let params = Pyramid.encode(&picture, form).unwrap();
            assert_close(&Pyramid.decode(&params, form).unwrap(), &picture, 1e-9);
            check_gradient(|params| Pyramid.decode(params, form), &random(params.dims(), 6));
            assert_eq!(Pyramid.noise(form, &mut || 1.0).unwrap().dims(), params.dims());
            assert_eq!(Pyramid.length(form), params.elem_count());
        }
    }

    /// A value of a coarse level touches many pixels, so it moves first and farthest: what makes large forms.
    #[test]
    fn coarse_levels_have_the_larger_gradients() {
        let args = Args::new().with("step", Arg::Number(4.0.into()));
        let form = Form { args: &args, height: 9, width: 9 };
        let params = Pyramid.encode(&Tensor::full(0.5, (1, 3, 9, 9), &Device::Cpu).unwrap(), form).unwrap();
        let weights = Tensor::ones((1, 3, 9, 9), DType::F64, &Device::Cpu).unwrap();
        let gradient = crate::ops::testing::gradient(|params| Pyramid.decode(params, form), &params, &weights);
        let gradient = values(&gradient);
        // The one value of the coarsest level against one of the finest: as many pixels as there are.
        assert!((gradient[0] / gradient[gradient.len() / 3 - 1] - 81.0).abs() < 1e-6);
    }
}
