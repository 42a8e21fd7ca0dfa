//! What a variant made ⇄ bytes: a safetensors file, deflated.
//!
//! | tensor | shape | |
//! | --- | --- | --- |
//! | `canvas/STAGE/ITERATION`, `view/…` | u8 `[H, W, 4]` | a frame; less the one of its size before it, byte by byte |
//! | `scores/STAGE` | f64 `[steps, 3 + networks + terms + penalties]` | iteration, loss, activation, probabilities (or NaN), the rest |
//! | `map` | f64 `[H, W]` | the numbers of an attribution |
//! | `end` | i64 `[3]` | stage and iteration of the last canvas, steps made |
//!
//! Pictures are kept as the bytes that every file shows, so a file made of them is the same to the last bit.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::Arc;

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use image::RgbaImage;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::check::recipe::Variant;
use crate::plan::Take;
use crate::run::Scores;
use crate::session::collect::Made;

/// A score's own numbers before those of its networks, terms and penalties.
const FIXED: usize = 3;

type Frames = BTreeMap<Take, Arc<RgbaImage>>;

/// The bytes of what a variant made; nothing where it is not done.
pub(super) fn encode(made: &Made) -> Option<Vec<u8>> {
    let end = made.end?;
    let mut tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
    for (kind, frames) in [("canvas", &made.canvases), ("view", &made.views)] {
        let mut before: Option<&RgbaImage> = None;
        for (take, frame) in frames {
            let bytes = changed(frame, before, u8::wrapping_sub);
            let shape = vec![frame.height() as usize, frame.width() as usize, 4];
            tensors.push((format!("{kind}/{}/{}", take.stage, take.iteration), Dtype::U8, shape, bytes));
            before = Some(frame);
        }
    }
    let mut tables: BTreeMap<usize, (usize, Vec<f64>)> = BTreeMap::new();
    for (take, scores) in &made.scores {
        let (rows, numbers) = tables.entry(take.stage).or_default();
        *rows += 1;
        numbers.extend([take.iteration as f64, scores.loss, scores.activation]);
        numbers.extend(scores.probabilities.iter().map(|probability| probability.unwrap_or(f64::NAN)));
        numbers.extend(scores.terms.iter().chain(&scores.penalties));
    }
    for (stage, (rows, numbers)) in tables {
        let shape = vec![rows, numbers.len() / rows];
        tensors.push((
            format!("scores/{stage}"),
            Dtype::F64,
            shape,
            numbers.iter().flat_map(|x| x.to_le_bytes()).collect(),
        ));
    }
    if let Some(rows) = &made.map {
        let shape = vec![rows.len(), rows.first().map_or(0, Vec::len)];
        tensors.push(("map".into(), Dtype::F64, shape, rows.iter().flatten().flat_map(|x| x.to_le_bytes()).collect()));
    }
    let end = [end.stage, end.iteration, made.steps].map(|n| n as i64);
    tensors.push(("end".into(), Dtype::I64, vec![3], end.iter().flat_map(|n| n.to_le_bytes()).collect()));

    let views = tensors
        .iter()
        .map(|(name, dtype, shape, bytes)| Some((name.as_str(), TensorView::new(*dtype, shape.clone(), bytes).ok()?)));
    let plain = safetensors::serialize(views.collect::<Option<Vec<_>>>()?, None).ok()?;
    // The fastest: noise hardly gets smaller by more effort.
    let mut deflated = ZlibEncoder::new(Vec::new(), Compression::fast());
    deflated.write_all(&plain).ok()?;
    deflated.finish().ok()
}

/// What a variant made, of its bytes; nothing where they are not of it.
pub(super) fn decode(bytes: &[u8], variant: &Variant) -> Option<Made> {
    let mut plain = Vec::new();
    ZlibDecoder::new(bytes).read_to_end(&mut plain).ok()?;
    let tensors = SafeTensors::deserialize(&plain).ok()?;
    let mut made = Made { canvases: frames(&tensors, "canvas")?, views: frames(&tensors, "view")?, ..Made::default() };
    for (number, stage) in variant.stages.iter().enumerate() {
        let Ok(table) = tensors.tensor(&format!("scores/{number}")) else { continue };
        let (networks, terms, penalties) = (variant.models.len(), stage.terms.len(), stage.penalties.len());
        for row in rows(&table)? {
            let (&[iteration, loss, activation], rest) = row.split_first_chunk::<FIXED>()?;
            if rest.len() != networks + terms + penalties {
                return None;
            }
            let (probabilities, rest) = rest.split_at(networks);
            let (terms, penalties) = rest.split_at(terms);
            let scores = Scores {
                loss,
                terms: terms.to_vec(),
                penalties: penalties.to_vec(),
                activation,
                probabilities: probabilities.iter().map(|&p| Some(p).filter(|p| !p.is_nan())).collect(),
            };
            made.scores.push((Take { stage: number, iteration: iteration as usize }, scores));
        }
    }
    made.latest = made.scores.last().map(|(_, scores)| scores.clone());
    made.map = tensors.tensor("map").ok().and_then(|map| rows(&map));
    let end = numbers(tensors.tensor("end").ok()?.data(), i64::from_le_bytes);
    let &[stage, iteration, steps] = end.as_slice() else { return None };
    made.end = Some(Take { stage: usize::try_from(stage).ok()?, iteration: usize::try_from(iteration).ok()? });
    made.steps = usize::try_from(steps).ok()?;
    Some(made)
}

