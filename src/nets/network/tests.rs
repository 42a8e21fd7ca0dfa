//! Networks against their portable form, and against themselves.

use super::*;
use crate::nets::import::{Array, Header};
use crate::nets::testing::random_weights;
use crate::nets::{Source, architecture, motifs};
use crate::ops::fast::Tiles;
use crate::ops::testing::{assert_close, assert_same, check_gradient, gradient, random, values};
use candle_core::DType;

/// A narrow network of the embedded one's kind, 5 classes.
fn narrow(head: motifs::Head) -> (Facts, Weights) {
    let graph = motifs::graph(3, &[(4, 5), (6, 3), (5, 3), (7, 3)], 5, head);
    let mut weights = random_weights(&graph, 3);
    let name = if head == motifs::Head::Mean { "mean" } else { "logsumexp" };
    weights.metadata.insert("head".into(), name.into());
    (Facts::new(architecture("motifs").unwrap(), Some(&weights.header())).unwrap(), weights)
}

fn load(reads: &[&str]) -> Network {
    let (facts, weights) = narrow(motifs::Head::LogMeanExp);
    Network::load(&facts, &weights, reads.iter().copied()).unwrap()
}

fn picture(n: usize) -> Tensor {
    random(&[n, 3, 33, 29], 8).to_dtype(DType::F32).unwrap()
}

#[test]
fn folding_a_batch_norm_changes_nothing_but_rounding() {
    let x = picture(2);
    let folded = load(&["logits"]).forward(&x, false).unwrap();
    for read in ["conv1", "bn2", "conv4"] {
        let whole = load(&["logits", read]).forward(&x, false).unwrap();
        assert_close(&folded["logits"], &whole["logits"], 1e-5);
    }
    // What is read before the batch norm is not what comes after it.
    let taps = load(&["conv2", "bn2", "relu2"]).forward(&x, false).unwrap();
    let (conv, bn, relu) = (values(&taps["conv2"]), values(&taps["bn2"]), values(&taps["relu2"]));
    assert!(conv != bn && bn.iter().zip(&relu).all(|(bn, relu)| bn.max(0.0) == *relu));
}

#[test]
fn nothing_is_computed_beyond_the_deepest_node() {
    let steps = |reads: &[&str]| load(reads).core.steps.len();
    assert_eq!(steps(&["relu1"]), 2);
    assert_eq!(steps(&["bn1"]), 2);
    assert_eq!(steps(&["conv2", "relu1"]), 3);
    assert_eq!(steps(&["logits"]), 10);
    assert_eq!(steps(&["x"]), 0);
    assert_eq!(steps(&[]), 0);
    let x = picture(1);
    assert_same(&load(&["x"]).forward(&x, false).unwrap()["x"], &x);
    // Whatever nobody needs any more is freed.
    let network = load(&["relu2"]);
    let freed: Vec<usize> = network.core.steps.iter().flat_map(|step| step.free.clone()).collect();
    assert_eq!(freed.len(), network.core.steps.len());
}

#[test]
fn bytes_depend_neither_on_threads_nor_on_the_batch() {
    let network = load(&["logits", "head"]);
    let x = picture(3);
    let look = |x: &Tensor| {
        let taps = network.forward(x, true).unwrap();
        let gradient = gradient(|x| Ok(network.forward(x, true)?["logits"].clone()), x, &taps["logits"]);
        (taps["head"].clone(), gradient)
    };
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let (head, gradient) = pool(1).install(|| look(&x));
    let (other, other_gradient) = pool(2).install(|| look(&x));
    assert_same(&other, &head);
    assert_same(&other_gradient, &gradient);
    for image in 0..3 {
        let (alone, alone_gradient) = look(&x.narrow(0, image, 1).unwrap());
        assert_same(&alone, &head.narrow(0, image, 1).unwrap());
        assert_same(&alone_gradient, &gradient.narrow(0, image, 1).unwrap());
    }
}

#[test]
fn the_gradient_is_that_of_differences() {
    for head in [motifs::Head::LogMeanExp, motifs::Head::Mean] {
        let (facts, weights) = narrow(head);
        let network = Network::load(&facts, &weights, ["logits", "bn3"]).unwrap();
        check_gradient(|x| Ok(network.forward(x, false)?["logits"].clone()), &random(&[1, 3, 9, 11], 4));
    }
}

