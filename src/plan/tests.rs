//! Which files and batches a recipe leads to. Tests of LANGUAGE.md's "Time" bear the rule as their name.

use std::sync::Arc;

use super::testing::{call, class, every, recipe, render, stage, variant};
use super::*;
use crate::check::recipe::{Format, Recipe, Render, Schedule, Term};
use crate::nets::{Facts, Graph, Labels};
use crate::source::{Code, MemoryWorld, codes};
use crate::spec::{Arg, Kind};

fn facts() -> Arc<Facts> {
    Arc::new(Facts {
        name: "motifs",
        graph: Graph::new(3),
        labels: Labels::default(),
        mean: [0.0; 3],
        std: [1.0; 3],
        size: (8, 8),
        photo_side: 8,
        licence: None,
    })
}

fn layout(name: &str) -> crate::spec::Call {
    match name {
        "grid" => call(Kind::Layout, "grid", &[("size", Arg::Size(2, 1))]),
        _ => call(Kind::Layout, name, &[]),
    }
}

/// Variants `a`, `b` … of one stage of `steps`, and one render statement.
fn plain(variants: usize, steps: usize, render: Render) -> Recipe {
    let labels = ["a", "b", "c", "d"];
    let one = |label: &&str| variant(label, &facts(), vec![stage("", 8, steps)]);
    recipe(labels.iter().take(variants).map(one).collect(), vec![render])
}

fn planned(recipe: &Recipe) -> Plan {
    let (plan, problems) = plan(recipe, &MemoryWorld::default());
    assert_eq!(problems, []);
    plan.unwrap()
}

fn iterations(output: &Output) -> Vec<usize> {
    output.members[0].takes.iter().map(|take| take.iteration).collect()
}

fn gif(schedule: Schedule) -> Render {
    render("a.gif", Format::Gif, layout("frames"), vec![Some(schedule)])
}

#[test]
fn every_n_from_k_until_m_fires_when_k_le_i_lt_m_and_n_divides_i_minus_k() {
    let of = |schedule, steps| iterations(&planned(&plain(1, steps, gif(schedule))).outputs[0]);
    assert_eq!(of(every(10, 0, usize::MAX), 31), [0, 10, 20, 30]);
    assert_eq!(of(every(10, 3, 25), 31), [3, 13, 23, 30]);
    assert_eq!(of(every(7, 3, 24), 31), [3, 10, 17, 30]);
    assert_eq!(of(every(7, 3, 25), 31), [3, 10, 17, 24, 30]);
}

#[test]
fn the_final_canvas_is_always_the_last_frame_and_only_once() {
    let of = |schedule, steps| iterations(&planned(&plain(1, steps, gif(schedule))).outputs[0]);
    assert_eq!(of(every(10, 0, usize::MAX), 21), [0, 10, 20]);
    assert_eq!(of(every(10, 0, usize::MAX), 22), [0, 10, 20, 21]);
    assert_eq!(of(every(1, 0, usize::MAX), 3), [0, 1, 2]);
    assert_eq!(of(every(1, 0, 0), 200), [199]);
}

#[test]
fn frames_run_on_between_stages() {
    let stages = vec![stage("coarse", 8, 5), stage("fine", 16, 6)];
    let two = variant("", &facts(), stages);
    let frames = vec![Some(every(2, 0, usize::MAX)); 2];
    let recipe = recipe(vec![two], vec![render("a.gif", Format::Gif, layout("frames"), frames)]);
    let plan = planned(&recipe);
    let steps: Vec<_> = plan.outputs[0].members[0].takes.iter().map(|take| take.step(&recipe.variants[0])).collect();
    assert_eq!(steps, [0, 2, 4, 5, 7, 9, 10]);
    assert!(
        plan.shows_canvas(0, Take { stage: 1, iteration: 5 }) && !plan.shows_canvas(0, Take { stage: 1, iteration: 1 })
    );
}

