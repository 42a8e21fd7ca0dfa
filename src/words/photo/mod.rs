//! Photos that are asked about, and how they are cut to what a network sees.

use candle_core::{Result, Tensor};

use crate::nets::Facts;
use crate::ops::{Edge, Sample, Taps, resize, separable};
use crate::spec::{Args, Kind, Param, Presence, Spec, Type};

/// All photos.
pub static PHOTOS: &[&Spec] = &[&IMAGE];

static IMAGE: Spec = Spec {
    kind: Kind::Photo,
    name: "image",
    aliases: &["photo", "picture", "file"],
    summary: "a photo that is asked about",
    doc: "PNG, JPEG or WebP. Its EXIF orientation is applied, gray becomes RGB, alpha is laid over gray 0.5. It is cut to the `canvas`, by default to the size of picture that the network was trained on.",
    source: "torchvision.transforms.Resize, CenterCrop",
    params: &[
        Param::new("file", Type::File, Presence::Required, "A path, relative to the recipe that says it."),
        Param::new(
            "fit",
            Type::Choice(&["model", "cover", "contain", "stretch"]),
            Presence::Default("model"),
            "`model` does as `fviz classify` and torchvision: the shorter side is scaled to the network's own (256 of 224) and the middle cut out, bilinear. `cover` cuts off no more than it must; `contain` shows all of the photo before gray 0.5; `stretch` distorts it.",
        ),
    ],
    positional: 1,
    block: false,
    example: "attribute class(\"hen\") on image(\"photo.jpg\", fit = contain)",
};

/// A photo `[1, 3, H, W]` as the arguments of its word say, of that height and width.
///
/// # Errors
/// The photo is no picture.
pub fn looked_at(photo: &Tensor, args: &Args, facts: &Facts, size: (usize, usize)) -> Result<Tensor> {
    match args.choice("fit") {
        "model" => fitted(photo, facts, size),
        fit => placed(photo, size, fit, Sample::Bilinear),
    }
}

/// A photo that covers a height and a width, is contained in them, or is stretched to them.
///
/// # Errors
/// The photo is no picture.
pub(super) fn placed(photo: &Tensor, (height, width): (usize, usize), fit: &str, sample: Sample) -> Result<Tensor> {
    let (_, _, tall, wide) = photo.dims4()?;
    if (tall, wide) == (height, width) {
        return Ok(photo.clone());
    }
    let (down, across) = (height as f64 / tall as f64, width as f64 / wide as f64);
    let factor = match fit {
        "cover" => down.max(across),
        "contain" => down.min(across),
        _ => return resize(photo, height, width, sample),
    };
    let scaled = |length: usize| ((length as f64 * factor).round() as usize).max(1);
    let photo = resize(photo, scaled(tall), scaled(wide), sample)?;
    // What is too long loses both ends alike, what is too short gets gray on both.
    let centred = |from: usize, to: usize| {
        let first = (from as i64 - to as i64).div_euclid(2);
        Taps::pick(first..first + to as i64, from, Edge::Constant(0.5))
    };
    separable(&photo, &centred(scaled(tall), height), &centred(scaled(wide), width), Edge::Constant(0.5))
}

/// As torchvision's classifiers are shown photos: the shorter side scaled, the middle cut out. For another size than the
/// network's own all is scaled with it.
///
/// # Errors
/// The photo is no picture.
pub fn fitted(photo: &Tensor, facts: &Facts, (high, wide): (usize, usize)) -> Result<Tensor> {
    let (_, _, height, width) = photo.dims4()?;
    let (own_width, own_height) = facts.size;
    let larger = (wide as f64 / own_width.max(1) as f64).max(high as f64 / own_height.max(1) as f64);
    // A picture shorter than what is cut out would leave nothing to cut.
    let side = ((facts.photo_side as f64 * larger).round() as usize).max(wide).max(high);
    let shorter = height.min(width).max(1);
    let scaled = |length: usize| (side * length / shorter).max(side.min(length));
    let scaled = resize(photo, scaled(height), scaled(width), Sample::Bilinear)?;
    let (_, _, height, width) = scaled.dims4()?;
    scaled.narrow(2, (height - high) / 2, high)?.narrow(3, (width - wide) / 2, wide)?.contiguous()
}
