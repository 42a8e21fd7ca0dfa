//! Which way a convolution goes.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::depthwise::{self, Depthwise};
use super::direct::{self, Pass};
use super::narrow::Narrow;
use super::pooled::{Pooled, Winners};
use super::rounded::Rounded;
use super::sweep::{Kernel, backward_pad};
use super::winograd::{TOGETHER, Winograd};
use super::{Finish, Grid, Slot, Stage, Tiles, Vectors};
use crate::ops::{Convolution, Window};

/// A convolution that computes on [`Grid`]s. The way is chosen by the layer's shape alone, so that the bytes do not
/// depend on the machine.
pub struct FastConvolution {
    of: Convolution,
    vectors: Vectors,
    form: Form,
    /// By what the picture's gradient is multiplied.
    factor: f32,
    forward: OnceLock<Way>,
    backward: OnceLock<Way>,
    pooled: OnceLock<Pooled>,
}

/// What weights are kept as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As the fastest way wants them, which may be four times as many.
    Prepared,
    /// No more numbers than they are.
    Plain,
    /// Rounded to bf16, as are the pictures, for the processor's tiles. Groups of channels stay as they are.
    Rounded(Tiles),
}

enum Way {
    Depthwise(Depthwise),
    Direct(Vec<Pass>),
    Narrow(Narrow),
    Rounded(Rounded),
    Winograd(Winograd),
}

impl FastConvolution {
    /// The same convolution. Its weights are prepared when they are first used.
    pub fn new(of: Convolution, vectors: Vectors, form: Form) -> Self {
        let (forward, backward, pooled) = Default::default();
        Self { of, vectors, form, factor: 1.0, forward, backward, pooled }
    }

    /// Multiplies the picture's gradient by a factor, for nothing: the weights of the way back take it along.
    pub fn scale_gradient(&mut self, factor: f32) {
        (self.factor, self.backward, self.pooled) = (factor, OnceLock::new(), OnceLock::new());
    }

