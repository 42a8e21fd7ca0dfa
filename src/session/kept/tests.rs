//! Runs that find variants of earlier ones.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::check::{Input, Recipe, check};
use crate::plan::plan;
use crate::run::Event;
use crate::session::{News, Options, Session};
use crate::source::{CancelToken, Entry, MemoryWorld};
use crate::store::WeightStore;

const BASE: &str = "fviz 1
model motifs
let target = each [\"star\", \"owl\"]
canvas 48x48
seed 3
init gray(0.5, noise = 0.01)
maximize class($target) - 0.1 * channel(relu5, 3)
transform(views = 2) { affine(rotate = ±5deg) }
regularize tv(0.001)
blur gaussian(size = 3, sigma = 1) every 2 steps
optimize adam(lr = 0.05) for 6 steps
render \"{target}.gif\" every 2 steps
render \"{target}-strip.png\" as strip every 3 steps
render \"{target}-seen.gif\" as view every 2 steps
render \"sheet.png\" as sheet
render \"best.png\" as best
render \"scores.csv\"
render \"scores.svg\"
";

fn photo(shade: u8) -> Vec<u8> {
    let mut bytes = io::Cursor::new(Vec::new());
    image::RgbImage::from_fn(40, 40, |x, y| image::Rgb([shade, 4 * x as u8, 5 * y as u8]))
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

fn world(shade: u8) -> MemoryWorld {
    MemoryWorld { files: [(PathBuf::from("cat.png"), photo(shade))].into() }
}

fn checked(text: &str) -> Recipe {
    let checked = check(&Input { stem: "test".into(), text: text.into(), ..Input::default() }, &world(90));
    checked.recipe.unwrap_or_else(|| panic!("{text}\n{:?}", checked.diagnostics))
}

fn edited(from: &str, to: &str) -> String {
    assert_eq!(BASE.matches(from).count(), 1, "{from}");
    BASE.replace(from, to)
}

const NONE: [usize; 0] = [];

struct Shelves {
    _root: tempfile::TempDir,
    keep: Keep,
}

fn shelves() -> Shelves {
    let root = tempfile::tempdir().unwrap();
    let shelf = Shelf::new(root.path().join("kept"), 1 << 30);
    Shelves { keep: Keep { shelf, maker: "test".into(), fresh: false }, _root: root }
}

/// What a run did.
#[derive(Debug, Default)]
struct Ran {
    files: BTreeMap<String, Vec<u8>>,
    /// Variants that made steps.
    grew: BTreeSet<usize>,
    kept: Vec<usize>,
    not_kept: usize,
    scores: usize,
}

/// Runs a recipe; it is stopped before step `stop` of all.
fn run_until(recipe: &Recipe, world: &dyn World, keep: Option<&Keep>, stop: usize) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let cancel = CancelToken::new();
    let output = Some(folder.path().to_path_buf());
    let options = Options { folder: output, keep: keep.cloned(), cancel: cancel.clone(), ..Options::default() };
    let mut ran = Ran::default();
    let result = Session::new(WeightStore::default()).run(recipe, world, &options, &mut |news| match news {
        News::Run(Event::Step(step)) => {
            ran.grew.extend(step.variants);
            if step.done == stop {
                cancel.cancel();
            }
        }
        News::Kept { variant, canvas } => {
            assert!(canvas.is_some());
            ran.kept.push(variant);
        }
        News::NotKept(error) => {
            assert!(error.to_string().contains("can't write"), "{error}");
            ran.not_kept += 1;
        }
        _ => {}
    });
    let report = result.unwrap_or_else(|failed| panic!("{}", failed.why));
    ran.scores = report.ending.scores.iter().flatten().count();
    let name = |path: &Path| path.strip_prefix(folder.path()).unwrap().to_string_lossy().into_owned();
    ran.files = report.files.iter().map(|path| (name(path), std::fs::read(path).unwrap())).collect();
    ran
}

fn run(recipe: &Recipe, keep: &Keep) -> Ran {
    run_until(recipe, &world(90), Some(keep), usize::MAX)
}

fn grew(ran: &Ran) -> Vec<usize> {
    ran.grew.iter().copied().collect()
}

#[test]
fn a_repeated_run_grows_nothing_and_writes_the_same_bytes() {
    let (recipe, shelves) = (checked(BASE), shelves());
    let without = run_until(&recipe, &world(90), None, usize::MAX);
    let first = run(&recipe, &shelves.keep);
    let again = run(&recipe, &shelves.keep);
    assert_eq!((grew(&first), first.kept.len()), (vec![0, 1], 0));
    assert_eq!((grew(&again), &again.kept[..], again.scores), (NONE.to_vec(), &[0, 1][..], 2));
    assert_eq!(again.files.len(), 10);
    for (name, bytes) in &without.files {
        assert!(*bytes == first.files[name] && *bytes == again.files[name], "{name}");
    }
    let fresh = run(&recipe, &Keep { fresh: true, ..shelves.keep.clone() });
    assert_eq!(grew(&fresh), [0, 1]);
    assert!(fresh.files == without.files);
    let other = run(&recipe, &Keep { maker: "another program".into(), ..shelves.keep.clone() });
    assert_eq!(grew(&other), [0, 1]);
}

#[test]
fn only_what_is_missing_grows() {
    let shelves = shelves();
    run(&checked(BASE), &shelves.keep);
    let more = checked(&edited("\"owl\"]", "\"heart\", \"owl\"]"));
    let ran = run(&more, &shelves.keep);
    assert_eq!((grew(&ran), &ran.kept[..]), (vec![1], &[0, 2][..]));
    assert!(ran.files == run_until(&more, &world(90), None, usize::MAX).files);

    let fewer = checked(&edited("[\"star\", \"owl\"]", "[\"owl\", \"heart\"]"));
    assert_eq!(grew(&run(&fewer, &shelves.keep)), NONE);
}

#[test]
fn a_render_that_asks_for_other_frames_grows_and_what_was_there_stays() {
    let shelves = shelves();
    run(&checked(BASE), &shelves.keep);
    // 0, 2, 4 and 5, the last one, are there.
    let first = ".gif\" every 2 steps\nrender \"{target}-strip";
    let wider = checked(&edited(first, ".gif\" every 4 steps at 9 fps\nrender \"{target}-strip"));
    assert_eq!(grew(&run(&wider, &shelves.keep)), NONE);
    let closer = checked(&edited(first, ".gif\" every 1 steps\nrender \"{target}-strip"));
    assert_eq!(grew(&run(&closer, &shelves.keep)), [0, 1]);
    for recipe in [&closer, &checked(BASE)] {
        let ran = run(recipe, &shelves.keep);
        assert_eq!(grew(&ran), NONE);
        assert!(ran.files == run_until(recipe, &world(90), None, usize::MAX).files);
    }
}

/// For each variant its name on the shelf.
fn names(text: &str, weights: &str, shade: u8) -> Vec<Option<String>> {
    let (recipe, shelves, world) = (checked(text), shelves(), world(shade));
    let plan = plan(&recipe, &world).0.unwrap_or_else(|| panic!("{text}"));
    let weights = Identity { sha256: weights.into(), ..Identity::default() };
    let weights = vec![vec![weights]; plan.batches.len()];
    Keeping::new(&shelves.keep, &recipe, &plan, &weights, &world).names
}

#[test]
fn what_decides_about_bytes_decides_about_the_name() {
    let base = names(BASE, "w", 90);
    assert!(base.iter().all(Option::is_some) && base[0] != base[1]);
    let changes = [
        ("model motifs", "model motifs(redirect = off)"),
        ("model motifs", "model motifs(mean = [0.5, 0.5, 0.4])"),
        ("canvas 48x48", "canvas 48x49"),
        ("canvas 48x48", "canvas 48x48 as fourier"),
        ("seed 3", "seed 4"),
        ("gray(0.5, noise", "gray(0.50001, noise"),
        ("gray(0.5, noise = 0.01)", "uniform"),
        ("gray(0.5, noise = 0.01)", "image(\"cat.png\")"),
        ("0.1 * channel", "0.2 * channel"),
        ("relu5, 3", "relu5, 4"),
        ("relu5, 3", "conv5, 3"),
        ("class($target) - 0.1", "class($target, as = probability) - 0.1"),
        ("class($target) - 0.1", "class($target) + 0.1"),
        ("views = 2", "views = 3"),
        ("±5deg", "±6deg"),
        ("±5deg) }", "±5deg)\n affine(rotate = ±5deg) }"),
        ("tv(0.001)", "tv(0.002)"),
        ("tv(0.001)", "l2(0.001)"),
        ("sigma = 1)", "sigma = 1.5)"),
        ("every 2 steps\noptimize", "every 3 steps\noptimize"),
        ("every 2 steps\noptimize", "every 2 steps from 1 steps\noptimize"),
        ("every 2 steps\noptimize", "every 2 steps until 5 steps\noptimize"),
        ("lr = 0.05", "lr = 0.06"),
        ("lr = 0.05", "lr = 0.05 -> 0.01"),
        ("adam(lr", "sgd(lr"),
        ("for 6 steps", "for 7 steps"),
        ("for 6 steps\n", "for 6 steps\nmode eternal_zoom(zoom = 1.02)\n"),
    ];
    for (from, to) in changes {
        let other = names(&edited(from, to), "w", 90);
        assert!(other.iter().all(|name| name.is_some() && !base.contains(name)), "{from} → {to}");
    }
    assert!(names(BASE, "other weights", 90).iter().all(|name| !base.contains(name)));
}

#[test]
fn what_does_not_decide_about_bytes_does_not_decide_about_the_name() {
    let base = names(BASE, "w", 90);
    let changes = [
        ("fviz 1\n", "fviz 1\n# a comment\n\n"),
        ("render \"best.png\" as best\n", ""),
        ("render \"best.png\" as best\n", "render \"b.gif\" as sheet at 3 fps\n"),
        ("seed 3\n", "seed  3 # three\n"),
        ("lr = 0.05", "lr = 0.0500"),
        ("canvas 48x48\nseed 3\n", "seed 3\ncanvas 48x48\n"),
        ("gray(0.5, noise = 0.01)", "gray(noise = 0.01, level = 0.5)"),
        ("model motifs\n", ""),
    ];
    for (from, to) in changes {
        assert_eq!(names(&edited(from, to), "w", 90), base, "{from} → {to}");
    }
    assert_eq!(names(&BASE.replace("target", "t"), "w", 90), base, "a let's name");
    assert_eq!(names(BASE, "w", 91), base, "a photo that it doesn't read");
    let alone = edited("each [\"star\", \"owl\"]", "\"owl\"");
    assert_eq!(names(&alone, "w", 90), base[1..], "other variants");
    assert_eq!(names(&edited("[\"star\", \"owl\"]", "[1, 25]"), "w", 90), base, "another label");
}

#[test]
fn photos_count_by_what_is_in_them() {
    for (from, to) in [
        ("gray(0.5, noise = 0.01)", "image(\"cat.png\")"),
        ("- 0.1 * channel(relu5, 3)", "- 0.1 * similarity(relu5, \"cat.png\")"),
    ] {
        let text = edited(from, to);
        let (ours, others) = (names(&text, "w", 90), names(&text, "w", 91));
        assert!(ours.iter().zip(&others).all(|(a, b)| a.is_some() && b.is_some() && a != b), "{to}");
    }
    let text = edited("gray(0.5, noise = 0.01)", "image(\"cat.png\")");
    let (recipe, shelves) = (checked(&text), shelves());
    let first = run(&recipe, &shelves.keep);
    assert_eq!(run(&recipe, &shelves.keep).files, first.files);
    let changed = run_until(&recipe, &world(200), Some(&shelves.keep), usize::MAX);
    assert_eq!(grew(&changed), [0, 1]);
    assert!(changed.files["sheet.png"] != first.files["sheet.png"]);
}

/// A photo that is saved anew once it was read for the first time.
struct Saved(AtomicBool);

impl World for Saved {
    fn read(&self, _: &Path) -> io::Result<Vec<u8>> {
        Ok(photo(if self.0.swap(true, Ordering::Relaxed) { 200 } else { 90 }))
    }
    fn list(&self, _: &Path) -> io::Result<Vec<Entry>> {
        Ok(Vec::new())
    }
    fn exists(&self, _: &Path) -> bool {
        true
    }
    fn model_folders(&self) -> Vec<PathBuf> {
        Vec::new()
    }
    fn memory(&self) -> u64 {
        4 << 30
    }
}

#[test]
fn a_photo_that_changes_on_the_way_keeps_nothing() {
    let (recipe, shelves) = (checked(&edited("gray(0.5, noise = 0.01)", "image(\"cat.png\")")), shelves());
    run_until(&recipe, &Saved(AtomicBool::new(false)), Some(&shelves.keep), usize::MAX);
    for shade in [90, 200] {
        assert_eq!(grew(&run_until(&recipe, &world(shade), Some(&shelves.keep), usize::MAX)), [0, 1]);
    }
}

#[test]
fn variants_that_see_one_another_are_kept_together() {
    let text = edited("regularize", "minimize 0.1 * diversity(relu5)\nregularize");
    let (recipe, shelves) = (checked(&text), shelves());
    let first = run(&recipe, &shelves.keep);
    let again = run(&recipe, &shelves.keep);
    assert_eq!((grew(&again), again.kept.len()), (NONE.to_vec(), 2));
    assert!(first.files == again.files);
    let entry = std::fs::read_dir(shelves.keep.shelf.folder()).unwrap().next().unwrap().unwrap().path();
    std::fs::remove_file(entry).unwrap();
    assert_eq!(grew(&run(&recipe, &shelves.keep)), [0, 1]);
    let more = checked(&text.replace("\"owl\"]", "\"owl\", \"heart\"]"));
    assert_eq!(grew(&run(&more, &shelves.keep)), [0, 1, 2]);
    assert!(names(&text, "w", 90)[0] != names(&text.replace("\"owl\"", "\"heart\""), "w", 90)[0]);
}

#[test]
fn maps_of_photos_are_kept() {
    let text = "fviz 1\nlet how = each [gradient_x_input, occlusion(size = 16px, stride = 16px)]\n\
                attribute class(\"star\") on image(\"cat.png\") as $how\nrender \"why.png\" as sheet\nrender \"why.csv\"\n";
    let (recipe, shelves) = (checked(text), shelves());
    let without = run_until(&recipe, &world(90), None, usize::MAX);
    assert!(run(&recipe, &shelves.keep).files == without.files);
    let again = run(&recipe, &shelves.keep);
    assert_eq!((grew(&again), again.kept.len()), (NONE.to_vec(), 2));
    assert!(again.files == without.files);
}

/// A machine for one variant at a time.
struct Small<'a>(&'a Recipe);

