//! Convolution with frozen weights: only the input gets a gradient.
//!
//! `y[o, p] = bias[o] + Σ weights[o, c, ky, kx] · x[c, p · stride − padding + (ky, kx)]`
//!
//! Forward gathers what some rows of positions see into columns that fit a core's cache and multiplies them with the
//! weights. The gradient of stride 1 is the same with the weights turned by half a turn and their channels exchanged;
//! that of other strides multiplies with the transposed weights and scatters the columns back. Work is split by the
//! shape of the layer alone, so a result depends neither on threads nor on the batch. Groups of channels that see
//! nothing of each other are convolutions of their own.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::Window;
use super::columns::{Plane, gather, scatter};
use super::product::{Matrix, multiply};
use super::real::{Dims, Kernel, Real, run};

/// Numbers in a buffer of columns: 512 kB of f32, half of the second-level cache of common cores (by measurement, a
/// quarter and twice as much are within 10 %).
const COLUMNS: usize = 1 << 17;

/// Tasks that one image's share of a layer is split into where it is large enough, so that several cores have work.
const TASKS: usize = 8;

/// A convolution with frozen weights, `[N, inputs, H, W]` → `[N, outputs, H', W']`. Clones share the weights.
#[derive(Clone)]
pub struct Convolution(Arc<Frozen>);

struct Frozen {
    window: Window,
    inputs: usize,
    outputs: usize,
    groups: usize,
    /// `[outputs, inputs / groups, kernel, kernel]`
    weights: Vec<f32>,
    /// `[outputs]`, or nothing.
    bias: Vec<f32>,
    /// `[inputs, outputs / groups, kernel, kernel]`, the kernel turned by half a turn: made when a gradient first needs it.
    turned: OnceLock<Vec<f32>>,
}

impl Convolution {
    /// A convolution with weights `[outputs, inputs, kernel, kernel]` and a bias `[outputs]`, which may be empty.
    ///
    /// # Errors
    /// The lengths do not agree, or kernel or stride is 0.
    pub fn new(window: Window, inputs: usize, outputs: usize, weights: Vec<f32>, bias: Vec<f32>) -> Result<Self> {
        Self::grouped(window, [inputs, outputs], 1, weights, bias)
    }

    /// A convolution whose channels form so many groups, the results of each seeing its inputs alone; weights are
    /// `[outputs, inputs / groups, kernel, kernel]`.
    ///
    /// # Errors
    /// As those of [`Self::new`], or the groups do not come out even.
    pub fn grouped(
        window: Window,
        [inputs, outputs]: [usize; 2],
        groups: usize,
        weights: Vec<f32>,
        bias: Vec<f32>,
    ) -> Result<Self> {
        if groups == 0 || inputs % groups != 0 || outputs % groups != 0 {
            bail!("{inputs} and {outputs} channels are not {groups} groups each");
        }
        let length = outputs * (inputs / groups) * window.kernel * window.kernel;
        if window.kernel == 0
            || window.stride == 0
            || weights.len() != length
            || !(bias.is_empty() || bias.len() == outputs)
        {
            bail!("a convolution's weights don't have its shape");
        }
        Ok(Self(Arc::new(Frozen { window, inputs, outputs, groups, weights, bias, turned: OnceLock::new() })))
    }

    /// Window, inputs, outputs, weights `[outputs, inputs / groups, kernel, kernel]` and bias.
    pub(crate) fn parts(&self) -> (Window, usize, usize, &[f32], &[f32]) {
        (self.0.window, self.0.inputs, self.0.outputs, &self.0.weights, &self.0.bias)
    }

    /// Groups of channels.
    pub fn groups(&self) -> usize {
        self.0.groups
    }