#[test]
fn a_render_of_one_stage_ends_with_that_stages_canvas() {
    let two = variant("", &facts(), vec![stage("coarse", 8, 5), stage("fine", 16, 6)]);
    let frames = vec![Some(every(1, 0, 0)), None];
    let plan = planned(&recipe(vec![two], vec![render("a.png", Format::Png, layout("frames"), frames)]));
    assert_eq!(plan.outputs[0].members[0].takes, [Take { stage: 0, iteration: 4 }]);
}

#[test]
fn a_name_with_the_stage_is_a_file_for_each() {
    let two = variant("", &facts(), vec![stage("coarse", 8, 5), stage("fine", 16, 6)]);
    let frames = vec![Some(every(1, 0, 0)); 2];
    let plan = planned(&recipe(vec![two], vec![render("{stage}.png", Format::Png, layout("frames"), frames)]));
    let names: Vec<_> = plan.outputs.iter().map(|output| (output.name.as_str(), iterations(output))).collect();
    assert_eq!(names, [("coarse.png", vec![4]), ("fine.png", vec![5])]);
}

/// The recipe of a text on the embedded network.
fn written(text: &str) -> Recipe {
    let input = crate::check::Input {
        stem: "t".into(),
        text: format!("fviz 1\ncanvas 64x64\nmaximize class(0)\n{text}"),
        ..Default::default()
    };
    let checked = crate::check::check(&input, &MemoryWorld::default());
    checked.recipe.unwrap_or_else(|| panic!("{text}\n{:#?}", checked.diagnostics))
}

#[test]
fn each_variant_has_its_own_number_of_stages() {
    for (counts, lengths) in [("[1, 4]", [1, 4]), ("[4, 1]", [4, 1])] {
        let text =
            format!("mode octaves(each {counts})\noptimize adam for 3 steps\nrender \"a.gif\" as sheet every 1 step\n");
        let plan = planned(&written(&text));
        assert_eq!(plan.outputs.len(), 1);
        for (member, length) in plan.outputs[0].members.iter().zip(lengths) {
            assert_eq!(member.stages, Vec::from_iter(0..length), "{counts}");
            assert_eq!(member.takes.len(), 3 * length, "{counts}");
        }
    }
    let text = "optimize adam for 3 steps\nstage one {\nmode octaves(each [1, 2])\n}\nstage two {\nrender \"{label}.png\"\n}\n";
    let plan = planned(&written(text));
    let ends: Vec<_> = plan.outputs.iter().map(|output| output.members[0].takes.clone()).collect();
    assert_eq!(ends, [[Take { stage: 1, iteration: 2 }], [Take { stage: 2, iteration: 2 }]]);
}

#[test]
fn each_variant_has_its_own_steps_and_schedule() {
    let of = |render: &str| {
        let text =
            format!("let n = each [50 steps, 200 steps]\noptimize adam for $n\nrender \"{{label}}.gif\" {render}\n");
        planned(&written(&text)).outputs.iter().map(iterations).collect::<Vec<_>>()
    };
    let every = |n: usize, end: usize| (0..end).step_by(n).chain((!(end - 1).is_multiple_of(n)).then_some(end - 1));
    assert_eq!(of(""), [every(1, 50).collect::<Vec<_>>(), every(4, 200).collect()]);
    assert_eq!(of("every 10 steps"), [every(10, 50).collect::<Vec<_>>(), every(10, 200).collect()]);
    assert_eq!(of("every $n"), [vec![0, 49], vec![0, 199]]);
}

#[test]
fn names_of_a_series_sort() {
    let series = render("a-{step}.png", Format::Png, layout("frames"), vec![Some(every(50, 0, usize::MAX))]);
    let plan = planned(&plain(1, 101, series));
    let output = &plan.outputs[0];
    assert!(output.is_series());
    assert_eq!(output.file_name(50, 101), "a-050.png");
    assert_eq!(output.file_name(9, 10), "a-9.png");
}

