//! What the documentation of a word says that it does.

use std::collections::BTreeSet;

use candle_core::{DType, Device, Tensor, Var};
use fviz::spec::{Arg, Args, Coordinate, Kind, Moment, Point};
use fviz::words::{Moments, Other, registry};

use crate::support::*;

fn apply(kind: Kind, name: &str, change: impl Fn(Args) -> Args, x: &Tensor) -> Tensor {
    apply_at(kind, name, change, x, &Moment::still(kind, registry::find(kind, name).unwrap().name))
}

fn apply_at(kind: Kind, name: &str, change: impl Fn(Args) -> Args, x: &Tensor, at: &Moment) -> Tensor {
    let spec = registry::find(kind, name).unwrap();
    run(spec, &change(args(spec)), at, x).unwrap()
}

/// One bright pixel, at (x, y) of 9 by 9.
fn dot(x: usize, y: usize) -> Tensor {
    let mut values = vec![0.0; 3 * 81];
    (0..3).for_each(|c| values[81 * c + 9 * y + x] = 1.0);
    Tensor::from_vec(values, (1, 3, 9, 9), &Device::Cpu).unwrap()
}

/// Where the brightest pixel is.
fn brightest(picture: &Tensor) -> (usize, usize) {
    let (_, _, _, width) = picture.dims4().unwrap();
    let red = values(&picture.narrow(1, 0, 1).unwrap());
    let at = (0..red.len()).max_by(|a, b| red[*a].total_cmp(&red[*b])).unwrap();
    (at % width, at / width)
}

#[test]
fn angles_are_counter_clockwise_shifts_right_and_down_zooms_in() {
    let turned = apply(Kind::Transform, "rotate", |args| args.with("angle", number(90.0)), &dot(7, 4));
    assert_eq!(brightest(&turned), (4, 1), "right of the centre goes above it");
    let zoomed = apply(Kind::Transform, "scale", |args| args.with("factor", number(2.0)), &dot(5, 4));
    assert_eq!(brightest(&zoomed), (6, 4));
    let still = |args: Args| args.with("rotate", number(0.0)).with("shift_x", number(0.0));
    let shifted = apply(
        Kind::Transform,
        "affine",
        |args| still(args).with("shift_x", number(2.0)).with("shift_y", number(1.0)),
        &dot(4, 4),
    );
    assert_eq!(brightest(&shifted), (6, 5));
    let sheared = apply(Kind::Transform, "affine", |args| still(args).with("shear_x", number(45.0)), &dot(4, 1));
    assert_eq!(brightest(&sheared), (7, 1), "the upper half leans to the right");
    let sheared = apply(Kind::Transform, "affine", |args| still(args).with("shear_y", number(45.0)), &dot(7, 4));
    assert_eq!(brightest(&sheared), (7, 1), "the right half leans upwards");
    let moved = apply(
        Kind::Mode,
        "eternal_zoom",
        |args| args.with("zoom", number(2.0)).with("rotate", number(90.0)).with("drift_x", number(1.0)),
        &dot(5, 4),
    );
    assert_eq!(brightest(&moved), (5, 2));
}

#[test]
fn a_gray_picture_against_gray_has_no_rim() {
    let gray = Tensor::full(0.5f32, (1, 3, 9, 9), &Device::Cpu).unwrap();
    for sample in ["nearest", "bilinear", "bicubic"] {
        let set = |args: Args| args.with("angle", number(33.0)).with("sample", Arg::Choice(sample));
        assert_close(&apply(Kind::Transform, "rotate", set, &gray), &gray, 1e-7, sample);
    }
}

#[test]
fn bicubic_leaves_parabolas_as_they_are() {
    let (height, width) = (21, 17);
    let paint = |value: &dyn Fn(f64, f64) -> f64| {
        let plane = (0..height * width).map(|i| value((i % width) as f64, (i / width) as f64));
        let plane = Tensor::from_iter(plane, &Device::Cpu).unwrap().reshape((1, 1, height, width)).unwrap();
        plane.broadcast_as((1, 3, height, width)).unwrap().contiguous().unwrap()
    };
    let parabola = |x: f64, y: f64| 0.3 + 0.02 * x - 0.01 * y + 0.003 * x * x - 0.002 * x * y + 0.001 * y * y;
    let zoom = 1.07;
    let zoomed = apply(Kind::Mode, "eternal_zoom", |args| args.with("zoom", number(zoom)), &paint(&parabola));
    let from = |v: f64, centre: f64| (v - centre) / zoom + centre;
    let expected = paint(&|x, y| parabola(from(x, 8.0), from(y, 10.0)));
    let inner = |x: &Tensor| x.narrow(2, 3, 15).unwrap().narrow(3, 3, 11).unwrap();
    assert_close(&inner(&zoomed), &inner(&expected), 1e-12, "eternal_zoom");
}