impl World for Small<'_> {
    fn read(&self, _: &Path) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }
    fn list(&self, _: &Path) -> io::Result<Vec<Entry>> {
        Ok(Vec::new())
    }
    fn exists(&self, _: &Path) -> bool {
        false
    }
    fn model_folders(&self) -> Vec<PathBuf> {
        Vec::new()
    }
    fn memory(&self) -> u64 {
        let one = Recipe { variants: self.0.variants[..1].to_vec(), ..self.0.clone() };
        plan(&one, &MemoryWorld::default()).0.unwrap().cost.memory * 6 / 5
    }
}

#[test]
fn a_stopped_run_goes_on_where_it_was() {
    let (recipe, shelves) = (checked(BASE), shelves());
    let world = Small(&recipe);
    assert_eq!(plan(&recipe, &world).0.unwrap().batches.len(), 2);
    let stopped = run_until(&recipe, &world, Some(&shelves.keep), 9);
    // The first one is done, and the second one is not; both have files.
    assert_eq!(grew(&stopped), [0, 1]);
    assert!(stopped.files.contains_key("star.gif") && stopped.files.contains_key("owl.gif"));
    let goes_on = run_until(&recipe, &world, Some(&shelves.keep), usize::MAX);
    assert_eq!((grew(&goes_on), &goes_on.kept[..]), (vec![1], &[0][..]));
    assert!(goes_on.files == run_until(&recipe, &MemoryWorld::default(), None, usize::MAX).files);
    assert!(goes_on.files["owl.gif"] != stopped.files["owl.gif"]);
}

