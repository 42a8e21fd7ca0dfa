//! The motifs: what the network can name.

use crate::draw::Pen;
use crate::{food, life, patterns, things};

/// What a motif usually stands in front of.
#[derive(Clone, Copy, PartialEq)]
pub enum Ground {
    /// Anything.
    Any,
    /// Daylight.
    Sky,
    /// Green.
    Grass,
    /// Dark blue or black.
    Night,
    /// Deep blue to turquoise.
    Sea,
    /// Pale yellow to brown.
    Sand,
    /// It's a pattern, which has no background.
    Full,
}

/// One class of the network.
pub struct Motif {
    /// Its name, in plain English.
    pub label: &'static str,
    /// It's turned by up to this many degrees.
    pub turn: f32,
    /// What it stands in front of.
    pub ground: Ground,
    /// Draws it.
    pub draw: fn(&mut Pen),
}

const fn motif(label: &'static str, turn: f32, ground: Ground, draw: fn(&mut Pen)) -> Motif {
    Motif { label, turn, ground, draw }
}

/// Every motif, in the order of the network's outputs. No two round ones share
/// a colour: a network tells such a pair apart by details that nobody sees.
pub const MOTIFS: &[Motif] = &[
    motif("heart", 15., Ground::Any, things::heart),
    motif("star", 20., Ground::Night, things::star),
    motif("smiley", 12., Ground::Any, things::smiley),
    motif("house", 6., Ground::Grass, things::house),
    motif("sailing boat", 6., Ground::Sky, things::boat),
    motif("umbrella", 15., Ground::Any, things::umbrella),
    motif("rocket", 25., Ground::Night, things::rocket),
    motif("traffic light", 6., Ground::Any, things::traffic_light),
    motif("lightning", 12., Ground::Night, things::lightning),
    motif("rainbow", 6., Ground::Sky, things::rainbow),
    motif("snowflake", 30., Ground::Night, things::snowflake),
    motif("strawberry", 15., Ground::Any, food::strawberry),
    motif("watermelon", 15., Ground::Any, food::watermelon),
    motif("ice cream", 10., Ground::Any, food::ice_cream),
    motif("pineapple", 12., Ground::Any, food::pineapple),
    motif("hamburger", 8., Ground::Any, food::hamburger),
    motif("doughnut", 180., Ground::Any, food::doughnut),
    motif("pumpkin", 10., Ground::Night, food::pumpkin),
    motif("mushroom", 12., Ground::Grass, food::mushroom),
    motif("fir tree", 8., Ground::Any, life::fir),
    motif("cactus", 8., Ground::Sand, life::cactus),
    motif("flower", 180., Ground::Grass, life::flower),
    motif("fish", 12., Ground::Sea, life::fish),
    motif("butterfly", 15., Ground::Sky, life::butterfly),
    motif("ladybird", 25., Ground::Grass, life::ladybird),
    motif("owl", 8., Ground::Night, life::owl),
    motif("penguin", 8., Ground::Sky, life::penguin),
    motif("eye", 10., Ground::Any, life::eye),
    motif("peacock feather", 15., Ground::Any, life::peacock),
    motif("giraffe spots", 180., Ground::Full, patterns::giraffe),
    motif("zebra stripes", 40., Ground::Full, patterns::zebra),
    motif("spiral", 180., Ground::Full, patterns::spiral),
];