#[test]
fn jitter_goes_both_ways_and_mixes_nothing() {
    let picture = dot(4, 4);
    let seen: BTreeSet<_> = (0..300)
        .map(|iteration| {
            let at = Moment { iteration, ..Moment::still(Kind::Transform, "jitter") };
            let set = |args: Args| args.with("distance", number(2.0)).with("fill", number(0.0));
            let moved = apply_at(Kind::Transform, "jitter", set, &picture, &at);
            assert_eq!(values(&moved).iter().filter(|v| **v == 1.0).count(), 3);
            brightest(&moved)
        })
        .collect();
    let all: BTreeSet<_> = (2..=6).flat_map(|x| (2..=6).map(move |y| (x, y))).collect();
    assert_eq!(seen, all);
}

#[test]
fn jitter_can_wrap() {
    let picture = picture(&[1, 3, 5, 6], 3);
    for iteration in 0..20 {
        let at = Moment { iteration, ..Moment::still(Kind::Transform, "jitter") };
        let set = |args: Args| args.with("distance", number(9.0)).with("edge", Arg::Choice("wrap"));
        let mut moved = values(&apply_at(Kind::Transform, "jitter", set, &picture, &at));
        let mut all = values(&picture);
        moved.sort_by(f64::total_cmp);
        all.sort_by(f64::total_cmp);
        assert_eq!(moved, all);
    }
}

#[test]
fn crops_lie_anywhere_or_in_the_middle() {
    let picture = Tensor::arange(0.0, 48.0, &Device::Cpu).unwrap().reshape((1, 1, 6, 8)).unwrap();
    let picture = picture.broadcast_as((1, 3, 6, 8)).unwrap().contiguous().unwrap();
    let first = |at: &Moment, place| {
        let set = |args: Args| args.with("size", Arg::Size(6, 3)).with("place", Arg::Choice(place));
        values(&apply_at(Kind::Transform, "crop", set, &picture, at))[0] as usize
    };
    let moments = (0..200).map(|iteration| Moment { iteration, ..Moment::still(Kind::Transform, "crop") });
    let seen: BTreeSet<_> = moments.map(|at| first(&at, "random")).collect();
    assert_eq!(seen, [0, 1, 2, 8, 9, 10, 16, 17, 18, 24, 25, 26].into());
    assert_eq!(first(&Moment::still(Kind::Transform, "crop"), "center"), 9);
}

#[test]
fn flips_happen_as_often_as_said() {
    let picture = dot(1, 2);
    let count = |chance: f64| {
        let flipped = |iteration| {
            let at = Moment { iteration, ..Moment::still(Kind::Transform, "flip") };
            let set = |args: Args| args.with("horizontal", number(chance)).with("vertical", number(1.0));
            match brightest(&apply_at(Kind::Transform, "flip", set, &picture, &at)) {
                (7, 6) => 1,
                (1, 6) => 0,
                other => panic!("{other:?}"),
            }
        };
        (0..400).map(flipped).sum::<i32>()
    };
    assert_eq!((count(0.0), count(1.0)), (0, 400));
    assert!((70..130).contains(&count(0.25)), "{}", count(0.25));
}

#[test]
fn noise_has_its_deviation() {
    let gray = Tensor::full(0.5f64, (1, 3, 60, 60), &Device::Cpu).unwrap();
    let noisy = values(&apply(Kind::Transform, "noise", |args| args.with("sd", number(0.2)), &gray));
    let n = noisy.len() as f64;
    let mean = noisy.iter().sum::<f64>() / n;
    let sd = (noisy.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n).sqrt();
    assert!((mean - 0.5).abs() < 0.01 && (sd - 0.2).abs() < 0.01, "{mean} {sd}");
}

#[test]
fn colours_change_in_every_order() {
    let picture = picture(&[1, 3, 4, 4], 5);
    let set = |args: Args| {
        let all = [("brightness", 1.3), ("contrast", 1.4), ("saturation", 0.6), ("hue", 0.2)];
        all.into_iter().fold(args, |args, (name, value)| args.with(name, number(value)))
    };
    let seen: BTreeSet<Vec<u64>> = (0..400)
        .map(|iteration| {
            let at = Moment { iteration, ..Moment::still(Kind::Transform, "color_jitter") };
            let colored = values(&apply_at(Kind::Transform, "color_jitter", set, &picture, &at));
            colored.iter().map(|v| (v * 1e9).round().to_bits()).collect()
        })
        .collect();
    assert!((20..=24).contains(&seen.len()), "{} orders tell apart", seen.len());
}

