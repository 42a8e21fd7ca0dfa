//! Which pixels a place between pixels takes from, and the portable form made of that.

use candle_core::{Result, Tensor};

use super::{Sample, Warp};
use crate::ops::edge::Edge;

/// The first of the K pixels that a place along an axis takes from, and their weights. K is 1, 2 or 4: nearest, linear,
/// cubic.
#[inline(always)]
pub(super) fn weights<const K: usize>(at: f64) -> (f64, [f64; K]) {
    let mut weight = [1.0; K];
    if K == 1 {
        return (at.round_ties_even(), weight);
    }
    let floor = at.floor();
    let t = at - floor;
    if K == 2 {
        weight[0] = 1.0 - t;
        weight[1] = t;
        return (floor, weight);
    }
    // Keys' cubic of a = −0.5 at the distances 1 + t, t, 1 − t, 2 − t.
    weight[0] = ((-0.5 * t + 1.0) * t - 0.5) * t;
    weight[1] = (1.5 * t - 2.5) * t * t + 1.0;
    weight[2] = ((-1.5 * t + 2.0) * t + 0.5) * t;
    weight[3] = (0.5 * t - 0.5) * t * t;
    (floor - 1.0, weight)
}

/// Beyond this a place is as good as anywhere, and fits whole numbers.
pub(super) const FAR: f64 = 1e9;

/// The pixels along one axis that a place takes from.
#[derive(Clone, Copy)]
struct Reach<const K: usize> {
    index: [usize; K],
    /// 0 where a constant stands for the pixel.
    weight: [f64; K],
    /// Whether no constant does.
    inside: bool,
}

impl<const K: usize> Reach<K> {
    fn new(at: f64, length: usize, edge: Edge) -> Self {
        let (first, weight) = weights(at.clamp(-FAR, FAR));
        let mut reach = Self { index: [0; K], weight, inside: true };
        for k in 0..K {
            match edge.index(first as i64 + k as i64, length) {
                Some(index) => reach.index[k] = index,
                None => {
                    reach.weight[k] = 0.0;
                    reach.inside = false;
                }
            }
        }
        reach
    }
}

impl Warp {
    /// Where the pixel (x, y) of the result comes from.
    fn reach<const K: usize>(&self, x: usize, y: usize, height: usize, width: usize) -> (Reach<K>, Reach<K>) {
        let [a, b, c, d, e, f] = self.map;
        let (x, y) = (x as f64, y as f64);
        let across = Reach::new(a * x + b * y + c, width, self.edge);
        (across, Reach::new(d * x + e * y + f, height, self.edge))
    }

    /// The same in candle's own operations, for other devices and types: one `index_select` for each tap.
    pub(super) fn portable(&self, picture: &Tensor) -> Result<Tensor> {
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
