//! What holds for every word: exact gradients, parameters that act, draws that depend on their key alone.

use candle_core::{Result, Tensor, Var};
use fviz::spec::{Arg, Args, Curve, Dial, Kind, Moment, Param, Spec, Type};
use fviz::words::{Sizes, registry};

use crate::support::*;

/// Asserts that the gradient of Σ weights · op(x) is that of central differences.
fn check_gradient(what: &str, op: impl Fn(&Tensor) -> Result<Tensor>, x: &Tensor) {
    let weights = random(op(x).unwrap().dims(), 99).affine(2.0, -1.0).unwrap();
    let loss = |x: &Tensor| (op(x)? * &weights)?.sum_all();
    let variable = Var::from_tensor(x).unwrap();
    let found = match loss(&variable).unwrap().backward().unwrap().get(&variable) {
        Some(gradient) => values(gradient),
        None => vec![0.0; x.elem_count()],
    };
    let start = values(x);
    let at = |i: usize, step: f64| {
        let mut moved = start.clone();
        moved[i] += step;
        let moved = Tensor::from_vec(moved, x.dims(), x.device()).unwrap();
        loss(&moved).unwrap().to_scalar::<f64>().unwrap()
    };
    const STEP: f64 = 1e-6;
    let expected: Vec<f64> = (0..start.len()).map(|i| (at(i, STEP) - at(i, -STEP)) / (2.0 * STEP)).collect();
    let greatest = expected.iter().fold(1.0f64, |greatest, v| greatest.max(v.abs()));
    // What differences of such numbers can't tell.
    let rounding = 1e-15 * loss(x).unwrap().to_scalar::<f64>().unwrap().abs() / STEP;
    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert!(
            (found - expected).abs() <= 2e-7 * greatest + rounding,
            "{what}: number {i} is {found}, by differences {expected}"
        );
    }
}

/// Words that leave every picture as it is and act on what comes back.
const ACT_ON_GRADIENTS: [&str; 1] = ["smooth_gradient"];

/// What a word makes of a picture, or of a gradient.
fn effect(spec: &'static Spec, args: &Args, at: &Moment, x: &Tensor) -> Result<Tensor> {
    if !ACT_ON_GRADIENTS.contains(&spec.name) {
        return run(spec, args, at, x);
    }
    let x = Var::from_tensor(x)?;
    let loss = (run(spec, args, at, &x)? * random(x.dims(), 99))?.sum_all()?;
    Ok(loss.backward()?.remove(&x).unwrap())
}

#[test]
fn gradients_are_those_of_differences() {
    for (spec, text, args) in
        cases(&DIFFERENTIABLE).into_iter().filter(|(spec, ..)| !ACT_ON_GRADIENTS.contains(&spec.name))
    {
        let at = Moment { seed: 3, ..Moment::still(spec.kind, spec.name) };
        for size in [[2, 3, 7, 5], [2, 3, 8, 8]] {
            let what = format!("{} {} on {size:?}", spec.name, text);
            check_gradient(&what, |x| run(spec, &args, &at, x), &picture(&size, 1));
        }
    }
}

#[test]
fn gradients_of_an_input_used_twice_add_up() {
    for spec in words(&DIFFERENTIABLE).into_iter().filter(|spec| !ACT_ON_GRADIENTS.contains(&spec.name)) {
        let (args, at) = (args(spec), Moment { seed: 3, ..Moment::still(spec.kind, spec.name) });
        let again = Moment { view: 1, ..at.clone() };
        let twice = |x: &Tensor| -> Result<Tensor> {
            let (one, two) = (run(spec, &args, &at, x)?, run(spec, &args, &again, &x.affine(0.9, 0.03)?)?);
            (one * 0.7)? + (two.sqr()? + x.sqr()?.mean_all()?.broadcast_as(two.dims())?)?
        };
        check_gradient(&format!("{} twice", spec.name), twice, &picture(&[2, 3, 7, 5], 2));
    }
}

#[test]
fn objectives_read_nodes_without_positions() {
    for spec in words(&[Kind::Objective]) {
        let (args, at) = (args(spec), Moment::still(spec.kind, spec.name));
        check_gradient(spec.name, |x| run(spec, &args, &at, x), &picture(&[2, 4], 4));
    }
}

#[test]
fn every_word_runs_with_every_parameter_at_its_ends() {
    for (spec, text, args) in cases(&WITH_CODE) {
        let at = Moment { seed: 3, ..Moment::still(spec.kind, spec.name) };
        let result = run(spec, &args, &at, &picture(&[1, 3, 7, 8], 1)).unwrap();
        assert!(values(&result).iter().all(|v| v.is_finite()), "{} {text}", spec.name);
        if matches!(spec.kind, Kind::Filter | Kind::Mode | Kind::Init | Kind::Optimizer) {
            assert_eq!(result.dims(), [1, 3, 7, 8], "{} {text}", spec.name);
        }
    }
}

/// Values that a number may have.
fn candidates(param: &Param) -> Vec<f64> {
    let (min, max, whole) = match param.ty {
        Type::Number { min, max, .. } => (min, max, false),
        Type::Integer { min, max, .. } => (min as f64, max as f64, true),
        _ => panic!("`{}` is no number", param.name),
    };
    let usual = [0.0, 0.5, 1.0, 3.0, 20.0, min, max];
    usual.into_iter().filter(|v| (min..=max).contains(v) && (!whole || v.fract() == 0.0)).collect()
}

