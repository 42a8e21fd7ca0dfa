//! What the words of the guide cost at its size, 299x299: transforms forward and backward, filters, the zoom.
//!
//! `cargo bench --bench words`

use std::hint::black_box;

use candle_core::{DType, Device, Tensor, Var};
use criterion::{Criterion, criterion_group, criterion_main};
use fviz::source::Span;
use fviz::spec::{Arg, Args, Call, Kind, Moment};
use fviz::words::registry;

fn number(value: f64) -> Arg {
    Arg::Number(value.into())
}

fn picture() -> Tensor {
    let values = (0..3 * 299 * 299).map(|i| (i as f64 * 0.618_033_988_75).fract());
    let flat = Tensor::from_iter(values, &Device::Cpu).and_then(|x| x.to_dtype(DType::F32));
    flat.and_then(|x| x.reshape((1, 3, 299, 299))).expect("a picture")
}

fn affine(sample: &'static str) -> Args {
    let zero = ["shift_x", "shift_y", "shear_x", "shear_y"].into_iter();
    let args = zero.fold(Args::new(), |args, name| args.with(name, number(0.0)));
    let args = args.with("rotate", number(7.0)).with("scale", number(1.02)).with("fill", number(0.5));
    args.with("sample", Arg::Choice(sample)).with("edge", Arg::Choice("constant"))
}

fn colors() -> Args {
    let parts = [("brightness", 1.01), ("contrast", 0.995), ("saturation", 1.01), ("hue", 0.007)];
    let args = parts.into_iter().fold(Args::new(), |args, (name, value)| args.with(name, number(value)));
    args.with("clamp", Arg::Switch(true))
}

fn transforms(c: &mut Criterion) {
    let picture = Var::from_tensor(&picture()).expect("a variable");
    let both_ways = |list: &[(&'static str, Args)]| {
        let mut seen = picture.as_tensor().clone();
        for (name, args) in list {
            let at = Moment::still(Kind::Transform, name);
            let word = registry::transform(name).expect("a transform");
            seen = word.apply(&seen, args, &at).expect("a view");
        }
        seen.sum_all().and_then(|sum| sum.backward()).expect("a gradient")
    };
    let cases = [
        ("color_jitter", vec![("color_jitter", colors())]),
        ("affine nearest", vec![("affine", affine("nearest"))]),
        ("affine bilinear", vec![("affine", affine("bilinear"))]),
        ("affine bicubic", vec![("affine", affine("bicubic"))]),
        ("the guide's", vec![("color_jitter", colors()), ("affine", affine("nearest"))]),
        ("noise", vec![("noise", Args::new().with("sd", number(0.1)))]),
    ];
    for (name, list) in cases {
        c.bench_function(&format!("both ways: {name}"), |b| b.iter(|| black_box(both_ways(&list))));
    }
}

fn filters(c: &mut Criterion) {
    let picture = picture();
    let size = |size: f64| Args::new().with("size", number(size));
    let cases = [
        ("gaussian", size(5.0).with("sigma", number(1.5))),
        ("bilateral", size(5.0).with("sigma_space", number(1.5)).with("sigma_color", number(0.1))),
        ("median", size(3.0)),
        ("median", size(5.0)),
    ];
    for (name, args) in cases {
        let (word, at) = (registry::filter(name).expect("a filter"), Moment::still(Kind::Filter, name));
        let title = format!("{name} {}", args.integer("size"));
        c.bench_function(&title, |b| b.iter(|| black_box(word.apply(&picture, &args, &at).expect("a picture"))));
    }
    let spec = registry::find(Kind::Mode, "eternal_zoom").expect("a mode");
    let args = Args::new().with("zoom", number(1.02)).with("rotate", number(0.4));
    let call = Call { spec, args, block: Vec::new(), occurrence: 0, span: Span::default() };
    let (word, at) = (registry::mode("eternal_zoom").expect("a mode"), Moment::still(Kind::Mode, "eternal_zoom"));
    c.bench_function("eternal_zoom", |b| b.iter(|| black_box(word.apply(&picture, &call, &at).expect("a picture"))));
}

criterion_group! { name = words; config = Criterion::default().sample_size(20); targets = transforms, filters }
criterion_main!(words);
