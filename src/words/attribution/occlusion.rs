//! What the objective loses when a part of the photo is covered.

use std::ops::Range;

use candle_core::{DType, Result, Tensor};

use super::{AT_ONCE, plain};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::{Asked, Attribution, Scorer};

pub(super) struct Occlusion;

static SPEC: Spec = Spec {
    kind: Kind::Attribution,
    name: "occlusion",
    aliases: &["occlude", "occlusion_sensitivity", "sliding_window", "perturbation"],
    summary: "what the objective loses when a part of the photo is covered",
    doc: "f(photo) − f(photo with a window covered), for windows that slide over the photo from its top left; each pixel gets the mean of the windows that cover it. A last window that would reach beyond the border ends there. Red: covering it takes away from the objective; blue: it adds.\n\nNo gradient, so nothing depends on how smooth the network is, and the numbers mean what they say. A covered patch is something to see too, though: with another `fill` a map can look otherwise. One look at the network for each window, so a small `stride` takes long.",
    source: "Zeiler, Fergus 2013, Visualizing and Understanding Convolutional Networks (arXiv 1311.2901), section 4.2; Captum Occlusion",
    params: &[
        Param::new(
            "size",
            Type::Integer { unit: Unit::Px, min: 1, max: 16_384 },
            Presence::Default("32px"),
            "The side of the window.",
        )
        .alias(&["window", "kernel", "patch", "sliding_window_shapes"]),
        Param::new(
            "stride",
            Type::Integer { unit: Unit::Px, min: 1, max: 16_384 },
            Presence::Default("16px"),
            "How far the window moves each time; at most its side, so that no pixel is left out.",
        )
        .alias(&["strides", "step"]),
        Param::new(
            "fill",
            Type::Number { unit: Unit::None, min: 0.0, max: 1.0 },
            Presence::Optional("the colour that the network sees as zero: the mean that its preprocessing takes away"),
            "The gray with which it is covered: 0 black, 0.5 middle gray, 1 white.",
        )
        .alias(&["baselines", "baseline", "color"]),
    ],
    positional: 1,
    block: false,
    example: "attribute class(\"hen\") on image(\"photo.jpg\") as occlusion(size = 32px, stride = 16px)",
};

/// The windows along a side; the last one ends with it.
fn windows(side: usize, size: usize, stride: usize) -> Vec<Range<usize>> {
    let count = side.saturating_sub(size).div_ceil(stride.max(1)) + 1;
    (0..count).map(|k| (k * stride).min(side)..(k * stride + size).min(side)).collect()
}

fn sides(args: &Args) -> (usize, usize) {
    (args.integer("size").max(1) as usize, args.integer("stride").max(1) as usize)
}

impl Attribution for Occlusion {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn is_signed(&self) -> bool {
        true
    }

    fn passes(&self, args: &Args, (height, width): (usize, usize)) -> usize {
        let (size, stride) = sides(args);
        windows(height, size, stride).len() * windows(width, size, stride).len() + 1
    }

    fn map(&self, asked: &Asked, args: &Args, at: &Moment, scorer: &mut dyn Scorer) -> Result<Tensor> {
        let (size, stride) = sides(args);
        let (_, channels, height, width) = asked.photo.dims4()?;
        let cover = plain(asked, args.optional("fill", at))?.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
        let photo = asked.photo.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
        let (rows, columns) = (windows(height, size, stride), windows(width, size, stride));
        let places: Vec<_> = rows.iter().flat_map(|row| columns.iter().map(move |column| (row, column))).collect();
        let whole = scorer.values(asked.photo)?.first().copied().unwrap_or(f64::NAN);
        let mut sum = vec![0.0; height * width];
        let mut count = vec![0.0; height * width];
        let pixels = |row: &Range<usize>, column: &Range<usize>| {
            let column = column.clone();
            row.clone().flat_map(move |y| column.clone().map(move |x| y * width + x))
        };
        for places in places.chunks(AT_ONCE) {
            let mut covered = Vec::with_capacity(places.len() * photo.len());
            for (row, column) in places {
                let mut picture = photo.clone();
                for (at, channel) in pixels(row, column).flat_map(|at| (0..channels).map(move |channel| (at, channel)))
                {
                    let at = channel * height * width + at;
                    if let (Some(pixel), Some(cover)) = (picture.get_mut(at), cover.get(at)) {
                        *pixel = *cover;
                    }
                }
                covered.extend(picture);
            }
            let shape = (places.len(), channels, height, width);
            let covered = Tensor::from_vec(covered, shape, asked.photo.device())?.to_dtype(asked.photo.dtype())?;
            for ((row, column), value) in places.iter().zip(scorer.values(&covered)?) {
                for at in pixels(row, column) {
                    if let (Some(sum), Some(count)) = (sum.get_mut(at), count.get_mut(at)) {
                        *sum += whole - value;
                        *count += 1.0;
                    }
                }
            }
        }
        let mean = sum.into_iter().zip(count).map(|(sum, count): (f64, f64)| sum / count.max(1.0)).collect();
        Tensor::from_vec(mean, (height, width), asked.photo.device())
    }
}

#[cfg(test)]
mod tests {
    use super::windows;

    #[test]
    fn windows_reach_the_border_and_end_there() {
        assert_eq!(windows(10, 4, 3), [0..4, 3..7, 6..10]);
        assert_eq!(windows(10, 4, 4), [0..4, 4..8, 8..10]);
        assert_eq!(windows(10, 99, 99), std::slice::from_ref(&(0..10)));
        assert_eq!(windows(3, 1, 1), [0..1, 1..2, 2..3]);
    }
}
