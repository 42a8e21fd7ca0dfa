//! The loop, on networks made up for it. Tests of LANGUAGE.md's "Time" bear the rule as their name.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use candle_core::{Device, Tensor};

use super::*;
use crate::check::recipe::{Format, Render, Stage, Term};
use crate::nets::{Facts, Graph, Labels};
use crate::plan::plan;
use crate::plan::testing::{call, class, every, number, recipe, render, scheduled, stage, variant};
use crate::source::{Code, MemoryWorld, Span};
use crate::spec::{Arg, Curve, Dial, Kind};
use crate::words::Taps;

/// Four classes, each the rectified scalar product of the picture with a pattern of waves; fails at `bad_call`.
#[derive(Default)]
pub(super) struct Waves {
    /// Turns the waves: another network.
    phase: f32,
    calls: AtomicUsize,
    bad_call: Option<usize>,
    silent: bool,
}

impl Network for Waves {
    fn forward(&self, pictures: &Tensor, _redirect: bool) -> candle_core::Result<Taps> {
        let (images, _, height, width) = pictures.dims4()?;
        let long = 3 * height * width;
        let wave =
            |i: usize| libm::sinf(self.phase + 0.1 + 0.37 * i as f32 + 0.01 * (i / long) as f32 * (i % long) as f32);
        let patterns = Tensor::from_vec((0..4 * long).map(wave).collect::<Vec<f32>>(), (1, 4, long), &Device::Cpu)?;
        let products = pictures.reshape((images, 1, long))?.broadcast_mul(&patterns)?;
        let offset = if self.silent { -1e9 } else { 0.3 };
        let mut out = (products.sum(2)? + offset)?.relu()?;
        if self.bad_call == Some(self.calls.fetch_add(1, Ordering::SeqCst)) {
            out = (out * f64::NAN)?;
        }
        Ok(Taps::from([("out".to_string(), out), ("x".to_string(), pictures.clone())]))
    }

    fn forward_from(&self, _: &Tensor, node: &str, _: &Tensor) -> candle_core::Result<Taps> {
        candle_core::bail!("`{node}` can't be held")
    }

    fn running(&self, _: &str) -> Option<[Tensor; 2]> {
        let row = |values: &[f32]| Tensor::new(values, &Device::Cpu).unwrap();
        Some([row(&[0.5, 0.4, 0.6]), row(&[0.1, 0.2, 0.3])])
    }

    fn redirected(&self) -> Vec<String> {
        Vec::new()
    }
}

