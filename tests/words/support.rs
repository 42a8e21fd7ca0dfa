//! Words, made ready to run: arguments from their own descriptions, and one way to run them all.

use candle_core::{DType, Device, Result, Tensor};
use fviz::canvas::{Form, canvas};
use fviz::source::Span;
use fviz::spec::{Arg, Args, Call, Dial, Kind, Moment, Param, Presence, Spec, Type, Unit};
use fviz::words::{Against, Moments, Objective, Other, Start, registry};

/// The kinds whose words have code.
pub const WITH_CODE: [Kind; 7] =
    [Kind::Init, Kind::Objective, Kind::Transform, Kind::Penalty, Kind::Filter, Kind::Mode, Kind::Optimizer];

/// The kinds through which gradients flow.
pub const DIFFERENTIABLE: [Kind; 3] = [Kind::Objective, Kind::Transform, Kind::Penalty];

/// All words of some kinds.
pub fn words(kinds: &[Kind]) -> Vec<&'static Spec> {
    registry::all().filter(|spec| kinds.contains(&spec.kind)).collect()
}

/// The value that a default's text stands for.
pub fn parse(param: &Param, text: &str) -> Option<Arg> {
    let number = |unit: Unit| {
        let digits = text.strip_suffix(unit.suffix())?.trim_end();
        match digits.strip_suffix('%') {
            Some(hundredths) => hundredths.parse::<f64>().ok().map(|value| value / 100.0),
            None => digits.parse::<f64>().ok(),
        }
    };
    Some(match param.ty {
        Type::Number { unit, min, max } => Arg::Number(number(unit).filter(|v| (min..=max).contains(v))?.into()),
        Type::Integer { unit, min, max } => {
            let value = number(unit).filter(|v| v.fract() == 0.0 && (min as f64..=max as f64).contains(v))?;
            Arg::Number(value.into())
        }
        Type::Odd { min, max } => {
            let value = number(Unit::None).filter(|v| v % 2.0 == 1.0 && (min as f64..=max as f64).contains(v))?;
            Arg::Number(value.into())
        }
        Type::Choice(names) => Arg::Choice(names.iter().find(|name| **name == text)?),
        Type::Switch => Arg::Switch(match text {
            "on" => true,
            "off" => false,
            _ => return None,
        }),
        Type::Point if text == "center" => Arg::None,
        Type::Interval if text == "off" => Arg::None,
        Type::Word(kind) => {
            registry::find(kind, text)?;
            Arg::None
        }
        _ => return None,
    })
}

/// A value for a parameter that has no default.
fn required(param: &Param) -> Arg {
    let number = match param.name {
        "weight" => 0.05,
        "angle" => 20.0,
        "factor" => 0.8,
        "lr" => 0.1,
        "distance" => 3.0,
        "by" => 2.0,
        "side" => 0.6,
        "sigma" => 1.2,
        _ => f64::NAN,
    };
    match param.ty {
        Type::Number { .. } | Type::Integer { .. } if !number.is_nan() => Arg::Number(number.into()),
        Type::Size => Arg::Size(4, 6),
        Type::Node => Arg::Node("layer".into()),
        Type::Units(_) => Arg::Units(vec![1, 0]),
        Type::File => Arg::File("photo.png".into()),
        Type::Files => Arg::Files(vec!["photo.png".into()]),
        _ => panic!("no value for `{}`", param.name),
    }
}

/// Arguments that leave nothing neutral, so that every parameter matters.
pub fn args(spec: &Spec) -> Args {
    let mut args = Args::new();
    for param in spec.params {
        let value = match param.presence {
            Presence::Default(text) => parse(param, text).unwrap_or_else(|| panic!("default of {}", param.name)),
            Presence::Optional(_) => Arg::None,
            Presence::Required => required(param),
        };
        args = args.with(param.name, value);
    }
    match (spec.kind, spec.name) {
        (Kind::Transform, "affine") => args.with("rotate", number(20.0)).with("shift_x", number(1.3)),
        (Kind::Transform, "color_jitter") => {
            args.with("brightness", number(1.1)).with("contrast", number(0.8)).with("hue", number(0.07))
        }
        (Kind::Transform, "color_matrix") => {
            args.with("brightness", number(1.1)).with("saturation", number(0.8)).with("hue", number(0.07))
        }
        (Kind::Objective, "class") => args.with("as", Arg::Choice("margin")),
        _ => args,
    }
}

/// A constant number.
pub fn number(value: f64) -> Arg {
    Arg::Number(Dial::Constant(value))
}

/// Every word of some kinds with its usual arguments, and again with each parameter at its ends and at each choice.
pub fn cases(kinds: &[Kind]) -> Vec<(&'static Spec, String, Args)> {
    let mut cases = Vec::new();
    for spec in words(kinds) {
        cases.push((spec, "usual".to_string(), args(spec)));
        for param in spec.params {
            for (value, text) in ends(spec, param) {
                cases.push((spec, format!("{} = {text}", param.name), args(spec).with(param.name, value)));
            }
        }
    }
    cases
}

