//! Every network against torchvision: its nodes and weights by name, and for weights and a picture that formulas give
//! what PyTorch computes. tests/fixtures/torch_networks.py made the fixtures, from the same formulas.

mod common;

use std::borrow::Cow;
use std::collections::BTreeMap;

use candle_core::{DType, Device, Tensor, Var};
use common::{assert_close, assert_thinned, cosine, fixture, thinned_names, values};
use fviz::nets::graph::Parameter;
use fviz::nets::import::Array;
use fviz::nets::{Architecture, Facts, LoadOptions, Network, Source, Weights, architecture, architectures};
use fviz::ops::ScaleShift;
use fviz::spec::{Arg, Args, Kind, Moment};
use fviz::words::{Other, registry};

/// FNV-1a
fn fnv(text: &str) -> u32 {
    text.bytes().fold(2_166_136_261, |seed, byte| (seed ^ u32::from(byte)).wrapping_mul(16_777_619))
}

/// Numbers from −1 to 1: MurmurHash3's finalizer of the index, started from FNV-1a of the name.
fn formula(name: &str, length: usize) -> Vec<f32> {
    let seed = fnv(name);
    let number = |i: u32| {
        let mut x = i.wrapping_mul(0x9E37_79B1).wrapping_add(seed);
        x = (x ^ (x >> 16)).wrapping_mul(0x85EB_CA6B);
        x = (x ^ (x >> 13)).wrapping_mul(0xC2B2_AE35);
        ((x ^ (x >> 16)) >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (1..=length as u32).map(number).collect()
}

fn weight(name: &str, shape: &[usize]) -> Vec<f32> {
    let u = formula(name, shape.iter().product()).into_iter();
    let last = name.rsplit('.').next();
    match (last, shape) {
        (Some("running_var"), _) => u.map(|u| 1.0 + 0.5 * u).collect(),
        (Some("weight"), [_]) => u.map(|u| 0.6 + 0.3 * u).collect(),
        (Some("weight"), _) => {
            let deviation = (6.0 / shape[1..].iter().product::<usize>() as f64).sqrt() as f32;
            u.map(|u| u * deviation).collect()
        }
        _ => u.map(|u| 0.1 * u).collect(),
    }
}

/// The weights of a network of 10 classes, without numbers.
fn parameters(architecture: &Architecture) -> Vec<Parameter> {
    let mut usual = architecture.graph(None).parameters();
    let last = usual.iter().rfind(|parameter| parameter.shape.len() > 1).unwrap().name.clone();
    let bias = last.replace("weight", "bias");
    for parameter in usual.iter_mut().filter(|parameter| [&last, &bias].contains(&&parameter.name)) {
        parameter.shape[0] = 10;
    }
    usual.sort_by(|a, b| a.name.cmp(&b.name));
    usual
}

/// The facts of a network of 10 classes, and its weights by the formula.
fn made(name: &str) -> (Facts, Weights) {
    let architecture = architecture(name).unwrap();
    let mut weights = Weights::default();
    for parameter in parameters(architecture) {
        let data = weight(&parameter.name, &parameter.shape);
        weights.tensors.insert(parameter.name, Array { shape: parameter.shape, data });
    }
    (Facts::new(architecture, Some(&weights.header())).unwrap(), weights)
}

#[test]
fn nodes_and_weights_bear_torchvisions_names() {
    let text = String::from_utf8(fixture("networks.txt")).unwrap();
    let known: BTreeMap<&str, &str> = text.lines().map(|line| line.split_once(' ').unwrap()).collect();
    for architecture in architectures().iter().filter(|one| matches!(one.source, Source::File { .. })) {
        let graph = architecture.graph(None);
        let nodes: Vec<&str> = graph.nodes().iter().map(|node| node.name.as_str()).collect();
        let shape = |shape: &[usize]| shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
        let tensors = parameters(architecture);
        let tensors: Vec<String> = tensors.iter().map(|one| format!("{}:{}", one.name, shape(&one.shape))).collect();
        let (all, hashed) = (nodes.join(" "), fnv(&tensors.join(" ")));
        let found = format!("{} {} {} {hashed}", nodes.len(), fnv(&all), tensors.len());
        assert_eq!(Some(&*found), known.get(architecture.name).copied(), "{}:\n{all}", architecture.name);
    }
}

/// Networks of which there are numbers.
fn measured() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/networks");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut names: Vec<String> = files.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The fixtures' picture, 0..1, f64.
fn pixels() -> Var {
    let pixels = Tensor::from_vec(formula("picture", 2 * 3 * 75 * 91), (2, 3, 75, 91), &Device::Cpu).unwrap();
    Var::from_tensor(&((pixels.to_dtype(DType::F64).unwrap() + 1.0).unwrap() / 2.0).unwrap()).unwrap()
}

/// What a fixture was computed with, and the taps and the gradient of a class's logits, summed over images.
struct Look<'a> {
    facts: &'a Facts,
    output: &'a str,
    class: usize,
}

impl Look<'_> {
    fn at(&self, network: &Network, dtype: DType) -> (BTreeMap<String, Tensor>, Vec<f32>) {
        let pixels = Var::from_tensor(&pixels().to_dtype(dtype).unwrap()).unwrap();
        let normalize = ScaleShift::normalize(&self.facts.mean, &self.facts.std).unwrap();
        let taps = network.forward(&normalize.forward(&pixels).unwrap(), false).unwrap();
        let loss = taps[self.output].narrow(1, self.class, 1).unwrap().sum_all().unwrap();
        let gradient = values(&loss.backward().unwrap().remove(&pixels).unwrap());
        (taps, gradient)
    }
}

