//! What tests of networks share.
#![allow(dead_code)] // each test uses a part of it

use std::collections::BTreeMap;
use std::path::PathBuf;

use candle_core::{DType, Tensor};
use fviz::nets::Weights;

/// The folder of real weights that `FVIZ_MODELS` names; without it a line says that the test is left out.
pub fn models() -> Option<PathBuf> {
    let folder = std::env::var_os("FVIZ_MODELS").map(PathBuf::from);
    if folder.is_none() {
        println!("left out: needs real weights, and FVIZ_MODELS names no folder");
    }
    folder
}

/// A file beside the tests.
pub fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
}

/// The numbers of a tensor.
pub fn values(x: &Tensor) -> Vec<f32> {
    x.to_dtype(DType::F32).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// Asserts that nothing differs by more than `tolerance` of the greatest number.
pub fn assert_close(name: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{name}");
    let greatest = expected.iter().fold(0f32, |greatest, x| greatest.max(x.abs()));
    let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
    let length = |x: &mut dyn Iterator<Item = f32>| x.map(|x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
    let far = length(&mut found.iter().zip(expected).map(|(a, b)| a - b)) / length(&mut expected.iter().copied());
    println!("{name}: off by {:.1e} of the greatest, {far:.1e} of its length", worst / greatest);
    assert!(worst <= tolerance * greatest, "{name}: off by {worst}, the greatest is {greatest}");
}

/// Asserts that a tensor is the one that tests/fixtures/fixture.py thinned out.
pub fn assert_thinned(expected: &Weights, name: &str, found: &[f32], tolerance: f32) {
    let count = expected.metadata.get("thinned").map_or(1000, |count| count.parse().unwrap());
    let step = (found.len() / count).max(1);
    let thinned: Vec<f32> = found.iter().copied().step_by(step).collect();
    assert_close(name, &thinned, &expected.tensors[&format!("{name}.values")].data, tolerance);
    let mean = |f: fn(f64) -> f64| found.iter().map(|&x| f(x.into())).sum::<f64>() / found.len() as f64;
    let moments = &expected.tensors[&format!("{name}.moments")].data;
    let scale = moments[1].sqrt();
    assert!((mean(|x| x) as f32 - moments[0]).abs() <= tolerance * scale, "{name}: mean");
    assert!((mean(|x| x * x) as f32 - moments[1]).abs() <= tolerance * moments[1], "{name}: mean square");
}

/// Names of all nodes of which a fixture holds numbers.
pub fn thinned_names(expected: &Weights) -> Vec<&str> {
    expected
        .tensors
        .keys()
        .filter_map(|key| key.strip_suffix(".moments"))
        .filter(|name| !["gradient", "residual"].contains(name))
        .collect()
}

/// The cosine of the angle between two tensors.
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// A zip archive of weights as `torch.save` writes it: what is in it and the pickle's opcodes are those of torchvision's
/// files. All tensors are f32.
pub fn torch_zip(weights: &Weights) -> Vec<u8> {
    use std::io::Write;
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let mut put = |name: String, bytes: &[u8]| {
        zip.start_file(name, options).unwrap();
        zip.write_all(bytes).unwrap();
    };
    put(
        "archive/data.pkl".into(),
        &pickle(&weights.tensors.iter().map(|(n, a)| (n.clone(), a.shape.clone())).collect()),
    );
    put("archive/byteorder".into(), b"little");
    for (key, array) in weights.tensors.values().enumerate() {
        let bytes: Vec<u8> = array.data.iter().flat_map(|x| x.to_le_bytes()).collect();
        put(format!("archive/data/{key}"), &bytes);
    }
    put("archive/version".into(), b"3\n");
    zip.finish().unwrap().into_inner()
}

fn pickle(shapes: &BTreeMap<String, Vec<usize>>) -> Vec<u8> {
    const ORDERED: &[u8] = b"ccollections\nOrderedDict\n)R";
    let text = |text: &str| [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat();
    let int = |n: usize| [b"J", &(n as u32).to_le_bytes()[..]].concat();
    let tuple =
        |numbers: &[usize]| [&b"("[..], &numbers.iter().flat_map(|&n| int(n)).collect::<Vec<u8>>(), b"t"].concat();
    let mut pickle = [b"\x80\x02", ORDERED, b"("].concat();
    for (key, (name, shape)) in shapes.iter().enumerate() {
        let strides: Vec<usize> = (0..shape.len()).map(|i| shape[i + 1..].iter().product()).collect();
        pickle.extend(text(name));
        pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        pickle.extend(
            [text("storage"), b"ctorch\nFloatStorage\n".to_vec(), text(&key.to_string()), text("cpu")].concat(),
        );
        pickle.extend([int(shape.iter().product()), b"tQK\x00".to_vec(), tuple(shape), tuple(&strides)].concat());
        pickle.extend([b"\x89", ORDERED, b"tR"].concat());
    }
    pickle.extend(b"u.");
    pickle
}
