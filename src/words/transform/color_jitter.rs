//! Brightness, contrast, saturation and hue.

use candle_core::{Result, Tensor};

use super::is_always;
use crate::ops::{Adjust, Operation, adjust, adjust_operation};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit};
use crate::words::Transform;

pub(super) struct ColorJitter;

const fn factor(name: &'static str, doc: &'static str) -> Param {
    Param::new(name, Type::Number { unit: Unit::None, min: 0.0, max: 10.0 }, Presence::Default("1"), doc)
        .drawn()
        .animated()
}

static SPEC: Spec = Spec {
    kind: Kind::Transform,
    name: "color_jitter",
    aliases: &["colour_jitter", "ColorJitter", "color", "colour", "color_augment"],
    summary: "changes brightness, contrast, saturation and hue a little",
    doc: "The four act one after another, in an order drawn anew each iteration. With L = 0.2989 R + 0.587 G + 0.114 B of a pixel and M the mean of L over the picture:\n- brightness b: v ← b v\n- contrast c: v ← c v + (1 − c) M\n- saturation s: v ← s v + (1 − s) L\n- hue h: the pixel's hue in HSV is turned by h, saturation and value stay; where r = g = b there is no hue and no gradient to it\n\nWith `clamp = on` every one of them clamps to 0..1 as torchvision does, and gradients pass only where nothing was cut off; one whose value is always neutral (1, 1, 1 or 0) is left out, clamp and all.\n\nIt keeps the picture from using one exact colour as a signal, and makes colours natural. Wide ranges wash them out.",
    source: "torchvision.transforms.ColorJitter (adjust_brightness, adjust_contrast, adjust_saturation, adjust_hue); the guide: ±0.02, ±0.01, ±0.02, ±0.01",
    params: &[
        factor("brightness", "Factor of all values: 1 changes nothing, 0 is black."),
        factor("contrast", "Factor of the distance from the picture's mean gray: 1 changes nothing, 0 is gray."),
        factor("saturation", "Factor of the distance from the pixel's own gray: 1 changes nothing, 0 takes the colour."),
        Param::new(
            "hue",
            Type::Number { unit: Unit::None, min: -0.5, max: 0.5 },
            Presence::Default("0"),
            "By how much the hue is turned, in turns: 0 changes nothing, ±0.5 is the opposite colour, 1/3 makes green of red.",
        )
        .drawn()
        .animated(),
        Param::new(
            "clamp",
            Type::Switch,
            Presence::Default("on"),
            "Whether each of the four clamps its result to 0..1.",
        ),
    ],
    positional: 0,
    block: false,
    example: "transform { color_jitter(brightness = 0.98..1.02, contrast = 0.99..1.01, saturation = 0.98..1.02, hue = ±0.01) }",
};

/// The four and what leaves them without effect.
const PARTS: [(&str, f64); 4] = [("brightness", 1.0), ("contrast", 1.0), ("saturation", 1.0), ("hue", 0.0)];

/// What changes at that moment, in the order drawn for it.
fn changes(args: &Args, at: &Moment) -> Vec<Adjust> {
    let mut order = PARTS;
    let mut rng = at.rng("order");
    for last in (1..order.len()).rev() {
        order.swap(last, rng.below(last + 1));
    }
    let changing = order.into_iter().filter(|(name, neutral)| !is_always(args, name, *neutral));
    let change = |(name, _): (&str, f64)| match (name, args.number(name, at)) {
        ("brightness", amount) => Adjust::Brightness(amount),
        ("contrast", amount) => Adjust::Contrast(amount),
        ("saturation", amount) => Adjust::Saturation(amount),
        (_, amount) => Adjust::Hue(amount),
    };
    changing.map(change).collect()
}

impl Transform for ColorJitter {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn apply(&self, picture: &Tensor, args: &Args, at: &Moment) -> Result<Tensor> {
        adjust(picture, &changes(args, at), args.switch("clamp"))
    }

    fn operation(&self, picture: &Tensor, args: &Args, at: &Moment) -> Result<Option<Operation>> {
        Ok(adjust_operation(picture, &changes(args, at), args.switch("clamp")))
    }

    fn is_identity(&self, args: &Args) -> bool {
        PARTS.iter().all(|(name, neutral)| is_always(args, name, *neutral))
    }
}
