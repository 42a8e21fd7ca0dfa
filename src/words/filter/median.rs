//! The median of a window.

use candle_core::{Result, Tensor};

use crate::ops::median;
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type};
use crate::words::Filter;

pub(super) struct Median;

static SPEC: Spec = Spec {
    kind: Kind::Filter,
    name: "median",
    aliases: &["median_blur", "median_filter", "despeckle"],
    summary: "the median of the pixels round each",
    doc: "Each value becomes the middle one of its channel's values in the window, channel by channel; the picture is mirrored about its outermost pixels.\n\nSingle specks vanish entirely, straight edges stay sharp, lines thinner than half the window go. It rounds corners and gives the look of paper cut-outs.",
    source: "Tukey 1977, Exploratory Data Analysis",
    params: &[Param::new(
        "size",
        Type::Odd { min: 1, max: 15 },
        Presence::Default("3"),
        "Pixels that the window is wide and high, an odd number. The time grows with its square.",
    )
    .alias(&["kernel", "kernel_size", "ksize", "width"])],
    positional: 1,
    block: false,
    example: "blur median(3) every 8 steps",
};

impl Filter for Median {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn apply(&self, picture: &Tensor, args: &Args, _: &Moment) -> Result<Tensor> {
        median(picture, (args.integer("size").max(1) / 2) as usize)
    }
}
