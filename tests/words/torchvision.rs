//! The same numbers as torch and torchvision: `tests/fixtures/words.py` made them, in f64.

use std::collections::HashMap;

use candle_core::{Device, Tensor, Var};
use fviz::spec::{Arg, Args, Kind, Moment};
use fviz::words::{Moments, registry};

use crate::support::*;

/// What torch made, by name.
struct Fixture(HashMap<String, Tensor>);

impl Fixture {
    fn new() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/words.safetensors");
        Self(candle_core::safetensors::load(path, &Device::Cpu).unwrap())
    }

    fn get(&self, name: &str) -> &Tensor {
        self.0.get(name).unwrap_or_else(|| panic!("no tensor {name}"))
    }

    /// The rest of each name that starts so, in order.
    fn after(&self, start: &str) -> Vec<String> {
        let mut rests: Vec<_> = self.0.keys().filter_map(|name| name.strip_prefix(start)).map(String::from).collect();
        rests.sort();
        assert!(!rests.is_empty(), "no tensor {start}…");
        rests
    }
}

fn apply(kind: Kind, name: &str, change: impl Fn(Args) -> Args, x: &Tensor) -> Tensor {
    let spec = registry::find(kind, name).unwrap();
    run(spec, &change(args(spec)), &Moment::still(kind, spec.name), x).unwrap()
}

#[test]
fn affine_is_torchvisions_turned_the_other_way() {
    let fixture = Fixture::new();
    let picture = fixture.get("picture");
    let placements = [
        ("turn", [17.3, 1.0, 0.0, 0.0, 0.0, 0.0]),
        ("zoom", [0.0, 1.13, 0.0, 0.0, 0.0, 0.0]),
        ("all", [-23.7, 0.81, 1.5, -0.75, 7.3, -4.1]),
    ];
    for (name, values_of) in placements {
        let placed = |args: Args| {
            let names = ["rotate", "scale", "shift_x", "shift_y", "shear_x", "shear_y"];
            names.into_iter().zip(values_of).fold(args, |args, (name, value)| args.with(name, number(value)))
        };
        let with =
            |sample| apply(Kind::Transform, "affine", |args| placed(args).with("sample", Arg::Choice(sample)), picture);
        assert_close(&with("nearest"), fixture.get(&format!("affine.{name}.nearest")), 0.0, name);
        let bilinear = with("bilinear");
        assert_close(&bilinear, fixture.get(&format!("affine.{name}.bilinear.even")), 1e-12, name);
        // Inside and outside, but not on the rim, torchvision's own fill is the same.
        let theirs = values(fixture.get(&format!("affine.{name}.bilinear")));
        let masks = values(fixture.get(&format!("affine.{name}.mask")));
        let mut compared = 0;
        for ((ours, theirs), mask) in values(&bilinear).iter().zip(theirs).zip(masks) {
            if mask.min(1.0 - mask) < 1e-12 {
                assert!((ours - theirs).abs() < 1e-12, "{name}");
                compared += 1;
            }
        }
        assert!(compared > picture.elem_count() / 3, "{name}");
    }
    let turned = apply(Kind::Transform, "rotate", |args| args.with("angle", number(31.0)), picture);
    assert_close(&turned, fixture.get("rotate.31"), 1e-12, "rotate");
}

#[test]
fn colours_and_their_gradients_are_torchvisions() {
    let fixture = Fixture::new();
    for name in ["brightness", "contrast", "saturation", "hue"] {
        for factor in fixture.after(&format!("{name}.")) {
            if factor.ends_with(".grad") {
                continue;
            }
            let value: f64 = factor.parse().unwrap();
            let neutral = if name == "hue" { 0.0 } else { 1.0 };
            if value == neutral {
                continue; // left out, clamp and all
            }
            let alone = |args: Args| {
                let parts = [("brightness", 1.0), ("contrast", 1.0), ("saturation", 1.0), ("hue", 0.0)];
                let args = parts.iter().fold(args, |args, (part, neutral)| args.with(part, number(*neutral)));
                args.with(name, number(value))
            };
            let x = Var::from_tensor(fixture.get("picture")).unwrap();
            let result = apply(Kind::Transform, "color_jitter", alone, &x);
            assert_close(&result, fixture.get(&format!("{name}.{factor}")), 1e-12, &format!("{name} {factor}"));
            let loss = (&result * fixture.get("weight")).unwrap().sum_all().unwrap();
            let gradient = loss.backward().unwrap().remove(&x).unwrap();
            let expected = fixture.get(&format!("{name}.{factor}.grad"));
            assert_close(&gradient, expected, 1e-10, &format!("gradient of {name} {factor}"));
        }
    }
}

