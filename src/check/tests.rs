//! What the checker makes of whole recipes. What it tells of is in tests/suite.

use std::cell::Cell;
use std::io::{self, Cursor};

use super::*;
use crate::source::{Entry, MemoryWorld};

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

#[test]
fn photos_that_are_not_transformed_must_be_large_enough_as_they_are() {
    let world = photos(&[("a.png", 300, 300)]);
    let refused = |canvas: usize, objective: &str| {
        let text =
            format!("model alexnet\ncanvas {canvas}x{canvas}\ntransform {{ resize(224x224) }}\nmaximize {objective}\n");
        let checked = checked(&text, &world);
        assert!(checked.recipe.is_some() || checked.diagnostics.len() == 1, "{:#?}", checked.diagnostics);
        let problem = checked.diagnostics.into_iter().next()?;
        assert_eq!((problem.code, checked.recipe.is_none()), (&codes::CANVAS_TOO_SMALL, true), "{problem:#?}");
        Some(checked.sources.files()[0].text[problem.span()?.start..problem.span()?.end].to_string())
    };
    for objective in [
        "features(features.6, \"a.png\")",
        "style(features.6, \"a.png\")",
        "similarity(features.6, \"a.png\", transformed = off)",
    ] {
        // A pool before the node has no window of the photo.
        assert_eq!(refused(24, objective).as_deref(), Some(objective));
        assert_eq!(refused(32, objective), None, "what is not read needs no room");
        let read_elsewhere = format!("{objective} + class(0)");
        assert_eq!(refused(32, &read_elsewhere).as_deref(), Some(objective));
    }
    assert_eq!(refused(24, "similarity(features.6, \"a.png\", transformed = on)"), None);
}

#[test]
fn the_resolved_text_means_the_same_where_canvases_differ() {
    let world = photos(&[("a.png", 40, 30), ("b.png", 50, 20)]);
    let photos = "init image(each [\"a.png\", \"b.png\"])\n";
    let texts = [
        ("\n".to_string(), true),
        ("mode octaves(3)\ninit image(\"a.png\")\n".to_string(), true),
        (photos.to_string(), false),
        (format!("{photos}canvas as fourier\n"), false),
        (format!("{photos}canvas 32x32\n"), true),
        ("let net = each [motifs, resnet18]\nmodel $net\n".to_string(), false),
        ("canvas as fourier\nstage a {\ncanvas 32x32\n}\nstage b {\ncanvas 64x64\n}\nstage c {\n}\n".to_string(), true),
        ("stage a {\n}\nstage b {\ncanvas 64x64\n}\nstage c {\n}\n".to_string(), false),
    ];
    let sizes = |recipe: &Recipe| -> Vec<(usize, usize)> {
        recipe.variants.iter().flat_map(|variant| &variant.stages).map(|stage| (stage.width, stage.height)).collect()
    };
    for (text, has_size) in texts {
        let recipe = good(&format!("maximize class(0)\n{text}"), &world);
        let again = good(recipe.resolved.strip_prefix("fviz 1").unwrap(), &world);
        assert_eq!(sizes(&again), sizes(&recipe), "{text}\n{}", recipe.resolved);
        assert_eq!(again.resolved, recipe.resolved);
        let written = recipe.resolved.lines().find_map(|line| line.trim().strip_prefix("canvas "));
        assert_eq!(written.is_some_and(|size| size.starts_with(|c: char| c.is_ascii_digit())), has_size, "{text}");
    }
    let net = good("attribute class(0) on image(\"a.png\")\nmodel each [motifs, resnet18]\n", &world);
    assert!(!net.resolved.contains("canvas"), "{}", net.resolved);
    let again = good(net.resolved.strip_prefix("fviz 1").unwrap(), &world);
    assert_eq!(sizes(&again), sizes(&net));
}

/// Counts how often folders are listed; one is closed.
struct Listed {
    world: MemoryWorld,
    times: Cell<usize>,
}

impl World for Listed {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.world.read(path)
    }
    fn exists(&self, path: &Path) -> bool {
        self.world.exists(path)
    }
    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        self.times.set(self.times.get() + 1);
        if folder.ends_with("closed") { Err(io::ErrorKind::PermissionDenied.into()) } else { self.world.list(folder) }
    }
    fn model_folders(&self) -> Vec<PathBuf> {
        Vec::new()
    }
    fn memory(&self) -> u64 {
        self.world.memory()
    }
}

fn listed(all: &[(&str, u32, u32)]) -> Listed {
    Listed { world: photos(all), times: Cell::new(0) }
}

#[test]
fn a_folder_that_may_not_be_read_is_not_called_missing() {
    let world = listed(&[("open/a.png", 8, 8), ("closed/b.png", 8, 8)]);
    for files in ["closed", "closed/*.png", "**/closed/*.png"] {
        let found = checked(&format!("maximize features(conv3, \"{files}\")\n"), &world).diagnostics;
        assert_eq!((found.len(), found[0].code), (1, &codes::BAD_FILE), "{files}: {found:#?}");
        assert!(found[0].message.contains("`closed`"), "{}", found[0].message);
    }
    good("maximize features(conv3, \"**/*.png\")\n", &world);
}

/// There are several ways to split a path into parts that match; a photo counts once.
#[test]
fn no_photo_is_lost_behind_repeated_patterns() {
    let names: Vec<String> = (0..900).map(|k| format!("{}/a/a/{k}.png", k / 30)).collect();
    let all: Vec<(&str, u32, u32)> = names.iter().map(|name| (name.as_str(), 1, 1)).collect();
    let world = photos(&all);
    for files in ["**/**/*.png", "**/a/**/*.png"] {
        let recipe = good(&format!("maximize features(conv3, \"{files}\")\n"), &world);
        let found = recipe.variants[0].stages[0].terms[0].call.args.files("files").len();
        assert_eq!(found, 900, "{files}");
    }
}

#[test]
fn a_folder_is_listed_once_for_all_variants() {
    let world = listed(&[("in/a.png", 8, 8), ("in/x/b.png", 8, 8)]);
    let times = |files: &str, variants: usize| {
        world.times.set(0);
        let recipe = good(&format!("seed each 1..{variants}\nmaximize features(conv3, \"{files}\")\n"), &world);
        assert_eq!(recipe.variants.len(), variants);
        world.times.get()
    };
    for files in ["in", "in/**"] {
        assert_eq!(times(files, 2), times(files, 9), "{files}");
    }
}
