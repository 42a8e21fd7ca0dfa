//! Another size for a picture.

use candle_core::{Result, Tensor};

use super::edge::Edge;
use super::resample::Sample;
use super::separable::{Taps, separable};

/// Stretches a picture: `[N, C, H, W]` → `[N, C, height, width]`. Where it shrinks, the filter is as much wider, so
/// that nothing aliases (torch's `antialias = True`). Differentiable.
pub fn resize(picture: &Tensor, height: usize, width: usize, sample: Sample) -> Result<Tensor> {
    let (_, _, from_height, from_width) = picture.dims4()?;
    separable(picture, &taps(from_height, height, sample), &taps(from_width, width, sample), Edge::Replicate)
}

fn taps(from: usize, to: usize, sample: Sample) -> Taps {
    let scale = from as f64 / to as f64;
    let centre = |i: usize| (i as f64 + 0.5) * scale;
    let last = from.saturating_sub(1);
    let (filter, reach): (fn(f64) -> f64, f64) = match sample {
        Sample::Nearest => {
            let taps = (0..to).map(|i| vec![((centre(i) as usize).min(last), 1.0)]);
            return Taps::new(from, taps.collect());
        }
        Sample::Bilinear => (|x| (1.0 - x.abs()).max(0.0), 1.0),
        Sample::Bicubic => (keys, 2.0),
    };
    let wider = scale.max(1.0);
    let taps = (0..to).map(|i| {
        let first = (centre(i) - reach * wider + 0.5).max(0.0) as usize;
        let until = ((centre(i) + reach * wider + 0.5) as usize).min(from);
        let mut taps: Vec<_> = (first..until).map(|j| (j, filter((j as f64 + 0.5 - centre(i)) / wider))).collect();
        let sum: f64 = taps.iter().map(|(_, weight)| weight).sum();
        taps.iter_mut().for_each(|(_, weight)| *weight /= sum);
        taps
    });
    Taps::new(from, taps.collect())
}

/// Keys' cubic convolution kernel (1981), a = −0.5.
fn keys(x: f64) -> f64 {
    let x = x.abs();
    match x {
        _ if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
        _ if x < 2.0 => ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0,
        _ => 0.0,
    }
}
