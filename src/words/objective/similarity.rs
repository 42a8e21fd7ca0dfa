//! Likeness to a photo, as a layer sees both.

use std::path::Path;

use candle_core::{Result, Tensor};

use super::{COSINE, NODE, dot_cosine};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type};
use crate::words::{Against, Objective, Other};

pub(super) struct Similarity;

static SPEC: Spec = Spec {
    kind: Kind::Objective,
    name: "similarity",
    aliases: &["caricature", "inversion", "dot_compare", "feature_inversion", "activation_difference", "content"],
    summary: "likeness to a photo, as a layer sees it",
    doc: "With a the picture's and b the photo's activation of the node, vectors over channels at each position:\n- `by = dot`: mean over positions of a·b · max(0.1, cos(a, b))^cosine. A caricature: what the layer sees in the photo, exaggerated.\n- `by = distance`: −mean over channels and positions of (a − b)². An inversion: what the layer keeps of the photo. From the photo itself (`init image`), added to another objective, it holds the picture near it: accentuation.\n\nThe photo fills the canvas (what stands out is cut off) and goes through the same transforms at each step; with `transformed = off` it is seen once, as it is.",
    source: "lucid recipes/caricature.py, objectives.dot_compare; Mahendran, Vedaldi 2014, Understanding Deep Image Representations by Inverting Them; Hamblin et al. 2024, Feature Accentuation",
    params: &[
        NODE,
        Param::new("file", Type::File, Presence::Required, "The photo, a path relative to the recipe that says it.")
            .alias(&["image", "photo", "path"]),
        Param::new(
            "by",
            Type::Choice(&["dot", "distance"]),
            Presence::Default("dot"),
            "Whether likeness is the dot product, which can always grow, or nearness.",
        )
        .alias(&["as", "measure", "metric"]),
        COSINE,
        Param::new(
            "transformed",
            Type::Switch,
            Presence::Default("on"),
            "Whether the photo goes through the same transforms as the canvas.",
        )
        .alias(&["transform"]),
    ],
    positional: 2,
    block: false,
    example: "maximize similarity(layer3, \"cat.jpg\")",
};

impl Objective for Similarity {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn against<'a>(&self, args: &'a Args) -> Against<'a> {
        let file = args.file("file").unwrap_or(Path::new(""));
        Against::Photo { file, transformed: args.switch("transformed") }
    }

    fn value(&self, tap: &Tensor, others: &[Other], args: &Args, at: &Moment) -> Result<Tensor> {
        let Some(photo) = others.first().map(|other| &other.tap) else { return tap.zeros_like()?.mean_all() };
        match args.choice("by") {
            "distance" => tap.broadcast_sub(photo)?.sqr()?.mean_all()?.neg(),
            _ => dot_cosine(tap, &photo.broadcast_as(tap.shape())?.contiguous()?, args.number("cosine", at)),
        }
    }
}
