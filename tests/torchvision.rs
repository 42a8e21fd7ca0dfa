//! Networks against PyTorch's numbers, which the scripts beside the fixtures made.

mod common;

use candle_core::{DType, Device, Tensor, Var};
use common::{assert_close, assert_thinned, cosine, fixture, models, thinned_names, torch_zip, values};
use fviz::nets::import::Array;
use fviz::nets::{Facts, Header, Network, Weights, architecture};
use fviz::ops::{Sample, ScaleShift, resize};

/// The taps and the gradient of one class's logits, summed over images.
fn look(network: &Network, picture: &Tensor, class: usize) -> (std::collections::BTreeMap<String, Tensor>, Tensor) {
    let picture = Var::from_tensor(picture).unwrap();
    let taps = network.forward(&picture, false).unwrap();
    let loss = taps["fc"].narrow(1, class, 1).unwrap().sum_all().unwrap();
    let gradient = loss.backward().unwrap().remove(&picture).unwrap();
    (taps, gradient)
}

/// `[1, 3, H, W]`, 0..1.
fn pixels(photo: &image::RgbImage) -> Tensor {
    let (width, height) = photo.dimensions();
    let values: Vec<f32> = photo.as_raw().iter().map(|&value| f32::from(value) / 255.0).collect();
    let pixels = Tensor::from_vec(values, (1, height as usize, width as usize, 3), &Device::Cpu).unwrap();
    pixels.permute((0, 3, 1, 2)).unwrap().contiguous().unwrap()
}

/// The photo that tests/fixtures/torch_resnet18.py cut, normalized as torchvision does.
fn coffee() -> Tensor {
    let photo = image::load_from_memory(&fixture("coffee.png")).unwrap().to_rgb8();
    ScaleShift::normalize(&[0.485, 0.456, 0.406], &[0.229, 0.224, 0.225]).unwrap().forward(&pixels(&photo)).unwrap()
}

#[test]
fn resnet18_on_a_photo_from_both_formats() {
    let Some(models) = models() else { return };
    let expected = Weights::read(&fixture("torch_resnet18.safetensors")).unwrap();
    let bytes = std::fs::read(models.join("resnet18.safetensors")).unwrap();
    let weights = Weights::read(&bytes).unwrap();
    let pth = torch_zip(&weights);
    assert_eq!(Weights::read(&pth).unwrap().tensors, weights.tensors);
    let picture = coffee();
    let mut logits = Vec::new();
    for (format, bytes) in [("safetensors", bytes), ("pth", pth)] {
        println!("{format}");
        let weights = Weights::read(&bytes).unwrap();
        let facts = Facts::new(architecture("resnet18").unwrap(), Some(&Header::of(&bytes).unwrap())).unwrap();
        let network = Network::load(&facts, &weights, thinned_names(&expected)).unwrap();
        let (taps, gradient) = look(&network, &picture, 8);
        for name in thinned_names(&expected) {
            assert_thinned(&expected, name, &values(&taps[name]), 1e-3);
        }
        assert_close("logits", &values(&taps["fc"]), &expected.tensors["logits"].data, 1e-3);
        assert_thinned(&expected, "gradient", &values(&gradient), 1e-3);
        logits.push(values(&taps["fc"]));

        // Batch norms folded, as where only the logits are read.
        let folded = Network::load(&facts, &weights, ["fc"]).unwrap();
        let (taps, gradient) = look(&folded, &picture, 8);
        assert_close("logits, folded", &values(&taps["fc"]), &expected.tensors["logits"].data, 1e-3);
        assert_thinned(&expected, "gradient", &values(&gradient), 1e-3);
        // The form for everything that has no kernel, in f64: there rounding decides nothing.
        let (taps, gradient) = look(&folded, &picture.to_dtype(DType::F64).unwrap(), 8);
        assert_close("logits, f64", &values(&taps["fc"]), &expected.tensors["logits"].data, 1e-5);
        assert_thinned(&expected, "gradient", &values(&gradient), 1e-5);
        let best = values(&taps["fc"]).iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(class, _)| class);
        assert_eq!(best.map(|class| facts.labels.name(class)), Some("espresso".into()));
    }
    assert_eq!(logits[0], logits[1]);
}