#[test]
fn a_hue_leaves_gray_alone_and_makes_green_of_red() {
    let only = |turns: f64| {
        move |args: Args| {
            let parts = ["brightness", "contrast", "saturation"];
            parts.iter().fold(args, |args, part| args.with(part, number(1.0))).with("hue", number(turns))
        }
    };
    let red = Tensor::new(&[0.9f64, 0.1, 0.1], &Device::Cpu).unwrap().reshape((1, 3, 1, 1)).unwrap();
    let green = apply(Kind::Transform, "color_jitter", only(1.0 / 3.0), &red);
    assert_close(&green.flatten_all().unwrap(), &Tensor::new(&[0.1f64, 0.9, 0.1], &Device::Cpu).unwrap(), 1e-12, "");
    let gray = candle_core::Var::from_tensor(&Tensor::full(0.4f64, (1, 3, 2, 2), &Device::Cpu).unwrap()).unwrap();
    let same = apply(Kind::Transform, "color_jitter", only(0.3), &gray);
    assert_close(&same, &gray, 0.0, "gray");
    let gradient = same.sum_all().unwrap().backward().unwrap().remove(&gray).unwrap();
    assert_close(&gradient, &gradient.ones_like().unwrap(), 0.0, "no hue, no gradient to it");
}

#[test]
fn penalties_are_weighted_sums_and_flat_gray_costs_nothing() {
    let picture = random(&[1, 3, 4, 5], 8);
    let v = values(&picture);
    let weigh = |args: Args| args.with("weight", number(2.0));
    let value = |name: &str| values(&apply(Kind::Penalty, name, weigh, &picture))[0];
    let sum = |f: fn(f64) -> f64| 2.0 * v.iter().map(|v| f(v - 0.5)).sum::<f64>();
    assert!((value("l2") - sum(|d| d * d)).abs() < 1e-12);
    assert!((value("l1") - sum(f64::abs)).abs() < 1e-12);
    assert!((value("sum") - sum(|d| d)).abs() < 1e-12);
    let mut variation = 0.0;
    for (i, own) in v.iter().enumerate() {
        if i % 5 < 4 {
            variation += (v[i + 1] - own).abs();
        }
        if i % 20 < 15 {
            variation += (v[i + 5] - own).abs();
        }
    }
    assert!((value("tv") - 2.0 * variation).abs() < 1e-12);
    let gray = candle_core::Var::from_tensor(&Tensor::full(0.5f32, (1, 3, 4, 5), &Device::Cpu).unwrap()).unwrap();
    for name in ["l1", "l2", "tv"] {
        let cost = apply(Kind::Penalty, name, weigh, &gray);
        let gradient = cost.backward().unwrap().remove(&gray).unwrap();
        assert!(values(&cost)[0] == 0.0 && values(&gradient).iter().all(|g| *g == 0.0), "{name}");
    }
}

#[test]
fn penalties_of_powers_rims_and_detail() {
    let x = picture(&[1, 3, 4, 5], 3);
    let all = values(&x);
    let value = |name: &str, change: &dyn Fn(Args) -> Args| {
        let weigh = |args: Args| change(args.with("weight", number(2.0)));
        values(&apply(Kind::Penalty, name, weigh, &x))[0]
    };
    let same = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}");
    for power in [2, 3, 6] {
        let powers = all.iter().map(|v| libm::pow((v - 0.5).abs(), f64::from(power)));
        same(value("lp", &|args| args.with("power", number(power.into()))), 2.0 * powers.sum::<f64>());
    }
    // All but the six middle values of each channel lie within one pixel of the rim.
    let rim = |p: usize| !(1..3).contains(&(p % 20 / 5)) || !(1..4).contains(&(p % 5));
    let squares = all.iter().enumerate().filter(|(p, _)| rim(*p)).map(|(_, v)| (v - 0.5) * (v - 0.5));
    same(value("boundary", &|args| args.with("width", number(1.0))), 2.0 * squares.sum::<f64>());
    // A slope has no detail but at its ends; a checkerboard is nothing else, so all but its mean is lost.
    let board = (0..48).map(|p| ((p / 4 + p) % 2) as f64).collect::<Vec<_>>();
    let board = Tensor::from_vec(board, (1, 3, 4, 4), &Device::Cpu).unwrap();
    let weigh = |args: Args| args.with("weight", number(1.0)).with("sigma", number(3.0));
    let cost = values(&apply(Kind::Penalty, "high_frequency", weigh, &board))[0];
    assert!((cost - 48.0 * 0.25).abs() < 0.2, "{cost}");
    let step = Tensor::from_vec(vec![0.0, 3.0, 4.0, 0.0], (1, 1, 2, 2), &Device::Cpu).unwrap();
    let isotropic = |args: Args| args.with("weight", number(1.0)).with("isotropic", Arg::Switch(true));
    // (0, 0): 3 across and 4 down make 5; (1, 0): 3 down; (0, 1): 4 across.
    assert!((values(&apply(Kind::Penalty, "tv", isotropic, &step))[0] - 12.0).abs() < 1e-4);
}

