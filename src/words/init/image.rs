//! A photo.

use std::path::Path;

use candle_core::{Result, Tensor};

use crate::ops::{Edge, Sample, Taps, resize, separable};
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type};
use crate::words::{Init, Photos, Start};

pub(super) struct Image;

static SPEC: Spec = Spec {
    kind: Kind::Init,
    name: "image",
    aliases: &["photo", "picture", "file", "from_image"],
    summary: "a photo",
    doc: "PNG, JPEG or WebP. Its EXIF orientation is applied, gray becomes RGB, alpha is laid over gray 0.5. Without a `canvas` statement the canvas takes the photo's size; else the photo is resized to the canvas, bicubic (a = −0.5), averaging where it shrinks.\n\nWith `maximize layer(…)` and few steps this is DeepDream: the network exaggerates what it sees.",
    source: "Mordvintsev, Olah, Tyka 2015, Inceptionism",
    params: &[
        Param::new("file", Type::File, Presence::Required, "A path, relative to the recipe that says it."),
        Param::new(
            "fit",
            Type::Choice(&["cover", "contain", "stretch"]),
            Presence::Default("cover"),
            "`cover` fills the canvas and cuts off what stands out, alike on both sides; `contain` shows all of the photo before gray 0.5; `stretch` distorts it.",
        ),
    ],
    positional: 1,
    block: false,
    example: "init image(\"cat.jpg\", fit = cover)",
};

impl Init for Image {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn start(&self, height: usize, width: usize, args: &Args, _: &Moment, photos: Photos) -> Result<Start> {
        let photo = photos(args.file("file").unwrap_or(Path::new("")))?;
        fitted(&photo, height, width, args.choice("fit")).map(Start::Picture)
    }
}

/// A photo that fills a canvas; what stands out is cut off, alike on both sides.
pub fn cover(photo: &Tensor, height: usize, width: usize) -> Result<Tensor> {
    fitted(photo, height, width, "cover")
}

fn fitted(photo: &Tensor, height: usize, width: usize, fit: &str) -> Result<Tensor> {
    let (_, _, photo_height, photo_width) = photo.dims4()?;
    if (photo_height, photo_width) == (height, width) {
        return Ok(photo.clone());
    }
    let (down, across) = (height as f64 / photo_height as f64, width as f64 / photo_width as f64);
    let factor = match fit {
        "cover" => down.max(across),
        "contain" => down.min(across),
        _ => return resize(photo, height, width, Sample::Bicubic),
    };
    let scaled = |length: usize| ((length as f64 * factor).round() as usize).max(1);
    let photo = resize(photo, scaled(photo_height), scaled(photo_width), Sample::Bicubic)?;
    // What is too long loses both ends alike, what is too short gets gray on both.
    let centred = |from: usize, to: usize| {
        let first = (from as i64 - to as i64).div_euclid(2);
        Taps::pick(first..first + to as i64, from, Edge::Constant(0.5))
    };
    let (_, _, from_height, from_width) = photo.dims4()?;
    separable(&photo, &centred(from_height, height), &centred(from_width, width), Edge::Constant(0.5))
}
