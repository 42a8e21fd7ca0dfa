//! Networks against PyTorch's numbers, which the scripts beside the fixtures made.

mod common;

use candle_core::{DType, Device, Tensor, Var};
use common::{assert_close, assert_thinned, fixture, models, thinned_names, torch_zip, values};
use fviz::nets::{Facts, Header, Known, Network, Weights, architecture};
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

/// The class that a network must find, one of these, as the photos' own README lists them.
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

/// Networks of which there are real weights, and the photos of which each is wrong, in PyTorch too: the cat is a tiger
/// cat, the sunflower a bee.
const REAL: [(&str, &[&str]); 4] =
    [("resnet18", &[]), ("squeezenet1_0", &["cat"]), ("squeezenet1_1", &["sunflower"]), ("mobilenet_v2", &[])];

#[test]
fn the_top_class_of_photos() {
    let Some(models) = models() else { return };
    for (name, mistakes) in REAL {
        let bytes = std::fs::read(models.join(name).with_extension("safetensors")).unwrap();
        let facts = Facts::new(architecture(name).unwrap(), Some(&Header::of(&bytes).unwrap())).unwrap();
        let facts = facts.of_known(Known::of_bytes(&bytes));
        let output = facts.output().name.clone();
        let network = Network::load(&facts, &Weights::read(&bytes).unwrap(), [&*output]).unwrap();
        let normalize = ScaleShift::normalize(&facts.mean, &facts.std).unwrap();
        let mut wrong = Vec::new();
        for (photo, classes) in PHOTOS {
            let middle = middle_of(&models.join("../photos").join(photo).with_extension("jpg"), &facts);
            let logits = values(&network.forward(&normalize.forward(&middle).unwrap(), false).unwrap()[&output]);
            let top = logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
            let top = facts.labels.name(top);
            println!("{name}: {photo}: {top}");
            if !classes.contains(&top.as_str()) {
                wrong.push(photo);
            }
        }
        assert_eq!(wrong, mistakes, "{name}");
    }
}

/// What a network sees of a photo: its middle.
fn middle_of(path: &std::path::Path, facts: &Facts) -> Tensor {
    let photo = pixels(&image::open(path).unwrap().to_rgb8());
    let (_, _, h, w) = photo.dims4().unwrap();
    let scaled = |side: usize| side * facts.photo_side / h.min(w);
    let photo = resize(&photo, scaled(h), scaled(w), Sample::Bilinear).unwrap();
    let (width, height) = facts.size;
    let middle = photo.narrow(2, (scaled(h) - height) / 2, height).unwrap();
    middle.narrow(3, (scaled(w) - width) / 2, width).unwrap()
}