#[test]
fn objectives_are_means() {
    let tap = picture(&[2, 4, 5, 6], 9);
    let v = |n: usize, c: usize, y: usize, x: usize| values(&tap)[((n * 4 + c) * 5 + y) * 6 + x];
    let value = |name: &str, change: &dyn Fn(Args) -> Args| values(&apply(Kind::Objective, name, change, &tap))[0];
    let same = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
    let unit = |args: Args| args.with("units", Arg::Units(vec![2]));
    same(value("neuron", &unit), (v(0, 2, 2, 3) + v(1, 2, 2, 3)) / 2.0);
    let corner = Point { x: Coordinate::Cell(5), y: Coordinate::Share(0.5) };
    let at = |args: Args| args.with("units", Arg::Units(vec![1, 3])).with("at", Arg::Point(corner));
    same(value("neuron", &at), (v(0, 1, 2, 5) + v(0, 3, 2, 5) + v(1, 1, 2, 5) + v(1, 3, 2, 5)) / 4.0);
    let all = |n, c| (0..30).map(|i| v(n, c, i / 6, i % 6)).sum::<f64>();
    same(value("channel", &unit), (all(0, 2) + all(1, 2)) / 60.0);
    same(value("layer", &|args| args), values(&tap).iter().map(|v| v * v).sum::<f64>() / 240.0);
    let logits = picture(&[2, 4], 10);
    let plain = |args: Args| unit(args).with("as", Arg::Choice("logit"));
    let logit = values(&apply(Kind::Objective, "class", plain, &logits))[0];
    same(logit, (values(&logits)[2] + values(&logits)[6]) / 2.0);
    let class = registry::objective("class").unwrap();
    let graph = fviz::nets::architecture("resnet18").unwrap().graph(None);
    assert_eq!(class.nodes(&Args::new(), &graph).unwrap(), ["fc"]);
    let channel = registry::objective("channel").unwrap();
    assert_eq!(channel.nodes(&args(channel.spec()), &graph).unwrap(), ["layer"]);
}

#[test]
fn huge_logits_stay_finite() {
    let logits = Tensor::new(&[[1e4f32, -1e4, 0.0]], &Device::Cpu).unwrap();
    for what in ["probability", "log_probability", "margin"] {
        let set = |args: Args| args.with("units", Arg::Units(vec![0])).with("as", Arg::Choice(what));
        assert!(values(&apply(Kind::Objective, "class", set, &logits))[0].is_finite());
    }
}

#[test]
fn gradients_are_normalized_and_nothing_stays_nothing() {
    let at = Moment::still(Kind::Optimizer, "sgd");
    let (params, gradient) = (picture(&[1, 3, 4, 4], 1), picture(&[1, 3, 4, 4], 2));
    let g = values(&gradient);
    let n = g.len() as f64;
    let mean = g.iter().sum::<f64>() / n;
    let sizes = [
        ("off", 1.0),
        ("l2", g.iter().map(|g| g * g).sum::<f64>().sqrt()),
        ("mean_abs", g.iter().map(|g| g.abs()).sum::<f64>() / n),
        ("std", (g.iter().map(|g| (g - mean) * (g - mean)).sum::<f64>() / (n - 1.0)).sqrt()),
    ];
    for (name, size) in sizes {
        let sgd = registry::optimizer("sgd").unwrap();
        let set = args(sgd.spec()).with("normalize", Arg::Choice(name));
        let moved = sgd.step(&params, &gradient, &mut Moments::default(), &set, &at).unwrap();
        assert_close(&moved, &(&params - (&gradient * (0.1 / size)).unwrap()).unwrap(), 1e-12, name);
        for spec in words(&[Kind::Optimizer]) {
            let optimizer = registry::optimizer(spec.name).unwrap();
            let set = args(spec).with("normalize", Arg::Choice(name));
            let params = params.to_dtype(DType::F32).unwrap();
            for nothing in [0.0, 1e-42] {
                let nothing = params.zeros_like().unwrap().affine(1.0, nothing).unwrap();
                let mut moments = Moments::default();
                let once = optimizer.step(&params, &nothing, &mut moments, &set, &at).unwrap();
                let twice = optimizer.step(&once, &nothing, &mut moments, &set, &at).unwrap();
                assert_close(&twice, &params, 1e-5, spec.name);
            }
        }
    }
}

