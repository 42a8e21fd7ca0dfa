//! Training: the network learns from pictures that were changed to mislead it.
//! It's this that makes it look at whole shapes, so that what excites it looks
//! like something to people too.

use crate::Outcome;
use crate::draw::{Canvas, Dice, SIZE};
use crate::motifs::MOTIFS;
use crate::net::{Mode, Net};
use crate::scene::{Split, picture};
use candle_core::{D, Device, Result, Tensor, Var};
use candle_nn::{AdamW, Optimizer, ParamsAdamW, ops::log_softmax};
use rayon::prelude::*;

/// Numbers in one picture.
const LENGTH: usize = 3 * SIZE * SIZE;

/// Decides how a network is trained.
pub struct Plan {
    /// Everything random follows from it.
    pub seed: u64,
    /// How many batches it sees.
    pub steps: usize,
    /// Pictures in each of them.
    pub batch: usize,
    /// How far (in L2) a picture may be changed in the first and in the second half.
    pub epsilon: [f32; 2],
    /// The largest step of the optimizer.
    pub rate: f64,
}

impl Plan {
    /// The radius of attack: it grows over the first quarter, then again after the middle.
    fn radius(&self, step: usize) -> f32 {
        let t = step as f32 / self.steps as f32;
        let [first, second] = self.epsilon;
        first * (t / 0.25).min(1.) + (second - first) * ((t - 0.5) / 0.1).clamp(0., 1.)
    }

    fn rate(&self, step: usize) -> f64 {
        let warm = ((step + 1) as f64 / 50.).min(1.);
        let t = step as f64 / self.steps as f64;
        warm * (1e-5 + (self.rate - 1e-5) * 0.5 * (1. + (std::f64::consts::PI * t).cos()))
    }
}

/// Pictures as numbers, channel by channel.
pub fn numbers(canvas: &Canvas) -> impl Iterator<Item = f32> + '_ {
    (0..3).flat_map(|c| canvas.0.iter().map(move |pixel| pixel[c]))
}

/// Draws a batch of pictures of these classes.
fn batch(classes: &[usize], split: Split, seed: u64, first: u64) -> Result<Tensor> {
    let pictures: Vec<Vec<f32>> = classes
        .par_iter()
        .enumerate()
        .map(|(i, class)| {
            let mut dice = Dice::new(seed, first + i as u64);
            numbers(&picture(&MOTIFS[*class], split, &mut dice)).collect()
        })
        .collect();
    Tensor::from_vec(pictures.concat(), (classes.len(), 3, SIZE, SIZE), &Device::Cpu)
}

/// The mean loss; `smooth` of the certainty is spread over all classes.
fn loss(scores: &Tensor, classes: &[usize], smooth: f64) -> Result<Tensor> {
    let log = log_softmax(scores, D::Minus1)?;
    let index: Vec<u32> = classes.iter().map(|c| *c as u32).collect();
    let right = log.gather(&Tensor::from_vec(index, (classes.len(), 1), &Device::Cpu)?, 1)?;
    (right.mean_all()? * (smooth - 1.))? - (log.mean_all()? * smooth)?
}

/// Changes pictures, each by at most `radius` in L2, so that the network errs.
fn attack(net: &Net, pictures: &Tensor, classes: &[usize], radius: f32, dice: &mut Dice) -> Result<Tensor> {
    if radius == 0. {
        return Ok(pictures.clone());
    }
    let seed = dice.below(1 << 30) as u64;
    let mut deltas = vec![0f32; classes.len() * LENGTH];
    deltas.par_chunks_mut(LENGTH).enumerate().for_each(|(i, delta)| {
        let mut dice = Dice::new(seed, i as u64);
        delta.iter_mut().for_each(|d| *d = dice.spread(1.));
        let length = radius * dice.unit();
        stretch(delta, length);
    });
    let shape = pictures.shape();
    let start = Tensor::from_slice(&deltas, shape, &Device::Cpu)?;
    let start = Var::from_tensor(&(pictures + start)?)?;
    let grads = loss(&net.scores(&start, Mode::Attack)?, classes, 0.)?.backward()?;
    let Some(grad) = grads.get(&start) else {
        return Ok(pictures.clone());
    };
    let mut grad = grad.flatten_all()?.to_vec1::<f32>()?;
    grad.par_chunks_mut(LENGTH).zip(deltas.par_chunks_mut(LENGTH)).for_each(|(grad, delta)| {
        stretch(grad, 1.25 * radius);
        delta.iter_mut().zip(grad).for_each(|(d, g)| *d += *g);
        let length = norm(delta);
        stretch(delta, length.min(radius));
    });
    (pictures + Tensor::from_vec(deltas, shape, &Device::Cpu)?)?.clamp(0f32, 1f32)
}

/// The length of a vector.
pub fn norm(vector: &[f32]) -> f32 {
    vector.chunks(64).map(|run| run.iter().map(|v| v * v).sum::<f32>()).sum::<f32>().sqrt()
}

/// Gives a vector this length.
pub fn stretch(vector: &mut [f32], length: f32) {
    let factor = length / norm(vector).max(1e-12);
    vector.iter_mut().for_each(|v| *v *= factor);
}

/// Trains a network. After every step `report` hears its number, the loss and
/// how many of the changed pictures were right.
pub fn train(net: &Net, plan: &Plan, mut report: impl FnMut(usize, f32, f32) -> Outcome<()>) -> Outcome<()> {
    let mut dice = Dice::new(plan.seed, u64::MAX);
    let (weights, others) = net.vars();
    let adam = |decay| ParamsAdamW { lr: plan.rate, weight_decay: decay, ..Default::default() };
    let mut optimizers = [AdamW::new(weights, adam(0.02))?, AdamW::new(others, adam(0.))?];
    let mut deck: Vec<usize> = Vec::new();
    for step in 0..plan.steps {
        let mut classes = Vec::with_capacity(plan.batch);
        while classes.len() < plan.batch {
            if deck.is_empty() {
                deck = (0..MOTIFS.len()).collect();
            }
            classes.push(deck.swap_remove(dice.below(deck.len())));
        }
        // No picture is ever seen twice.
        let pictures = batch(&classes, Split::Train, plan.seed, (step * plan.batch) as u64)?;
        let pictures = attack(net, &pictures, &classes, plan.radius(step), &mut dice)?;
        let scores = net.scores(&pictures, Mode::Learn)?;
        let loss = loss(&scores, &classes, 0.05)?;
        let grads = loss.backward()?;
        for optimizer in &mut optimizers {
            optimizer.set_learning_rate(plan.rate(step));
            optimizer.step(&grads)?;
        }
        let best = scores.argmax(D::Minus1)?.to_vec1::<u32>()?;
        let right = best.iter().zip(&classes).filter(|(a, b)| **a as usize == **b).count();
        report(step, loss.to_scalar()?, right as f32 / plan.batch as f32)?;
    }
    Ok(())
}

/// The share of held-out pictures that the network gets right, for every class.
/// They depend on neither the network nor its seed.
pub fn accuracy(net: &Net, each: usize) -> Result<Vec<f32>> {
    let of_class = |class: usize| {
        let pictures = batch(&vec![class; each], Split::HeldOut, u64::MAX, (class * each) as u64)?;
        let best = net.scores(&pictures, Mode::Look)?.argmax(D::Minus1)?.to_vec1::<u32>()?;
        Ok(best.iter().filter(|best| **best as usize == class).count() as f32 / each as f32)
    };
    (0..MOTIFS.len()).map(of_class).collect()
}
