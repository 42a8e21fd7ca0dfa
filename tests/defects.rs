//! Defects that were found in other tools of the field, one test each: what would show them here.

use std::collections::BTreeSet;

use candle_core::{Device, Result, Tensor};
use fviz::check::{Input, Recipe, check};
use fviz::run::Event;
use fviz::session::{News, Options, Session};
use fviz::source::{MemoryWorld, SystemWorld};
use fviz::spec::{Arg, Args, Call, Dial, Kind, Moment, Presence};
use fviz::store::WeightStore;
use fviz::words::registry;

fn recipe(body: &str) -> Recipe {
    let input = Input { stem: "a".into(), text: format!("fviz 1\n{body}\n"), ..Input::default() };
    let found = check(&input, &MemoryWorld::default());
    assert!(found.recipe.is_some(), "{body}: {:?}", found.diagnostics);
    found.recipe.unwrap()
}

fn range(low: f64, high: f64) -> Arg {
    Arg::Number(Dial::Range(Box::new(low.into()), Box::new(high.into())))
}

/// Bytes of the canvas after each step, and how many steps there were.
fn canvases(body: &str) -> (Vec<Vec<f32>>, usize) {
    let (mut frames, mut steps) = (Vec::new(), 0);
    let options = Options { all_frames: true, ..Options::default() };
    let world = SystemWorld::default();
    let ran = Session::new(WeightStore::from_env()).run(&recipe(body), &world, &options, &mut |news| match news {
        News::Run(Event::Frame { picture, .. }) => frames.push(picture.flatten_all().unwrap().to_vec1().unwrap()),
        News::Run(Event::Step(_)) => steps += 1,
        _ => {}
    });
    assert!(ran.is_ok());
    (frames, steps)
}

/// xplique multiplies the running total by each weight: 1a + 3b − 5c becomes ((1a + b) · 3 + c) · (−5).
#[test]
fn weights_of_a_sum_belong_to_their_own_terms() {
    let weights = |objective: &str| -> Vec<f64> {
        let recipe = recipe(&format!("maximize {objective}"));
        recipe.variants[0].stages[0].terms.iter().map(|term| term.weight.at(0.0, 0.0)).collect()
    };
    assert_eq!(weights("1 * class(0) + 3 * class(1) - 5 * class(2)"), [1.0, 3.0, -5.0]);
    assert_eq!(weights("2 * (class(0) - 3 * (class(1) + class(2)) / 4)"), [2.0, -1.5, -1.5]);
    assert_eq!(weights("-(class(0) - class(1))"), [-1.0, 1.0]);
}

/// Horama draws sides from 0.25 to 0.30 where it states 0.20 to 0.25.
#[test]
fn a_crop_has_the_size_that_was_asked_for() -> Result<()> {
    let word = registry::transform("random_crop").unwrap();
    // A picture that grows by 1 from column to column, so that a window tells its own width.
    let columns = Tensor::arange(0f64, 100.0, &Device::Cpu)?.reshape((1, 1, 1, 100))?;
    let picture = columns.broadcast_as((1, 3, 100, 100))?.contiguous()?;
    let args = Args::new().with("side", range(0.2, 0.25)).with("spread", Arg::Number(0.15.into()));
    let mut widths = BTreeSet::new();
    for iteration in 0..300 {
        let at = Moment { iteration, ..Moment::still(Kind::Transform, "random_crop") };
        let seen = word.apply(&picture, &args, &at)?.flatten_all()?.to_vec1::<f64>()?;
        let (first, last) = (seen[0], seen[99]);
        assert!(first >= 0.0 && last <= 99.0);
        widths.insert((last - first + 1.0).round() as usize);
    }
    assert!(widths.iter().all(|width| (20..=25).contains(width)) && widths.len() >= 5, "{widths:?}");
    Ok(())
}