#[test]
fn starts_are_what_they_say() {
    let at = Moment { seed: 4, ..Moment::still(Kind::Init, "gray") };
    let start = |name: &str, change: &dyn Fn(Args) -> Args| {
        let init = registry::init(name).unwrap();
        let none = |_: &std::path::Path| -> candle_core::Result<Tensor> { panic!("no photo is asked for") };
        values(&started(init.start(40, 50, &change(args(init.spec())), &at, &none).unwrap(), 40, 50))
    };
    let gray = start("gray", &|args| args);
    let (least, most) = gray.iter().fold((f64::MAX, f64::MIN), |(least, most), v| (least.min(*v), most.max(*v)));
    assert!((0.495..0.4951).contains(&least) && most > 0.5049 && most <= 0.505 + 1e-7, "{least} {most}");
    let uniform = start("uniform", &|args| args.with("low", number(-1.0)));
    assert!(uniform.iter().all(|v| (-1.0..=1.0).contains(v)));
    assert!((uniform.iter().sum::<f64>() / uniform.len() as f64).abs() < 0.02);
    let normal = start("gaussian", &|args| args.with("mean", number(0.3)).with("sd", number(0.1)));
    let mean = normal.iter().sum::<f64>() / 6000.0;
    let sd = (normal.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / 6000.0).sqrt();
    assert!((mean - 0.3).abs() < 0.01 && (sd - 0.1).abs() < 0.005, "{mean} {sd}");
    // Twice the noise, twice as far from gray: the sigmoid is straight there.
    let faint = start("spectrum", &|args| args.with("sd", number(0.001)));
    let double = start("spectrum", &|args| args.with("sd", number(0.002)));
    assert!(faint.iter().zip(&double).all(|(a, b)| (2.0 * (a - 0.5) - (b - 0.5)).abs() < 1e-6));
    assert!(faint.iter().any(|v| (v - 0.5).abs() > 1e-5));
}

#[test]
fn a_margin_is_the_logit_less_its_rivals() {
    let logits = Tensor::new(&[[1.0, 4.0, 2.0, -3.0], [0.5, -1.0, 0.0, 2.5]], &Device::Cpu).unwrap();
    let class = registry::objective("class").unwrap();
    let at = Moment::still(Kind::Objective, "class");
    let of = |units: &[usize], change: &dyn Fn(Args) -> Args| {
        let args = args(class.spec()).with("units", Arg::Units(units.to_vec()));
        class.value(&logits, &[], &change(args), &at).unwrap().to_scalar::<f64>().unwrap()
    };
    let soft = |others: [f64; 3], t: f64| t * libm::log(others.iter().map(|z| libm::exp(z / t)).sum::<f64>());
    let expected = (1.0 - 0.7 * soft([4.0, 2.0, -3.0], 3.0) + 0.5 - 0.7 * soft([-1.0, 0.0, 2.5], 3.0)) / 2.0;
    assert!((of(&[0], &|args| args) - expected).abs() < 1e-12);
    // Its two highest others: 4 and 2, 2.5 and 0.
    let top = of(&[0], &|args| args.with("top", number(2.0)).with("against", number(0.5)));
    assert!((top - (1.0 - 1.5 + 0.5 - 0.625) / 2.0).abs() < 1e-12);
    // More than there are means all.
    assert_eq!(of(&[0], &|args| args.with("top", number(99.0))), of(&[0], &|args| args.with("top", number(3.0))));
    // Without rivals, and with none left, it is the logit.
    assert_eq!(of(&[0], &|args| args.with("against", number(0.0))), 0.75);
    assert_eq!(of(&[0, 1, 2, 3], &|args| args), 0.75);
    // Classes that are meant are no rivals of each other.
    let both = of(&[0, 1], &|args| args.with("top", number(1.0)).with("against", number(1.0)));
    assert!((both - ((2.5 - 2.0) + (-0.25 - 2.5)) / 2.0).abs() < 1e-12);
}

