//! A photo.

use std::path::Path;

use candle_core::{Result, Tensor};

use crate::ops::Sample;
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type};
use crate::words::photo::placed;
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
        placed(&photo, (height, width), args.choice("fit"), Sample::Bicubic).map(Start::Picture)
    }
}

/// A photo that fills a canvas; what stands out is cut off, alike on both sides.
pub fn cover(photo: &Tensor, height: usize, width: usize) -> Result<Tensor> {
    placed(photo, (height, width), "cover", Sample::Bicubic)
}