#[track_caller]
fn refused(recipe: &Recipe) -> (&'static Code, String) {
    let (plan, problems) = plan(recipe, &MemoryWorld::default());
    assert!(plan.is_none());
    assert_eq!(problems.len(), 1, "{problems:?}");
    let render = recipe.renders.last().unwrap();
    let place = if problems[0].code == &codes::GRID_TOO_SMALL { render.layout.span } else { render.name_span };
    assert_eq!(problems[0].span(), Some(place));
    (problems[0].code, problems[0].help.clone().unwrap_or_default())
}

#[test]
fn two_renders_into_one_file_are_refused() {
    let mut recipe = plain(1, 5, gif(every(1, 0, 9)));
    let mut second = render("A.gif", Format::Gif, layout("frames"), vec![Some(every(2, 0, 9))]);
    second.name_span.end += 1;
    recipe.renders.push(second);
    assert_eq!(refused(&recipe).0, &codes::SAME_FILE);
}

#[test]
fn a_layout_of_one_variant_needs_a_file_for_each() {
    for name in ["frames", "view"] {
        let shared = render("a.gif", Format::Gif, layout(name), vec![Some(every(1, 0, 9))]);
        let (code, help) = refused(&plain(3, 5, shared));
        assert_eq!(code, &codes::SHARED_FILE);
        assert!(help.contains("{label}") && help.contains("grid(2x2)"), "{help}");
    }
    let each = render("{label}.gif", Format::Gif, layout("frames"), vec![Some(every(1, 0, 9))]);
    assert_eq!(planned(&plain(3, 5, each)).outputs.len(), 3);
    let table = render("scores.csv", Format::Csv, layout("frames"), vec![Some(every(1, 0, 9))]);
    assert_eq!(planned(&plain(3, 5, table)).outputs.len(), 1);
}

#[test]
fn a_grid_needs_a_cell_for_each_variant() {
    let grid = || render("a.gif", Format::Gif, layout("grid"), vec![Some(every(1, 0, 9))]);
    assert_eq!(planned(&plain(2, 5, grid())).outputs[0].members.len(), 2);
    let (code, help) = refused(&plain(3, 5, grid()));
    assert_eq!((code, help.as_str()), (&codes::GRID_TOO_SMALL, "write `as grid(2x2)`"));
}

#[test]
fn a_still_with_every_needs_the_step_in_its_name() {
    let still = |name| render("a.png", Format::Png, layout(name), vec![Some(every(2, 0, 9))]);
    assert_eq!(refused(&plain(1, 5, still("frames"))).0, &codes::STILL_NEEDS_STEP);
    planned(&plain(1, 5, still("strip")));
}

#[test]
fn variants_of_one_shape_run_together() {
    let facts = facts();
    let of = |label: &str, size, steps, unit| {
        let mut stage = stage("", size, steps);
        stage.terms.push(class("x", unit, 1.0));
        variant(label, &facts, vec![stage])
    };
    let variants = vec![of("a", 8, 5, 0), of("b", 8, 5, 1), of("c", 9, 5, 1), of("d", 8, 6, 1), of("e", 8, 5, 2)];
    let plan = planned(&recipe(variants, vec![]));
    let batches: Vec<_> = plan.batches.iter().map(|batch| batch.variants.clone()).collect();
    assert_eq!(batches, [vec![0, 1, 4], vec![2], vec![3]]);
    assert_eq!(plan.cost.passes, 26);
}

struct Small(u64);

impl World for Small {
    fn read(&self, _: &std::path::Path) -> std::io::Result<Vec<u8>> {
        Err(std::io::ErrorKind::NotFound.into())
    }
    fn exists(&self, _: &std::path::Path) -> bool {
        false
    }
    fn list(&self, _: &std::path::Path) -> std::io::Result<Vec<crate::source::Entry>> {
        Err(std::io::ErrorKind::NotFound.into())
    }
    fn model_folders(&self) -> Vec<std::path::PathBuf> {
        Vec::new()
    }
    fn memory(&self) -> u64 {
        self.0
    }
}

