//! Recipes run whole, into files.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::check::recipe::{Format, Recipe, Render, Stage, Term, Variant};
use crate::nets::{Facts, Source, architecture};
use crate::plan::testing::{call, class, every, number, recipe, render, scheduled, stage, variant};
use crate::render::metadata;
use crate::source::{MemoryWorld, codes};
use crate::spec::{Arg, Dial, Kind};

pub(super) fn facts(name: &str) -> Arc<Facts> {
    Arc::new(Facts::new(architecture(name).unwrap(), None).unwrap())
}

fn range(low: f64, high: f64) -> Arg {
    Arg::Number(Dial::Range(Box::new(low.into()), Box::new(high.into())))
}

/// The guide's last recipe.
fn guide(facts: &Facts, unit: usize, size: usize, steps: usize) -> Stage {
    let mut stage = stage("", size, steps);
    stage.init = call(Kind::Init, "gray", &[("level", number(0.5)), ("noise", number(0.005))]);
    stage.terms = vec![class(&facts.output().name, unit, 1.0)];
    let jitter = [
        ("brightness", range(0.98, 1.02)),
        ("contrast", range(0.99, 1.01)),
        ("saturation", range(0.98, 1.02)),
        ("hue", range(-0.01, 0.01)),
        ("clamp", Arg::Switch(true)),
    ];
    let affine = [
        ("rotate", range(-15.0, 15.0)),
        ("scale", range(0.96, 1.04)),
        ("fill", number(0.5)),
        ("sample", Arg::Choice("nearest")),
    ];
    stage.transforms = vec![call(Kind::Transform, "color_jitter", &jitter), call(Kind::Transform, "affine", &affine)];
    stage.penalties = vec![call(Kind::Penalty, "l2", &[("weight", number(0.05)), ("around", number(0.5))])];
    let blur = call(Kind::Filter, "gaussian", &[("size", number(5.0)), ("sigma", number(1.5))]);
    stage.filters = vec![scheduled(blur, 10)];
    stage.optimizer = call(Kind::Optimizer, "sgd", &[("lr", number(1.5)), ("normalize", Arg::Choice("off"))]);
    stage
}

fn of_model(mut variant: Variant, name: &str) -> Variant {
    variant.models[0].call = call(Kind::Model, name, &[("redirect", Arg::Switch(true))]);
    variant
}

