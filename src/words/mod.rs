//! The vocabulary: one folder a kind, one file a word, each with its spec beside its code.
//!
//! A word is a unit struct that implements the trait of its kind; the lists below are the registry. The checker sees
//! only the specs; the runner calls the traits. Pictures are `[1, 3, H, W]` tensors of sRGB-encoded values, f32 in a
//! run and f64 in tests.

pub mod registry;

mod attribution;
mod canvas;
mod filter;
mod init;
mod layout;
mod mode;
mod model;
mod objective;
mod optimizer;
mod penalty;
mod photo;
mod statement;
mod transform;
mod value;

pub use attribution::{AT_ONCE, shades, smoothed};
pub use canvas::{default_init, encodes, parameters, planes};
pub use init::cover;
pub use optimizer::averaged;
pub use photo::{fitted, looked_at};
pub use statement::{LEAST_FPS, MOST_FPS, MOST_STEPS, MOST_VIEWS};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::{Result, Tensor};

use crate::nets::Graph;
use crate::ops::Operation;
use crate::spec::{Args, Call, Moment, Spec};

/// The least and greatest size, `(height, width)`, that a transform can produce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Smallest height and width.
    pub least: (usize, usize),
    /// Greatest height and width.
    pub most: (usize, usize),
}

impl Sizes {
    /// The sizes after a change of the height and of the width.
    pub fn map(self, height: impl Fn(usize) -> usize, width: impl Fn(usize) -> usize) -> Self {
        let both = |(h, w): (usize, usize)| (height(h), width(w));
        Self { least: both(self.least), most: both(self.most) }
    }
}

/// What the network sees of the picture. Gradients flow through it.
pub trait Transform: Sync {
    /// Its description.
    fn spec(&self) -> &'static Spec;
    /// `[N, 3, H, W]` → `[N, 3, H', W']`.
    fn apply(&self, picture: &Tensor, args: &Args, at: &Moment) -> Result<Tensor>;
    /// The same as one operation on a picture of that shape, where it is one: its gradient needs no graph.
    fn operation(&self, _picture: &Tensor, _args: &Args, _at: &Moment) -> Result<Option<Operation>> {
        Ok(None)
    }
    /// The sizes that come out for the sizes that go in. Only what pads, crops or resizes changes them.
    fn sizes(&self, _args: &Args, sizes: Sizes) -> Sizes {
        sizes
    }
    /// Whether it leaves every picture as it is, with these arguments.
    fn is_identity(&self, _args: &Args) -> bool {
        false
    }
}

/// From a gradient with respect to the picture to a penalty's value and the gradient with its own added.
pub type Pull<'a> = Box<dyn FnOnce(&Tensor) -> Result<(Tensor, Tensor)> + 'a>;

/// A term that keeps the picture in bounds, weighted, summed over pixels and channels.
pub trait Penalty: Sync {
    /// Its description.
    fn spec(&self) -> &'static Spec;
    /// Whether it reads the picture's alpha, `[1, 1, H, W]`, and not its colours: then the canvas must have one.
    fn reads_alpha(&self) -> bool {
        false
    }
    /// Whether its value is a share of what is maximized: it counts that many times Σ weight · term, and nothing while
    /// that is negative.
    fn is_share(&self) -> bool {
        false
    }
    /// `[1, 3, H, W]` (over middle gray, where the canvas has alpha) → scalar.
    fn value(&self, picture: &Tensor, args: &Args, at: &Moment) -> Result<Tensor>;
    /// The same where it needs no graph for its gradient.
    fn pull<'a>(&self, _picture: &'a Tensor, _args: &Args, _at: &Moment) -> Option<Pull<'a>> {
        None
    }
}

/// An action on the picture now and then. No gradient.
pub trait Filter: Sync {
    /// Its description.
    fn spec(&self) -> &'static Spec;
    /// `[1, 3, H, W]` → `[1, 3, H, W]`.
    fn apply(&self, picture: &Tensor, args: &Args, at: &Moment) -> Result<Tensor>;
}

