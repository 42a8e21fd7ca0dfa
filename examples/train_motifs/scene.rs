//! Pictures to train on: motifs in front of backgrounds. What is held out for
//! the test differs from the training pictures in the ranges of sizes and
//! colours and in the kinds of background, and the ranges don't overlap.

use crate::draw::{Canvas, Dice, Pen, Place, Rgb, SIZE, blend, hsv, noise, p};
use crate::motifs::{Ground, Motif};
use std::f32::consts::TAU;

/// What a picture is for.
#[derive(Clone, Copy, PartialEq)]
pub enum Split {
    /// The network learns from it.
    Train,
    /// The network has never seen its like.
    HeldOut,
}

/// Draws a picture of a motif.
pub fn picture(motif: &Motif, split: Split, dice: &mut Dice) -> Canvas {
    let hue_shift = match split {
        Split::Train => dice.spread(14.),
        Split::HeldOut => dice.range(14., 25.) * if dice.chance(0.5) { 1. } else { -1. },
    };
    let pattern = motif.ground == Ground::Full;
    let mut canvas = if pattern { Canvas::new([0.; 3]) } else { background(motif.ground, split, dice) };
    let places = if pattern { vec![fill(split, dice)] } else { layout(split, dice) };
    for mut place in places {
        place.angle = dice.spread(motif.turn.to_radians());
        let reach = if pattern { f32::INFINITY } else { 1.5 };
        (motif.draw)(&mut Pen { canvas: &mut canvas, dice, place, hue_shift, reach });
    }
    develop(&mut canvas, dice);
    canvas
}

/// Draws a motif in the middle of a plain ground: what a person is shown.
pub fn portrait(motif: &Motif, dice: &mut Dice) -> Canvas {
    let mut canvas = Canvas::new(ground_colour(motif.ground, dice));
    let place = Place { centre: p(48., 48.), radius: 38., angle: 0. };
    (motif.draw)(&mut Pen { canvas: &mut canvas, dice, place, hue_shift: 0., reach: f32::INFINITY });
    canvas
}

/// The place of a pattern.
fn fill(split: Split, dice: &mut Dice) -> Place {
    let scale = match split {
        Split::Train => dice.range(0.75, 1.2),
        Split::HeldOut if dice.chance(0.5) => dice.range(0.68, 0.75),
        Split::HeldOut => dice.range(1.2, 1.35),
    };
    Place { centre: p(48. + dice.spread(12.), 48. + dice.spread(12.)), radius: 48. * scale, angle: 0. }
}

/// The places of one large object or of several small ones.
fn layout(split: Split, dice: &mut Dice) -> Vec<Place> {
    let half = SIZE as f32 / 2.;
    if dice.chance(0.75) {
        let scale = match split {
            Split::Train => dice.range(0.55, 0.85),
            Split::HeldOut if dice.chance(0.5) => dice.range(0.48, 0.55),
            Split::HeldOut => dice.range(0.85, 0.95),
        };
        let free = (1. - scale) * half;
        let centre = p(half + dice.spread(free), half + dice.spread(free));
        return vec![Place { centre, radius: scale * half, angle: 0. }];
    }
    let mut quarters = vec![(-1., -1.), (1., -1.), (-1., 1.), (1., 1.)];
    for _ in 0..dice.below(3) {
        quarters.swap_remove(dice.below(quarters.len()));
    }
    let place = |(x, y): (f32, f32)| {
        let scale = match split {
            Split::Train => dice.range(0.36, 0.48),
            Split::HeldOut => dice.range(0.33, 0.36),
        };
        let at = |side: f32, sway: f32| half * (1. + 0.48 * side + sway);
        let centre = p(at(x, dice.spread(0.06)), at(y, dice.spread(0.06)));
        Place { centre, radius: scale * half, angle: 0. }
    };
    quarters.into_iter().map(place).collect()
}