#[test]
fn comparing_takes_memory_and_photos_have_the_canvas_size() {
    let facts = Arc::new(Facts::new(crate::nets::architecture("resnet18").unwrap(), None).unwrap());
    let memory = |word: &str, crop: bool| {
        let args = [("node", Arg::Node("layer1".into())), ("files", Arg::Files(vec!["a.png".into()]))];
        let args = if word == "layer" { &args[..1] } else { &args[..] };
        let mut stage = stage("", 224, 1);
        stage.terms = vec![Term {
            call: call(Kind::Objective, word, args),
            nodes: vec!["layer1.1.relu_1".into()],
            ..class("", 0, 1.0)
        }];
        if crop {
            stage.transforms = vec![call(Kind::Transform, "crop", &[("size", Arg::Size(32, 32))])];
        }
        planned(&recipe(vec![variant("", &facts, vec![stage])], vec![])).cost.memory
    };
    // The node is 64 channels of 56x56.
    let node = 64 * 56 * 56 * 4;
    assert!(memory("features", false) - memory("layer", false) >= 2 * 10 * node);
    assert!(memory("features", true) - memory("layer", true) >= 10 * node, "the photo is not cropped");
}

#[test]
fn a_network_costs_nothing_in_a_stage_that_does_not_ask_it() {
    let facts = Arc::new(Facts::new(crate::nets::architecture("resnet18").unwrap(), None).unwrap());
    let of = |models: usize| {
        let term = |model: usize| Term { model, ..class("fc", 0, 1.0) };
        let mut stages = vec![stage("one", 64, 5), stage("two", 64, 5)];
        stages[0].terms = vec![term(0)];
        stages[1].terms = vec![term(models - 1)];
        let mut variant = variant("", &facts, stages);
        variant.models = vec![variant.models[0].clone(); models];
        planned(&recipe(vec![variant], vec![])).cost
    };
    let (one, two) = (of(1), of(2));
    assert_eq!((two.passes, two.multiplications), (one.passes, one.multiplications));
}

#[test]
fn batches_are_as_large_as_memory_allows() {
    let facts = facts();
    let variants = || (0..5).map(|_| variant("", &facts, vec![stage("", 100, 5)])).collect();
    let one = planned(&recipe(vec![variant("", &facts, vec![stage("", 100, 5)])], vec![])).cost.memory;
    let recipe = recipe(variants(), vec![]);
    let sizes = |memory| -> Vec<usize> {
        plan(&recipe, &Small(memory)).0.unwrap().batches.iter().map(|batch| batch.variants.len()).collect()
    };
    assert_eq!(sizes(100 * one), [5]);
    assert_eq!(sizes(4 * one), [2, 2, 1]);
    assert_eq!(sizes(one), [1; 5]);
    let (none, problems) = plan(&recipe, &Small(one - 1));
    assert!(none.is_none());
    assert_eq!((problems.len(), problems[0].code), (1, &codes::TOO_MUCH_MEMORY));
    assert_eq!(problems[0].span(), Some(recipe.variants[0].stages[0].canvas.span));
}

#[test]
fn frames_are_counted_before_they_are_listed() {
    let steps = 1_000_000;
    let recipe = plain(4, steps, render("{label}.gif", Format::Gif, layout("frames"), vec![Some(every(1, 0, steps))]));
    let (none, problems) = plan(&recipe, &Small(1 << 30));
    assert!(none.is_none());
    assert_eq!((problems.len(), problems[0].code), (1, &codes::TOO_MUCH_MEMORY));
    assert_eq!(problems[0].span(), Some(recipe.renders[0].span));
    assert!(problems[0].labels[0].text.contains("4000004 frames"), "{:?}", problems[0].labels);

    let few = plain(1, 10, gif(every(1, 0, 10)));
    let with = planned(&few).cost.memory;
    let without = planned(&plain(1, 10, gif(Schedule::NEVER))).cost.memory;
    // A frame of 8x8 and its place, kept and three times while the file is written; the last one stands in both.
    assert_eq!(with - without, 10 * (8 * 8 * 4 + 128) * 4);
}