fn layout(name: &str, args: &[(&'static str, Arg)]) -> crate::spec::Call {
    call(Kind::Layout, name, args)
}

fn ever(file: &str, format: Format, layout: crate::spec::Call) -> Render {
    render(file, format, layout, vec![Some(every(2, 0, usize::MAX))])
}

fn last(file: &str, layout: crate::spec::Call) -> Render {
    render(file, Format::Png, layout, vec![Some(every(1, 0, 0))])
}

/// All files of a recipe by their names; stopped before step `stop`.
fn files_until(recipe: &Recipe, stop: usize) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let cancel = CancelToken::new();
    let options = Options {
        folder: Some(folder.path().to_path_buf()),
        all_frames: false,
        cancel: cancel.clone(),
        ..Options::default()
    };
    let mut session = Session::new(WeightStore::from_env());
    let result = session.run(recipe, &MemoryWorld::default(), &options, &mut |news| {
        if let News::Run(Event::Step(step)) = news
            && step.done == stop
        {
            cancel.cancel();
        }
    });
    let report = result.unwrap_or_else(|failed| panic!("{}", failed.why));
    assert_eq!(report.ending.cancelled, stop != usize::MAX);
    let name = |path: &Path| path.strip_prefix(folder.path()).unwrap().to_string_lossy().replace('\\', "/");
    report.files.iter().map(|path| (name(path), std::fs::read(path).unwrap())).collect()
}

fn files(recipe: &Recipe) -> BTreeMap<String, Vec<u8>> {
    files_until(recipe, usize::MAX)
}

#[test]
fn a_picture_of_a_stopped_run_says_so() {
    let recipe = motifs(&[3], 6, vec![last("a.png", layout("frames", &[]))]);
    let stopped =
        |files: BTreeMap<String, Vec<u8>>| metadata::read(&files["a.png"]).unwrap().unwrap().variants[0].stopped;
    assert_eq!(stopped(files_until(&recipe, 2)), Some(metadata::Stopped { step: 2, of: 6 }));
    assert_eq!(stopped(files(&recipe)), None);
}

fn motifs(units: &[usize], steps: usize, renders: Vec<Render>) -> Recipe {
    let facts = facts("motifs");
    let one = |unit: &usize| variant(&format!("u{unit}"), &facts, vec![guide(&facts, *unit, 48, steps)]);
    recipe(units.iter().map(one).collect(), renders)
}

fn size_of(png: &[u8]) -> (u32, u32) {
    let picture = image::load_from_memory(png).unwrap();
    (picture.width(), picture.height())
}

fn frames_of(gif: &[u8]) -> usize {
    let mut decoder = gif::DecodeOptions::new().read_info(gif).unwrap();
    let mut frames = 0;
    while decoder.next_frame_info().unwrap().is_some() {
        frames += 1;
    }
    frames
}

fn everything() -> Vec<Render> {
    let on = ("labels", Arg::Switch(true));
    vec![
        ever("{label}.gif", Format::Gif, layout("frames", &[("scale", number(2.0))])),
        ever("all.gif", Format::Gif, layout("grid", &[("size", Arg::Size(2, 1)), on.clone()])),
        last("{label}.png", layout("frames", &[])),
        last("sheet.png", layout("sheet", std::slice::from_ref(&on))),
        ever("{label}-{step}.png", Format::Png, layout("frames", &[])),
        ever("{label}-strip.png", Format::Png, layout("strip", &[on])),
        render("flip.gif", Format::Gif, layout("flipbook", &[]), vec![Some(every(1, 0, 0))]),
        ever("{label}-seen.gif", Format::Gif, layout("view", &[])),
        ever("scores.csv", Format::Csv, layout("frames", &[])),
        ever("scores.svg", Format::Svg, layout("frames", &[])),
    ]
}

#[test]
fn every_layout_and_format_is_written() {
    let files = files(&motifs(&[3, 4], 6, everything()));
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    let of = |label: &str| {
        [".gif", "-0.png", "-2.png", "-4.png", "-5.png", "-seen.gif", "-strip.png", ".png"]
            .map(|end| format!("{label}{end}"))
    };
    let mut expected: Vec<String> = [of("u3"), of("u4")].concat();
    expected.extend(["all.gif", "flip.gif", "scores.csv", "scores.svg", "sheet.png"].map(String::from));
    expected.sort();
    assert_eq!(names, expected);
    assert_eq!(size_of(&files["u3.png"]), (48, 48));
    assert_eq!(files["u3.png"], files["u3-5.png"]);
    assert!(size_of(&files["u3-strip.png"]).0 > 4 * 48 && size_of(&files["sheet.png"]).0 > 96);
    // i = 0, 2, 4 and the final canvas, i = 5.
    assert_eq!((frames_of(&files["u4.gif"]), frames_of(&files["all.gif"])), (4, 4));
    // The final canvas of both.
    assert_eq!(frames_of(&files["flip.gif"]), 2);
    let table = String::from_utf8(files["scores.csv"].clone()).unwrap();
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines[0], "variant,stage,step,class(3),l2,class(4),loss");
    assert_eq!(lines.len(), 1 + 2 * 6);
    assert!(lines[1].starts_with("u3,,0,") && lines[2].starts_with("u4,,0,,"), "{table}");
}