fn ground_colour(ground: Ground, dice: &mut Dice) -> Rgb {
    let usual = dice.chance(0.75);
    let (h, s, v) = match ground {
        Ground::Sky if usual => ((195., 220.), (0.25, 0.6), (0.8, 1.)),
        Ground::Grass if usual => ((85., 135.), (0.4, 0.8), (0.4, 0.8)),
        Ground::Night if usual => ((215., 260.), (0.4, 0.9), (0.04, 0.3)),
        Ground::Sea if usual => ((185., 220.), (0.6, 0.9), (0.3, 0.7)),
        Ground::Sand if usual => ((30., 50.), (0.25, 0.55), (0.7, 0.95)),
        _ => ((0., 360.), (0.1, 0.8), (0.15, 0.95)),
    };
    hsv(dice.range(h.0, h.1), dice.range(s.0, s.1), dice.range(v.0, v.1))
}

/// Paints a background. Four kinds are for training, three are held out.
fn background(ground: Ground, split: Split, dice: &mut Dice) -> Canvas {
    let (a, b) = (ground_colour(ground, dice), ground_colour(ground, dice));
    let mut canvas = Canvas::new(a);
    let salt = dice.below(1 << 20) as u32;
    let (grain, phase) = (dice.range(2., 7.), dice.unit());
    let kind = if split == Split::Train { dice.below(4) } else { 4 + dice.below(3) };
    let (sin, cos) = dice.range(0., TAU).sin_cos();
    for (i, pixel) in canvas.0.iter_mut().enumerate() {
        let at = p((i % SIZE) as f32 / SIZE as f32, (i / SIZE) as f32 / SIZE as f32);
        let along = (at.x - 0.5) * cos + (at.y - 0.5) * sin;
        let share = match kind {
            1 => along + 0.5,
            2 => noise(p(at.x * grain, at.y * grain), salt),
            4 => at.from(p(0.5, 0.5)).len() * 1.5,
            5 => f32::from(along > (phase - 0.5) * 0.6),
            6 => 0.5 + 0.5 * ((along * grain + phase) * TAU).sin(),
            _ => 0.,
        };
        *pixel = blend(a, b, share.clamp(0., 1.));
    }
    if kind == 3 {
        for _ in 0..4 + dice.below(8) {
            let colour = ground_colour(ground, dice);
            let (rx, ry) = (dice.range(0.1, 0.5), dice.range(0.1, 0.5));
            let place =
                Place { centre: p(dice.range(0., 96.), dice.range(0., 96.)), radius: 48., angle: dice.range(0., TAU) };
            let mut pen = Pen { canvas: &mut canvas, dice, place, hue_shift: 0., reach: 1. };
            pen.fill(colour, |at| crate::draw::ellipse(at, p(0., 0.), rx, ry));
        }
    }
    canvas
}

/// What a camera does: blur, contrast, brightness and noise.
fn develop(canvas: &mut Canvas, dice: &mut Dice) {
    if dice.chance(0.4) {
        blur(canvas, dice.range(0.3, 1.));
    }
    let (contrast, light) = (dice.range(0.8, 1.1), dice.spread(0.08));
    let grain = dice.range(0., 0.05);
    for channel in canvas.0.iter_mut().flatten() {
        let value = (*channel - 0.5) * contrast + 0.5 + light;
        // Uniform noise of this standard deviation.
        *channel = (value + dice.spread(grain * 1.732)).clamp(0., 1.);
    }
}

/// Blurs with a Gaussian; beyond the edge the edge goes on.
pub fn blur(canvas: &mut Canvas, sigma: f32) {
    let far = (3. * sigma).ceil() as isize;
    let weights: Vec<f32> = (-far..=far).map(|i| (-0.5 * (i as f32 / sigma).powi(2)).exp()).collect();
    let total: f32 = weights.iter().sum();
    for (step, across) in [(1, SIZE), (SIZE, 1)] {
        let from = canvas.0.clone();
        for line in 0..SIZE {
            for i in 0..SIZE {
                let mut sum = [0.; 3];
                for (weight, offset) in weights.iter().zip(-far..) {
                    let j = (i as isize + offset).clamp(0, SIZE as isize - 1) as usize;
                    let pixel = from[line * across + j * step];
                    (0..3).for_each(|c| sum[c] += weight * pixel[c]);
                }
                canvas.0[line * across + i * step] = sum.map(|value| value / total);
            }
        }
    }
}