/// lucent shifts to one side only and fills with black.
#[test]
fn jitter_goes_to_both_sides_and_fills_with_gray() -> Result<()> {
    let word = registry::transform("jitter").unwrap();
    let default = |name: &str| word.spec().param(name).map(|param| param.presence);
    assert_eq!(
        (default("edge"), default("fill")),
        (Some(Presence::Default("constant")), Some(Presence::Default("0.5")))
    );
    let picture = Tensor::ones((1, 3, 9, 9), candle_core::DType::F64, &Device::Cpu)?;
    let args = Args::new().with("distance", Arg::Number(3.0.into())).with("edge", Arg::Choice("constant"));
    let args = args.with("fill", Arg::Number(0.5.into()));
    let (mut sides, mut values) = (BTreeSet::new(), BTreeSet::new());
    for iteration in 0..200 {
        let at = Moment { iteration, ..Moment::still(Kind::Transform, "jitter") };
        let seen = word.apply(&picture, &args, &at)?.flatten_all()?.to_vec1::<f64>()?;
        values.extend(seen.iter().map(|v| (v * 10.0) as i64));
        let row = &seen[9 * 4..9 * 5];
        let (left, right) =
            (row.iter().take_while(|v| **v != 1.0).count(), row.iter().rev().take_while(|v| **v != 1.0).count());
        sides.insert(left as i64 - right as i64);
    }
    assert_eq!(sides, (-3..=3).collect());
    assert_eq!(values, BTreeSet::from([5, 10]));
    Ok(())
}

/// lucid runs a step more than it says, and takes π for 3.14.
#[test]
fn steps_and_angles_are_what_they_say() -> Result<()> {
    let (frames, steps) = canvases("canvas 32x32\nmaximize class(0)\noptimize adam for 7 steps");
    assert_eq!((frames.len(), steps), (7, 7));
    let rotate = registry::transform("rotate").unwrap();
    let picture = Tensor::arange(0f64, 192.0, &Device::Cpu)?.reshape((1, 3, 8, 8))?;
    let args = Args::new().with("angle", Arg::Number(360.0.into())).with("sample", Arg::Choice("bilinear"));
    let turned = rotate.apply(&picture, &args, &Moment::still(Kind::Transform, "rotate"))?;
    let apart = (turned - picture)?.abs()?.max_all()?.to_scalar::<f64>()?;
    assert!(apart < 1e-9, "{apart}");
    Ok(())
}

/// tf-keras-vis moves the canvas itself a little at each step, without a word.
#[test]
fn transforms_leave_the_canvas_alone() {
    let still = "canvas 32x32\nmaximize class(0)\noptimize sgd(lr = 0) for 3 steps";
    let (alone, _) = canvases(still);
    let moved =
        "transform { affine(rotate = ±30deg) ; jitter(4px) ; flip(50%) ; noise(0.1) ; color_matrix(hue = ±0.1) }";
    let (seen, _) = canvases(&format!("{still}\n{moved}"));
    assert!(alone == seen && alone[0] == alone[2]);
}

/// pytorch-deepdream multiplies a zoom by 30/fps: at 60 fps it zooms out. A zoom is a power.
#[test]
fn two_zooms_are_their_product() -> Result<()> {
    let word = registry::mode("eternal_zoom").unwrap();
    // A slope: zooming about the centre divides it, whatever the resampling.
    let columns = Tensor::arange(0f64, 33.0, &Device::Cpu)?.reshape((1, 1, 1, 33))?;
    let picture = columns.broadcast_as((1, 3, 33, 33))?.contiguous()?;
    let zoomed = |picture: &Tensor, zoom: f64| {
        let args = Args::new().with("zoom", Arg::Number(zoom.into()));
        let spec = word.spec();
        let call = Call { spec, args, block: Vec::new(), occurrence: 0, span: Default::default() };
        word.apply(picture, &call, &Moment::still(Kind::Mode, "eternal_zoom"))
    };
    let twice = zoomed(&zoomed(&picture, 1.1)?, 1.1)?;
    let once = zoomed(&picture, 1.21)?;
    let middle = |x: &Tensor| x.narrow(2, 12, 9)?.narrow(3, 12, 9)?.contiguous();
    let apart = (middle(&twice)? - middle(&once)?)?.abs()?.max_all()?.to_scalar::<f64>()?;
    assert!(apart < 1e-6, "{apart}");
    Ok(())
}

/// lucid's own source calls a wrong range of the input the most common fault of all: here it belongs to the model.
#[test]
fn preprocessing_comes_with_the_model() {
    let model = |text: &str| recipe(&format!("model {text}\nmaximize class(0)")).variants[0].models[0].clone();
    assert_eq!(model("resnet18").mean, [0.485, 0.456, 0.406]);
    assert_eq!((model("resnet18(input = raw)").mean, model("resnet18(input = raw)").std), ([0.0; 3], [1.0; 3]));
}