#[test]
fn filters_are_torchs() {
    let fixture = Fixture::new();
    let picture = fixture.get("picture");
    for (size, sigma) in [(5.0, 1.5), (3.0, 0.6), (7.0, 4.0)] {
        let found = apply(
            Kind::Filter,
            "gaussian",
            |args| args.with("size", number(size)).with("sigma", number(sigma)),
            picture,
        );
        assert_close(&found, fixture.get(&format!("gaussian.{size}.{sigma:?}")), 1e-12, "gaussian");
    }
    for size in [3.0, 5.0] {
        let found = apply(Kind::Filter, "median", |args| args.with("size", number(size)), picture);
        assert_close(&found, fixture.get(&format!("median.{size}")), 0.0, "median");
    }
    for (size, space, color) in [(5.0, 1.5, 0.3), (3.0, 0.8, 0.1)] {
        let set = |args: Args| {
            args.with("size", number(size)).with("sigma_space", number(space)).with("sigma_color", number(color))
        };
        let found = apply(Kind::Filter, "bilateral", set, picture);
        assert_close(&found, fixture.get(&format!("bilateral.{size}.{space:?}.{color:?}")), 1e-10, "bilateral");
    }
}

#[test]
fn sizes_are_torchs() {
    let fixture = Fixture::new();
    let picture = fixture.get("picture");
    for rest in fixture.after("resize.") {
        let (size, sample) = rest.split_once('.').unwrap();
        let (height, width) = size.split_once('x').unwrap();
        let size = Arg::Size(width.parse().unwrap(), height.parse().unwrap());
        let sample = ["nearest", "bilinear", "bicubic"].into_iter().find(|name| *name == sample).unwrap();
        let set = |args: Args| args.with("size", size.clone()).with("sample", Arg::Choice(sample));
        let found = apply(Kind::Transform, "resize", set, picture);
        assert_close(&found, fixture.get(&format!("resize.{rest}")), 1e-12, &rest);
    }
    for edge in ["reflect", "replicate", "constant"] {
        let set = |args: Args| args.with("by", number(3.0)).with("edge", Arg::Choice(edge)).with("fill", number(0.25));
        let found = apply(Kind::Transform, "pad", set, picture);
        assert_close(&found, fixture.get(&format!("pad.3.{edge}")), 0.0, edge);
    }
}

#[test]
fn optimizers_are_torchs() {
    let fixture = Fixture::new();
    let gradients = fixture.get("optimizer.gradients");
    for (name, set) in [
        ("sgd", vec![("lr", 0.3)]),
        ("momentum", vec![("lr", 0.3), ("momentum", 0.8)]),
        ("adam", vec![("lr", 0.05), ("beta2", 0.99)]),
    ] {
        let optimizer = registry::optimizer(name).unwrap();
        let args = set.into_iter().fold(args(optimizer.spec()), |args, (name, value)| args.with(name, number(value)));
        let mut moments = Moments::default();
        let mut params = fixture.get("optimizer.start").clone();
        for i in 0..5 {
            let at = Moment { iteration: i, ..Moment::still(Kind::Optimizer, optimizer.spec().name) };
            params = optimizer.step(&params, &gradients.get(i).unwrap(), &mut moments, &args, &at).unwrap();
        }
        assert_close(&params, fixture.get(&format!("optimizer.{name}")), 1e-12, name);
    }
}

#[test]
fn classes_are_torchs() {
    let fixture = Fixture::new();
    for what in ["probability", "log_probability"] {
        let set = |args: Args| args.with("units", Arg::Units(vec![1, 4])).with("as", Arg::Choice(what));
        let found = apply(Kind::Objective, "class", set, fixture.get("logits"));
        assert_close(&found, fixture.get(&format!("{what}.1,4")), 1e-12, what);
    }
}
