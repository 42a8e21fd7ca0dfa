//! Round trips through both formats, and files that lie.

use super::*;
use crate::render::{gif, png};
use image::{RgbImage, RgbaImage};
use proptest::prelude::*;

fn example() -> Metadata {
    let score = |term: &str, value| Score { term: term.into(), value };
    Metadata {
        version: "0.1.0".into(),
        // Longer than a sub-block of a GIF, with every kind of character.
        recipe: "# für 鶏 😀 \"quoted\" \\ \t\nmaximize class(\"hen\")\n".repeat(20),
        weights: vec![Weights { name: "resnet18".into(), sha256: "f37072fd".repeat(8) }],
        non_commercial: Some("ImageNet: research only".into()),
        variants: vec![
            Variant {
                label: "hen".into(),
                seed: 7,
                scores: vec![score("class(\"hen\")", 18.5), score("loss", -17.25)],
                stopped: None,
            },
            Variant { seed: u64::MAX, stopped: Some(Stopped { step: 660, of: 4000 }), ..Variant::default() },
        ],
    }
}

fn files(metadata: &Metadata) -> [Vec<u8>; 2] {
    let frames = [RgbImage::new(3, 2), RgbImage::from_pixel(3, 2, image::Rgb([200, 0, 0]))];
    let options = gif::Options { metadata: Some(metadata), ..gif::Options::default() };
    [gif::encode(&frames, &options).unwrap(), png::encode(&RgbaImage::new(3, 2), Some(metadata)).unwrap()]
}

#[test]
fn both_formats_give_it_back() {
    for bytes in files(&example()) {
        assert_eq!(read(&bytes), Ok(Some(example())));
    }
    for bytes in files(&Metadata::default()) {
        assert_eq!(read(&bytes), Ok(Some(Metadata::default())));
    }
}

#[test]
fn keys_stand_in_a_fixed_order() {
    let mut metadata = example();
    metadata.recipe = "é".into();
    metadata.variants.truncate(1);
    let json = metadata.to_json();
    assert_eq!(
        json,
        format!(
            "{{\"fviz\":\"0.1.0\",\"recipe\":\"é\",\"weights\":[{{\"name\":\"resnet18\",\"sha256\":\"{}\"}}],\
             \"non_commercial\":\"ImageNet: research only\",\"variants\":[{{\"label\":\"hen\",\"seed\":7,\"scores\":[\
             {{\"term\":\"class(\\\"hen\\\")\",\"value\":18.5}},{{\"term\":\"loss\",\"value\":-17.25}}]}}]}}",
            "f37072fd".repeat(8)
        )
    );
    assert!(json.starts_with(OPENING));
    assert_eq!(metadata.to_ascii_json(), json.replace('é', "\\u00e9"));
}

#[test]
fn a_gif_comment_is_ascii_and_is_split() {
    let [bytes, _] = files(&example());
    let start = bytes.windows(2).position(|pair| pair == [0x21, 0xfe]).unwrap() + 2;
    assert_eq!(bytes[start], 255, "a full sub-block comes first");
    let json = example().to_ascii_json();
    assert!(json.len() > 1000 && json.is_ascii());
    assert_eq!(&bytes[start + 1..start + 256], &json.as_bytes()[..255]);
}

#[test]
fn values_that_json_lacks_become_nan() {
    let mut metadata = example();
    metadata.variants[0].scores[0].value = f64::INFINITY;
    for bytes in files(&metadata) {
        assert!(read(&bytes).unwrap().unwrap().variants[0].scores[0].value.is_nan());
    }
}

#[test]
fn fields_of_later_versions_are_skipped() {
    let json = br#"{"fviz":"9","recipe":"x","new":[1,{"a":2}],"variants":[{"label":"","seed":1,"more":0}]}"#;
    let metadata: Metadata = serde_json::from_slice(json).unwrap();
    assert_eq!((metadata.version.as_str(), metadata.variants[0].seed), ("9", 1));
}

#[test]
fn files_of_others_hold_none() {
    let plain = png::encode(&RgbaImage::new(1, 1), None).unwrap();
    assert_eq!(read(&plain), Ok(None));
    let plain = gif::encode(&[RgbImage::new(1, 1)], &gif::Options::default()).unwrap();
    assert_eq!(read(&plain), Ok(None));
    assert_eq!(read(b"GIF89a\x01\0\x01\0\0\0\0\x21\xfe\x05hello\0\x3b"), Ok(None));
    assert_eq!(read(b"\xff\xd8\xff\xe0 a jpeg"), Err(MetadataError::Format));
    assert_eq!(read(b""), Err(MetadataError::Format));
}

#[test]
fn lies_are_errors() {
    assert_eq!(read(b"GIF89a\x01\0\x01\0\xff\0\0"), Err(MetadataError::Damaged), "a colour table that is not there");
    assert_eq!(read(b"GIF89a\x01\0\x01\0\0\0\0\x21\xfe\xffabc"), Err(MetadataError::Damaged));
    assert_eq!(read(b"GIF89a\x01\0\x01\0\0\0\0\x77"), Err(MetadataError::Damaged));
    let broken = b"GIF89a\x01\0\x01\0\0\0\0\x21\xfe\x0a{\"fviz\":1}\0\x3b";
    assert!(matches!(read(broken), Err(MetadataError::Json(_))));
    assert_eq!(read(b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffiTXt"), Err(MetadataError::Damaged), "4 GiB that are not there");
    assert_eq!(read(b"\x89PNG\r\n\x1a\n\0\0\0\x07iTXtfviz\0\0\0CRC!"), Err(MetadataError::Damaged));
}

#[test]
fn every_cut_and_every_flip_is_survived() {
    for bytes in files(&Metadata { recipe: "maximize".into(), ..Metadata::default() }) {
        for cut in 0..bytes.len() {
            let _ = read(&bytes[..cut]);
            for flip in [0x01, 0x80, 0xff] {
                let mut bad = bytes.clone();
                bad[cut] ^= flip;
                let _ = read(&bad);
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(body: Vec<u8>, png: bool) {
        let head: &[u8] = if png { b"\x89PNG\r\n\x1a\n" } else { b"GIF89a" };
        let _ = read(&[head, &body].concat());
        let _ = read(&body);
    }

    #[test]
    fn any_text_comes_back(recipe: String, label: String, seed: u64) {
        let variants = vec![Variant { label, seed, ..Variant::default() }];
        let metadata = Metadata { recipe, variants, ..Metadata::default() };
        for bytes in files(&metadata) {
            prop_assert_eq!(read(&bytes), Ok(Some(metadata.clone())));
        }
    }
}