    /// Convolves `[N, inputs, H, W]`, f32 or f64.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        if x.device().is_cpu() { x.contiguous()?.apply_op1(self.clone()) } else { self.portable(x) }
    }

    /// The same in candle's own operations, on any device; its gradient computes one of the weights too.
    pub fn portable(&self, x: &Tensor) -> Result<Tensor> {
        let Frozen { window, inputs, outputs, groups, weights, bias, .. } = &*self.0;
        let Window { kernel, stride, padding, .. } = *window;
        let weights = Tensor::from_slice(weights, (*outputs, inputs / groups, kernel, kernel), x.device())?;
        let y = x.conv2d(&weights.to_dtype(x.dtype())?, padding, stride, 1, *groups)?;
        if bias.is_empty() {
            return Ok(y);
        }
        y.broadcast_add(&Tensor::from_slice(bias, (1, *outputs, 1, 1), x.device())?.to_dtype(x.dtype())?)
    }

    /// Height and width of the result.
    fn positions(&self, height: usize, width: usize) -> Result<(usize, usize)> {
        match (self.0.window.positions(height), self.0.window.positions(width)) {
            (Some(height), Some(width)) => Ok((height, width)),
            _ => bail!("{width}x{height} cells are too few for a convolution of {0}x{0}", self.0.window.kernel),
        }
    }
}

impl CustomOp1 for Convolution {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, channels, height, width) = layout.shape().dims4()?;
        if channels != self.0.inputs {
            bail!("a convolution of {} channels got {channels}", self.0.inputs);
        }
        let (high, wide) = self.positions(height, width)?;
        Ok((run(self, storage, layout)?, (n, self.0.outputs, high, wide).into()))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (_, _, height, width) = x.dims4()?;
        grad.contiguous()?.apply_op1_no_bwd(&Gradient { of: self.clone(), height, width }).map(Some)
    }
}

impl Kernel for Convolution {
    fn run<T: Real>(&self, input: &[T], dims: Dims) -> Vec<T> {
        let Frozen { window, outputs, groups, weights, bias, .. } = &*self.0;
        let (weights, bias, each) = (T::exact(weights), T::exact(bias), outputs / groups);
        by_groups(input, dims, *groups, |group, input, dims| {
            let weights = &weights[part(group, weights.len() / groups)];
            convolve(input, dims, *window, each, weights, bias.get(part(group, each)).unwrap_or_default())
        })
    }
}

/// The gradient of a convolution's input from that of its result.
struct Gradient {
    of: Convolution,
    height: usize,
    width: usize,
}

impl CustomOp1 for Gradient {
    fn name(&self) -> &'static str {
        "convolution's gradient"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, ..) = layout.shape().dims4()?;
        Ok((run(self, storage, layout)?, (n, self.of.0.inputs, self.height, self.width).into()))
    }
}

impl Kernel for Gradient {
    fn run<T: Real>(&self, grad: &[T], dims: Dims) -> Vec<T> {
        let frozen = &*self.of.0;
        let Window { kernel, stride, padding, .. } = frozen.window;
        if stride == 1 && padding < kernel {
            let turned = frozen.turned.get_or_init(|| frozen.turn());
            let (window, turned) = (Window::new(kernel, 1, kernel - 1 - padding), T::exact(turned));
            let each = frozen.inputs / frozen.groups;
            return by_groups(grad, dims, frozen.groups, |group, grad, dims| {
                convolve(grad, dims, window, each, &turned[part(group, turned.len() / frozen.groups)], &[])
            });
        }
        let weights = T::exact(&frozen.weights);
        by_groups(grad, dims, frozen.groups, |group, grad, dims| {
            let weights = &weights[part(group, weights.len() / frozen.groups)];
            transpose(grad, dims, frozen, weights, [self.height, self.width])
        })
    }
}

impl Frozen {
    fn turn(&self) -> Vec<f32> {
        let cells = self.window.kernel * self.window.kernel;
        let (inputs, outputs) = (self.inputs / self.groups, self.outputs / self.groups);
        let mut turned = vec![0.0; self.weights.len()];
        for (i, kernel) in self.weights.chunks_exact(cells).enumerate() {
            let (group, output, input) = (i / inputs / outputs, i / inputs % outputs, i % inputs);
            let to = &mut turned[((group * inputs + input) * outputs + output) * cells..][..cells];
            to.iter_mut().rev().zip(kernel).for_each(|(to, from)| *to = *from);
        }
        turned
    }
}

/// Where part `index` lies of a row of parts of that length.
fn part(index: usize, length: usize) -> std::ops::Range<usize> {
    index * length..(index + 1) * length
}