#[test]
fn objectives_compare_as_their_formulas_say() {
    let (a, b) = (picture(&[1, 3, 2, 2], 1), picture(&[1, 3, 2, 2], 2));
    let (x, y) = (values(&a), values(&b));
    let at = Moment::still(Kind::Objective, "similarity");
    let of = |name: &str, change: &dyn Fn(Args) -> Args, offset: i64| {
        let word = registry::objective(name).unwrap();
        let other = Other { tap: b.clone(), offset };
        word.value(&a, &[other], &change(args(word.spec())), &at).unwrap().to_scalar::<f64>().unwrap()
    };
    let dot = |x: &[f64], y: &[f64], p: usize| (0..3).map(|c| x[c * 4 + p] * y[c * 4 + p]).sum::<f64>();
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-3 * (1.0 + b.abs()), "{a} {b}");
    close(of("similarity", &|args| args, 0), (0..4).map(|p| dot(&x, &y, p)).sum::<f64>() / 4.0);
    let cosine = |p: usize| (dot(&x, &y, p) / (dot(&x, &x, p) * dot(&y, &y, p)).sqrt()).max(0.1);
    let squared = (0..4).map(|p| dot(&x, &y, p) * cosine(p) * cosine(p)).sum::<f64>() / 4.0;
    close(of("similarity", &|args| args.with("cosine", number(2.0)), 0), squared);
    let apart = x.iter().zip(&y).map(|(x, y)| (x - y) * (x - y)).sum::<f64>() / 12.0;
    close(of("similarity", &|args| args.with("by", Arg::Choice("distance")), 0), -apart);
    close(of("alignment", &|args| args.with("decay", number(3.0)), -2), -apart / 9.0);
    assert_eq!(of("alignment", &|args| args, 5), 0.0);
    let gram = |x: &[f64]| -> Vec<f64> {
        let pair = |i: usize, j: usize| (0..4).map(|p| x[i * 4 + p] * x[j * 4 + p]).sum::<f64>() / 4.0;
        (0..9).map(|k| pair(k / 3, k % 3)).collect()
    };
    let (g, h) = (gram(&x), gram(&y));
    close(of("style", &|args| args, 0), -g.iter().zip(&h).map(|(g, h)| (g - h) * (g - h)).sum::<f64>() / 9.0);
    let product = |g: &[f64], h: &[f64]| g.iter().zip(h).map(|(g, h)| g * h).sum::<f64>();
    close(of("diversity", &|args| args, 1), -product(&g, &h) / (product(&g, &g) * product(&h, &h)).sqrt());
    let vector = |args: Args| args.with("units", Arg::Units(vec![2, 0])).with("weights", Arg::Numbers(vec![0.5, -1.0]));
    let along = |p: usize| 0.5 * x[8 + p] - x[p];
    close(of("direction", &vector, 0), (0..4).map(along).sum::<f64>() / 4.0);
    let corner = Point { x: Coordinate::Cell(1), y: Coordinate::Cell(0) };
    close(of("direction", &|args| vector(args).with("at", Arg::Point(corner)), 0), along(1));
}

/// lucid #116: two negatives must not win, and what points away must get a gradient.
#[test]
fn a_cosine_counts_as_a_tenth_at_least() {
    let word = registry::objective("direction").unwrap();
    let at = Moment::still(Kind::Objective, "direction");
    let args = args(word.spec()).with("units", Arg::Units(vec![0])).with("cosine", number(2.0));
    let away = Var::from_tensor(&Tensor::new(&[[-3.0, 0.0, 0.0]], &Device::Cpu).unwrap()).unwrap();
    let value = word.value(&away, &[], &args, &at).unwrap();
    assert!((value.to_scalar::<f64>().unwrap() + 3.0 * 0.01).abs() < 1e-6);
    let gradient = values(&value.backward().unwrap().remove(&away).unwrap());
    assert!((gradient[0] - 0.01).abs() < 1e-6, "{gradient:?}");
    // A dead layer: no length, and yet no NaN.
    let dead = Var::from_tensor(&Tensor::zeros((1, 3), DType::F64, &Device::Cpu).unwrap()).unwrap();
    let value = word.value(&dead, &[], &args, &at).unwrap();
    assert!(values(&value.backward().unwrap().remove(&dead).unwrap()).iter().all(|g| g.is_finite()));
}

#[test]
fn a_warm_up_raises_the_rate_step_by_step() {
    let (x, gradient) = (picture(&[1, 3, 2, 2], 1), picture(&[1, 3, 2, 2], 2));
    let sgd = registry::optimizer("sgd").unwrap();
    let args = args(sgd.spec()).with("warmup", number(4.0)).with("lr", number(0.8));
    for (iteration, rate) in [(0, 0.2), (1, 0.4), (3, 0.8), (9, 0.8)] {
        let at = Moment { iteration, ..Moment::still(Kind::Optimizer, "sgd") };
        let found = sgd.step(&x, &gradient, &mut Moments::default(), &args, &at).unwrap();
        assert_close(&found, &(&x - (&gradient * rate).unwrap()).unwrap(), 1e-12, "after a warm-up");
    }
}

#[test]
fn a_colour_matrix_keeps_gray_and_takes_colour_away() {
    let word = registry::transform("color_matrix").unwrap();
    let at = Moment::still(Kind::Transform, "color_matrix");
    let neutral =
        ["brightness", "contrast", "saturation"].iter().fold(args(word.spec()), |a, n| a.with(n, number(1.0)));
    let neutral = neutral.with("hue", number(0.0));
    let of = |rgb: [f64; 3], name: &'static str, value: f64| {
        let pixel = Tensor::new(&rgb, &Device::Cpu).unwrap().reshape((1, 3, 1, 1)).unwrap();
        values(&word.apply(&pixel, &neutral.clone().with(name, number(value)), &at).unwrap())
    };
    let close = |a: Vec<f64>, b: [f64; 3]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 2e-3);
    assert!(close(of([0.3; 3], "hue", 0.4), [0.3; 3]) && close(of([0.3; 3], "saturation", 2.0), [0.3; 3]));
    assert!(close(of([1.0, 0.0, 0.0], "saturation", 0.0), [0.299; 3]));
    assert!(close(of([0.2, 0.4, 0.6], "brightness", 1.5), [0.3, 0.6, 0.9]));
    assert!(close(of([0.2, 0.4, 0.6], "contrast", 0.5), [0.35, 0.45, 0.55]));
    // Half a turn: the colour's axes change their signs, luma stays.
    assert!(close(of([1.0, 0.0, 0.0], "hue", 0.5), [2.0 * 0.299 - 1.0, 2.0 * 0.299, 2.0 * 0.299]));
}