pub(super) fn facts() -> Arc<Facts> {
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

/// What a run told.
#[derive(Default)]
struct Told {
    frames: Vec<(usize, Take, bool, Vec<f32>)>,
    scores: Vec<(usize, usize, Scores)>,
    notes: Vec<&'static Code>,
    order: Vec<&'static str>,
    result: Option<Result<Ending, RunError>>,
}

impl Told {
    fn pictures(&self, variant: usize) -> Vec<&[f32]> {
        self.frames.iter().filter(|frame| frame.0 == variant).map(|frame| &frame.3[..]).collect()
    }

    fn error(&self) -> &NotFinite {
        match self.result.as_ref().unwrap() {
            Err(RunError::NotFinite(problem)) => problem,
            other => panic!("{other:?}"),
        }
    }
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Runs a recipe and cancels it before step `stop`.
fn told_until(recipe: &Recipe, network: &dyn Network, stop: usize) -> Told {
    told_of(recipe, &[network], stop)
}

/// The same of variants with several networks.
fn told_of(recipe: &Recipe, networks: &[&dyn Network], stop: usize) -> Told {
    let (plan, problems) = plan(recipe, &MemoryWorld::default());
    assert_eq!(problems, []);
    let plan = plan.unwrap();
    let cancel = CancelToken::new();
    let setting = Setting {
        recipe,
        networks: &vec![networks.to_vec(); plan.batches.len()],
        plan: &plan,
        photos: &|path| match path.to_str() {
            Some("mask.png") => mask(),
            Some("photo.png") => photo(),
            _ => candle_core::bail!("no photo"),
        },
        all_frames: true,
        cancel: &cancel,
    };
    let mut told = Told::default();
    if stop == 0 {
        cancel.cancel();
    }
    let result = run(&setting, &mut |event| match event {
        Event::Started { .. } => told.order.push("started"),
        Event::Step(step) => {
            told.order.push("step");
            for (variant, scores) in step.variants.iter().zip(step.scores) {
                told.scores.push((*variant, step.step, scores.clone()));
            }
            if step.done == stop {
                cancel.cancel();
            }
        }
        Event::Frame { variant, take, last, picture } => {
            told.order.push("frame");
            told.frames.push((variant, take, last, flat(picture)));
        }
        Event::Phase(_) | Event::Map { .. } | Event::Done { .. } => {}
        Event::View { .. } => told.order.push("view"),
        Event::Note { note, .. } => told.notes.push(note.code),
        Event::Finished { .. } => told.order.push("finished"),
    });
    told.result = Some(result);
    told
}

/// Columns 0 to 3 are black, 4 is gray, the rest white.
fn mask() -> candle_core::Result<Tensor> {
    let column = |x: usize| [0.0f32, 0.0, 0.0, 0.0, 0.5].get(x).copied().unwrap_or(1.0);
    Tensor::from_iter((0..3 * 81).map(|k| column(k % 9)), &Device::Cpu)?.reshape((1, 3, 9, 9))
}

fn photo() -> candle_core::Result<Tensor> {
    let value = |k: usize| 0.5 + 0.4 * libm::sinf(1.7 * k as f32);
    Tensor::from_iter((0..3 * 81).map(value), &Device::Cpu)?.reshape((1, 3, 9, 9))
}

/// A canvas of that name, with alpha or with the mask.
fn canvas_with(name: &str, alpha: bool, masked: bool) -> crate::spec::Call {
    let mut args = vec![("alpha", Arg::Switch(alpha))];
    if masked {
        args.push(("mask", Arg::File("mask.png".into())));
    }
    match name {
        "fourier" => args.push(("decay", number(1.0))),
        "pyramid" => args.push(("step", number(4.0))),
        _ => args.push(("clamp", Arg::Interval(0.0, 1.0))),
    }
    call(Kind::Canvas, name, &args)
}

fn told(recipe: &Recipe) -> Told {
    told_until(recipe, &Waves::default(), usize::MAX)
}

fn one(stages: Vec<Stage>) -> Recipe {
    recipe(vec![variant("", &facts(), stages)], vec![])
}

/// A stage in which every word acts.
fn busy(unit: usize, steps: usize) -> Stage {
    let mut stage = stage("", 9, steps);
    stage.views = 2;
    stage.terms = vec![class("out", unit, 1.0), class("out", 3, -0.25)];
    stage.transforms = vec![
        call(Kind::Transform, "jitter", &[("distance", number(2.0))]),
        call(Kind::Transform, "noise", &[("sd", number(0.1))]),
    ];
    stage.penalties = vec![
        call(Kind::Penalty, "l2", &[("weight", number(0.05)), ("around", number(0.5))]),
        call(Kind::Penalty, "tv", &[("weight", number(0.01))]),
    ];
    stage.filters = vec![scheduled(call(Kind::Filter, "median", &[("size", number(3.0))]), 3)];
    stage.optimizer = call(
        Kind::Optimizer,
        "adam",
        &[("lr", number(0.02)), ("beta1", number(0.9)), ("beta2", number(0.999)), ("epsilon", number(1e-8))],
    );
    stage
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// All frames of a variant, to the bit.
fn bits(told: &Told, variant: usize) -> Vec<Vec<u8>> {
    told.pictures(variant).into_iter().map(bytes).collect()
}

#[test]
fn a_variant_has_the_same_bytes_alone_in_a_batch_and_at_any_place() {
    let facts = facts();
    let of =
        |units: &[usize]| recipe(units.iter().map(|&unit| variant("", &facts, vec![busy(unit, 12)])).collect(), vec![]);
    let alone: Vec<_> = (0..3).map(|unit| bits(&told(&of(&[unit])), 0)).collect();
    assert_ne!(alone[0], alone[1]);
    for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
        let all = told(&of(&order));
        for (place, unit) in order.into_iter().enumerate() {
            assert!(bits(&all, place) == alone[unit], "variant {unit} at place {place}");
        }
    }
}

#[test]
fn what_a_mask_holds_stays_to_the_last_bit() {
    let photo = flat(&photo().unwrap());
    for name in ["pixels", "fourier", "pyramid"] {
        for alpha in [false, true] {
            let mut first = busy(0, 6);
            first.canvas = canvas_with(name, alpha, true);
            let image = [("file", Arg::File("photo.png".into())), ("fit", Arg::Choice("cover"))];
            first.init = call(Kind::Init, "image", &image);
            let zoom = [("zoom", number(1.1)), ("rotate", number(3.0))];
            let mirrors = [("segments", number(2.0)), ("mirror", Arg::Switch(true))];
            first.modes = vec![call(Kind::Mode, "eternal_zoom", &zoom), call(Kind::Mode, "kaleidoscope", &mirrors)];
            let second = Stage { name: "second".into(), ..first.clone() };
            let told = told(&one(vec![first, second]));
            let frames = told.pictures(0);
            assert_eq!(frames.len(), 12);
            for frame in &frames {
                for (k, value) in frame.iter().enumerate().filter(|(k, _)| k % 9 < 4) {
                    let held = photo.get(k).copied().unwrap_or(1.0);
                    assert_eq!(value.to_bits(), held.to_bits(), "{name}, alpha {alpha}, number {k}");
                }
            }
            assert!((0..9).all(|row| frames[0][9 * row + 7] != frames[11][9 * row + 7]), "{name}: nothing moves");
        }
    }
}

#[test]
fn what_a_mask_holds_is_opaque_where_alpha_begins_in_a_later_stage() {
    for name in ["pixels", "fourier", "pyramid"] {
        for masked_before in [false, true] {
            let first = Stage { canvas: canvas_with(name, false, masked_before), ..busy(0, 2) };
            let second = Stage { name: "second".into(), canvas: canvas_with(name, true, true), ..busy(0, 2) };
            let told = told(&one(vec![first, second]));
            let alpha = &told.pictures(0)[3][3 * 81..];
            let held = alpha.iter().enumerate().filter(|(k, _)| k % 9 < 4);
            assert!(held.clone().count() == 36 && held.clone().all(|(_, &alpha)| alpha == 1.0), "{name}: {alpha:?}");
            assert!(alpha[8] < 1.0, "{name}: what moves begins half clear");
        }
    }
}

#[test]
fn alpha_is_seen_over_grounds_that_no_variant_changes() {
    let facts = facts();
    for name in ["pixels", "fourier", "pyramid"] {
        let of = |units: &[usize]| {
            let stage = |unit: usize| {
                let mut stage = busy(unit, 8);
                stage.canvas = canvas_with(name, true, false);
                stage.penalties.push(call(Kind::Penalty, "opacity", &[("weight", number(1.0))]));
                stage.penalties.push(call(Kind::Penalty, "alpha_blur", &[("weight", number(0.1))]));
                stage
            };
            recipe(units.iter().map(|&unit| variant("", &facts, vec![stage(unit)])).collect(), vec![])
        };
        let (alone, both) = (told(&of(&[2])), told(&of(&[0, 2])));
        assert!(bits(&alone, 0) == bits(&both, 1), "{name}");
        for frame in alone.pictures(0) {
            assert_eq!(frame.len(), 4 * 81, "{name}");
            assert!(frame[3 * 81..].iter().all(|alpha| (0.0..=1.0).contains(alpha)), "{name}");
        }
        assert!(alone.pictures(0)[0][3 * 81..] != alone.pictures(0)[7][3 * 81..], "{name}: alpha does not move");
    }
}

/// The share of the score that an opaque picture costs, and nothing of a negative score.
#[test]
fn opacity_costs_a_share_of_what_is_maximized() {
    let scores = |weight: f64| {
        let mut stage = busy(0, 1);
        stage.terms = vec![class("out", 0, weight)];
        stage.canvas = canvas_with("pixels", true, false);
        stage.penalties = vec![call(Kind::Penalty, "opacity", &[("weight", number(3.0))])];
        told(&one(vec![stage])).scores.remove(0).2
    };
    let up = scores(1.0);
    assert!(up.activation > 0.0 && (up.penalties[0] - 3.0 * 0.5 * up.activation).abs() < 1e-4, "{up:?}");
    assert_eq!(scores(-1.0).penalties, [0.0]);
}

#[test]
fn the_same_recipe_gives_the_same_bytes_with_one_thread_and_with_four() {
    let facts = facts();
    let recipe = recipe((0..3).map(|unit| variant("", &facts, vec![busy(unit, 8)])).collect(), vec![]);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| bits(&told(&recipe), 1))
    };
    assert!(with(1) == with(4));
}

