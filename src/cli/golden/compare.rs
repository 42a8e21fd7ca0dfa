//! Two golden runs, held against each other.

use std::fmt;

use super::{Frame, Golden, Rows, Series, Tolerance, Variant};

/// What is not as it was.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    /// There are other variants, terms or steps than there were.
    Shape(String),
    /// A score is outside of the tolerance.
    Score {
        /// The variant's label.
        variant: String,
        /// The term.
        name: String,
        /// The first step in which it is.
        step: usize,
        /// What it was.
        expected: f64,
        /// What it is.
        got: f64,
        /// How far that is, as the tolerance counts.
        by: f64,
        /// The tolerance.
        allowed: f64,
    },
    /// A frame is outside of the tolerance.
    Frame {
        /// The variant's label.
        variant: String,
        /// After which step.
        step: usize,
        /// How far away it is on average, in 1/255.
        by: f64,
        /// The tolerance.
        allowed: f64,
    },
    /// Within the tolerance, but not the same bytes on a processor of the same kind.
    Bytes,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |variant: &str| if variant.is_empty() { String::new() } else { format!("{variant}: ") };
        match self {
            Self::Shape(text) => f.write_str(text),
            Self::Score { variant, name, step, expected, got, by, allowed } => write!(
                f,
                "{}`{name}` is {got:.4} at step {step} and should be {expected:.4}: {:.2} % away, {:.2} % are allowed",
                of(variant),
                100.0 * by,
                100.0 * allowed
            ),
            Self::Frame { variant, step, by, allowed } => write!(
                f,
                "{}the picture after step {step} is {by:.2}/255 away on average, {allowed:.2} are allowed",
                of(variant)
            ),
            Self::Bytes => {
                f.write_str("all is within the tolerance, but not the same bytes, on a processor of the same kind")
            }
        }
    }
}

/// Everything that differs, by the tolerance of `expected`.
pub fn compare(expected: &Golden, got: &Golden) -> Vec<Difference> {
    let mut found = Vec::new();
    if expected.steps != got.steps {
        found.push(Difference::Shape(format!("it ran {} steps and should run {}", got.steps, expected.steps)));
    }
    let labels = |golden: &Golden| golden.variants.iter().map(|v| v.label.clone()).collect::<Vec<_>>().join(", ");
    if labels(expected) != labels(got) || expected.variants.len() != got.variants.len() {
        let text = match (expected.variants.len(), got.variants.len()) {
            (1, 1) => "it has another variant".into(),
            _ => format!("its variants are [{}] and should be [{}]", labels(got), labels(expected)),
        };
        found.push(Difference::Shape(text));
        return found;
    }
    for (expected_variant, variant) in expected.variants.iter().zip(&got.variants) {
        found.extend(scores(expected_variant, variant, &expected.tolerance));
        found.extend(frames(expected_variant, variant, &expected.tolerance));
    }
    if found.is_empty() && expected.recorded == got.recorded && expected.sha256 != got.sha256 {
        found.push(Difference::Bytes);
    }
    found
}

fn scores(expected: &Variant, got: &Variant, tolerance: &Tolerance) -> Vec<Difference> {
    let names = |variant: &Variant| variant.scores.keys().cloned().collect::<Vec<_>>().join(", ");
    if names(expected) != names(got) {
        let text = format!("its scores are of [{}] and should be of [{}]", names(got), names(expected));
        return vec![Difference::Shape(text)];
    }
    let mut found = Vec::new();
    for ((name, expected_series), series) in expected.scores.iter().zip(got.scores.values()) {
        found.extend(first_outside(expected_series, series, tolerance).map(|place| Difference::Score {
            variant: got.label.clone(),
            name: name.clone(),
            step: place.step,
            expected: place.expected,
            got: place.got,
            by: place.by,
            allowed: place.allowed,
        }));
    }
    found
}

/// A step in which two series differ by more than is allowed.
#[derive(Clone, Copy, Debug)]
struct Place {
    step: usize,
    expected: f64,
    got: f64,
    /// As a share of the greatest expected value.
    by: f64,
    /// What is allowed of that.
    allowed: f64,
}

/// A score that is written in the file has six decimals.
const LEAST_SCALE: f64 = 1e-4;

/// The first such step: what went wrong began there.
fn first_outside(expected: &Series, got: &Series, tolerance: &Tolerance) -> Option<Place> {
    (0..expected.0.len().max(got.0.len())).find_map(|step| {
        let value = |series: &Series| series.0.get(step).copied().unwrap_or(f64::NAN);
        let (by, allowed) = (share(expected, got, step), tolerance.scores.at(step));
        (by > allowed).then(|| Place { step, expected: value(expected), got: value(got), by, allowed })
    })
}

/// How far two series are apart at a step, as a share of the greatest expected value. A number against none is as far
/// away as can be.
pub(super) fn share(expected: &Series, got: &Series, step: usize) -> f64 {
    let scale = expected.0.iter().fold(LEAST_SCALE, |scale, value| value.abs().max(scale));
    let value = |series: &Series| series.0.get(step).copied().filter(|value| !value.is_nan());
    match (value(expected), value(got)) {
        (Some(expected), Some(got)) => (got - expected).abs() / scale,
        (None, None) => 0.0,
        _ => f64::INFINITY,
    }
}

fn frames(expected: &Variant, got: &Variant, tolerance: &Tolerance) -> Vec<Difference> {
    let mut found = Vec::new();
    for (expected, frame) in expected.frames.iter().zip(&got.frames) {
        let by = distance(&expected.rows, &frame.rows);
        let allowed = tolerance.pixels.at(frame.step);
        if expected.step != frame.step || by > allowed {
            let variant = got.label.clone();
            found.push(Difference::Frame { variant, step: frame.step, by, allowed });
        }
    }
    if expected.frames.len() != got.frames.len() {
        let steps = |frames: &[Frame]| frames.len();
        found.push(Difference::Shape(format!(
            "it has {} frames and should have {}",
            steps(&got.frames),
            steps(&expected.frames)
        )));
    }
    found
}

/// Mean difference of two reduced frames, in 1/255.
pub(super) fn distance(a: &Rows, b: &Rows) -> f64 {
    let pairs = a.0.iter().flatten().zip(b.0.iter().flatten());
    let sum: f64 = pairs.map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
    sum / (3 * a.0.len().max(1)) as f64
}
