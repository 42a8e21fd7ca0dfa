//! The textures of a photo.

use std::path::Path;

use candle_core::{Result, Tensor};

use super::{NODE, gram};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type};
use crate::words::{Against, Objective, Other};

pub(super) struct Style;

static SPEC: Spec = Spec {
    kind: Kind::Objective,
    name: "style",
    aliases: &["gram", "texture", "style_loss", "gram_matrix"],
    summary: "the textures of a photo, wherever they are",
    doc: "−mean over pairs of channels of (G(a) − G(b))², with G(a) = mean over positions of a aᵀ (C x C), a the picture's and b the photo's activation; mean over views.\n\nWhich channels are active together says what the photo is made of, not where. Several nodes, from fine to coarse, add up: `maximize style(layer1, …) + style(layer2, …)`; each has its own scale, so weigh them. The photo is seen once, as it is.",
    source: "Gatys, Ecker, Bethge 2015, A Neural Algorithm of Artistic Style, formula 4 (with means in place of sums)",
    params: &[
        NODE,
        Param::new("file", Type::File, Presence::Required, "The photo, a path relative to the recipe that says it.")
            .alias(&["image", "photo", "path"]),
    ],
    positional: 2,
    block: false,
    example: "maximize 1e-2 * style(layer2, \"waves.jpg\")",
};

impl Objective for Style {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn against<'a>(&self, args: &'a Args) -> Against<'a> {
        Against::Photo { file: args.file("file").unwrap_or(Path::new("")), transformed: false }
    }

    fn value(&self, tap: &Tensor, others: &[Other], _: &Args, _: &Moment) -> Result<Tensor> {
        let Some(photo) = others.first() else { return tap.zeros_like()?.mean_all() };
        gram(tap)?.broadcast_sub(&gram(&photo.tap)?)?.sqr()?.mean_all()?.neg()
    }
}
