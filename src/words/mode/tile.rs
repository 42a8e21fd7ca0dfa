//! A picture that can be laid beside itself.

use candle_core::{Result, Tensor};

use crate::ops::{Edge, Taps, separable};
use crate::spec::{Call, Kind, Moment, Spec};
use crate::words::Mode;

pub(super) struct Tile;

static SPEC: Spec = Spec {
    kind: Kind::Mode,
    name: "tile",
    aliases: &["seamless", "tileable", "wrap", "wallpaper", "texture"],
    summary: "makes a picture without a seam when it is laid beside itself",
    doc: "At each step the network is shown the picture shifted by a random number of pixels along both axes, what leaves on one side coming in on the other; after that come the transforms. Its rim is anywhere but at the rim, so forms go on across it. The canvas and the files aren't shifted. The best canvas for it is `fourier`, whose frequencies have no seam by themselves; an `affine` of wide scale should say `edge = reflect`.",
    source: "Mordvintsev et al. 2015, DeepDream's roll, used for the seam",
    params: &[],
    positional: 0,
    block: false,
    example: "mode tile",
};

impl Mode for Tile {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn acts(&self) -> bool {
        false
    }

    fn seen(&self, picture: &Tensor, _: &Call, at: &Moment) -> Result<Tensor> {
        let (_, _, height, width) = picture.dims4()?;
        let shift = |axis: &str, length: usize| {
            let by = at.rng(axis).below(length) as i64;
            Taps::pick((0..length as i64).map(|i| i + by), length, Edge::Wrap)
        };
        separable(picture, &shift("y", height), &shift("x", width), Edge::Wrap)
    }
}
