//! How far a run may be away from the golden one: measured when a recipe is blessed, and written into its file.
//!
//! Another processor sums in another order. What that changes in the last place grows from step to step, and how fast
//! depends on the recipe: ResNet18 at the guide's step length multiplies it by thirty in each step, so that after five
//! steps two processors draw different hens; a small network hardly at all. A mistake in a recipe is there at once. So a
//! recipe is blessed by two runs, in the second of which the network sees the picture through noise in the last place;
//! little is allowed where the two agree, much where they don't.

use serde::{Deserialize, Serialize};

use super::compare::{distance, share};
use super::{Golden, Series};
use crate::check::Recipe;
use crate::spec::{Arg, Args, Call, Kind};
use crate::words::registry;

/// What is allowed in each step. A single number holds for all of them; the last one for all that follow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tolerance {
    /// Of a score, as a share of its series' greatest value.
    pub scores: Series,
    /// Of a reduced frame, in 1/255, on average over its pixels and channels.
    pub pixels: Series,
}

/// Allowed at least of a score: the share before the first step, and after how many steps it has doubled.
///
/// On the embedded network, with plain, normalized and Adam steps, a start that is off by 5e-7 stays below this for all of
/// twenty steps; a blur a step late, another seed or class is away by 0.003 to 0.3 after one or two.
const SCORES: (f64, f64) = (5e-4, 1.5);
/// The same of a frame, in 1/255.
const PIXELS: (f64, f64) = (1.0, 4.0);
/// Nothing more is ever allowed: a share, 1/255.
const MOST: f64 = 1000.0;

/// The noise's deviation: three units in the last place of an f32 at 0.5.
const NOISE: f64 = 2e-7;
/// So many times the distance of the two runs is allowed, since a processor rounds in every layer, …
const FACTOR: f64 = 5.0;
/// … and the distance that they have so many steps later.
const AHEAD: usize = 1;

impl Tolerance {
    /// What is allowed of two runs of a recipe that should be the same.
    pub fn measured(run: &Golden, noisy: &Golden) -> Self {
        let steps = run.variants.iter().flat_map(|v| v.scores.values()).map(|s| s.0.len()).max().unwrap_or(0);
        let (mut scores, mut pixels) = (vec![0.0f64; steps], vec![0.0f64; steps]);
        for (a, b) in run.variants.iter().zip(&noisy.variants) {
            for (a, b) in a.scores.values().zip(b.scores.values()) {
                for (step, drift) in scores.iter_mut().enumerate() {
                    *drift = drift.max(share(a, b, step));
                }
            }
            for (a, b) in a.frames.iter().zip(&b.frames) {
                if let Some(drift) = pixels.get_mut(a.step) {
                    *drift = drift.max(distance(&a.rows, &b.rows));
                }
            }
        }
        Self { scores: allowed(&scores, SCORES), pixels: allowed(&pixels, PIXELS) }
    }

    /// What somebody has written by hand, a single number, stays; what was measured is measured anew.
    pub fn keeping(self, before: &Self) -> Self {
        let keep = |before: &Series, now: Series| if before.0.len() == 1 { before.clone() } else { now };
        Self { scores: keep(&before.scores, self.scores), pixels: keep(&before.pixels, self.pixels) }
    }
}

/// What is allowed of `drift` in each step, never less than in the step before.
fn allowed(drift: &[f64], (least, doubling): (f64, f64)) -> Series {
    let mut greatest = 0.0f64;
    let each = (0..drift.len()).map(|step| {
        greatest = drift.iter().take(step + AHEAD + 1).fold(greatest, |greatest, drift| greatest.max(*drift));
        let growth = libm::exp2(step as f64 / doubling);
        (FACTOR * greatest).max(least * growth).min(MOST)
    });
    Series(each.collect())
}

/// The recipe with noise as rounding makes it before whatever else its network sees.
pub fn noisy(recipe: &Recipe) -> Recipe {
    let mut recipe = recipe.clone();
    let Some(spec) = registry::find(Kind::Transform, "noise") else { return recipe };
    for stage in recipe.variants.iter_mut().flat_map(|variant| &mut variant.stages) {
        let args = Args::new().with("sd", Arg::Number(NOISE.into()));
        // Beyond all of the recipe's own, whose draws must stay as they are.
        let occurrence = stage.transforms.len();
        let span = stage.optimizer.span;
        stage.transforms.insert(0, Call { spec, args, block: Vec::new(), occurrence, span });
    }
    recipe
}
