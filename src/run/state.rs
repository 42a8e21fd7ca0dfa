//! Where a variant stands on its way.

use candle_core::Tensor;

use crate::canvas::{Form, Held};
use crate::check::recipe::{Stage, Variant};
use crate::spec::{Kind, Moment};
use crate::words::Moments;

/// All that changes while a variant runs. With the recipe it determines everything that comes after.
#[derive(Clone, Debug)]
pub struct State {
    /// Which variant of the recipe.
    pub variant: usize,
    /// Which stage it is in.
    pub stage: usize,
    /// How many iterations of that stage are done.
    pub iteration: usize,
    /// The canvas's parameters; of `pixels` the picture itself, `[1, 3, H, W]` or, with alpha, `[1, 4, H, W]`.
    pub params: Tensor,
    /// What a mask holds of the picture that the stage began with.
    pub held: Option<Held>,
    /// What the optimizer remembers.
    pub moments: Moments,
}

impl State {
    /// The parameters that files show: the canvas's own, or their running mean.
    pub fn shown(&self) -> &Tensor {
        self.moments.average.as_ref().unwrap_or(&self.params)
    }
}

/// A variant and the stage it is in: what a step needs of the recipe.
#[derive(Clone, Copy)]
pub(super) struct Place<'r> {
    pub variant: &'r Variant,
    pub stage: &'r Stage,
    pub iteration: usize,
    /// Iterations of the whole way before this one.
    pub step: usize,
}

impl Place<'_> {
    /// Now, for the first view; every word sees it as its own by [`crate::spec::Call::moment`].
    pub fn moment(&self) -> Moment {
        moment(self.variant, self.stage, self.iteration)
    }

    /// What a network of the variant is fed, by its number: (x − mean) / std for each channel. A model that is fed raw
    /// values has zeros and ones and leaves them alone.
    pub fn normalized(&self, seen: &Tensor, model: usize) -> candle_core::Result<Tensor> {
        let Some(model) = self.variant.models.get(model) else { candle_core::bail!("there is no such network") };
        let (mean, std) = (model.mean, model.std);
        let row = |values: [f64; 3]| Tensor::new(&values, seen.device())?.to_dtype(seen.dtype())?.reshape((1, 3, 1, 1));
        let centred = if mean == [0.0; 3] { seen.clone() } else { seen.broadcast_sub(&row(mean)?)? };
        if std == [1.0; 3] { Ok(centred) } else { centred.broadcast_div(&row(std)?) }
    }
}

/// What the parametrization of a stage is told.
pub(super) fn form(stage: &Stage) -> Form<'_> {
    Form { args: &stage.canvas.args, height: stage.height, width: stage.width }
}

/// The moment of an iteration. Progress is u = i/(N−1), and 0 in a stage of one step.
pub(super) fn moment(variant: &Variant, stage: &Stage, iteration: usize) -> Moment {
    let progress = if stage.steps > 1 { iteration as f64 / (stage.steps - 1) as f64 } else { 0.0 };
    Moment {
        seed: variant.seed,
        stage: stage.name.clone(),
        iteration,
        progress,
        view: 0,
        word: (Kind::Statement, "optimize", 0),
    }
}
