//! Time and chance: when a word acts, and draws that depend on nothing but their meaning.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};
use sha2::{Digest, Sha256};

use super::Kind;

/// The greatest seed: beyond it, numbers of the language (f64) stand for several whole numbers at once.
pub const GREATEST_SEED: i64 = (1 << 53) - 1;

/// The moment at which a word acts.
///
/// A draw's key is (seed, stage, kind, word, its occurrence among equals, parameter, iteration, view): never the
/// variant, never a line number. So another comment, statement or variant changes no draw.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// The recipe's seed.
    pub seed: u64,
    /// The stage's name; empty where a recipe has no stages.
    pub stage: String,
    /// Iteration i = 0 … N−1 of the stage.
    pub iteration: usize,
    /// i / (N−1) in 0..=1; 0 for a stage of one step.
    pub progress: f64,
    /// Which of the views of this iteration.
    pub view: usize,
    /// The acting word's kind, name and occurrence among its equals.
    pub word: (Kind, &'static str, usize),
}

impl Moment {
    /// A moment outside of any run, for tests.
    pub fn still(kind: Kind, name: &'static str) -> Self {
        Self { seed: 0, stage: String::new(), iteration: 0, progress: 0.0, view: 0, word: (kind, name, 0) }
    }

    /// The stream of random numbers of one parameter at this moment.
    pub fn rng(&self, parameter: &str) -> Rng {
        let (kind, name, occurrence) = self.word;
        let key = format!(
            "fviz draw 1|{}|{}|{}|{name}|{occurrence}|{parameter}|{}|{}",
            self.seed,
            self.stage,
            kind.noun(),
            self.iteration,
            self.view
        );
        Rng(ChaCha8Rng::from_seed(Sha256::digest(key.as_bytes()).into()))
    }
}

/// A stream of random numbers that is the same on every machine.
pub struct Rng(ChaCha8Rng);

impl Rng {
    /// Uniform in 0..1, of 53 random bits.
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Normal of mean 0 and deviation 1, by Box and Muller's method (1958) over libm.
    pub fn normal(&mut self) -> f64 {
        let (u, v) = (1.0 - self.uniform(), self.uniform());
        libm::sqrt(-2.0 * libm::log(u)) * libm::cos(2.0 * std::f64::consts::PI * v)
    }

    /// Uniform in 0..n.
    pub fn below(&mut self, n: usize) -> usize {
        ((self.uniform() * n as f64) as usize).min(n.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_depends_on_its_key_alone() {
        let moment = Moment::still(Kind::Transform, "affine");
        assert_eq!(moment.rng("scale").uniform(), moment.clone().rng("scale").uniform());
        let first = moment.rng("scale").uniform();
        assert_ne!(first, moment.rng("rotate").uniform());
        assert_ne!(first, Moment { iteration: 1, ..moment.clone() }.rng("scale").uniform());
        assert_ne!(first, Moment { view: 1, ..moment.clone() }.rng("scale").uniform());
        assert_ne!(first, Moment { stage: "b".into(), ..moment.clone() }.rng("scale").uniform());
        assert_ne!(first, Moment { word: (Kind::Transform, "affine", 1), ..moment }.rng("scale").uniform());
    }

    #[test]
    fn draws_have_their_moments() {
        let mut rng = Moment::still(Kind::Init, "gray").rng("noise");
        let normals: Vec<f64> = (0..20_000).map(|_| rng.normal()).collect();
        let mean = normals.iter().sum::<f64>() / 2e4;
        let variance = normals.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / 2e4;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }
}