#[test]
fn files_show_the_mean_of_the_parameters_and_the_steps_go_on_from_the_parameters() {
    let averaged = |average: f64| {
        let mut stage = busy(0, 6);
        stage.optimizer.args.set("average", number(average), Span::default());
        told(&one(vec![stage.clone(), Stage { name: "b".into(), steps: 1, ..stage }]))
    };
    let (plain, shown) = (averaged(0.0), averaged(0.2));
    let mut mean: Vec<f64> = Vec::new();
    for (i, (own, shown)) in plain.pictures(0).iter().zip(shown.pictures(0)).take(6).enumerate() {
        let kept = if i == 0 { 0.0 } else { 0.2_f64.min((i + 1) as f64 / (i + 10) as f64) };
        mean.resize(own.len(), 0.0);
        mean.iter_mut().zip(*own).for_each(|(mean, &own)| *mean = kept * *mean + (1.0 - kept) * f64::from(own));
        assert!(mean.iter().zip(shown).all(|(mean, &shown)| (mean - f64::from(shown)).abs() < 1e-5), "frame {i}");
    }
    // Scores are those of the parameters; the next stage begins with their mean.
    let activation = |told: &Told, step: usize| told.scores[step].2.activation;
    assert_eq!(activation(&plain, 5), activation(&shown, 5));
    assert_ne!(activation(&plain, 6), activation(&shown, 6));
}