/// Does each group of channels of each image by itself: `one` gets the group, its part of an image, and that part's dims.
fn by_groups<T: Real>(
    input: &[T],
    dims: Dims,
    groups: usize,
    one: impl Fn(usize, &[T], Dims) -> Vec<T> + Sync,
) -> Vec<T> {
    let (n, c, h, w) = dims;
    if groups == 1 {
        return one(0, input, dims);
    }
    let each = (1, c / groups, h, w);
    let parts = (0..n * groups).into_par_iter();
    parts.flat_map_iter(|index| one(index % groups, &input[part(index, c / groups * h * w)], each)).collect()
}

/// Boundaries that split `whole` into `parts` as equal as possible.
fn split(whole: usize, parts: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    (0..parts).map(move |i| i * whole / parts..(i + 1) * whole / parts)
}

/// Some rows of positions of some channels of one image's result.
struct Part<'a, T> {
    image: usize,
    rows: std::ops::Range<usize>,
    channels: std::ops::Range<usize>,
    /// For each channel, those rows.
    to: Vec<&'a mut [T]>,
}

/// Splits `[N, C, H, W]` into parts: into so many bands of rows, and so many groups of channels.
fn parts<T>(
    data: &mut [T],
    (channels, height, width): (usize, usize, usize),
    bands: usize,
    groups: usize,
) -> Vec<Part<'_, T>> {
    let mut parts = Vec::new();
    for (image, mut data) in data.chunks_mut((channels * height * width).max(1)).enumerate() {
        for channels in split(channels, groups) {
            let first = parts.len();
            parts.extend(split(height, bands).map(|rows| Part { image, rows, channels: channels.clone(), to: vec![] }));
            for _ in channels {
                for part in &mut parts[first..] {
                    let (band, rest) = std::mem::take(&mut data).split_at_mut(part.rows.len() * width);
                    part.to.push(band);
                    data = rest;
                }
            }
        }
    }
    parts
}

/// Convolves `[N, C, H, W]` with weights `[outputs, C · kernel²]`.
fn convolve<T: Real>(
    input: &[T],
    (n, c, h, w): Dims,
    window: Window,
    outputs: usize,
    weights: &[T],
    bias: &[T],
) -> Vec<T> {
    let (Some(high), Some(wide)) = (window.positions(h), window.positions(w)) else { return vec![] };
    let plane = Plane { size: [h, w], window, across: wide };
    let terms = c * window.kernel * window.kernel;
    let bands = (terms * high * wide).div_ceil(COLUMNS).max(2).min(high);
    let groups = (TASKS / bands).clamp(1, outputs.div_ceil(128));
    let mut result = vec![T::ZERO; n * outputs * high * wide];
    // A 1x1 window of stride 1 sees the input itself.
    let direct = window == Window::new(1, 1, 0);
    parts(&mut result, (outputs, high, wide), bands, groups).into_par_iter().for_each(|part| {
        let image = &input[part.image * c * h * w..(part.image + 1) * c * h * w];
        let positions = part.rows.len() * wide;
        let weights = &weights[part.channels.start * terms..part.channels.end * terms];
        let weights = Matrix::rows(weights, [part.channels.len(), terms], terms);
        let columns = if direct { 0 } else { terms * positions };
        T::scratch([columns, part.channels.len() * positions], |columns, product| {
            let seen = if direct {
                Matrix::rows(&image[part.rows.start * wide..], [terms, positions], h * w)
            } else {
                gather(columns, image, plane, part.rows.clone());
                Matrix::rows(columns, [terms, positions], positions)
            };
            multiply(product, weights, seen);
            for ((to, from), channel) in part.to.into_iter().zip(product.chunks_exact(positions)).zip(part.channels) {
                match bias.get(channel) {
                    Some(&bias) => to.iter_mut().zip(from).for_each(|(to, from)| *to = *from + bias),
                    None => to.copy_from_slice(from),
                }
            }
        });
    });
    result
}