#[test]
fn what_is_damaged_is_grown_again() {
    let (recipe, shelves) = (checked(BASE), shelves());
    let first = run(&recipe, &shelves.keep);
    for damage in [&b""[..], b"not at all", &[0; 300]] {
        for entry in std::fs::read_dir(shelves.keep.shelf.folder()).unwrap() {
            std::fs::write(entry.unwrap().path(), damage).unwrap();
        }
        let again = run(&recipe, &shelves.keep);
        assert_eq!(grew(&again), [0, 1]);
        assert!(again.files == first.files);
        assert_eq!(grew(&run(&recipe, &shelves.keep)), NONE);
    }
}

#[test]
fn a_folder_that_can_not_be_written_is_told_once() {
    let recipe = checked(BASE);
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let keep = Keep { shelf: Shelf::new(file.join("kept"), 1 << 30), maker: String::new(), fresh: false };
    let ran = run(&recipe, &keep);
    assert_eq!((ran.not_kept, ran.files.len(), grew(&ran)), (1, 10, vec![0, 1]));
}

#[test]
fn two_runs_at_once_do_not_disturb_each_other() {
    let (recipe, shelves) = (checked(BASE), shelves());
    let alone = run_until(&recipe, &world(90), None, usize::MAX).files;
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..3).map(|_| scope.spawn(|| run(&recipe, &shelves.keep).files)).collect();
        for one in runs {
            assert!(one.join().unwrap() == alone);
        }
    });
    assert_eq!(grew(&run(&recipe, &shelves.keep)), NONE);
}

/// A shelf holds no warnings, and a picture that does not move is one to be told of each time.
#[test]
fn what_was_warned_of_is_grown_again() {
    let shelves = shelves();
    let text = "fviz 1\nmodel motifs(redirect = off)\ncanvas 96x96\nmaximize neuron(relu7, each [6, 3], at = (3, 3))\n\
                optimize sgd(lr = 1) for 3 steps\nrender \"{label}.png\"\n";
    let (first, again) = (run(&checked(text), &shelves.keep), run(&checked(text), &shelves.keep));
    assert_eq!(grew(&first), [0, 1]);
    assert_eq!(grew(&again).first(), Some(&0), "unit 6 gives no gradient");
    assert_eq!(first.files, again.files);
}