#[test]
fn files_say_what_made_them() {
    let mut recipe = motifs(&[3, 4], 4, vec![last("{label}.png", layout("frames", &[]))]);
    recipe.resolved = "fviz 1\n".into();
    let found = metadata::read(&files(&recipe)["u4.png"]).unwrap().unwrap();
    assert_eq!((found.recipe.as_str(), found.weights.len()), ("fviz 1\n", 1));
    assert_eq!((found.weights[0].name.as_str(), found.weights[0].sha256.len()), ("motifs", 64));
    let [variant] = &found.variants[..] else { panic!("{found:?}") };
    let terms: Vec<_> = variant.scores.iter().map(|score| score.term.as_str()).collect();
    assert_eq!((variant.label.as_str(), terms), ("u4", vec!["class(4)", "l2", "loss"]));
}

#[test]
fn the_same_bytes_alone_in_a_batch_reordered_and_with_other_threads() {
    let stills =
        || vec![last("{label}.png", layout("frames", &[])), ever("{label}.gif", Format::Gif, layout("frames", &[]))];
    let strip = |mut files: BTreeMap<String, Vec<u8>>| {
        files.retain(|name, _| name.starts_with("u4"));
        files
    };
    let alone = files(&motifs(&[4], 12, stills()));
    assert_eq!(alone.len(), 2);
    assert!(alone == files(&motifs(&[4], 12, stills())), "twice");
    assert!(alone == strip(files(&motifs(&[3, 4, 5], 12, stills()))), "in a batch");
    assert!(alone == strip(files(&motifs(&[4, 5, 3], 12, stills()))), "reordered");
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert!(alone == pool.install(|| strip(files(&motifs(&[5, 4], 12, stills())))), "{threads} threads");
    }
}

#[test]
fn a_stopped_run_writes_what_it_has() {
    let all = files_until(&motifs(&[3, 4], 6, everything()), 4);
    assert!(all.contains_key("u3.png") && all.contains_key("sheet.png") && all.contains_key("scores.csv"));
    // i = 0, 2, and 3, where it was stopped.
    assert_eq!(frames_of(&all["u3.gif"]), 3);
    assert_eq!(all["u3.png"], all["u3-3.png"]);
}

#[test]
fn a_network_is_loaded_once() {
    let mut session = Session::new(WeightStore::default());
    let options = Options { folder: None, all_frames: false, ..Options::default() };
    let mut run = |units: &[usize]| {
        let report = session.run(&motifs(units, 1, vec![]), &MemoryWorld::default(), &options, &mut |_| {}).unwrap();
        assert_eq!(report.files, [] as [std::path::PathBuf; 0]);
        report.weights
    };
    assert_eq!(run(&[3]), run(&[4, 5]));
}