    fn kernel(&self) -> Kernel<'_> {
        let (window, inputs, outputs, weights, _) = self.of.parts();
        Kernel { window, inputs, outputs, groups: self.of.groups(), weights }
    }

    /// The window.
    pub fn window(&self) -> Window {
        self.of.parts().0
    }

    /// Groups of channels.
    pub fn groups(&self) -> usize {
        self.of.groups()
    }

    /// Channels of a result.
    pub fn outputs(&self) -> usize {
        self.of.parts().2
    }

    /// Border that the picture needs, of `cells` pixels a side (`H` or `W`) for `results`.
    pub fn pad(&self, cells: usize, results: usize) -> usize {
        let Window { kernel, stride, padding, .. } = self.window();
        let below = (results.saturating_sub(1) * stride + kernel) as isize - (padding + cells) as isize;
        (below.max(0) as usize).max(padding)
    }

    /// Border that the result's gradient needs.
    pub fn gradient_pad(&self, cells: usize, results: usize) -> usize {
        backward_pad(self.window(), cells, results)
    }

    /// The way's name.
    pub fn way(&self) -> &'static str {
        match (self.tile(), self.kernel()) {
            (_, Kernel { groups: 1, .. }) if matches!(self.form, Form::Rounded(_)) => "bf16 tiles",
            (Some(4), _) => "Winograd 4x4",
            (Some(_), _) => "Winograd 2x2",
            (None, Kernel { groups, inputs, outputs, .. }) if groups == inputs && groups == outputs => "depthwise",
            (None, _) => "direct",
        }
    }

    /// Results of a tile of Winograd's method, where it serves.
    fn tile(&self) -> Option<usize> {
        let Kernel { window, inputs, outputs, groups, .. } = self.kernel();
        let fits = self.form == Form::Prepared
            && groups == 1
            && window == Window::new(3, 1, 1)
            && inputs % TOGETHER == 0
            && outputs % TOGETHER == 0;
        // Larger tiles save products, but their weights no longer fit any cache.
        fits.then_some(if inputs.max(outputs) < 512 { 4 } else { 2 })
    }

    fn forward_way(&self) -> &Way {
        let kernel = self.kernel();
        if let Form::Rounded(tiles) = self.form
            && kernel.groups == 1
        {
            return self.forward.get_or_init(|| Way::Rounded(Rounded::forward(kernel, tiles)));
        }
        self.forward.get_or_init(|| match self.tile() {
            Some(side) => Way::Winograd(Winograd::new(side, kernel, false, self.vectors)),
            None => match Depthwise::new(kernel) {
                Some(depthwise) => Way::Depthwise(depthwise),
                None => Way::Direct(vec![Pass::forward(kernel, self.vectors)]),
            },
        })
    }

    /// Weights for the way back.
    fn scaled(&self) -> Cow<'_, [f32]> {
        let Kernel { weights, .. } = self.kernel();
        match self.factor {
            1.0 => weights.into(),
            factor => weights.iter().map(|weight| weight * factor).collect(),
        }
    }

    fn backward_way(&self) -> &Way {
        if let Some(way) = self.backward.get() {
            return way;
        }
        let scaled = self.scaled();
        let kernel = Kernel { weights: &scaled, ..self.kernel() };
        if let Form::Rounded(tiles) = self.form
            && kernel.groups == 1
        {
            return self.backward.get_or_init(|| Way::Rounded(Rounded::backward(kernel, tiles)));
        }
        self.backward.get_or_init(|| match self.tile() {
            Some(side) => Way::Winograd(Winograd::new(side, kernel, true, self.vectors)),
            None => match (Depthwise::new(kernel), Narrow::new(kernel)) {
                (Some(depthwise), _) => Way::Depthwise(depthwise),
                (None, Some(narrow)) => Way::Narrow(narrow),
                (None, None) => Way::Direct(Pass::backward(kernel, self.vectors)),
            },
        })
    }

    /// Numbers of a buffer that it needs beside its pictures, on the way back too if `back`.
    pub fn scratch(&self, picture: Grid, result: Grid, back: bool) -> usize {
        let of = |way: &Way, from: Grid, to: Grid| match way {
            Way::Winograd(winograd) => winograd.scratch(to),
            Way::Narrow(narrow) => narrow.scratch(from),
            Way::Rounded(rounded) => rounded.scratch(from),
            Way::Direct(_) | Way::Depthwise(_) => 0,
        };
        let forward = of(self.forward_way(), picture, result);
        if back { forward.max(of(self.backward_way(), result, picture)) } else { forward }
    }

    /// Convolves.
    pub fn forward<'a>(&'a self, from: Slot, to: Slot, scratch: usize, finish: Finish<'a>) -> Vec<Box<dyn Stage + 'a>> {
        let (.., bias) = self.of.parts();
        self.go((self.forward_way(), depthwise::Way::Forward), from, to, scratch, Finish { bias, ..finish })
    }

    /// From the gradient of a result to that of the picture.
    pub fn backward<'a>(
        &'a self,
        from: Slot,
        to: Slot,
        scratch: usize,
        finish: Finish<'a>,
    ) -> Vec<Box<dyn Stage + 'a>> {
        self.go((self.backward_way(), depthwise::Way::Back), from, to, scratch, finish)
    }

    /// Whether it sees each pixel of its picture; else the gradient of those that it doesn't see is zero.
    pub fn sees_all(&self) -> bool {
        self.window().kernel >= self.window().stride
    }

    /// Whether [`FastConvolution::backward_of`] serves, where a max pool alone reads the result.
    pub fn pools(&self) -> bool {
        Pooled::serves(self.kernel()) && !matches!(self.form, Form::Rounded(_))
    }

    /// From the gradient of what a max pool gave, which alone read the result, to that of the picture.
    pub fn backward_of<'a>(&'a self, winners: Winners, to: Slot, finish: Finish<'a>) -> Box<dyn Stage + 'a> {
        let pooled = self.pooled.get_or_init(|| Pooled::new(Kernel { weights: &self.scaled(), ..self.kernel() }));
        pooled.stage(winners, to, finish, self.vectors)
    }

    fn go<'a>(
        &'a self,
        (way, direction): (&'a Way, depthwise::Way),
        from: Slot,
        to: Slot,
        scratch: usize,
        finish: Finish<'a>,
    ) -> Vec<Box<dyn Stage + 'a>> {
        match way {
            Way::Depthwise(depthwise) => vec![depthwise.stage(direction, from, to, finish, self.vectors)],
            Way::Direct(passes) => vec![direct::stage(passes, from, to, finish, self.vectors)],
            Way::Narrow(narrow) => narrow.stages(from, to, scratch, finish, self.vectors),
            Way::Rounded(rounded) => rounded.stages(from, to, scratch, finish, self.vectors),
            Way::Winograd(winograd) => winograd.stages(from, to, scratch, finish, self.vectors),
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Tensor};

    use super::*;
    use crate::ops::fast::{Buffer, enter, leave, run};
    use crate::ops::testing::{gradient, random, values};

    fn floats(shape: &[usize], seed: u64) -> Vec<f32> {
        values(&random(shape, seed)).into_iter().map(|x| x as f32).collect()
    }

    fn largest_difference(got: &[f32], want: &Tensor) -> f64 {
        let want = values(want);
        assert_eq!(got.len(), want.len());
        let most = want.iter().fold(1e-30f64, |most, x| most.max(x.abs()));
        got.iter().zip(&want).map(|(got, want)| (f64::from(*got) - want).abs() / most).fold(0.0, f64::max)
    }

    /// Result and gradient by the fast way.
    fn fast(
        layer: &Convolution,
        x: &[f32],
        weights: &[f32],
        (h, w): (usize, usize),
        (vectors, form): (Vectors, Form),
    ) -> [Vec<f32>; 2] {
        let fast = FastConvolution::new(layer.clone(), vectors, form);
        let (window, inputs, outputs, ..) = layer.parts();
        let (high, wide) = (window.positions(h).unwrap(), window.positions(w).unwrap());
        let pad = fast.pad(h, high).max(fast.pad(w, wide));
        let gradient_pad = fast.gradient_pad(h, high).max(fast.gradient_pad(w, wide));
        let from = Slot { buffer: 1, grid: Grid { height: h, width: w, channels: inputs, pad } };
        let to = Slot { buffer: 2, grid: Grid { height: high, width: wide, channels: outputs, pad: gradient_pad } };
        let (mut picture, mut result) = (vec![0.0; from.grid.size()], vec![0.0; to.grid.size()]);
        let (mut y, mut g) = (vec![0.0; outputs * high * wide], vec![0.0; inputs * h * w]);
        let mut scratch = vec![0.0; fast.scratch(from.grid, to.grid, true)];
        let mut stages = vec![enter(0, from)];
        stages.extend(fast.forward(from, to, 3, Finish::default()));
        stages.push(leave(to, 4));
        run(
            vec![
                Buffer::Given(x),
                Buffer::Filled(&mut picture),
                Buffer::Filled(&mut result),
                Buffer::Filled(&mut scratch),
                Buffer::Filled(&mut y),
            ],
            &stages,
        );
        let (mut gradient, mut back) = (vec![0.0; to.grid.size()], vec![0.0; from.grid.size()]);
        let mut stages = vec![enter(0, to)];
        stages.extend(fast.backward(to, from, 3, Finish::default()));
        stages.push(leave(from, 4));
        run(
            vec![
                Buffer::Given(weights),
                Buffer::Filled(&mut back),
                Buffer::Filled(&mut gradient),
                Buffer::Filled(&mut scratch),
                Buffer::Filled(&mut g),
            ],
            &stages,
        );
        // What is written outside of the picture would show in the border.
        let mut inner = vec![0.0; from.grid.size()];
        run(vec![Buffer::Given(&g), Buffer::Filled(&mut inner)], &[enter(0, from)]);
        assert!(inner == back, "the border stays zero");
        [y, g]
    }

    fn check(inputs: usize, outputs: usize, window: Window, size: (usize, usize)) {
        check_groups([inputs, outputs], 1, window, size);
    }

    fn check_groups(channels: [usize; 2], groups: usize, window: Window, size: (usize, usize)) {
        for form in [Form::Prepared, Form::Plain, Form::Rounded(Tiles::Portable)] {
            check_form(channels, groups, window, size, form);
        }
    }

    fn check_form([inputs, outputs]: [usize; 2], groups: usize, window: Window, (h, w): (usize, usize), form: Form) {
        let k = window.kernel;
        // What is rounded already loses nothing more, so that sums can be compared.
        let floats = |shape: &[usize], seed| match form {
            Form::Rounded(_) => floats(shape, seed).into_iter().map(|x| half::bf16::from_f32(x).to_f32()).collect(),
            _ => floats(shape, seed),
        };
        let weights = floats(&[outputs, inputs / groups, k, k], 1);
        let layer = Convolution::grouped(window, [inputs, outputs], groups, weights, floats(&[outputs], 2)).unwrap();
        let x = floats(&[inputs, h, w], 3);
        let exact =
            Tensor::from_slice(&x, (1, inputs, h, w), &candle_core::Device::Cpu).unwrap().to_dtype(DType::F64).unwrap();
        let y = layer.forward(&exact).unwrap();
        let weights = floats(y.dims(), 4);
        let seen =
            Tensor::from_slice(&weights, y.shape(), &candle_core::Device::Cpu).unwrap().to_dtype(DType::F64).unwrap();
        let back = gradient(|x| layer.forward(x), &exact, &seen);
        let mut first: Option<[Vec<f32>; 2]> = None;
        for vectors in Vectors::all() {
            let got = fast(&layer, &x, &weights, (h, w), (vectors, form));
            let far = [largest_difference(&got[0], &y), largest_difference(&got[1], &back)];
            if std::env::var_os("SHOW").is_some() {
                eprintln!("{inputs} {outputs} {window:?} {form:?} {far:?}");
            }
            assert!(far.iter().all(|far| *far < 1e-5), "{window:?} {inputs} {outputs} {h}x{w} {form:?}: {far:?}");
            assert!(first.get_or_insert_with(|| got.clone()) == &got, "{window:?} {inputs} {outputs}: other bytes");
        }
    }

    #[test]
    fn agrees_with_f64_for_all_channel_counts() {
        for channels in 1..=70 {
            let window = [Window::new(3, 1, 1), Window::new(3, 2, 1), Window::new(1, 1, 0)][channels % 3];
            check(channels, 71 - channels, window, (9, 12));
            check(channels, channels, Window::new(3, 1, 1), (7, 5));
        }
    }

    #[test]
    fn agrees_with_f64_for_all_windows() {
        for (kernel, stride, padding) in
            [(7, 2, 3), (5, 1, 2), (5, 2, 2), (1, 2, 0), (2, 2, 0), (3, 1, 0), (11, 4, 2), (3, 3, 1), (1, 3, 0)]
        {
            for size in [(23, 17), (16, 24), (11, 11)] {
                check(3, 16, Window::new(kernel, stride, padding), size);
                check(20, 35, Window::new(kernel, stride, padding), size);
            }
        }
    }

    #[test]
    fn agrees_with_f64_for_all_kinds_of_groups() {
        let windows = [Window::new(3, 1, 1), Window::new(3, 2, 1), Window::new(5, 1, 2), Window::new(1, 1, 0)];
        for window in windows {
            for channels in [1, 7, 16, 33, 96, 144] {
                check_groups([channels; 2], channels, window, (9, 12));
            }
            for (groups, inputs, outputs) in [(32, 4, 4), (8, 8, 8), (4, 32, 32), (3, 5, 7), (2, 40, 20), (6, 1, 3)] {
                check_groups([groups * inputs, groups * outputs], groups, window, (8, 11));
            }
        }
    }

    #[test]
    fn agrees_with_f64_for_real_layers() {
        for (inputs, outputs, window, side) in [
            (64, 64, Window::new(3, 1, 1), 19),
            (128, 128, Window::new(3, 1, 1), 10),
            (256, 256, Window::new(3, 1, 1), 19),
            (512, 512, Window::new(3, 1, 1), 10),
            (64, 128, Window::new(3, 2, 1), 19),
            (128, 256, Window::new(1, 2, 0), 19),
            (3, 64, Window::new(7, 2, 3), 45),
        ] {
            check(inputs, outputs, window, (side, side));
        }
    }
}