/// MurmurHash3's finalizer of the index, started from FNV-1a of the name: as tests/fixtures/torch_resnet50.py.
fn formula(name: &str, length: usize) -> Vec<f32> {
    let seed = name.bytes().fold(2_166_136_261u32, |seed, byte| (seed ^ u32::from(byte)).wrapping_mul(16_777_619));
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

#[test]
fn resnet50_by_formula() {
    let expected = Weights::read(&fixture("torch_resnet50.safetensors")).unwrap();
    let mut weights = Weights::default();
    for parameter in fviz::nets::resnet::graph(50, 3, 10).parameters() {
        let data = weight(&parameter.name, &parameter.shape);
        weights.tensors.insert(parameter.name, Array { shape: parameter.shape, data });
    }
    let facts = Facts::new(architecture("resnet50").unwrap(), Some(&weights.header())).unwrap();
    let picture = Tensor::from_vec(formula("picture", 2 * 3 * 75 * 91), (2, 3, 75, 91), &Device::Cpu).unwrap();
    let network = Network::load(&facts, &weights, thinned_names(&expected)).unwrap();
    let (taps, gradient) = look(&network, &picture, 3);
    for name in thinned_names(&expected) {
        assert_thinned(&expected, name, &values(&taps[name]), 1e-3);
    }
    assert_thinned(&expected, "gradient", &values(&gradient), 1e-3);
    let folded = Network::load(&facts, &weights, ["fc"]).unwrap();
    let (_, other) = look(&folded, &picture, 3);
    assert!(cosine(&values(&gradient), &values(&other)) > 0.9999);
}

/// The class that ResNet18 must find, one of these, as the photos' own README lists them.
const PHOTOS: [(&str, &[&str]); 8] = [
    ("cat", &["Egyptian cat"]),
    ("cat_chelsea", &["tiger cat", "Egyptian cat", "tabby"]),
    ("coffee", &["espresso"]),
    ("parrot", &["macaw"]),
    ("hot_dog", &["hotdog"]),
    ("bird", &["chickadee"]),
    ("dragonfly", &["dragonfly"]),
    ("sunflower", &["daisy"]),
];

#[test]
fn the_top_class_of_photos() {
    let Some(models) = models() else { return };
    let bytes = std::fs::read(models.join("resnet18.safetensors")).unwrap();
    let facts = Facts::new(architecture("resnet18").unwrap(), Some(&Header::of(&bytes).unwrap())).unwrap();
    let network = Network::load(&facts, &Weights::read(&bytes).unwrap(), ["fc"]).unwrap();
    let normalize = ScaleShift::normalize(&facts.mean, &facts.std).unwrap();
    let mut wrong = Vec::new();
    for (name, classes) in PHOTOS {
        let path = models.join("../photos").join(name).with_extension("jpg");
        let photo = pixels(&image::open(path).unwrap().to_rgb8());
        let (_, _, h, w) = photo.dims4().unwrap();
        let scaled = |side: usize| side * facts.photo_side / h.min(w);
        let photo = resize(&photo, scaled(h), scaled(w), Sample::Bilinear).unwrap();
        let (width, height) = facts.size;
        let middle = photo.narrow(2, (scaled(h) - height) / 2, height).unwrap();
        let middle = middle.narrow(3, (scaled(w) - width) / 2, width).unwrap();
        let logits = values(&network.forward(&normalize.forward(&middle).unwrap(), false).unwrap()["fc"]);
        let top = logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
        let top = facts.labels.name(top);
        println!("{name}: {top}");
        if !classes.contains(&top.as_str()) {
            wrong.push((name, top));
        }
    }
    assert_eq!(wrong, []);
}