/// The gradient `[N, inputs, H, W]` of a group from that of its result, by columns that are scattered back.
fn transpose<T: Real>(
    grad: &[T],
    (n, outputs, high, wide): Dims,
    frozen: &Frozen,
    weights: &[T],
    [h, w]: [usize; 2],
) -> Vec<T> {
    let (window, inputs) = (frozen.window, frozen.inputs / frozen.groups);
    let Window { kernel, stride, padding, .. } = window;
    let plane = Plane { size: [h, w], window, across: wide };
    let (cells, terms) = (kernel * kernel, inputs * kernel * kernel);
    // Few channels are kept together, for a product of more rows; many give the tasks.
    let together =
        (COLUMNS / (cells * high * wide).max(1)).clamp(256 / cells, inputs.div_ceil(TASKS).max(256 / cells)).max(1);
    let groups = inputs.div_ceil(together);
    // Neighbouring bands compute (kernel − 1) / stride rows of positions twice: four times as many keep that cheap.
    let rows = (COLUMNS / (together.min(inputs) * cells * wide).max(1)).max(4 * kernel / stride).max(1);
    let bands = high.div_ceil(rows).min(h);
    let mut result = vec![T::ZERO; n * inputs * h * w];
    parts(&mut result, (inputs, h, w), bands, groups).into_par_iter().for_each(|mut part| {
        // Positions that see a row of cells: (row + padding − kernel + 1) / stride, rounded up, to (row + padding) / stride.
        let first = (part.rows.start + padding).saturating_sub(kernel - 1).div_ceil(stride).min(high);
        let end = (part.rows.end + padding).div_ceil(stride).clamp(first, high);
        let positions = (end - first) * wide;
        let image = &grad[part.image * outputs * high * wide..(part.image + 1) * outputs * high * wide];
        let count = part.channels.len() * cells;
        T::scratch([count * positions, 0], |columns, _| {
            let weights = &weights[part.channels.start * cells..];
            let weights = Matrix { data: weights, size: [count, outputs], down: 1, across: terms };
            let grad = Matrix::rows(&image[first * wide..], [outputs, positions], high * wide);
            multiply(columns, weights, grad);
            scatter(columns, &mut part.to, part.rows.start, plane, first..end);
        });
    });
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{assert_close, assert_same, check_gradient, gradient, random, values};
    use candle_core::DType;

    fn layer(inputs: usize, outputs: usize, window: Window, biased: bool) -> Convolution {
        let floats = |shape: &[usize], seed| values(&random(shape, seed)).into_iter().map(|x| x as f32).collect();
        let weights = floats(&[outputs, inputs, window.kernel, window.kernel], 1);
        Convolution::new(window, inputs, outputs, weights, if biased { floats(&[outputs], 2) } else { vec![] }).unwrap()
    }

    /// Kernel, stride, padding; also such as no network has: gaps between windows, padding beyond the kernel.
    const WINDOWS: [(usize, usize, usize); 12] = [
        (1, 1, 0),
        (3, 1, 1),
        (3, 2, 1),
        (1, 2, 0),
        (7, 2, 3),
        (5, 2, 2),
        (3, 1, 0),
        (2, 3, 1),
        (1, 3, 0),
        (3, 1, 4),
        (1, 1, 1),
        (4, 2, 5),
    ];

    #[test]
    fn is_candles_convolution() {
        for (kernel, stride, padding) in WINDOWS {
            for (n, c, o, h, w) in [(1, 1, 1, 7, 7), (2, 3, 5, 8, 11), (1, 4, 2, 13, 7)] {
                let layer = layer(c, o, Window::new(kernel, stride, padding), true);
                let x = random(&[n, c, h, w], 3);
                assert_close(&layer.forward(&x).unwrap(), &layer.portable(&x).unwrap(), 1e-13);
                let single = x.to_dtype(DType::F32).unwrap();
                assert_close(&layer.forward(&single).unwrap(), &layer.portable(&x).unwrap(), 1e-6);
            }
        }
    }

    #[test]
    fn groups_see_nothing_of_each_other() {
        for (groups, each, kernel, stride) in
            [(6, [1, 1], 3, 1), (6, [1, 1], 3, 2), (2, [3, 2], 3, 1), (3, [2, 4], 5, 2)]
        {
            let (inputs, outputs) = (groups * each[0], groups * each[1]);
            let floats = |shape: &[usize], seed| values(&random(shape, seed)).into_iter().map(|x| x as f32).collect();
            let window = Window::new(kernel, stride, kernel / 2);
            let (weights, bias) = (floats(&[outputs, each[0], kernel, kernel], 1), floats(&[outputs], 2));
            let layer = Convolution::grouped(window, [inputs, outputs], groups, weights, bias).unwrap();
            let x = random(&[2, inputs, 7, 8], 3);
            let y = layer.forward(&x).unwrap();
            assert_close(&y, &layer.portable(&x).unwrap(), 1e-13);
            check_gradient(|x| layer.forward(x), &x);
            assert_same(&layer.forward(&x.narrow(0, 1, 1).unwrap()).unwrap(), &y.narrow(0, 1, 1).unwrap());
        }
        assert!(Convolution::grouped(Window::new(1, 1, 0), [4, 6], 4, vec![0.0; 6], vec![]).is_err());
    }

    #[test]
    fn gradient_is_that_of_differences() {
        for (kernel, stride, padding) in WINDOWS {
            let layer = layer(2, 3, Window::new(kernel, stride, padding), true);
            for (h, w) in [(7, 8), (8, 9)] {
                check_gradient(|x| layer.forward(x), &random(&[2, 2, h, w], 4));
            }
        }
    }

    /// Large enough that rows and channels are split.
    #[test]
    fn gradient_of_large_layers_is_candles() {
        for (c, o, kernel, stride, side) in
            [(3, 16, 7, 2, 97), (70, 140, 3, 2, 39), (140, 70, 3, 1, 20), (64, 32, 1, 2, 31)]
        {
            let layer = layer(c, o, Window::new(kernel, stride, kernel / 2), false);
            let x = random(&[1, c, side, side], 5);
            let y = layer.forward(&x).unwrap();
            assert_close(&y, &layer.portable(&x).unwrap(), 1e-12);
            let weights = random(y.dims(), 6);
            let (own, candles) =
                (gradient(|x| layer.forward(x), &x, &weights), gradient(|x| layer.portable(x), &x, &weights));
            assert_close(&own, &candles, 1e-12);
        }
    }

    #[test]
    fn a_result_depends_neither_on_threads_nor_on_the_batch() {
        for (kernel, stride) in [(3, 1), (3, 2), (1, 1), (7, 2)] {
            let layer = layer(20, 150, Window::new(kernel, stride, kernel / 2), true);
            let x = random(&[3, 20, 33, 41], 7).to_dtype(DType::F32).unwrap();
            let both = |x: &Tensor| {
                let y = layer.forward(x).unwrap();
                let gradient = gradient(|x| layer.forward(x), x, &y);
                (y, gradient)
            };
            let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let (y, gradient) = pool(1).install(|| both(&x));
            let (other, other_gradient) = pool(3).install(|| both(&x));
            assert_same(&other, &y);
            assert_same(&other_gradient, &gradient);
            let (alone, alone_gradient) = both(&x.narrow(0, 2, 1).unwrap());
            assert_same(&alone, &y.narrow(0, 2, 1).unwrap());
            assert_same(&alone_gradient, &gradient.narrow(0, 2, 1).unwrap());
        }
    }

    #[test]
    fn wrong_shapes_are_errors() {
        assert!(Convolution::new(Window::new(3, 1, 1), 2, 2, vec![0.0; 35], vec![]).is_err());
        assert!(Convolution::new(Window::new(3, 0, 1), 2, 2, vec![0.0; 36], vec![]).is_err());
        let layer = layer(2, 2, Window::new(3, 1, 0), false);
        assert!(layer.forward(&random(&[1, 3, 8, 8], 1)).is_err());
        assert!(layer.forward(&random(&[1, 2, 2, 8], 1)).is_err());
        assert!(layer.forward(&random(&[2, 8, 8], 1)).is_err());
        assert_eq!(layer.forward(&random(&[0, 2, 8, 8], 1)).unwrap().dims(), [0, 2, 6, 6]);
    }
}
