//! The bilateral filter.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::edge::Edge;
use super::real::{Dims, Kernel, Real, run};

/// Each pixel becomes the mean of the (2 radius + 1)² round it, weighted by e^(−d²/2σₛ²) · e^(−c²/2σ꜀²), d their
/// distance in pixels and c that of their colours over all channels; the picture is mirrored about its outermost
/// pixels (Tomasi, Manduchi 1998). No gradient.
pub fn bilateral(picture: &Tensor, radius: usize, sigma_space: f64, sigma_color: f64) -> Result<Tensor> {
    picture.detach().contiguous()?.apply_op1_no_bwd(&Bilateral { radius, sigma_space, sigma_color })
}

struct Bilateral {
    radius: usize,
    sigma_space: f64,
    sigma_color: f64,
}

impl CustomOp1 for Bilateral {
    fn name(&self) -> &'static str {
        "bilateral"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        if layout.shape().dims4()?.1 != 3 {
            bail!("colours need 3 channels");
        }
        Ok((run(self, storage, layout)?, layout.shape().clone()))
    }
}

impl Kernel for Bilateral {
    fn run<T: Real>(&self, input: &[T], (n, _, height, width): Dims) -> Vec<T> {
        let (area, radius) = (height * width, self.radius as i64);
        let decay = Decay::new();
        let square = |s: f64| 1.0 / (2.0 * s * s);
        let (space, color) = (square(self.sigma_space), square(self.sigma_color));
        let window: Vec<(i64, i64, f64)> = (-radius..=radius)
            .flat_map(|dy| (-radius..=radius).map(move |dx| (dy, dx, (dy * dy + dx * dx) as f64 * space)))
            .collect();
        let pixel = |picture: &[T], x: usize, y: usize| -> [f64; 3] {
            let at = y * width + x;
            let own = [0, 1, 2].map(|c| picture[c * area + at].to_f64());
            let (mut total, mut sums) = (0.0, [0.0; 3]);
            for (dy, dx, far) in &window {
                let row = Edge::Reflect.index(y as i64 + dy, height).unwrap_or(y);
                let column = Edge::Reflect.index(x as i64 + dx, width).unwrap_or(x);
                let other = [0, 1, 2].map(|c| picture[c * area + row * width + column].to_f64());
                let differs: f64 = own.iter().zip(other).map(|(a, b)| (a - b) * (a - b)).sum();
                let weight = decay.at(far + differs * color);
                total += weight;
                sums.iter_mut().zip(other).for_each(|(sum, v)| *sum += weight * v);
            }
            // The pixel's own weight is 1, so the total is never nothing.
            sums.map(|sum| sum / total)
        };
        let mut output = vec![T::zero(); input.len()];
        for (output, picture) in output.chunks_mut(3 * area).zip(input.chunks(3 * area)).take(n) {
            let (red, rest) = output.split_at_mut(area);
            let (green, blue) = rest.split_at_mut(area);
            let rows = red.par_chunks_mut(width).zip(green.par_chunks_mut(width)).zip(blue.par_chunks_mut(width));
            rows.enumerate().for_each(|(y, ((red, green), blue))| {
                for x in 0..width {
                    [red[x], green[x], blue[x]] = pixel(picture, x, y).map(T::from_f64);
                }
            });
        }
        output
    }
}

/// e^(−x) for x ≥ 0, to 1e-11: a table of steps of 1/64, and a short series within a step.
struct Decay {
    steps: Vec<f64>,
}

impl Decay {
    /// Beyond it, nothing is left that a sum with 1 in it would notice.
    const END: usize = 40;

    fn new() -> Self {
        Self { steps: (0..=64 * Self::END).map(|i| libm::exp(-(i as f64) / 64.0)).collect() }
    }

    #[inline]
    fn at(&self, x: f64) -> f64 {
        let step = (x * 64.0) as usize;
        let r = x - step as f64 / 64.0;
        match self.steps.get(step) {
            Some(value) => value * (1.0 - r * (1.0 - r * (0.5 - r * (1.0 / 6.0 - r / 24.0)))),
            None => 0.0,
        }
    }
}