#[test]
fn what_needs_no_graph_moves_the_picture_as_with_one() {
    let mut direct = stage("", 9, 5);
    direct.terms = vec![class("out", 0, 1.0)];
    let numbers = |pairs: &[(&'static str, f64)]| pairs.iter().map(|(name, x)| (*name, number(*x))).collect::<Vec<_>>();
    let jitter = numbers(&[("brightness", 0.9), ("contrast", 1.1), ("saturation", 1.05), ("hue", 0.02)]);
    let place = [("rotate", 7.0), ("scale", 1.1), ("shift_x", 0.5), ("shift_y", 0.0), ("fill", 0.5)];
    let affine = numbers(&[&place[..], &[("shear_x", 0.0), ("shear_y", 3.0)]].concat());
    direct.transforms = vec![call(Kind::Transform, "color_jitter", &jitter), call(Kind::Transform, "affine", &affine)];
    direct.penalties = vec![call(Kind::Penalty, "l2", &[("weight", number(0.05)), ("around", number(0.5))])];
    // Only a graph leads back through this one, which costs nothing.
    let mut graph = direct.clone();
    graph.penalties.push(call(Kind::Penalty, "tv", &[("weight", number(0.0))]));
    let (direct, graph) = (told(&one(vec![direct])), told(&one(vec![graph])));
    let pairs = direct.pictures(0).into_iter().zip(graph.pictures(0));
    assert!(pairs.len() == 5 && pairs.into_iter().all(|(direct, graph)| near(direct, graph)));
    assert!(direct.scores.iter().zip(&graph.scores).all(|(a, b)| (a.2.loss - b.2.loss).abs() < 1e-4));
    assert_ne!(bits(&direct, 0).first(), bits(&direct, 0).last());
}

#[test]
fn seeds_give_different_pictures() {
    let mut second = variant("", &facts(), vec![busy(0, 3)]);
    second.seed = 1;
    let both = told(&recipe(vec![variant("", &facts(), vec![busy(0, 3)]), second], vec![]));
    assert_ne!(bits(&both, 0), bits(&both, 1));
}

fn sum(weight: f64) -> crate::spec::Call {
    call(Kind::Penalty, "sum", &[("weight", number(weight)), ("around", number(0.0))])
}

/// How far the first pixel moves in each iteration.
fn moves(told: &Told) -> Vec<f32> {
    told.pictures(0).windows(2).map(|pair| pair[1][0] - pair[0][0]).collect()
}

fn near(values: &[f32], expected: &[f32]) -> bool {
    values.len() == expected.len() && values.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5)
}

#[test]
fn a_tween_runs_over_its_stage_as_i_over_n_minus_1() {
    let mut first = stage("a", 4, 5);
    first.penalties = vec![sum(1.0)];
    let lr = Dial::Tween(Box::new(0.0.into()), Box::new(1.0.into()), Curve::Linear);
    first.optimizer = call(Kind::Optimizer, "sgd", &[("lr", Arg::Number(lr)), ("normalize", Arg::Choice("off"))]);
    let mut second = first.clone();
    second.name = "b".into();
    second.steps = 3;
    let told = told(&one(vec![first, second]));
    // From the first frame on: i = 1 … 4 of the first stage, then 0 … 2 of the second.
    assert!(near(&moves(&told), &[-0.25, -0.5, -0.75, -1.0, 0.0, -0.5, -1.0]), "{:?}", moves(&told));
}

#[test]
fn the_optimizer_starts_anew_in_each_stage() {
    let mut first = stage("a", 4, 3);
    first.penalties = vec![sum(1.0)];
    first.optimizer = call(Kind::Optimizer, "momentum", &[("lr", number(0.1)), ("momentum", number(1.0))]);
    let mut second = first.clone();
    second.name = "b".into();
    let told = told(&one(vec![first, second]));
    assert!(near(&moves(&told), &[-0.2, -0.3, -0.1, -0.2, -0.3]), "{:?}", moves(&told));
}

#[test]
fn the_canvas_is_resized_between_stages_and_goes_on() {
    let mut coarse = stage("coarse", 4, 1);
    coarse.init = call(Kind::Init, "uniform", &[("low", number(0.25)), ("high", number(0.25))]);
    let mut fine = stage("fine", 9, 1);
    fine.height = 7;
    let told = told(&one(vec![coarse, fine]));
    let frames = told.pictures(0);
    assert_eq!((frames[0].len(), frames[1].len()), (3 * 16, 3 * 63));
    assert!(frames[1].iter().all(|value| (value - 0.25).abs() < 1e-6));
    let steps: Vec<_> = told.scores.iter().map(|(_, step, _)| *step).collect();
    assert_eq!(steps, [0, 1]);
}

#[test]
fn filters_act_at_the_end_of_their_iterations_after_the_clamp() {
    let mut stage = stage("", 4, 7);
    stage.canvas = call(Kind::Canvas, "pixels", &[("clamp", Arg::Interval(0.0, 1.0))]);
    stage.penalties = vec![sum(-10.0)];
    stage.filters =
        vec![scheduled(call(Kind::Filter, "gaussian", &[("size", number(3.0)), ("sigma", number(1.0))]), 3)];
    let told = told(&one(vec![stage.clone()]));
    // Everything is at the upper bound at once, where a blur changes no pixel by more than a rounding.
    assert!(told.pictures(0).iter().all(|frame| frame.iter().all(|value| (value - 1.0).abs() < 1e-6)));

    stage.penalties.clear();
    let told = super::tests::told(&one(vec![stage]));
    let frames = told.pictures(0);
    let changed: Vec<_> = (1..7).filter(|&i| frames[i] != frames[i - 1]).collect();
    assert_eq!(changed, [3, 6]);
}

#[test]
fn modes_move_the_canvas_before_the_step() {
    let mut stage = stage("", 6, 3);
    let mut drift = call(Kind::Mode, "drift", &[]);
    drift.block = vec![call(Kind::Transform, "flip", &[("horizontal", number(1.0))])];
    stage.modes = vec![drift];
    let frames_of = told(&one(vec![stage]));
    let frames = frames_of.pictures(0);
    assert_ne!(frames[0], frames[1]);
    assert_eq!(frames[0], frames[2]);
    assert_eq!(frames[0][0], frames[1][5]);
}

#[test]
fn scores_are_those_before_the_step() {
    let mut stage = stage("", 4, 2);
    stage.terms = vec![class("out", 1, 2.0), class("out", 2, -1.0)];
    stage.penalties = vec![sum(0.5)];
    let told = told(&one(vec![stage]));
    let (_, _, scores) = &told.scores[0];
    let total = scores.penalties[0] - scores.activation;
    assert_eq!(scores.activation, 2.0 * scores.terms[0] - scores.terms[1]);
    assert_eq!(scores.loss, total);
    assert!(matches!(scores.probabilities[..], [Some(p)] if 0.0 < p && p < 1.0));
    let (_, _, next) = &told.scores[1];
    assert!(next.loss < scores.loss);
    assert_eq!(told.result.unwrap().unwrap().scores, [Some(next.clone())]);
}

#[test]
fn what_ran_away_is_told_by_its_place() {
    let mut stage = stage("", 4, 6);
    stage.terms = vec![class("out", 1, 1.0)];
    let term = stage.terms[0].call.span;
    let bad = Waves { bad_call: Some(3), ..Waves::default() };
    let recipe_of = |stage: &Stage| one(vec![stage.clone()]);
    let told_of = told_until(&recipe_of(&stage), &bad, usize::MAX);
    let error = told_of.error();
    assert_eq!((error.what, error.step, error.span), (Culprit::Value, 3, term));
    // What was there is kept, and the last canvas is handed out as such.
    assert_eq!(told_of.frames.len(), 4);
    assert_eq!((told_of.frames[3].1, told_of.frames[3].2), (Take { stage: 0, iteration: 2 }, true));

    stage.optimizer = call(Kind::Optimizer, "sgd", &[("lr", number(1e38)), ("normalize", Arg::Choice("off"))]);
    stage.penalties = vec![sum(1e10)];
    let told_of = told(&recipe_of(&stage));
    let error = told_of.error();
    assert_eq!((error.what, error.word, error.span), (Culprit::Canvas, "sgd", stage.optimizer.span));
    let told = told_of.result.unwrap().unwrap_err().diagnostic();
    assert_eq!(told.code, &codes::NOT_FINITE);
    assert!(told.help.unwrap().contains("lower `lr`"));

    stage.penalties = vec![call(Kind::Penalty, "l2", &[("weight", number(1e300)), ("around", number(0.5))])];
    let told_of = super::tests::told(&recipe_of(&stage));
    assert_eq!((told_of.error().word, told_of.error().span), ("l2", stage.penalties[0].span));
}

#[test]
fn a_cancelled_run_keeps_its_frames_and_hands_out_the_last_canvas() {
    let recipe = one(vec![busy(0, 20)]);
    let whole = told(&recipe);
    let part = told_until(&recipe, &Waves::default(), 7);
    assert!(part.result.as_ref().unwrap().as_ref().unwrap().cancelled);
    assert_eq!(part.scores.len(), 7);
    assert_eq!(part.frames.len(), 8);
    assert!(part.frames[7].2 && part.frames[7].3 == part.frames[6].3);
    assert!((0..7).all(|i| part.frames[i].3 == whole.frames[i].3));
    assert_eq!(part.order.last(), Some(&"finished"));
    assert!(told_until(&recipe, &Waves::default(), 0).frames.is_empty());
}

#[test]
fn a_stage_that_fails_at_once_leaves_the_last_canvas_of_the_one_before() {
    let mut coarse = stage("coarse", 4, 3);
    coarse.terms = vec![class("out", 1, 1.0)];
    let fine = Stage { name: "fine".into(), width: 9, height: 9, ..coarse.clone() };
    let recipe = one(vec![coarse, fine]);
    let bad = Waves { bad_call: Some(3), ..Waves::default() };
    let failed = told_until(&recipe, &bad, usize::MAX);
    assert_eq!(failed.error().step, 3);
    let end = (Take { stage: 0, iteration: 2 }, true, &failed.frames[2].3);
    assert_eq!(failed.frames.len(), 4);
    let (_, take, last, picture) = &failed.frames[3];
    assert_eq!((*take, *last, picture), end);
}

#[test]
fn a_start_that_cannot_move_is_told_once() {
    let mut stage = stage("", 4, 20);
    stage.terms = vec![class("out", 1, 1.0)];
    let silent = Waves { silent: true, ..Waves::default() };
    let told_of = told_until(&one(vec![stage.clone()]), &silent, usize::MAX);
    assert_eq!(told_of.notes, [&codes::NO_GRADIENT]);
    stage.steps = 2;
    assert_eq!(told_until(&one(vec![stage.clone()]), &silent, usize::MAX).notes.len(), 1);
    assert!(told(&one(vec![stage])).notes.is_empty());
}

#[test]
fn only_frames_that_a_file_shows_are_handed_out() {
    let show = |format, layout: &str, schedule| -> Render {
        render("a.gif", format, call(Kind::Layout, layout, &[]), vec![Some(schedule)])
    };
    let mut stage = stage("", 4, 9);
    stage.terms = vec![class("out", 1, 1.0)];
    let run_with = |render: Render| {
        let recipe = recipe(vec![variant("", &facts(), vec![stage.clone()])], vec![render]);
        let plan = plan(&recipe, &MemoryWorld::default()).0.unwrap();
        let network = Waves::default();
        let setting = Setting {
            recipe: &recipe,
            networks: &[vec![&network as &dyn Network]],
            plan: &plan,
            photos: &|path| match path.to_str() {
                Some("mask.png") => mask(),
                Some("photo.png") => photo(),
                _ => candle_core::bail!("no photo"),
            },
            all_frames: false,
            cancel: &CancelToken::new(),
        };
        let mut seen = Vec::new();
        run(&setting, &mut |event| match event {
            Event::Frame { take, .. } => seen.push(("frame", take.iteration)),
            Event::View { take, pictures, .. } => {
                assert_eq!(pictures.dims(), [1, 3, 4, 4]);
                seen.push(("view", take.iteration));
            }
            _ => {}
        })
        .unwrap();
        seen
    };
    let every_four = every(4, 1, usize::MAX);
    assert_eq!(run_with(show(Format::Gif, "frames", every_four)), [("frame", 1), ("frame", 5), ("frame", 8)]);
    assert_eq!(run_with(show(Format::Gif, "view", every_four)), [("view", 1), ("view", 5), ("view", 8), ("frame", 8)]);
    // The last canvas always is: variants that are done are kept for other runs.
    assert_eq!(run_with(show(Format::Csv, "frames", every_four)), [("frame", 8)]);
}

#[test]
fn means_and_deviations_are_the_models() {
    let mut stage = stage("", 4, 1);
    stage.init = call(Kind::Init, "uniform", &[("low", number(0.5)), ("high", number(0.5))]);
    let mut layer = class("x", 0, 1.0);
    layer.call = call(Kind::Objective, "layer", &[("node", Arg::Node("x".into()))]);
    stage.terms = vec![layer];
    let mut variant = variant("", &facts(), vec![stage]);
    variant.models[0].mean = [0.25, 0.5, 0.75];
    variant.models[0].std = [0.25, 0.5, 0.25];
    let told = told(&recipe(vec![variant], vec![]));
    // ((0.5 − 0.25) / 0.25)² = 1, 0, 1
    assert!((told.scores[0].2.terms[0] - 2.0 / 3.0).abs() < 1e-6);
}

/// A variant on two networks, each with a preprocessing of its own.
fn on_two(stage: Stage) -> Variant {
    let mut variant = variant("", &facts(), vec![stage]);
    variant.models.push(variant.models[0].clone());
    variant.models[1].mean = [0.25, 0.5, 0.75];
    variant.models[1].std = [0.25, 0.5, 0.25];
    variant
}

fn on_second(term: Term) -> Term {
    Term { model: 1, ..term }
}

#[test]
fn gradients_of_networks_add_up_at_what_all_of_them_saw() {
    let (first, second) = (Waves::default(), Waves { phase: 1.3, ..Waves::default() });
    let moved = |terms: Vec<Term>| -> (Vec<f32>, Scores) {
        let mut stage = busy(0, 1);
        (stage.terms, stage.penalties, stage.filters) = (terms, Vec::new(), Vec::new());
        stage.optimizer = super::tests::stage("", 9, 1).optimizer;
        let still = Stage { terms: Vec::new(), ..stage.clone() };
        let picture = |stage| {
            let told = told_of(&recipe(vec![on_two(stage)], vec![]), &[&first, &second], usize::MAX);
            (told.pictures(0)[0].to_vec(), told.scores[0].2.clone())
        };
        let ((after, scores), (before, _)) = (picture(stage), picture(still));
        (after.iter().zip(before).map(|(after, before)| after - before).collect(), scores)
    };
    // Some of the classes are silent.
    let all = |weight: f64| (0..4).map(move |unit| class("out", unit, weight));
    let (a, b): (Vec<Term>, Vec<Term>) = (all(1.0).collect(), all(-0.5).map(on_second).collect());
    // The scores stand in the order of the terms, whichever network they read.
    let both = moved(b.iter().chain(&a).cloned().collect());
    let (a, b) = (moved(a), moved(b));
    assert!(a.0 != b.0, "{:?} {:?}", a.1, b.1);
    assert!(a.0.iter().chain(&b.0).any(|way| way.abs() > 0.1));
    for (sum, (a, b)) in both.0.iter().zip(a.0.iter().zip(&b.0)) {
        assert!((sum - (a + b)).abs() < 1e-4 * (1.0 + sum.abs()), "{sum} is not {a} + {b}");
    }
    assert_eq!(both.1.terms, [b.1.terms, a.1.terms].concat());
    assert_eq!(both.1.activation, a.1.activation + b.1.activation);
    assert!(matches!(both.1.probabilities[..], [Some(_), None]));
}

#[test]
fn a_network_that_is_counted_twice_by_halves_is_the_network_alone() {
    let network = Waves::default();
    let mut alone = busy(1, 6);
    alone.terms = vec![class("out", 1, 1.0)];
    let mut halves = alone.clone();
    halves.terms = vec![class("out", 1, 0.5), on_second(class("out", 1, 0.5))];
    let mut twice = variant("", &facts(), vec![halves]);
    twice.models.push(twice.models[0].clone());
    let alone = told(&one(vec![alone]));
    let twice = told_of(&recipe(vec![twice], vec![]), &[&network, &network], usize::MAX);
    for (a, b) in alone.pictures(0).concat().iter().zip(twice.pictures(0).concat()) {
        assert!((a - b).abs() < 1e-4, "{a} {b}");
    }
}

#[test]
fn a_variant_on_two_networks_has_the_same_bytes_in_any_batch() {
    let (first, second) = (Waves::default(), Waves { phase: 1.3, ..Waves::default() });
    let of = |units: &[usize]| {
        let variants = units.iter().map(|&unit| {
            let mut stage = busy(unit, 5);
            stage.terms.push(on_second(class("out", unit, 0.5)));
            on_two(stage)
        });
        told_of(&recipe(variants.collect(), vec![]), &[&first, &second], usize::MAX)
    };
    let alone: Vec<_> = (0..2).map(|unit| bits(&of(&[unit]), 0)).collect();
    let both = of(&[1, 0]);
    assert!(bits(&both, 1) == alone[0] && bits(&both, 0) == alone[1]);
}

#[test]
fn a_network_that_only_another_stage_reads_is_not_asked() {
    let (first, second) = (Waves::default(), Waves { phase: 1.3, ..Waves::default() });
    let (mut coarse, mut fine) = (stage("coarse", 4, 2), stage("fine", 4, 3));
    coarse.terms = vec![class("out", 1, 1.0)];
    fine.terms = vec![on_second(class("out", 2, 1.0))];
    let mut variant = on_two(coarse);
    variant.stages.push(fine);
    let told = told_of(&recipe(vec![variant], vec![]), &[&first, &second], usize::MAX);
    assert_eq!(told.scores.len(), 5);
    assert_eq!([first, second].map(|network| network.calls.into_inner()), [2, 3]);
}
