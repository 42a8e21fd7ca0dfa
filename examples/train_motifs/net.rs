//! The network: seven convolutions, each normalized and cut off at zero, and a
//! linear head at every position of the last map.

use crate::conv::Conv;
use crate::draw::Dice;
use crate::norm::{NormRelu, Stats};
use candle_core::{D, Device, Result, Tensor, Var};
use std::sync::Mutex;

/// Channels, kernel size and stride of every convolution at width 1.
const LAYERS: [(usize, usize, usize); 7] =
    [(24, 5, 2), (48, 3, 2), (64, 3, 1), (96, 3, 2), (128, 3, 1), (144, 3, 2), (144, 3, 1)];

/// How the scores at the positions become one.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub enum Head {
    /// The logarithm of the mean of their exponentials: nearly the largest.
    Lse,
    /// Their mean.
    Mean,
}

/// How a picture goes through the network.
#[derive(Clone, Copy, PartialEq)]
pub enum Mode {
    /// With the batch's statistics, towards gradients of the weights.
    Learn,
    /// With the batch's statistics, towards gradients of the picture.
    Attack,
    /// With the statistics of training, towards gradients of the picture.
    Look,
}

/// One convolution with its normalization.
pub struct Layer {
    /// `[out, in, k, k]`.
    pub weight: Var,
    /// What the normalized values are multiplied by.
    pub scale: Var,
    /// What is added to them then.
    pub shift: Var,
    /// The statistics of training, a running mean.
    pub stats: Mutex<Stats>,
    /// Every how many pixels there is an output.
    pub stride: usize,
}

/// The network.
pub struct Net {
    /// The convolutions.
    pub layers: Vec<Layer>,
    /// `[classes, in, 1, 1]`.
    pub head_weight: Var,
    /// One for each class.
    pub head_bias: Var,
    /// How the scores at the positions become one.
    pub head: Head,
}

impl Net {
    /// Makes a network with random weights, its channels times `width`.
    pub fn new(width: f32, head: Head, classes: usize, dice: &mut Dice) -> Result<Self> {
        let mut random = |dims: (usize, usize, usize, usize), gain: f32| {
            let (o, i, k, _) = dims;
            let deviation = (gain / (i * k * k) as f32).sqrt();
            let values = (0..o * i * k * k).map(|_| deviation * dice.normal()).collect();
            Var::from_tensor(&Tensor::from_vec(values, dims, &Device::Cpu)?)
        };
        let (mut layers, mut before) = (Vec::new(), 3);
        for (channels, kernel, stride) in LAYERS {
            let out = ((channels as f32 * width / 4.).round() as usize * 4).max(4);
            layers.push(Layer {
                weight: random((out, before, kernel, kernel), 2.)?,
                scale: Var::ones(out, candle_core::DType::F32, &Device::Cpu)?,
                shift: Var::zeros(out, candle_core::DType::F32, &Device::Cpu)?,
                stats: Mutex::new(Stats { mean: vec![0.; out], var: vec![1.; out] }),
                stride,
            });
            before = out;
        }
        let head_weight = random((classes, before, 1, 1), 1.)?;
        let head_bias = Var::zeros(classes, candle_core::DType::F32, &Device::Cpu)?;
        Ok(Self { layers, head_weight, head_bias, head })
    }

    /// Scores of all classes at every position of the last map.
    pub fn map(&self, pictures: &Tensor, mode: Mode) -> Result<Tensor> {
        let learn = mode == Mode::Learn;
        // Weights that aren't learned stay out of the graph.
        let leaf = |var: &Var| {
            if learn { var.as_tensor().clone() } else { var.as_detached_tensor() }
        };
        let mut x = pictures.affine(4., -2.)?;
        for (i, layer) in self.layers.iter().enumerate() {
            let conv = Conv { stride: layer.stride, learn, trace: i > 0 || !learn };
            x = x.apply_op2(&leaf(&layer.weight), conv)?;
            let fixed = (mode == Mode::Look).then(|| layer.stats.lock().expect("no panics").clone());
            let used = Default::default();
            let norm = NormRelu { fixed, used: std::sync::Arc::clone(&used) };
            x = x.apply_op3(&leaf(&layer.scale), &leaf(&layer.shift), norm)?;
            if mode != Mode::Look {
                layer.remember(&used.lock().expect("no panics"));
            }
        }
        let conv = Conv { stride: 1, learn, trace: true };
        let bias = leaf(&self.head_bias).reshape((1, (), 1, 1))?;
        x.apply_op2(&leaf(&self.head_weight), conv)?.broadcast_add(&bias)
    }

    /// Scores of all classes.
    pub fn scores(&self, pictures: &Tensor, mode: Mode) -> Result<Tensor> {
        let map = self.map(pictures, mode)?.flatten_from(2)?;
        match self.head {
            Head::Mean => map.mean(D::Minus1),
            Head::Lse => {
                let top = map.max_keepdim(D::Minus1)?.detach();
                let mean = map.broadcast_sub(&top)?.exp()?.mean_keepdim(D::Minus1)?;
                (mean.log()? + top)?.squeeze(D::Minus1)
            }
        }
    }

    /// All variables, those that decay first.
    pub fn vars(&self) -> (Vec<Var>, Vec<Var>) {
        let weights = self.layers.iter().map(|l| l.weight.clone()).chain([self.head_weight.clone()]);
        let others = self.layers.iter().flat_map(|l| [l.scale.clone(), l.shift.clone()]);
        (weights.collect(), others.chain([self.head_bias.clone()]).collect())
    }
}

impl Layer {
    /// Moves the statistics a little towards those of a batch.
    fn remember(&self, batch: &Stats) {
        let mut stats = self.stats.lock().expect("no panics");
        let near = |old: &mut Vec<f32>, new: &[f32]| {
            old.iter_mut().zip(new).for_each(|(old, new)| *old += 0.05 * (new - *old));
        };
        near(&mut stats.mean, &batch.mean);
        near(&mut stats.var, &batch.var);
    }
}

/// The stride of every convolution.
pub fn strides() -> impl Iterator<Item = usize> {
    LAYERS.into_iter().map(|(_, _, stride)| stride)
}