/// A unit of the last ReLU that answers nowhere to gray: without help its gradient is zero and nothing moves.
#[test]
fn a_dead_start_is_redirected_and_the_picture_moves() {
    let facts = facts("motifs");
    let node =
        facts.graph.nodes().iter().rfind(|node| matches!(node.op, crate::nets::Op::Relu(_))).unwrap().name.clone();
    let gray = candle_core::Tensor::full(0.5f32, (1, 3, 48, 48), &candle_core::Device::Cpu).unwrap();
    let Source::Embedded(bytes) = architecture("motifs").unwrap().source else { panic!() };
    let network = crate::nets::Network::load(&facts, &crate::nets::Weights::read(bytes).unwrap(), [&*node]).unwrap();
    let answer = &network.forward(&gray, false).unwrap()[&node];
    let most = answer.flatten_from(2).unwrap().max(2).unwrap().squeeze(0).unwrap().to_vec1::<f32>().unwrap();
    let unit = most.iter().position(|&most| most == 0.0).expect("every unit answers to gray");

    let run = |redirect: bool| {
        let mut stage = guide(&facts, 3, 48, 3);
        stage.penalties.clear();
        stage.filters.clear();
        stage.transforms.clear();
        stage.init = call(Kind::Init, "gray", &[("level", number(0.5)), ("noise", number(0.0))]);
        let args = [("node", Arg::Node(node.clone())), ("units", Arg::Units(vec![unit]))];
        stage.terms = vec![Term {
            call: call(Kind::Objective, "channel", &args),
            nodes: vec![node.clone()],
            ..class("", 0, 1.0)
        }];
        let mut variant = variant("", &facts, vec![stage]);
        variant.models[0].call = call(Kind::Model, "motifs", &[("redirect", Arg::Switch(redirect))]);
        let options = Options { folder: None, all_frames: true, ..Options::default() };
        let (mut frames, mut notes) = (Vec::new(), Vec::new());
        let told = &mut |news: News| match news {
            News::Run(Event::Frame { picture, .. }) => {
                frames.push(picture.flatten_all().unwrap().to_vec1::<f32>().unwrap());
            }
            News::Run(Event::Note { note, .. }) => notes.push(note),
            _ => {}
        };
        let recipe = recipe(vec![variant], vec![]);
        Session::new(WeightStore::default()).run(&recipe, &MemoryWorld::default(), &options, told).unwrap();
        (frames, notes)
    };
    let (frames, notes) = run(true);
    assert!(frames[0] != frames[2]);
    assert_eq!(notes.iter().map(|note| note.code).collect::<Vec<_>>(), [&codes::DEAD_START]);
    assert!(notes[0].message.contains(&node), "{}", notes[0].message);
    let (frames, notes) = run(false);
    assert!(frames[0] == frames[2]);
    assert_eq!(notes.iter().map(|note| note.code).collect::<Vec<_>>(), [&codes::NO_GRADIENT]);
    assert!(notes[0].help.as_ref().unwrap().contains("redirect"));
}

#[test]
fn hen_measure() {
    let Some(steps) = std::env::var("FVIZ_STEPS").ok() else { return };
    let facts = facts("resnet18");
    let n: usize = std::env::var("FVIZ_VARIANTS").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let variants = (0..n)
        .map(|i| {
            of_model(
                variant(&format!("{i}"), &facts, vec![guide(&facts, 8 + i, 299, steps.parse().unwrap())]),
                "resnet18",
            )
        })
        .collect();
    let recipe = recipe(
        variants,
        vec![
            render("{label}.gif", Format::Gif, layout("frames", &[]), vec![Some(every(10, 0, usize::MAX))]),
            last("{label}.png", layout("frames", &[])),
        ],
    );
    let start = std::time::Instant::now();
    let mut session = Session::new(WeightStore::from_env());
    let options =
        Options { folder: Some(std::env::temp_dir().join("fviz-out")), all_frames: false, ..Options::default() };
    let mut last = start;
    let report = session.run(&recipe, &MemoryWorld::default(), &options, &mut |news| match news {
        News::Run(Event::Step(step)) => {
            if step.step % 10 == 0 {
                println!("{} {:?} {:.2?} {:?}", step.step, last.elapsed(), start.elapsed(), step.scores[0]);
            }
            last = std::time::Instant::now();
        }
        News::Wrote(path) => println!("wrote {path:?} {:.2?}", start.elapsed()),
        News::Loaded(_) => println!("loaded {:.2?}", start.elapsed()),
        _ => {}
    });
    println!("{:.2?} {:?}", start.elapsed(), report.map(|r| r.ending.cancelled));
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", status.lines().find(|l| l.starts_with("VmHWM")).unwrap());
}

