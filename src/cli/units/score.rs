//! What the units of a layer have to do with a class.

use candle_core::{Result, Tensor, Var};

use crate::nets::Network;

/// What a unit has to do with a class, in one photo.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// Which channel.
    pub channel: usize,
    /// Σ activation · gradient over positions.
    pub part: f64,
    /// Where its activation is greatest, (x, y); nothing where the layer has no positions.
    pub peak: Option<(usize, usize)>,
}

/// The units of a layer, those that raise the class's logit most first.
pub fn units(
    network: &Network,
    seen: &Tensor,
    (layer, output): (&str, &str),
    tap: &Tensor,
    class: usize,
) -> Result<Vec<Unit>> {
    // The rest of the network again, from the layer on: the gradient with respect to what it gave.
    let held = Var::from_tensor(&tap.detach())?;
    let taps = network.forward_from(seen, layer, held.as_tensor())?;
    let Some(logits) = taps.get(output) else { return Ok(Vec::new()) };
    let gradients = logits.flatten_all()?.get(class)?.backward()?;
    let Some(gradient) = gradients.get(&held) else { return Ok(Vec::new()) };
    let (activations, gradients) = (numbers(Some(tap))?, numbers(Some(gradient))?);
    let cells = tap.dims4().ok().map(|(_, _, height, width)| (height, width));
    let width = cells.map_or(1, |(_, width)| width);
    let size = cells.map_or(1, |(height, width)| height * width).max(1);
    let mut units: Vec<Unit> = activations
        .chunks(size)
        .zip(gradients.chunks(size))
        .enumerate()
        .map(|(channel, (a, g))| {
            let part = a.iter().zip(g).map(|(a, g)| a * g).sum();
            let peak = a.iter().enumerate().max_by(|x, y| x.1.total_cmp(y.1).then(y.0.cmp(&x.0)));
            let peak = peak.filter(|_| cells.is_some()).map(|(at, _)| (at % width, at / width));
            Unit { channel, part, peak }
        })
        .collect();
    units.sort_by(|a, b| b.part.total_cmp(&a.part).then(a.channel.cmp(&b.channel)));
    Ok(units)
}

/// The numbers of a tensor that may be missing.
pub fn numbers(tensor: Option<&Tensor>) -> Result<Vec<f64>> {
    let Some(tensor) = tensor else { return Ok(Vec::new()) };
    Ok(tensor.flatten_all()?.to_vec1::<f32>()?.into_iter().map(f64::from).collect())
}

/// Logits as probabilities.
pub fn softmax(logits: &[f64]) -> Vec<f64> {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let exponentials: Vec<f64> = logits.iter().map(|logit| libm::exp(logit - most)).collect();
    let sum: f64 = exponentials.iter().sum();
    exponentials.iter().map(|value| value / sum).collect()
}

/// The greatest values and their places.
pub fn ranked(values: &[f64], n: usize) -> Vec<(usize, f64)> {
    let mut ranked: Vec<(usize, f64)> = values.iter().copied().enumerate().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    ranked.truncate(n);
    ranked
}
