//! What photos have in common, as a layer sees them.

use candle_core::{D, DType, Result, Tensor};
use rayon::prelude::*;

use super::{EPSILON, NODE, rows};
use crate::ops::{Sample, resize};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type};
use crate::words::{Against, Objective, Other};

pub(super) struct Features;

static SPEC: Spec = Spec {
    kind: Kind::Objective,
    name: "features",
    aliases: &["vital", "sort_matching", "feature_matching", "distribution", "histogram", "moment_matching"],
    summary: "what your photos have in common, as a layer sees it",
    doc: "The activations of the node are taken channel by channel, as numbers without places, and pulled to those of photos:\n- `by = sorted`: −mean over channels c and ranks k of (a_ck − b_ck)², with a_c the values of channel c over all positions of a view, sorted, and b_c the mean over the photos of theirs. It is the squared Wasserstein distance of the two distributions; where a view and the photos have another number of positions, b is resampled.\n- `by = moments`: −mean over channels of (μ(a) − μ(b))² + (σ(a) − σ(b))², mean and deviation over positions, of b the means over the photos. The same for normal distributions; faster, and less exact.\n\nMean over views. How much of each feature there is comes from the photos, where it is does not: unlike `similarity` no photo is copied, and unlike a class nothing is driven beyond what photos have. Several nodes, from fine to coarse, add up: `features(layer1, …) + features(layer4, …)`; each has its own scale, so weigh them. A few photos do, fifty are the paper's; they fill the canvas (what stands out is cut off) and are seen once, as they are, one at a time.",
    source: "Görgün, Schiele, Fischer 2025, VITAL: More Understandable Feature Visualization through Distribution Alignment and Relevant Information Flow (ICCV), arXiv 2503.22399, sort matching, without its relevance; moments: Li et al. 2017, Demystifying Neural Style Transfer, section 4.2, batch normalization statistics",
    params: &[
        NODE,
        Param::new(
            "files",
            Type::Files,
            Presence::Required,
            "The photos: one, a folder of them, or a pattern (`*` any part of a name, `?` one character, `[ab]` one of these, `**` any folders), relative to the recipe that says it. At most 1000.",
        )
        .alias(&["file", "photos", "photo", "images", "image", "path", "glob", "pattern"]),
        Param::new(
            "by",
            Type::Choice(&["sorted", "moments"]),
            Presence::Default("sorted"),
            "Whether all values are matched, or their mean and deviation.",
        )
        .alias(&["as", "measure", "metric"]),
    ],
    positional: 2,
    block: false,
    example: "maximize features(layer3, \"photos/*.jpg\")",
};

impl Objective for Features {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn against<'a>(&self, args: &'a Args) -> Against<'a> {
        Against::Photos(args.files("files"))
    }

    fn kept(&self, tap: &Tensor, args: &Args) -> Result<Tensor> {
        let rows = rows(tap)?;
        match args.choice("by") {
            "moments" => moments(&rows),
            _ => sorted(&rows),
        }
    }

    fn value(&self, tap: &Tensor, others: &[Other], args: &Args, _: &Moment) -> Result<Tensor> {
        let Some(photos) = others.first().map(|other| &other.tap) else { return tap.zeros_like()?.mean_all() };
        let rows = rows(tap)?;
        match args.choice("by") {
            "moments" => moments(&rows)?.broadcast_sub(photos)?.sqr()?.sum(D::Minus1)?.mean_all()?.neg(),
            _ => (&rows - placed(&rows, &resampled(photos, rows.dim(2)?)?)?)?.sqr()?.mean_all()?.neg(),
        }
    }
}

/// `[views, C, n]` → `[views, C, 2]`: mean and deviation of each row.
fn moments(rows: &Tensor) -> Result<Tensor> {
    let mean = rows.mean_keepdim(2)?;
    let variance = rows.broadcast_sub(&mean)?.sqr()?.mean_keepdim(2)?;
    // The root of 0 has no slope, so what is added stands under it.
    Tensor::cat(&[mean, variance.affine(1.0, EPSILON * EPSILON)?.sqrt()?], 2)
}

/// `[views, C, n]` → the same with each row in ascending order. No gradient.
fn sorted(rows: &Tensor) -> Result<Tensor> {
    by_row(rows, |_, from| {
        let mut row = from.to_vec();
        row.sort_by(f64::total_cmp);
        row
    })
}

/// Ascending rows `[1, C, m]` as such of n numbers: the same distribution at other ranks.
fn resampled(quantiles: &Tensor, n: usize) -> Result<Tensor> {
    if quantiles.dim(2)? == n {
        return Ok(quantiles.clone());
    }
    resize(&quantiles.unsqueeze(2)?.contiguous()?, 1, n, Sample::Bilinear)?.squeeze(2)
}

/// Each number's counterpart: the k-th of `quantiles` `[1, C, n]` where the row's k-th stands. Of equal numbers the first
/// counts as the less. What is nearest in sum of squares keeps its order, so this is the matching of the distance, and
/// as a constant it leaves the distance its gradient.
fn placed(rows: &Tensor, quantiles: &Tensor) -> Result<Tensor> {
    let quantiles = quantiles.squeeze(0)?.to_dtype(DType::F64)?.to_vec2::<f64>()?;
    by_row(rows, |channel, from| {
        let mut order: Vec<usize> = (0..from.len()).collect();
        order.sort_by(|&a, &b| from[a].total_cmp(&from[b]));
        let mut to = vec![0.0; from.len()];
        for (place, quantile) in order.into_iter().zip(quantiles.get(channel).into_iter().flatten()) {
            to[place] = *quantile;
        }
        to
    })
}

/// `[views, C, n]` → the same, each row made of the channel's number and its own numbers. No gradient.
fn by_row(rows: &Tensor, of: impl Fn(usize, &[f64]) -> Vec<f64> + Sync) -> Result<Tensor> {
    let (_, channels, n) = rows.dims3()?;
    let from = rows.detach().to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
    let to: Vec<Vec<f64>> =
        from.par_chunks(n.max(1)).enumerate().map(|(row, from)| of(row % channels.max(1), from)).collect();
    Tensor::from_vec(to.concat(), rows.dims(), rows.device())?.to_dtype(rows.dtype())
}
