//! What the checker makes of whole recipes. What it tells of is in tests/suite.

use std::io::Cursor;

use super::*;
use crate::source::MemoryWorld;

/// A world in which these photos, of a width and a height, lie beside the recipe.
fn photos(all: &[(&str, u32, u32)]) -> MemoryWorld {
    let png = |width, height| {
        let mut bytes = Vec::new();
        image::RgbImage::new(width, height).write_to(&mut Cursor::new(&mut bytes), image::ImageFormat::Png).unwrap();
        bytes
    };
    MemoryWorld { files: all.iter().map(|&(name, width, height)| (name.into(), png(width, height))).collect() }
}

fn checked(text: &str, world: &dyn World) -> Checked {
    let input = Input { stem: "t".into(), text: format!("fviz 1\n{text}"), ..Input::default() };
    check(&input, world)
}

#[track_caller]
fn good(text: &str, world: &dyn World) -> Recipe {
    let checked = checked(text, world);
    checked.recipe.unwrap_or_else(|| panic!("{text}\n{:#?}", checked.diagnostics))
}

#[test]
fn networks_that_a_stage_does_not_ask_take_any_size() {
    let text = |of: &str| {
        format!(
            "model a = motifs\nmodel b = alexnet\n\
             stage small {{\ncanvas 16x16\nmaximize class(0, of = {of})\n}}\n\
             stage large {{\ncanvas 64x64\nmaximize class(0, of = b)\n}}\n"
        )
    };
    let world = MemoryWorld::default();
    assert_eq!(good(&text("a"), &world).variants[0].models.len(), 2);
    let refused = checked(&text("b"), &world);
    assert_eq!(refused.diagnostics[0].code, &codes::CANVAS_TOO_SMALL);
}