fn ends(spec: &Spec, param: &Param) -> Vec<(Arg, String)> {
    let numbers = |list: &[f64]| list.iter().map(|v| (number(*v), v.to_string())).collect::<Vec<_>>();
    match param.ty {
        // A border of a thousand pixels says no more than one larger than the picture, and takes for ever.
        Type::Integer { .. } if (spec.name, param.name) == ("pad", "by") => numbers(&[0.0, 9.0]),
        Type::Number { min, max, .. } => numbers(&[min, max]),
        Type::Integer { min, max, .. } | Type::Odd { min, max } => numbers(&[min as f64, max as f64]),
        Type::Choice(names) => names.iter().map(|name| (Arg::Choice(name), name.to_string())).collect(),
        Type::Switch => vec![(Arg::Switch(true), "on".into()), (Arg::Switch(false), "off".into())],
        Type::Size => vec![(Arg::Size(1, 1), "1x1".into()), (Arg::Size(20, 3), "20x3".into())],
        Type::Units(_) => vec![(Arg::Units(vec![2]), "2".into())],
        _ => Vec::new(),
    }
}

/// The call of a word; a mode's block holds a transform.
pub fn call(spec: &'static Spec, args: Args) -> Call {
    let bare = |spec, args| Call { spec, args, block: Vec::new(), occurrence: 0, span: Span::default() };
    let mut call = bare(spec, args);
    if spec.block {
        let affine = registry::find(Kind::Transform, "affine").unwrap();
        call.block.push(bare(affine, self::args(affine)));
    }
    call
}

/// What an objective compares an activation with.
pub fn others(word: &dyn Objective, args: &Args, tap: &Tensor) -> Vec<Other> {
    let made = |shape: &[usize], seed| random(shape, seed).to_dtype(tap.dtype()).unwrap();
    let taps = match word.against(args) {
        Against::Photos(_) => {
            let photo = [&[1][..], tap.dims().get(1..).unwrap()].concat();
            vec![word.kept(&made(&photo, 55), args).unwrap()]
        }
        Against::Running => vec![made(&[tap.dim(1).unwrap()], 55), made(&[tap.dim(1).unwrap()], 56)],
        _ => vec![made(tap.dims(), 55)],
    };
    taps.into_iter().map(|tap| Other { tap, offset: 2 }).collect()
}

/// The picture with which a canvas of pixels starts.
pub fn started(start: Start, height: usize, width: usize) -> Tensor {
    match start {
        Start::Picture(picture) => picture,
        Start::Parameters(mut normal) => {
            let form = Form { args: &Args::new(), height, width };
            canvas("pixels").unwrap().noise(form, &mut *normal).unwrap()
        }
    }
}

/// Runs a word on a picture (an init makes its own; an optimizer moves it twice along gradients of its own).
pub fn run(spec: &'static Spec, args: &Args, at: &Moment, x: &Tensor) -> Result<Tensor> {
    let name = spec.name;
    match spec.kind {
        Kind::Transform => registry::transform(name).unwrap().apply(x, args, at),
        Kind::Penalty => registry::penalty(name).unwrap().value(x, args, at),
        Kind::Objective => {
            let word = registry::objective(name).unwrap();
            word.value(x, &others(word, args, x), args, at)
        }
        Kind::Filter => registry::filter(name).unwrap().apply(x, args, at),
        Kind::Mode => registry::mode(name).unwrap().apply(x, &call(spec, args.clone()), at),
        Kind::Init => {
            let photo = random(&[1, 3, 9, 6], 77).to_dtype(DType::F32)?;
            let photos = |_: &std::path::Path| Ok(photo.clone());
            Ok(started(registry::init(name).unwrap().start(7, 8, args, at, &photos)?, 7, 8))
        }
        Kind::Optimizer => {
            let optimizer = registry::optimizer(name).unwrap();
            let mut moments = Moments::default();
            let mut x = x.clone();
            for seed in [5, 6] {
                let gradient = (random(x.dims(), seed) - 0.3)?.to_dtype(x.dtype())?;
                x = optimizer.step(&x, &gradient, &mut moments, args, at)?;
            }
            Ok(x)
        }
        other => panic!("a {} has no code", other.noun()),
    }
}

/// Numbers in 0..1, f64, that a seed decides.
pub fn random(shape: &[usize], seed: u64) -> Tensor {
    let mut rng = Moment { seed, ..Moment::still(Kind::Init, "uniform") }.rng("test");
    let values: Vec<f64> = (0..shape.iter().product()).map(|_| rng.uniform()).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

/// A picture whose values leave 0..1 a little.
pub fn picture(shape: &[usize], seed: u64) -> Tensor {
    random(shape, seed).affine(1.4, -0.2).unwrap()
}

/// All values, as f64.
pub fn values(x: &Tensor) -> Vec<f64> {
    x.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// Asserts equal shapes and values that differ by at most `tolerance`.
#[track_caller]
pub fn assert_close(found: &Tensor, expected: &Tensor, tolerance: f64, what: &str) {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    for (i, (a, b)) in values(found).iter().zip(values(expected)).enumerate() {
        assert!((a - b).abs() <= tolerance, "{what}: number {i} is {a}, expected {b}");
    }
}