#[test]
fn a_dead_start_is_redirected_and_told() {
    let (facts, mut weights) = narrow(motifs::Head::LogMeanExp);
    for name in ["bn2.bias", "bn4.bias"] {
        weights.tensors.get_mut(name).unwrap().data.fill(-1000.0);
    }
    let network = Network::load(&facts, &weights, ["logits"]).unwrap();
    let x = picture(1);
    let weights = network.forward(&x, false).unwrap()["logits"].ones_like().unwrap();
    let look = |redirect| gradient(|x| Ok(network.forward(x, redirect)?["logits"].clone()), &x, &weights);
    assert!(values(&look(false)).iter().all(|&x| x == 0.0));
    assert_eq!(network.redirected(), [] as [String; 0]);
    assert!(values(&look(true)).iter().any(|&x| x != 0.0));
    assert_eq!(network.redirected(), ["relu2", "relu4"]);
    assert_eq!(network.redirected(), [] as [String; 0]);
}

#[test]
fn the_embedded_network_loads() {
    let motifs = architecture("motifs").unwrap();
    let Source::Embedded(bytes) = motifs.source else { panic!("it is embedded") };
    let (weights, facts) = (Weights::read(bytes).unwrap(), Facts::new(motifs, None).unwrap());
    assert_eq!(weights.header().tensors.len(), Header::of(bytes).unwrap().tensors.len());
    let network = Network::load(&facts, &weights, ["logits", "head"]).unwrap();
    let x = random(&[1, 3, facts.size.1, facts.size.0], 1).to_dtype(DType::F32).unwrap();
    let taps = network.forward(&x, false).unwrap();
    assert_eq!(taps["logits"].dims(), [1, facts.classes()]);
    assert_eq!(taps["head"].dims(), [1, facts.classes(), 6, 6]);
    assert!(values(&taps["logits"]).iter().all(|x| x.is_finite()));
}

#[test]
fn weights_that_do_not_fit_are_errors_with_names() {
    let (facts, mut weights) = narrow(motifs::Head::LogMeanExp);
    let fails = |weights: &Weights, read| match Network::load(&facts, weights, [read]) {
        Ok(_) => panic!("it does not fit"),
        Err(error) => error.to_string(),
    };
    assert_eq!(fails(&weights, "relu9"), "the network has no node `relu9`");
    weights.tensors.get_mut("bn2.running_var").unwrap().data[1] = -1.0;
    assert!(fails(&weights, "logits").ends_with("`bn2.running_var` holds a negative variance"));
    weights.tensors.remove("bn2.running_var");
    assert!(fails(&weights, "x").ends_with("`bn2.running_var` is missing"));
}

/// Residual blocks, strides, pools, and nodes read in their midst; sizes change from picture to picture.
#[test]
fn the_engine_computes_what_the_graph_does() {
    let graph = crate::nets::resnet::graph(18, 3, 10);
    let weights = random_weights(&graph, 5);
    let facts = Facts::new(architecture("resnet18").unwrap(), Some(&weights.header())).unwrap();
    let halved = LoadOptions { residual_gradient: 0.5, ..LoadOptions::default() };
    let smooth = LoadOptions { smooth_pools: true, ..LoadOptions::default() };
    for (options, reads) in [
        (LoadOptions::default(), &["fc"][..]),
        (LoadOptions::default(), &["fc", "layer1.0.conv2", "layer2.0.downsample.0", "layer3"]),
        (LoadOptions::default(), &["layer2.1.add"]),
        (LoadOptions::default(), &["bn1"]),
        (halved, &["fc"]),
        // Where a branch's last node is read it can't take up the sum: a shortcut's does, or none.
        (smooth, &["fc", "maxpool"]),
        (halved, &["fc", "layer2.0.bn2", "layer1.1.bn2", "layer3.0.bn2", "layer3.0.downsample.1"]),
        (halved, &["layer2.0.conv2", "layer4.1"]),
    ] {
        let network = Network::prepare(&facts, Cow::Borrowed(&weights), reads.iter().copied(), options).unwrap();
        for (height, width) in [(33, 29), (40, 64), (1, 1), (33, 29)] {
            let x = random(&[2, 3, height, width], 6).to_dtype(DType::F32).unwrap();
            let exact = network.portable(&x.to_dtype(DType::F64).unwrap(), false).unwrap();
            let found = network.forward(&x, false).unwrap();
            for read in reads {
                assert_close(&found[*read], &exact[*read], 1e-4);
            }
            let sum = |taps: BTreeMap<String, Tensor>| -> Result<Tensor> {
                let parts = reads.iter().map(|read| taps[*read].flatten_from(1)).collect::<Result<Vec<_>>>()?;
                Tensor::cat(&parts, 1)
            };
            let ones = sum(exact).unwrap().ones_like().unwrap();
            let wide = x.to_dtype(DType::F64).unwrap();
            let want = values(&gradient(|x| sum(network.portable(x, false)?), &wide, &ones));
            let ones = ones.to_dtype(DType::F32).unwrap();
            let got = values(&gradient(|x| sum(network.forward(x, false)?), &x, &ones));
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let cosine = dot(&got, &want) / (dot(&got, &got) * dot(&want, &want)).sqrt();
            assert!(cosine > 0.9999, "{reads:?} {height}x{width}: {cosine}");
            // Without a graph it is the same.
            let (taps, back) = network.ask(&x, false).unwrap().unwrap();
            let all = reads.iter().map(|read| (read.to_string(), taps[*read].ones_like().unwrap())).collect();
            assert!(reads.iter().all(|read| values(&taps[*read]) == values(&found[*read])));
            assert_eq!(values(&back.gradient(&all).unwrap()), got);
            assert!(values(&back.gradient(&BTreeMap::new()).unwrap()).iter().all(|x| *x == 0.0));
        }
    }
}