#[test]
fn numbers_are_pytorchs() {
    for name in measured() {
        println!("{name}");
        let expected = Weights::read(&fixture(&format!("networks/{name}.safetensors"))).unwrap();
        let (facts, weights) = made(&name);
        for node in expected.metadata["nodes"].split(' ') {
            assert!(facts.graph.find(node).is_some(), "{name}: {node}");
        }
        let output = facts.output().name.clone();
        let look = Look { facts: &facts, output: &output, class: expected.metadata["class"].parse().unwrap() };
        // In f64 rounding decides nothing.
        let network = Network::load(&facts, &weights, thinned_names(&expected)).unwrap();
        let (taps, exact) = look.at(&network, DType::F64);
        for name in thinned_names(&expected) {
            assert_thinned(&expected, name, &values(&taps[name]), 1e-6);
        }
        assert_thinned(&expected, "gradient", &exact, 1e-6);
        // In f32, with the kernels: nodes read in between, and all fused.
        let (taps, gradient) = look.at(&network, DType::F32);
        for name in thinned_names(&expected) {
            assert_thinned(&expected, name, &values(&taps[name]), 1e-4);
        }
        let logits = values(&taps[&output]);
        let folded = Network::load(&facts, &weights, [&*output]).unwrap();
        let (taps, other) = look.at(&folded, DType::F32);
        assert_close("logits, folded", &values(&taps[&output]), &logits, 1e-4);
        for gradient in [gradient, other] {
            let cosine = cosine(&gradient, &exact);
            println!("gradient in f32: cosine {cosine}");
            assert!(cosine > 0.9999, "{name}: {cosine}");
        }
        if expected.tensors.contains_key("residual.moments") {
            residual(&expected, &look, &weights, thinned_names(&expected));
        }
    }
}

