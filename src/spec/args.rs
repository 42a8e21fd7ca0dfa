//! A word in use: its checked arguments.

use std::path::{Path, PathBuf};

use super::{Dial, Moment, Spec};
use crate::source::Span;

/// A place along one axis of a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Coordinate {
    /// A cell, from 0 at the top left.
    Cell(usize),
    /// A share of the length, 0..=1.
    Share(f64),
    /// length div 2.
    Center,
}

impl Coordinate {
    /// The cell that it means on an axis of `length` cells; the last one where it would lie outside.
    pub fn cell(self, length: usize) -> usize {
        let last = length.saturating_sub(1);
        match self {
            Coordinate::Cell(cell) => cell.min(last),
            Coordinate::Share(share) => ((share * length as f64) as usize).min(last),
            Coordinate::Center => length / 2,
        }
    }
}

/// A place in a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Across.
    pub x: Coordinate,
    /// Down.
    pub y: Coordinate,
}

/// A checked value.
#[derive(Clone, Debug, PartialEq)]
pub enum Arg {
    /// A number, whole where its type says so.
    Number(Dial),
    /// One of the spec's choices.
    Choice(&'static str),
    /// `on` or `off`.
    Switch(bool),
    /// A string.
    Text(String),
    /// A path, joined to the folder of the file that names it.
    File(PathBuf),
    /// Paths, joined likewise, sorted; at least one.
    Files(Vec<PathBuf>),
    /// Width and height.
    Size(u32, u32),
    /// A network of the recipe, by its name.
    Model(String),
    /// A node, by torchvision's name of the tensor (a module's path has become its last node).
    Node(String),
    /// Indices of classes or channels; their mean is taken.
    Units(Vec<usize>),
    /// A place in a layer.
    Point(Point),
    /// Numbers.
    Numbers(Vec<f64>),
    /// Bounds.
    Interval(f64, f64),
    /// Left out, or `off`.
    None,
}

/// The arguments of a call, one for each parameter of its spec, defaults filled in.
///
/// The getters trust the checker: a word asks only for parameters of its own spec, by their own type. What isn't
/// there answers with nothing (0, empty), which the registry suite would notice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Args {
    list: Vec<(&'static str, Arg, Span)>,
}

impl Args {
    /// No arguments.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces one.
    pub fn set(&mut self, name: &'static str, value: Arg, span: Span) {
        match self.list.iter_mut().find(|(n, ..)| *n == name) {
            Some(entry) => *entry = (name, value, span),
            None => self.list.push((name, value, span)),
        }
    }

    /// The same, for building calls in tests: `Args::new().with("weight", Arg::Number(0.5.into()))`.
    pub fn with(mut self, name: &'static str, value: Arg) -> Self {
        self.set(name, value, Span::default());
        self
    }

    /// The value of a parameter.
    pub fn get(&self, name: &str) -> &Arg {
        self.list.iter().find(|(n, ..)| *n == name).map_or(&Arg::None, |(_, value, _)| value)
    }

    /// Where it was written.
    pub fn span(&self, name: &str) -> Option<Span> {
        self.list.iter().find(|(n, ..)| *n == name).map(|(.., span)| *span)
    }

    /// All, in the spec's order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Arg, Span)> {
        self.list.iter().map(|(name, value, span)| (*name, value, *span))
    }

    /// A number at a moment: its tween's value, its draw made.
    pub fn number(&self, name: &str, at: &Moment) -> f64 {
        match self.get(name) {
            Arg::Number(dial) => {
                let draw = if dial.is_drawn() { at.rng(name).uniform() } else { 0.0 };
                dial.at(at.progress, draw)
            }
            _ => 0.0,
        }
    }

    /// A number that may be left out.
    pub fn optional(&self, name: &str, at: &Moment) -> Option<f64> {
        matches!(self.get(name), Arg::Number(_)).then(|| self.number(name, at))
    }

    /// The dial of a number.
    pub fn dial(&self, name: &str) -> Option<&Dial> {
        match self.get(name) {
            Arg::Number(dial) => Some(dial),
            _ => None,
        }
    }

    /// A whole number that can't change.
    pub fn integer(&self, name: &str) -> i64 {
        self.dial(name).map_or(0, |dial| dial.at(0.0, 0.0) as i64)
    }

    /// A choice.
    pub fn choice(&self, name: &str) -> &'static str {
        match self.get(name) {
            Arg::Choice(choice) => choice,
            _ => "",
        }
    }

    /// A switch.
    pub fn switch(&self, name: &str) -> bool {
        matches!(self.get(name), Arg::Switch(true))
    }

    /// A string.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Arg::Text(text) | Arg::Node(text) => Some(text),
            _ => None,
        }
    }

    /// A path.
    pub fn file(&self, name: &str) -> Option<&Path> {
        match self.get(name) {
            Arg::File(path) => Some(path),
            _ => None,
        }
    }

    /// Paths.
    pub fn files(&self, name: &str) -> &[PathBuf] {
        match self.get(name) {
            Arg::Files(paths) => paths,
            _ => &[],
        }
    }

    /// Indices of classes or channels.
    pub fn units(&self, name: &str) -> &[usize] {
        match self.get(name) {
            Arg::Units(units) => units,
            _ => &[],
        }
    }

    /// A place in a layer; its centre where none is given.
    pub fn point(&self, name: &str) -> Point {
        match self.get(name) {
            Arg::Point(point) => *point,
            _ => Point { x: Coordinate::Center, y: Coordinate::Center },
        }
    }

    /// Whether a place is given.
    pub fn has_point(&self, name: &str) -> bool {
        matches!(self.get(name), Arg::Point(_))
    }

    /// Bounds, if any.
    pub fn interval(&self, name: &str) -> Option<(f64, f64)> {
        match self.get(name) {
            Arg::Interval(low, high) => Some((*low, *high)),
            _ => None,
        }
    }

    /// Width and height.
    pub fn size(&self, name: &str) -> Option<(usize, usize)> {
        match self.get(name) {
            Arg::Size(width, height) => Some((*width as usize, *height as usize)),
            _ => None,
        }
    }

    /// Numbers.
    pub fn numbers(&self, name: &str) -> Option<&[f64]> {
        match self.get(name) {
            Arg::Numbers(list) => Some(list),
            _ => None,
        }
    }
}

/// A word with its arguments.
#[derive(Clone, Debug)]
pub struct Call {
    /// The word.
    pub spec: &'static Spec,
    /// Its arguments.
    pub args: Args,
    /// The transforms of its block, if it takes one.
    pub block: Vec<Call>,
    /// How many equal words of its kind stand before it in its stage: part of the key of its draws.
    pub occurrence: usize,
    /// Where it stands.
    pub span: Span,
}

impl Call {
    /// The same moment, seen by this word.
    pub fn moment(&self, at: &Moment) -> Moment {
        Moment { word: (self.spec.kind, self.spec.name, self.occurrence), ..at.clone() }
    }
}
