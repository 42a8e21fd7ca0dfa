//! Files of weights as torch writes them, whole, damaged and hostile. tests/fixtures/torch_pth.py made them.

mod common;

use common::{assert_close, fixture, models};
use fviz::nets::import::Dtype;
use fviz::nets::{Header, ImportError, Weights};

fn read(name: &str) -> Result<Weights, ImportError> {
    Weights::read(&fixture(&format!("pth/{name}.pth")))
}

/// 0, 0.5, 1 …
fn count(n: usize) -> Vec<f32> {
    (0..n).map(|i| i as f32 * 0.5).collect()
}

#[test]
fn every_kind_of_tensor_is_read() {
    let weights = read("kinds").unwrap();
    let is = |name: &str, shape: &[usize], data: &[f32]| {
        let array = &weights.tensors[name];
        assert_eq!((array.shape.as_slice(), array.data.as_slice()), (shape, data), "{name}");
    };
    is("single", &[2, 3], &count(6));
    is("half", &[4], &count(4));
    is("brain", &[2, 2], &count(4));
    is("transposed", &[2, 3], &[0.0, 1.0, 2.0, 0.5, 1.5, 2.5]);
    let permuted: Vec<f32> = (0..24).map(|i| (i % 6 * 4 + i / 6) as f32 * 0.5).collect();
    is("permuted", &[4, 2, 3], &permuted);
    is("parameter", &[3], &count(3));
    is("left", &[2, 2], &[0.0, 0.5, 3.0, 3.5]);
    is("right", &[2, 4], &[1.0, 1.5, 2.0, 2.5, 4.0, 4.5, 5.0, 5.5]);
    is("scalar", &[], &[0.5]);
    is("empty", &[0, 4], &[]);
    assert_eq!(weights.tensors.len(), 10);
    let header = Header::of(&fixture("pth/kinds.pth")).unwrap();
    assert_eq!(header.tensors.len(), 10);
    assert_eq!((header.shape("right"), header.tensors["brain"].dtype), (Some(&[2, 4][..]), Dtype::BF16));
}

#[test]
fn wrappings_come_off() {
    let plain = read("module").unwrap();
    assert_eq!(
        plain.tensors.keys().collect::<Vec<_>>(),
        ["0.bias", "0.weight", "1.bias", "1.running_mean", "1.running_var", "1.weight"]
    );
    assert_eq!(read("data_parallel").unwrap(), plain);
    assert_eq!(read("checkpoint").unwrap(), plain);
    assert_eq!(Weights::read(&common::torch_zip(&plain)).unwrap(), plain);
}

#[test]
fn what_is_refused_says_why() {
    let says = |name: &str| read(name).unwrap_err().to_string();
    let legacy = read("legacy").unwrap_err();
    assert_eq!(legacy.to_string(), "the file is a `.pth` in torch's old format, which is not a zip archive");
    assert!(legacy.help().unwrap().contains("torch.save(torch.load("));
    assert_eq!(says("double"), "`double` holds double numbers; f32, f16 and bf16 are read");
    assert_eq!(says("nan"), "not all numbers are finite in `a`");
    assert!(matches!(read("script"), Err(ImportError::Script)));
    assert!(says("whole_model").contains("an object of Python, not weights"));
    assert!(says("bare_tensor").contains("an object of Python, not weights"));
    for bytes in [&b""[..], b"PK", b"<!DOCTYPE html>", b"version https://git-lfs.github.com/spec/v1"] {
        assert!(matches!(Weights::read(bytes), Err(ImportError::Unknown)));
    }
}

/// Every cut, and thousands of changed bytes: read or refused, no panic, no hang.
#[test]
fn damage_is_an_error_never_a_panic() {
    for name in ["kinds", "checkpoint", "whole_model", "script"] {
        let whole = fixture(&format!("pth/{name}.pth"));
        for cut in 0..whole.len() {
            assert!(Weights::read(&whole[..cut]).is_err(), "{name} cut at {cut}");
        }
        let mut state = 1u64;
        let mut random = |bound: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % bound
        };
        for _ in 0..3000 {
            let mut bytes = whole.clone();
            for _ in 0..=random(4) {
                bytes[random(whole.len())] = random(256) as u8;
            }
            let _ = (Weights::read(&bytes), Header::of(&bytes));
        }
    }
}

#[test]
fn a_real_pth_holds_what_its_safetensors_does() {
    let Some(models) = models() else { return };
    let pth = Weights::read(&std::fs::read(models.join("squeezenet1_1.pth")).unwrap()).unwrap();
    let safetensors = Weights::read(&std::fs::read(models.join("squeezenet1_1.safetensors")).unwrap()).unwrap();
    assert!(pth.tensors.keys().eq(safetensors.tensors.keys()));
    for (name, array) in &pth.tensors {
        let other = &safetensors.tensors[name];
        assert_eq!(array.shape, other.shape);
        // The one is f32, the other f16.
        assert_close(name, &array.data, &other.data, 1.0 / 2048.0);
    }
}