/// A change of the canvas between steps, or of what it is taken for. Each does one of the three.
pub trait Mode: Sync {
    /// Its description.
    fn spec(&self) -> &'static Spec;
    /// Whether it changes the canvas itself, by [`Mode::apply`].
    fn acts(&self) -> bool {
        true
    }
    /// The canvas before a step: `[1, 3, H, W]` → `[1, 3, H, W]`; the call holds the block's transforms. No gradient.
    fn apply(&self, picture: &Tensor, _call: &Call, _at: &Moment) -> Result<Tensor> {
        Ok(picture.clone())
    }
    /// What the canvas's picture is taken for, by files, penalties and the network. Gradients flow through it.
    fn shape(&self, picture: &Tensor, _call: &Call) -> Result<Tensor> {
        Ok(picture.clone())
    }
    /// What is shown to the network of that, before the transforms. Gradients flow through it.
    fn seen(&self, picture: &Tensor, _call: &Call, _at: &Moment) -> Result<Tensor> {
        Ok(picture.clone())
    }
}

/// What an optimizer remembers from step to step.
#[derive(Clone, Debug, Default)]
pub struct Moments {
    /// Running tensors, in the optimizer's own order.
    pub slots: Vec<Tensor>,
    /// What share of all that each running mean would hold after infinitely many steps is in it.
    pub shares: [f64; 2],
    /// The running mean of the parameters, where files show that instead of them.
    pub average: Option<Tensor>,
}

/// How the picture moves along its gradient.
pub trait Optimizer: Sync {
    /// Its description.
    fn spec(&self) -> &'static Spec;
    /// The new parameters; `gradient` is of the loss, so the picture moves against it.
    fn step(
        &self,
        params: &Tensor,
        gradient: &Tensor,
        moments: &mut Moments,
        args: &Args,
        at: &Moment,
    ) -> Result<Tensor>;
}

/// Reads a photo as `[1, 3, H, W]`, f32, 0..1, EXIF orientation applied.
pub type Photos<'a> = &'a dyn Fn(&Path) -> Result<Tensor>;

/// What a run starts from.
pub enum Start {
    /// A picture `[1, 3, H, W]`, f32, which the canvas encodes.
    Picture(Tensor),
    /// Normal numbers, of which the canvas makes its parameters.
    Parameters(Box<dyn FnMut() -> f64>),
}

/// What the picture starts as.
pub trait Init: Sync {
    /// Its description.
    fn spec(&self) -> &'static Spec;
    /// For a picture of that size.
    fn start(&self, height: usize, width: usize, args: &Args, at: &Moment, photos: Photos) -> Result<Start>;
}

/// The tensors of the nodes that a recipe reads, `[views, C, H, W]` or `[views, C]`, by name.
pub type Taps = BTreeMap<String, Tensor>;

/// What an objective compares the picture with. No gradient flows into it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Against<'a> {
    /// Nothing: it reads the picture's own activations only.
    Nothing,
    /// A photo, at the size of the canvas.
    Photo {
        /// Its path.
        file: &'a Path,
        /// Whether the network sees it anew each step, through the same transforms as the canvas; else once, as it is.
        transformed: bool,
    },
    /// What several photos have in common, each at the size of the canvas and seen once, as it is: the mean of what
    /// [`Objective::kept`] keeps of them.
    Photos(&'a [PathBuf]),
    /// What the batch norm behind the node has learned: the running mean and variance of each channel, `[C]`.
    Running,
    /// The other variants of the recipe, in their order.
    Variants,
}

/// What an objective compares with: the same node's activation, `[views, C, H, W]` or `[views, C]`, or what
/// [`Against::Photos`] and [`Against::Running`] make of it.
#[derive(Clone, Debug)]
pub struct Other {
    /// The activation, or what stands for it.
    pub tap: Tensor,
    /// Of a variant, how far behind this one it stands (negative: before it); of a photo 0.
    pub offset: i64,
}