/// Of two axes the last runs from left to right, and captions that are too long for one line take two.
#[test]
fn a_sheet_of_two_axes_has_a_row_for_each_value_of_the_first() {
    let facts = facts("motifs");
    let of = |labels: &[&str]| {
        let one = |label: &&str| variant(label, &facts, vec![guide(&facts, 3, 48, 1)]);
        let recipe = recipe(labels.iter().map(one).collect(), vec![last("sheet.png", layout("sheet", &[]))]);
        size_of(&files(&recipe)["sheet.png"])
    };
    let cell = |columns: u32| 2 + columns * 50;
    let (wide, one_line) = of(&["a, 1", "a, 2", "b, 1", "b, 2", "c, 1", "c, 2"]);
    assert_eq!(wide, cell(2));
    let (wide, two_lines) = of(&["penguin, 1", "penguin, 2", "rainbow, 1", "rainbow, 2", "star, 1", "star, 2"]);
    assert_eq!(wide, cell(2));
    assert_eq!(two_lines - one_line, 3 * 8);
    assert_eq!(of(&["a, 1", "a, 2", "a, 3", "b, 1", "b, 2", "b, 3"]).0, cell(3));
    assert_eq!(of(&["a, 1", "b, 1", "c, 1", "d, 1"]).0, cell(2), "one value of the last");
    assert_eq!(of(&["a", "b", "c", "d", "e", "f", "g", "h"]).0, cell(4), "one axis");
}

/// It is told at once, and once; its frames stay only as long as another try may do better.
#[test]
fn a_file_that_can_not_be_written_is_told_while_others_grow() {
    let tall = || layout("grid", &[("size", Arg::Size(1, 1_000_000))]);
    for (again, kind) in [(true, layout("frames", &[])), (false, tall())] {
        let recipe = motifs(&[3, 4, 5], 1, vec![last("{label}.png", kind)]);
        let plan = plan(&recipe, &MemoryWorld::default()).0.unwrap();
        let folder = tempfile::tempdir().unwrap();
        for unit in [3, 4, 5] {
            std::fs::create_dir(folder.path().join(format!("u{unit}.png"))).unwrap();
        }
        let (weights, discard) = (vec![Vec::new(); plan.batches.len()], CancelToken::new());
        let mut writing = write::Writing::new(&recipe, &plan, Some(folder.path()), &weights, &discard);
        let mut all = collect::Collected::new(3, &plan);
        let picture =
            candle_core::Tensor::zeros((1, 3, 8, 8), candle_core::DType::F32, &candle_core::Device::Cpu).unwrap();
        let mut told = Vec::new();
        let mut tell = |news: News| {
            if let News::NotWritten { again, .. } = news {
                told.push(again);
            }
        };
        for variant in 0..3 {
            let take = crate::plan::Take { stage: 0, iteration: 0 };
            all.hear(&Event::Frame { variant, take, last: true, picture: &picture });
            writing.done(variant, &mut all, &mut tell);
            assert_eq!(all.of(variant).canvases.len(), usize::from(again));
        }
        assert_eq!(writing.rest(all, &mut tell).len(), 3);
        assert_eq!(told, [again]);
    }
}

/// A file appears while others still grow, and its frames are dropped.
#[test]
fn a_file_is_written_as_soon_as_its_variants_are_done() {
    let facts = facts("motifs");
    let one = |unit: usize, steps| variant(&format!("u{unit}"), &facts, vec![guide(&facts, unit, 48, steps)]);
    // Another number of steps is another batch.
    let stills = vec![last("{label}.png", layout("frames", &[])), last("sheet.png", layout("sheet", &[]))];
    let recipe = recipe(vec![one(3, 2), one(4, 3), one(5, 2)], stills);
    let folder = tempfile::tempdir().unwrap();
    let options = Options { folder: Some(folder.path().into()), ..Options::default() };
    let mut told: Vec<String> = Vec::new();
    let news = &mut |news: News| match news {
        News::Run(Event::Step(step)) => told.push(format!("step {}", step.done)),
        News::Wrote(path) => told.push(path.file_name().unwrap().to_string_lossy().into_owned()),
        _ => {}
    };
    Session::new(WeightStore::default()).run(&recipe, &MemoryWorld::default(), &options, news).unwrap();
    let expected = ["step 1", "step 2", "u3.png", "u5.png", "step 3", "step 4", "step 5", "u4.png", "sheet.png"];
    assert_eq!(told, expected);
}
