//! A part of the picture, at another size.

use candle_core::{Result, Tensor};

use crate::ops::{Sample, resize};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::{Sizes, Transform};

pub(super) struct RandomCrop;

static SPEC: Spec = Spec {
    kind: Kind::Transform,
    name: "random_crop",
    aliases: &["random_resized_crop", "RandomResizedCrop", "crops", "zoom_crop"],
    summary: "shows a part of the picture, enlarged",
    doc: "A square window whose side is `side` times the picture's shorter one, resized (bilinear, averaging where it shrinks) to `size`. Its centre is normal about the picture's, with deviation `spread` of each side, and held so that the window lies inside.\n\nOf a large canvas the network sees one part after another, each at its own size: so a canvas of 1024x1024 fills with things at the price of small pictures, and with `transform(views = 8) { … }` several parts count at each step.",
    source: "torchvision.transforms.RandomResizedCrop; Fel et al. 2023, MACO: sides 0.05 to 0.5, centres normal about the middle (xplique: deviation 0.15)",
    params: &[
        Param::new(
            "side",
            Type::Number { unit: Unit::None, min: 0.01, max: 1.0 },
            Presence::Required,
            "The window's side as a share of the picture's shorter side.",
        )
        .drawn()
        .animated()
        .alias(&["scale", "box_size", "crop_size", "share"]),
        Param::new(
            "size",
            Type::Size,
            Presence::Optional("the picture's own size, the shorter side both ways"),
            "Width x height of what the network sees.",
        ),
        Param::new(
            "spread",
            Type::Number { unit: Unit::None, min: 0.0, max: 10.0 },
            Presence::Default("0.15"),
            "The deviation of the window's centre, as a share of each side; a large one reaches the rims often.",
        )
        .animated()
        .alias(&["sd", "deviation"]),
    ],
    positional: 1,
    block: false,
    example: "transform { random_crop(10%..50%, size = 224x224) }",
};

impl RandomCrop {
    fn size(args: &Args, (height, width): (usize, usize)) -> (usize, usize) {
        let shorter = height.min(width);
        args.size("size").map_or((shorter, shorter), |(width, height)| (height, width))
    }
}

impl Transform for RandomCrop {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn apply(&self, picture: &Tensor, args: &Args, at: &Moment) -> Result<Tensor> {
        let (_, _, height, width) = picture.dims4()?;
        let shorter = height.min(width);
        let side = ((shorter as f64 * args.number("side", at)).round() as usize).clamp(1, shorter);
        let spread = args.number("spread", at);
        let first = |axis: &str, length: usize| {
            let centre = (0.5 + spread * at.rng(axis).normal()) * length as f64;
            ((centre - side as f64 / 2.0).round().max(0.0) as usize).min(length - side)
        };
        let window = picture.narrow(2, first("y", height), side)?.narrow(3, first("x", width), side)?.contiguous()?;
        let (height, width) = Self::size(args, (height, width));
        resize(&window, height, width, Sample::Bilinear)
    }

    fn sizes(&self, args: &Args, sizes: Sizes) -> Sizes {
        Sizes { least: Self::size(args, sizes.least), most: Self::size(args, sizes.most) }
    }
}