#[test]
fn a_photo_covers_is_contained_or_is_stretched() {
    // Left half black, right half white, 8 wide and 4 high.
    let values_of: Vec<f32> = (0..3 * 32).map(|i| if i % 8 < 4 { 0.0 } else { 1.0 }).collect();
    let photo = Tensor::from_vec(values_of, (1, 3, 4, 8), &Device::Cpu).unwrap();
    let image = registry::init("image").unwrap();
    let at = Moment::still(Kind::Init, "image");
    let start = |height, width, fit| {
        let photos = |path: &std::path::Path| {
            assert_eq!(path, std::path::Path::new("photo.png"));
            Ok(photo.clone())
        };
        let args = args(image.spec()).with("fit", Arg::Choice(fit));
        started(image.start(height, width, &args, &at, &photos).unwrap(), height, width)
    };
    assert_close(&start(4, 8, "cover"), &photo, 0.0, "its own size");
    let cover = start(4, 4, "cover");
    assert_close(&cover, &photo.narrow(3, 2, 4).unwrap(), 1e-6, "both ends are cut off");
    let contain = start(12, 8, "contain");
    assert_close(&contain.narrow(2, 4, 4).unwrap(), &photo, 1e-6, "all of it is there");
    for from in [0, 8] {
        let bar = contain.narrow(2, from, 4).unwrap();
        assert_close(&bar, &bar.zeros_like().unwrap().affine(1.0, 0.5).unwrap(), 0.0, "gray above and below");
    }
    let stretch = start(8, 8, "stretch");
    let (left, right) = (values(&stretch)[0], values(&stretch)[7]);
    assert!(left.abs() < 0.01 && (right - 1.0).abs() < 0.01, "{left} {right}");
}

#[test]
fn drift_keeps_the_canvas_size_and_its_draws_apart() {
    let drift = registry::find(Kind::Mode, "drift").unwrap();
    let crop = registry::find(Kind::Transform, "crop").unwrap();
    let mut call = call(drift, Args::new());
    call.block[0].spec = crop;
    call.block[0].args = args(crop);
    let mode = registry::mode("drift").unwrap();
    let at = Moment::still(Kind::Mode, "drift");
    let picture = picture(&[1, 3, 9, 8], 1);
    let once = mode.apply(&picture, &call, &at).unwrap();
    assert_eq!(once.dims(), picture.dims());
    call.block[0].occurrence = 1;
    let other = (0..20).any(|iteration| {
        let at = Moment { iteration, ..at.clone() };
        values(&mode.apply(&picture, &call, &at).unwrap()) != values(&once)
    });
    assert!(other);
}

/// An objective's value for an activation, compared with these.
fn compared(name: &'static str, change: impl Fn(Args) -> Args, tap: &Tensor, others: &[Tensor]) -> f64 {
    let word = registry::objective(name).unwrap();
    let others: Vec<Other> = others.iter().map(|tap| Other { tap: tap.clone(), offset: 0 }).collect();
    let at = Moment::still(Kind::Objective, name);
    word.value(tap, &others, &change(args(word.spec())), &at).unwrap().to_scalar().unwrap()
}