#[test]
fn alpha_and_a_mask_take_memory() {
    let facts = facts();
    let with = |args: &[(&'static str, Arg)]| {
        let mut stage = stage("", 100, 5);
        stage.canvas = call(Kind::Canvas, "pixels", args);
        planned(&recipe(vec![variant("", &facts, vec![stage])], vec![])).cost.memory
    };
    let plane = 100 * 100 * 4;
    let bare = with(&[]);
    let masked = with(&[("mask", Arg::File("mask.png".into()))]);
    assert_eq!(masked - bare, 2 * 3 * plane);
    // One more plane of everything of the canvas's size, and the grounds.
    assert_eq!(with(&[("alpha", Arg::Switch(true))]) - bare, (24 + 40 + 4 * 8) * plane);
}

/// A queue of a thousand variants fits where a few do, since a file is written once its variants are done.
#[test]
fn only_frames_that_wait_are_counted() {
    let facts = facts();
    let of = |count: usize, file: &str, layout: crate::spec::Call, schedule| {
        let one = |k: usize| variant(&format!("{k}"), &facts, vec![stage("", 100, 50)]);
        let format = if file.ends_with("gif") { Format::Gif } else { Format::Png };
        recipe((0..count).map(one).collect(), vec![render(file, format, layout, vec![Some(schedule)])])
    };
    let own = |count| of(count, "{label}.gif", layout("frames"), every(1, 0, 50));
    let few = planned(&own(2)).cost.memory;
    let many = plan(&own(1000), &Small(2 * few)).0.unwrap();
    // 51 frames of 100x100x3 bytes each would be 1.5 GB.
    assert!(many.cost.memory <= 2 * few && 2 * few < 200_000_000, "{} {few}", many.cost.memory);
    assert!(many.batches.len() > 100 && many.batches.iter().map(|batch| batch.variants.len()).sum::<usize>() == 1000);

    // A contact sheet waits for all, with the last canvas of each; an animation of all with every frame.
    let sheet = |schedule, file| of(1000, file, layout("sheet"), schedule);
    assert!(plan(&sheet(Schedule::NEVER, "all.png"), &Small(300_000_000)).0.is_some());
    let (none, problems) = plan(&sheet(every(1, 0, 50), "all.gif"), &Small(300_000_000));
    assert!(none.is_none() && problems[0].code == &codes::TOO_MUCH_MEMORY, "{problems:?}");

    // A row of the sheet at a time.
    let mut rows = sheet(every(1, 0, 50), "all.gif");
    for (index, file) in rows.renders[0].files.iter_mut().enumerate() {
        *file = format!("{}.gif", index / 10);
    }
    assert!(plan(&rows, &Small(300_000_000)).0.is_some());
}

#[test]
fn a_long_queue_is_many_batches_unless_variants_compare_one_another() {
    let facts = facts();
    let sizes = |word: &str| -> Vec<usize> {
        let mut stage = stage("", 8, 5);
        let units = ("units", Arg::Units(vec![0]));
        let args = if word == "channel" { vec![units] } else { vec![] };
        stage.terms.push(crate::check::recipe::Term { call: call(Kind::Objective, word, &args), ..class("x", 0, 1.0) });
        let variants = (0..40).map(|k| variant(&format!("{k}"), &facts, vec![stage.clone()])).collect();
        planned(&recipe(variants, vec![])).batches.iter().map(|batch| batch.variants.len()).collect()
    };
    assert_eq!(sizes("channel"), [16, 16, 8]);
    assert_eq!(sizes("diversity"), [40]);
}