fn frames(tensors: &SafeTensors, kind: &str) -> Option<Frames> {
    let mut sorted: BTreeMap<Take, TensorView> = BTreeMap::new();
    for (name, tensor) in tensors.tensors() {
        let Some(place) = name.strip_prefix(kind).and_then(|rest| rest.strip_prefix('/')) else { continue };
        let (stage, iteration) = place.split_once('/')?;
        sorted.insert(Take { stage: stage.parse().ok()?, iteration: iteration.parse().ok()? }, tensor);
    }
    let mut frames = Frames::new();
    let mut before: Option<Arc<RgbaImage>> = None;
    for (take, tensor) in sorted {
        let &[height, width, 4] = tensor.shape() else { return None };
        let change = RgbaImage::from_raw(width as u32, height as u32, tensor.data().to_vec())?;
        let bytes = changed(&change, before.as_deref(), u8::wrapping_add);
        let frame = Arc::new(RgbaImage::from_raw(change.width(), change.height(), bytes)?);
        before = Some(Arc::clone(&frame));
        frames.insert(take, frame);
    }
    Some(frames)
}

/// A frame's bytes, each with that of the frame before put to it by `by`, if that has the same size.
fn changed(frame: &RgbaImage, before: Option<&RgbaImage>, by: fn(u8, u8) -> u8) -> Vec<u8> {
    match before.filter(|before| before.dimensions() == frame.dimensions()) {
        Some(before) => frame.as_raw().iter().zip(before.as_raw()).map(|(&new, &old)| by(new, old)).collect(),
        None => frame.as_raw().clone(),
    }
}

/// The rows of a table of f64.
fn rows(table: &TensorView) -> Option<Vec<Vec<f64>>> {
    let &[_, width] = table.shape() else { return None };
    let numbers = numbers(table.data(), f64::from_le_bytes);
    Some(numbers.chunks_exact(width.max(1)).map(<[f64]>::to_vec).collect())
}

fn numbers<T>(bytes: &[u8], of: fn([u8; 8]) -> T) -> Vec<T> {
    bytes.as_chunks::<8>().0.iter().map(|bytes| of(*bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::testing::{class, stage, variant};
    use crate::session::tests::facts;

    fn take(stage: usize, iteration: usize) -> Take {
        Take { stage, iteration }
    }

    fn of_two_stages() -> (Variant, Made) {
        let mut stages = vec![stage("coarse", 4, 2), stage("fine", 6, 1)];
        stages[0].terms = vec![class("x", 0, 1.0), class("x", 1, 0.5)];
        stages[1].terms = vec![class("x", 0, 1.0)];
        let noise = |side: u32, seed: u32| {
            Arc::new(RgbaImage::from_fn(side, side + 1, |x, y| {
                image::Rgba([seed * 7, x * 91 + seed, y * 53, 255 - x].map(|v| v as u8))
            }))
        };
        let scores = |terms: &[f64], probability| Scores {
            loss: -0.1,
            terms: terms.into(),
            activation: 0.1 + 0.2,
            probabilities: vec![probability],
            ..Scores::default()
        };
        let last = scores(&[f64::MIN_POSITIVE], Some(0.25));
        let made = Made {
            canvases: [(take(0, 0), noise(4, 1)), (take(0, 1), noise(4, 60)), (take(1, 0), noise(6, 3))].into(),
            views: [(take(0, 1), noise(5, 9))].into(),
            map: Some(vec![vec![1.0, -0.0, f64::MAX], vec![0.1, 0.2, 0.3]]),
            scores: vec![
                (take(0, 0), scores(&[1.0, 2.0], None)),
                (take(0, 1), scores(&[3.0, 4.0], None)),
                (take(1, 0), last.clone()),
            ],
            latest: Some(last),
            end: Some(take(1, 0)),
            steps: 3,
        };
        (variant("", &facts("motifs"), stages), made)
    }

    #[test]
    fn what_was_made_comes_back_to_the_last_bit() {
        let (variant, made) = of_two_stages();
        let bytes = encode(&made).unwrap();
        let found = decode(&bytes, &variant).unwrap();
        assert_eq!(found, made);
        assert!(found.map.unwrap()[0][1].is_sign_negative());
        assert!(encode(&Made { end: None, ..made }).is_none(), "not done");
    }

    #[test]
    fn what_does_not_fit_is_nothing() {
        let (mut variant, made) = of_two_stages();
        let bytes = encode(&made).unwrap();
        for end in [0, 1, bytes.len() / 2, bytes.len() - 1] {
            assert_eq!(decode(&bytes[..end], &variant), None, "{end}");
        }
        variant.stages[0].terms.pop();
        assert_eq!(decode(&bytes, &variant), None, "another number of terms");
    }
}