#[test]
fn features_are_distances_of_distributions() {
    let word = registry::objective("features").unwrap();
    let by = |name: &'static str| move |args: Args| args.with("by", Arg::Choice(name));
    let kept = |tap: &Tensor, name| word.kept(tap, &by(name)(args(word.spec()))).unwrap();
    let map = |rows: [[f64; 4]; 2]| Tensor::new(&rows, &Device::Cpu).unwrap().reshape((1, 2, 2, 2)).unwrap();
    let (a, b) = (map([[3.0, 1.0, 2.0, 0.0], [5.0, 5.0, 5.0, 9.0]]), map([[1.0, 2.0, 4.0, 3.0], [6.0, 8.0, 6.0, 6.0]]));
    // Sorted: 0 1 2 3 against 1 2 3 4, and 5 5 5 9 against 6 6 6 8: 1 everywhere.
    assert_eq!(compared("features", by("sorted"), &a, &[kept(&b, "sorted")]), -1.0);
    // Means 1.5 and 2.5, deviations alike; means 6 and 6.5, deviations √3 and √3/2.
    let moments = compared("features", by("moments"), &a, &[kept(&b, "moments")]);
    assert!((moments + (1.0 + 0.25 + 0.75) / 2.0).abs() < 1e-6, "{moments}");
    // Whatever a photo's numbers, and wherever they are, it is nothing away from itself.
    let tap = picture(&[1, 3, 6, 5], 4);
    let turned = tap.transpose(2, 3).unwrap().contiguous().unwrap();
    for name in ["sorted", "moments"] {
        assert_eq!(compared("features", by(name), &tap, &[kept(&tap, name)]), 0.0);
        assert!(compared("features", by(name), &turned, &[kept(&tap, name)]).abs() < 1e-20);
        // The mean over views.
        let (one, two) = (picture(&[1, 3, 6, 5], 5), picture(&[1, 3, 6, 5], 6));
        let both = compared("features", by(name), &Tensor::cat(&[&one, &two], 0).unwrap(), &[kept(&tap, name)]);
        let each = [one, two].map(|view| compared("features", by(name), &view, &[kept(&tap, name)]));
        assert!((both - each.iter().sum::<f64>() / 2.0).abs() < 1e-12);
    }
    // The same distribution at twice as many places: every number stands twice.
    let wide = Tensor::cat(&[&a, &a], 3).unwrap();
    let near = compared("features", by("sorted"), &wide, &[kept(&a, "sorted")]);
    let far = compared("features", by("sorted"), &wide, &[kept(&b, "sorted")]);
    assert!(near > -0.3 && far < -0.7, "{near} {far}");
    let moments = compared("features", by("moments"), &wide, &[kept(&a, "moments")]);
    assert!(moments.abs() < 1e-20, "{moments}");
    // Nothing is said of a network's own dead channels, and their gradient is finite.
    let dead = Var::from_tensor(&Tensor::zeros((1, 2, 2, 2), DType::F64, &Device::Cpu).unwrap()).unwrap();
    for name in ["sorted", "moments"] {
        let other = Other { tap: kept(&b, name), offset: 0 };
        let at = Moment::still(Kind::Objective, "features");
        let value = word.value(&dead, &[other], &by(name)(args(word.spec())), &at).unwrap();
        assert!(values(&value.backward().unwrap().remove(&dead).unwrap()).iter().all(|g| g.is_finite()));
    }
}

#[test]
fn batch_norms_compare_over_views_and_positions() {
    let tap = Tensor::new(&[1.0, 3.0, 0.0, 4.0, 5.0, 7.0, 8.0, 4.0], &Device::Cpu).unwrap();
    let tap = tap.reshape((2, 2, 1, 2)).unwrap();
    let row = |values: [f64; 2]| Tensor::new(&values, &Device::Cpu).unwrap();
    // Means 4 and 4, variances 5 and 8.
    let value = |mean, variance| compared("batch_norm", |args| args, &tap, &[row(mean), row(variance)]);
    assert!(value([4.0, 4.0], [5.0, 8.0]).abs() < 1e-15);
    assert!((value([1.0, 0.0], [5.0, 8.0]) + 5.0).abs() < 1e-5);
    assert!((value([1.0, 0.0], [11.0, 16.0]) + 15.0).abs() < 1e-5);
    // Where both agree there is no slope, and no NaN.
    let still = Var::from_tensor(&tap).unwrap();
    let word = registry::objective("batch_norm").unwrap();
    let others = [row([4.0, 4.0]), row([5.0, 8.0])].map(|tap| Other { tap, offset: 0 });
    let value = word.value(&still, &others, &Args::new(), &Moment::still(Kind::Objective, "batch_norm")).unwrap();
    assert!(values(&value.backward().unwrap().remove(&still).unwrap()).iter().all(|g| *g == 0.0));
}

#[test]
fn batch_norms_are_read_by_their_inputs() {
    let word = registry::objective("batch_norm").unwrap();
    let nodes = |model: &str, args: Args| word.nodes(&args, &fviz::nets::architecture(model).unwrap().graph(None));
    let all = nodes("resnet18", Args::new()).unwrap();
    assert_eq!((all.len(), &*all[0], &*all[19]), (20, "conv1", "layer4.1.conv2"));
    assert_eq!(nodes("mobilenet_v2", Args::new()).unwrap().len(), 52);
    let one = |name: &str| Args::new().with("node", Arg::Node(name.into()));
    assert_eq!(nodes("resnet18", one("layer3.1.bn2")).unwrap(), ["layer3.1.conv2"]);
    assert_eq!(nodes("resnet18", one("layer3.1.conv2")).unwrap_err(), "`layer3.1.conv2` is no batch norm");
    for without in ["squeezenet1_1", "alexnet", "vgg16"] {
        assert_eq!(nodes(without, Args::new()).unwrap_err(), "the network has no batch norms");
    }
}