/// In the backward pass alone the residual branches are scaled, whichever nodes are read beside.
fn residual(expected: &Weights, look: &Look<'_>, weights: &Weights, reads: Vec<&str>) {
    let residual_gradient = expected.metadata["residual"].parse().unwrap();
    let options = LoadOptions { residual_gradient, ..LoadOptions::default() };
    for reads in [vec![look.output], reads] {
        let load =
            |options| Network::prepare(look.facts, Cow::Borrowed(weights), reads.iter().copied(), options).unwrap();
        let (network, usual) = (load(options), load(LoadOptions::default()));
        let (taps, exact) = look.at(&network, DType::F64);
        assert_thinned(expected, "residual", &exact, 1e-6);
        let plain = values(&look.at(&usual, DType::F64).0[look.output]);
        assert_eq!(values(&taps[look.output]), plain, "forward nothing changes");
        let (taps, gradient) = look.at(&network, DType::F32);
        assert_eq!(values(&taps[look.output]), values(&look.at(&usual, DType::F32).0[look.output]));
        let length = |x: &[f32]| x.iter().map(|&x| f64::from(x * x)).sum::<f64>().sqrt();
        let (cosine, longer) = (cosine(&gradient, &exact), length(&gradient) / length(&exact));
        println!("residual gradient in f32: cosine {cosine}, {longer} times as long");
        assert!(cosine > 0.9999 && (longer - 1.0).abs() < 0.01);
    }
}

/// The term of DeepInversion, of networks whose batch norms read convolutions, or sums and concatenations.
#[test]
fn statistics_are_pytorchs() {
    let expected = Weights::read(&fixture("statistics.safetensors")).unwrap();
    let word = registry::objective("batch_norm").unwrap();
    let at = Moment::still(Kind::Objective, "batch_norm");
    for name in expected.tensors.keys().filter_map(|key| key.strip_suffix(".norms")) {
        println!("{name}");
        let (facts, weights) = made(name);
        let nodes = word.nodes(&Args::new(), &facts.graph).unwrap();
        let network = Network::load(&facts, &weights, nodes.iter().map(String::as_str)).unwrap();
        let pixels = pixels();
        let normalize = ScaleShift::normalize(&facts.mean, &facts.std).unwrap();
        let taps = network.forward(&normalize.forward(&pixels).unwrap(), false).unwrap();
        let value = |node: &String| {
            let running = network.running(node).unwrap().map(|row| row.to_dtype(DType::F64).unwrap());
            let others = running.map(|tap| Other { tap, offset: 0 });
            word.value(&taps[node], &others, &Args::new(), &at).unwrap()
        };
        let distances = Tensor::stack(&nodes.iter().map(value).collect::<Vec<_>>(), 0).unwrap().neg().unwrap();
        let norms = &expected.tensors[&format!("{name}.norms")].data;
        assert_close("distances", &values(&distances), norms, 1e-6);
        let gradient = distances.sum_all().unwrap().backward().unwrap().remove(&pixels).unwrap();
        assert_thinned(&expected, &format!("{name}.gradient"), &values(&gradient), 1e-6);
    }
}

#[test]
fn sort_matching_is_vitals() {
    let expected = Weights::read(&fixture("statistics.safetensors")).unwrap();
    let made = |name: &str, images: usize| {
        let values: Vec<f64> = formula(name, images * 210).into_iter().map(f64::from).collect();
        Tensor::from_vec(values, (images, 5, 6, 7), &Device::Cpu).unwrap()
    };
    let word = registry::objective("features").unwrap();
    let args = Args::new().with("by", Arg::Choice("sorted"));
    let photos = made("photos", 3);
    let kept = |image: usize| word.kept(&photos.narrow(0, image, 1).unwrap(), &args).unwrap();
    let mean = (((kept(0) + kept(1)).unwrap() + kept(2)).unwrap() / 3.0).unwrap();
    let map = Var::from_tensor(&made("map", 1)).unwrap();
    let others = [Other { tap: mean, offset: 0 }];
    let value = word.value(&map, &others, &args, &Moment::still(Kind::Objective, "features")).unwrap();
    let distance = value.neg().unwrap();
    assert_close("distance", &values(&distance), &expected.tensors["sorted"].data, 1e-6);
    let gradient = distance.backward().unwrap().remove(&map).unwrap();
    assert_close("gradient", &values(&gradient), &expected.tensors["sorted.gradient"].data, 1e-6);
}
