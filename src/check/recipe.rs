//! What the checker hands on: a recipe in which everything is known and nothing is text any more.

use std::path::PathBuf;
use std::sync::Arc;

use crate::nets::Facts;
use crate::source::Span;
use crate::spec::{Call, Dial};
use crate::words::{Sizes, registry};

/// A checked recipe.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Its name: the file's stem, `recipe` for standard input.
    pub name: String,
    /// Variants in the order of their axes, the first axis slowest; at least one.
    pub variants: Vec<Variant>,
    /// What is written, in file order; each for the stages in which it holds.
    pub renders: Vec<Render>,
    /// The recipe with every default and every `use` written in: running this text gives the same bytes.
    pub resolved: String,
    /// Files that it read, for watching: recipes, photos, weights, labels.
    pub files: Vec<PathBuf>,
}

/// One picture to grow.
#[derive(Clone, Debug)]
pub struct Variant {
    /// The values of its axes, for people: `hen`, `hen, 0.5`; empty where there is only one variant.
    pub label: String,
    /// The same one by one, the first axis' first.
    pub values: Vec<String>,
    /// The networks that its terms read, in the order of the recipe; at least one.
    pub models: Vec<Model>,
    /// The seed of its draws.
    pub seed: u64,
    /// Its stages, at least one.
    pub stages: Vec<Stage>,
}

/// A network in use.
#[derive(Clone, Debug)]
pub struct Model {
    /// As objectives name it by `of`; empty where it has no name.
    pub name: String,
    /// The word and its arguments: files, preprocessing, and what is changed on its way back or kept of its weights.
    pub call: Call,
    /// Everything known of it without its weights.
    pub facts: Arc<Facts>,
    /// Mean that is taken from each channel, R, G, B; zeros for `input = raw`.
    pub mean: [f64; 3],
    /// Deviation by which each channel is divided; ones for `input = raw`.
    pub std: [f64; 3],
}

impl Model {
    /// As told to a person: `resnet18`; of a named one `a (resnet18)`.
    pub fn title(&self) -> String {
        match self.name.as_str() {
            "" => self.facts.name.to_string(),
            name => format!("{name} ({})", self.facts.name),
        }
    }

    /// Whether gradients that die behind a ReLU are redirected in the first steps.
    pub fn redirects(&self) -> bool {
        self.call.args.switch("redirect")
    }
}

/// A run of steps on one canvas.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Its name; empty where the recipe has no stages.
    pub name: String,
    /// Width of the canvas.
    pub width: usize,
    /// Height of the canvas.
    pub height: usize,
    /// The parametrization of the picture.
    pub canvas: Call,
    /// Whether it goes on from the stage before with the photo's own detail: see the mode `octaves`.
    pub over_photo: bool,
    /// What the picture starts as; read in the first stage only.
    pub init: Call,
    /// What is maximized, weights signed: the loss is minus their sum.
    pub terms: Vec<Term>,
    /// How many transformed views the network sees each iteration.
    pub views: usize,
    /// What the network sees, in order.
    pub transforms: Vec<Call>,
    /// Terms on the picture.
    pub penalties: Vec<Call>,
    /// Filters of the canvas, in order.
    pub filters: Vec<Scheduled>,
    /// Changes of the canvas between steps, in order.
    pub modes: Vec<Call>,
    /// How the picture moves.
    pub optimizer: Call,
    /// How many iterations.
    pub steps: usize,
    /// What is asked about a photo; where it is, nothing is optimized, and a step is a picture that the network is shown.
    pub attribution: Option<Attribution>,
}

impl Stage {
    /// Whether one of its terms reads that network of the variant; one that none reads is not even asked.
    pub fn asks(&self, model: usize) -> bool {
        self.terms.iter().any(|term| term.model == model)
    }

    /// The sizes in which the networks may see the canvas.
    pub fn seen_sizes(&self) -> Sizes {
        let canvas = (self.height, self.width);
        self.transforms.iter().fold(Sizes { least: canvas, most: canvas }, |sizes, call| {
            registry::transform(call.spec.name).map_or(sizes, |word| word.sizes(&call.args, sizes))
        })
    }
}

/// `attribute … on … as …`: its terms are the stage's.
#[derive(Clone, Debug)]
pub struct Attribution {
    /// How.
    pub method: Call,
    /// The photo.
    pub photo: Call,
    /// The node that the method reads besides those of the terms, by its graph name.
    pub node: Option<String>,
}

/// A weighted objective.
#[derive(Clone, Debug)]
pub struct Term {
    /// As written, for the columns of a CSV file: `class($target)`.
    pub name: String,
    /// Its weight; negative where it is minimized.
    pub weight: Dial,
    /// The objective.
    pub call: Call,
    /// Which of the variant's networks it reads.
    pub model: usize,
    /// The nodes that it reads, by their graph names; its value is the sum over them.
    pub nodes: Vec<String>,
}

/// A word that acts now and then.
#[derive(Clone, Debug)]
pub struct Scheduled {
    /// The word.
    pub call: Call,
    /// When.
    pub schedule: Schedule,
}

/// `every n steps from k until m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// n, at least 1.
    pub every: usize,
    /// k
    pub from: usize,
    /// m
    pub until: usize,
}

impl Render {
    /// The stages of a variant in which it holds, ascending, with when it takes frames.
    pub fn held(&self, variant: usize) -> impl Iterator<Item = (usize, Schedule)> {
        let stages = self.frames.get(variant).map_or(&[][..], Vec::as_slice).iter().enumerate();
        stages.filter_map(|(stage, schedule)| Some((stage, (*schedule)?)))
    }
}

impl Schedule {
    /// Fires in no iteration.
    pub const NEVER: Schedule = Schedule { every: 1, from: 0, until: 0 };

    /// Whether it fires at the end of iteration i: k ≤ i < m and (i − k) mod n = 0.
    pub fn fires(&self, i: usize) -> bool {
        self.from <= i && i < self.until && (i - self.from).is_multiple_of(self.every)
    }
}

/// The encoder that a file's extension picks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// An animation.
    Gif,
    /// A still.
    Png,
    /// Every term's score of every step; of an attribution the number of every pixel.
    Csv,
    /// The same, plotted.
    Svg,
}

/// A `render` statement.
#[derive(Clone, Debug)]
pub struct Render {
    /// For each variant the file's name inside the output folder, lets filled in and slugged; `{step}` and
    /// `{stage}` are left. Variants with one name share the file.
    pub files: Vec<String>,
    /// The encoder.
    pub format: Format,
    /// How pictures are put together.
    pub layout: Call,
    /// For each variant and each of its stages, of which it may have its own number, the frames taken besides the final
    /// canvas; nothing where the statement does not hold. An animation without `every` takes every ceil(N/50), a still
    /// without `every` [`Schedule::NEVER`].
    pub frames: Vec<Vec<Option<Schedule>>>,
    /// Frames a second of an animation.
    pub fps: f64,
    /// Where it stands.
    pub span: Span,
    /// Where its file's name stands.
    pub name_span: Span,
}