/// What is maximized or minimized, unweighted: a mean over positions and views, but where its doc says otherwise.
pub trait Objective: Sync {
    /// Its description.
    fn spec(&self) -> &'static Spec;
    /// The nodes that it reads, one at least: what [`Objective::value`] makes of each is added up.
    ///
    /// # Errors
    /// Why there is none.
    fn nodes(&self, args: &Args, graph: &Graph) -> std::result::Result<Vec<String>, String> {
        Ok(vec![args.text("node").unwrap_or(&graph.output().name).to_string()])
    }
    /// What it compares the picture with.
    fn against<'a>(&self, _args: &'a Args) -> Against<'a> {
        Against::Nothing
    }
    /// What is kept of one of [`Against::Photos`]: `[1, C, H, W]` or `[1, C]` of a node → any shape that is the same
    /// for all of them.
    fn kept(&self, tap: &Tensor, _args: &Args) -> Result<Tensor> {
        Ok(tap.clone())
    }
    /// Which parameter contradicts the others, and how, if one does.
    fn contradiction(&self, _args: &Args) -> Option<(&'static str, String)> {
        None
    }
    /// `[views, C, H, W]` (or `[views, C]`) of a node → scalar; `others` are what [`Objective::against`] asks for.
    fn value(&self, tap: &Tensor, others: &[Other], args: &Args, at: &Moment) -> Result<Tensor>;
}

/// What a method may ask: an objective's value for pictures, and how it answers to them.
///
/// Pictures are `[N, 3, H, W]`, 0..1, as in a photo; of each the same bytes come back whatever else is asked with it.
pub trait Scorer {
    /// The objective's value for each.
    ///
    /// # Errors
    /// The network can't compute it, or the work is to stop.
    fn values(&mut self, pictures: &Tensor) -> Result<Vec<f64>>;
    /// The gradient of each one's value with respect to it, `[N, 3, H, W]`.
    ///
    /// # Errors
    /// As those of `values`.
    fn gradients(&mut self, pictures: &Tensor) -> Result<Tensor>;
    /// What a node gives for one picture, and the gradient of the value with respect to that, `[1, C, h, w]` both.
    ///
    /// # Errors
    /// As those of `values`, or the network was not loaded for the node.
    fn at_node(&mut self, picture: &Tensor, node: &str) -> Result<(Tensor, Tensor)>;
}

/// What a method is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// `[1, 3, H, W]`, 0..1.
    pub photo: &'a Tensor,
    /// The colour that the network sees as zero: the mean that its preprocessing takes away.
    pub zero: [f64; 3],
    /// The node that it reads besides the objective's own, if [`Attribution::reads_node`].
    pub node: &'a str,
}

/// How an objective's value for a photo is put down to the photo's parts.
pub trait Attribution: Sync {
    /// Its description.
    fn spec(&self) -> &'static Spec;
    /// Whether its map has a sign: what speaks for the objective and what speaks against it.
    fn is_signed(&self) -> bool;
    /// How many pictures it shows the network, for a photo of that height and width.
    fn passes(&self, args: &Args, size: (usize, usize)) -> usize;
    /// The deviation of the gaussian through which a picture shows its map, a share of the shorter side; 0 for none.
    fn smooth(&self, _args: &Args, _at: &Moment) -> f64 {
        0.0
    }
    /// Whether it reads a node besides the objective's own.
    fn reads_node(&self) -> bool {
        false
    }
    /// The map, `[H, W]`, a number for each pixel, its colours taken together.
    ///
    /// # Errors
    /// The scorer's.
    fn map(&self, asked: &Asked, args: &Args, at: &Moment, scorer: &mut dyn Scorer) -> Result<Tensor>;
}