/// Two values between which a parameter makes a difference.
fn telling_pair(spec: &'static Spec, param: &Param, at: &Moment, x: &Tensor) -> (f64, f64) {
    let of = |v: f64| values(&effect(spec, &args(spec).with(param.name, number(v)), at, x).unwrap());
    let candidates = candidates(param);
    for a in &candidates {
        for b in &candidates {
            if of(*a) != of(*b) {
                return (*a, *b);
            }
        }
    }
    panic!("`{}` of {} changes nothing", param.name, spec.name)
}

#[test]
fn what_can_be_tweened_is() {
    for spec in words(&WITH_CODE) {
        for param in spec.params.iter().filter(|param| param.animates) {
            let still = Moment { seed: 3, ..Moment::still(spec.kind, spec.name) };
            let x = picture(&[1, 3, 7, 8], 1);
            let (a, b) = telling_pair(spec, param, &still, &x);
            let tween = Dial::Tween(Box::new(a.into()), Box::new(b.into()), Curve::Linear);
            let tweened = args(spec).with(param.name, Arg::Number(tween));
            for (progress, value) in [(0.0, a), (0.5, (a + b) / 2.0), (1.0, b)] {
                let at = Moment { progress, ..still.clone() };
                let expected = effect(spec, &args(spec).with(param.name, number(value)), &at, &x).unwrap();
                let found = effect(spec, &tweened, &at, &x).unwrap();
                assert_close(&found, &expected, 1e-9, &format!("{} of {} at {progress}", param.name, spec.name));
            }
        }
    }
}

#[test]
fn what_can_be_drawn_is_and_its_moment_alone_decides() {
    for spec in words(&WITH_CODE) {
        for param in spec.params.iter().filter(|param| param.draws) {
            let still = Moment { seed: 3, ..Moment::still(spec.kind, spec.name) };
            let x = picture(&[1, 3, 7, 8], 1);
            let (a, b) = telling_pair(spec, param, &still, &x);
            let drawn = args(spec).with(param.name, Arg::Number(Dial::Range(Box::new(a.into()), Box::new(b.into()))));
            let of = |at: &Moment| values(&effect(spec, &drawn, at, &x).unwrap());
            let first = of(&still);
            assert_eq!(first, of(&still.clone()), "{} of {}", param.name, spec.name);
            let others = (1..9).map(|iteration| of(&Moment { iteration, ..still.clone() }));
            assert!(others.into_iter().any(|other| other != first), "{} of {}", param.name, spec.name);
        }
    }
}

#[test]
fn a_picture_is_transformed_alike_alone_and_in_a_batch() {
    for (spec, text, args) in cases(&[Kind::Transform]) {
        let at = Moment { seed: 3, ..Moment::still(spec.kind, spec.name) };
        let batch = picture(&[3, 3, 7, 8], 1);
        let together = run(spec, &args, &at, &batch).unwrap();
        for i in 0..3 {
            let alone = run(spec, &args, &at, &batch.narrow(0, i, 1).unwrap()).unwrap();
            let found = together.narrow(0, i, 1).unwrap();
            assert_eq!(values(&found), values(&alone), "{} {text}", spec.name);
        }
    }
}

#[test]
fn sizes_are_those_that_come_out() {
    for (spec, text, args) in cases(&[Kind::Transform]) {
        let transform = registry::transform(spec.name).unwrap();
        let at = Moment { seed: 3, ..Moment::still(spec.kind, spec.name) };
        for (height, width) in [(7, 8), (11, 5)] {
            let sizes = transform.sizes(&args, Sizes { least: (height, width), most: (height, width) });
            let (_, _, h, w) = run(spec, &args, &at, &picture(&[1, 3, height, width], 1)).unwrap().dims4().unwrap();
            assert_eq!(sizes, Sizes { least: (h, w), most: (h, w) }, "{} {text}", spec.name);
        }
    }
}

#[test]
fn identities_change_nothing() {
    let mut found = 0;
    for spec in words(&[Kind::Transform]) {
        let transform = registry::transform(spec.name).unwrap();
        let neutral = spec.params.iter().fold(args(spec), |args, param| match (spec.name, param.name) {
            (_, "scale" | "factor" | "brightness" | "contrast" | "saturation") => args.with(param.name, number(1.0)),
            (_, "fill") => args,
            (_, _) if args.dial(param.name).is_some() => args.with(param.name, number(0.0)),
            _ => args,
        });
        assert!(!transform.is_identity(&args(spec)), "{}", spec.name);
        if transform.is_identity(&neutral) {
            let (at, x) = (Moment::still(spec.kind, spec.name), picture(&[1, 3, 7, 8], 1));
            assert_eq!(values(&run(spec, &neutral, &at, &x).unwrap()), values(&x), "{}", spec.name);
            found += 1;
        }
    }
    assert_eq!(found, 11, "all but crop, random_crop and resize");
}

#[test]
fn threads_change_nothing() {
    for (spec, text, args) in cases(&[Kind::Transform, Kind::Filter, Kind::Mode]) {
        if args.file("file").is_some() {
            continue;
        }
        let at = Moment { seed: 3, ..Moment::still(spec.kind, spec.name) };
        let x = picture(&[2, 3, 40, 37], 1).to_dtype(candle_core::DType::F32).unwrap();
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let x = Var::from_tensor(&x).unwrap();
                let result = run(spec, &args, &at, &x).unwrap();
                let gradient = result.sqr().unwrap().sum_all().unwrap().backward().unwrap();
                (values(&result), gradient.get(&x).map(values))
            })
        };
        assert_eq!(with(1), with(3), "{} {text}", spec.name);
    }
}
