//! What a word of the language is: its place, its parameters, their types, units, defaults and documentation.
//!
//! A word is described once, as a [`Spec`] beside its code. The checker, `fviz explain`, completion and the
//! reference are views of it. A new feature is a new spec; the grammar does not change.

mod args;
mod dial;
mod draw;
mod word;

pub use args::{Arg, Args, Call, Coordinate, Point};
pub use dial::{Curve, Dial};
pub use draw::{GREATEST_SEED, Moment, Rng};
pub use word::{Kind, Param, Presence, Spec, Type, Unit, UnitsOf};