#[test]
fn a_network_of_one_channel_sees_the_luminance() {
    let colors = crate::nets::resnet::graph(18, 3, 10);
    let mut weights = random_weights(&colors, 5);
    let load = |weights: &Weights| {
        let facts = Facts::new(architecture("resnet18").unwrap(), Some(&weights.header())).unwrap();
        Network::load(&facts, weights, ["fc", "x"]).unwrap()
    };
    let x = random(&[2, 3, 33, 29], 6);
    // The same kernel for all channels, times their factors.
    let first = weights.tensors.get_mut("conv1.weight").unwrap();
    let one: Vec<f32> = first.data.chunks(3 * 49).flat_map(|kernel| kernel[..49].to_vec()).collect();
    for (i, kernel) in first.data.chunks_mut(49).enumerate() {
        let same = one[i / 3 * 49..][..49].iter();
        kernel.iter_mut().zip(same).for_each(|(to, weight)| *to = weight * LUMINANCE[i % 3] as f32);
    }
    let want = load(&weights);
    weights.tensors.insert("conv1.weight".into(), Array { shape: vec![64, 1, 7, 7], data: one });
    let gray = load(&weights);
    for x in [x.clone(), x.to_dtype(DType::F32).unwrap()] {
        let [found, expected] = [&gray, &want].map(|network| network.forward(&x, false).unwrap());
        assert_eq!(found["x"].dims(), [2, 1, 33, 29]);
        assert_close(&found["fc"], &expected["fc"], 1e-4);
        let back = |network: &Network| gradient(|x| Ok(network.forward(x, false)?["fc"].clone()), &x, &expected["fc"]);
        if x.dtype() == DType::F64 {
            assert_close(&back(&gray), &back(&want), 1e-4);
        }
        assert_eq!(back(&gray).dims(), x.dims());
    }
}

#[test]
fn a_dead_image_is_redone_and_the_others_stay() {
    let network = load(&["logits"]);
    let alive = picture(1);
    let both = Tensor::cat(&[&alive, &alive], 0).unwrap();
    let weights = Tensor::cat(
        &[
            Tensor::zeros((1, 5), DType::F32, &candle_core::Device::Cpu).unwrap(),
            Tensor::ones((1, 5), DType::F32, &candle_core::Device::Cpu).unwrap(),
        ],
        0,
    )
    .unwrap();
    // The first image's gradient is zero everywhere, which looks like a dead one: it is redone, to the same zero.
    let found = gradient(|x| Ok(network.forward(x, true)?["logits"].clone()), &both, &weights);
    assert!(values(&found.narrow(0, 0, 1).unwrap()).iter().all(|&x| x == 0.0));
    let ones = weights.narrow(0, 1, 1).unwrap();
    let alone = gradient(|x| Ok(network.forward(x, true)?["logits"].clone()), &alive, &ones);
    assert_same(&found.narrow(0, 1, 1).unwrap(), &alone);
}

#[test]
fn bf16_is_f32_but_for_rounding() {
    let graph = crate::nets::resnet::graph(18, 3, 10);
    let weights = random_weights(&graph, 5);
    let facts = Facts::new(architecture("resnet18").unwrap(), Some(&weights.header())).unwrap();
    let rounded = LoadOptions { form: Form::Rounded(Tiles::Portable), ..LoadOptions::default() };
    let [plain, rounded] = [LoadOptions::default(), rounded]
        .map(|options| Network::prepare(&facts, Cow::Borrowed(&weights), ["fc", "layer3"], options).unwrap());
    let x = random(&[2, 3, 65, 47], 6).to_dtype(DType::F32).unwrap();
    let cosine = |a: &Tensor, b: &Tensor| {
        let (a, b) = (values(a), values(b));
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt()
    };
    let [want, got] = [&plain, &rounded].map(|network| network.forward(&x, false).unwrap());
    let alike = cosine(&got["layer3"], &want["layer3"]);
    assert!((0.999..0.999_999_9).contains(&alike), "{alike}");
    let back = |network: &Network| gradient(|x| Ok(network.forward(x, false)?["fc"].clone()), &x, &want["fc"]);
    let alike = cosine(&back(&rounded), &back(&plain));
    assert!((0.97..0.999_999_9).contains(&alike), "{alike}");
}
