//! Motifs to eat.

use crate::draw::{P, Pen, disc, ellipse, p, polygon, rect, stroke};
use std::f32::consts::TAU;

/// Red, seeds in rows, leaves on top.
pub fn strawberry(pen: &mut Pen) {
    let (red, seed, green) = (pen.ink(355., 0.9, 0.85), pen.ink(48., 0.7, 1.), pen.ink(115., 0.8, 0.55));
    let body = |at: P| {
        let m = at.mirrored();
        // A disc each side and a taper to the tip.
        disc(m, p(0.3, -0.15), 0.42).min(polygon(
            m,
            &[p(-0.1, -0.55), p(0.45, -0.5), p(0.7, -0.05), p(0.5, 0.4), p(0.12, 0.93), p(0., 0.97), p(-0.1, 0.9)],
        )) - 0.02
    };
    pen.fill(red, body);
    for row in 0..5 {
        let count = [4, 5, 4, 3, 2][row];
        for i in 0..count {
            let x = (i as f32 - (count - 1) as f32 / 2.) * 0.28;
            let y = -0.3 + row as f32 * 0.24;
            pen.fill(seed, |at| ellipse(at, p(x, y), 0.045, 0.075));
        }
    }
    for i in 0..5 {
        let angle = (i as f32 - 2.) * 0.7;
        let tip = p(0.62 * angle.sin(), -0.66 + 0.32 * angle.cos() * 0.9);
        pen.fill(green, |at| stroke(at, p(0., -0.66), tip, 0.14, 0.02));
    }
    pen.fill(green, |at| stroke(at, p(0., -0.65), p(0.08, -0.97), 0.06, 0.05));
}

/// Half a disc: green rind, pale ring, red flesh, black seeds.
pub fn watermelon(pen: &mut Pen) {
    let (green, pale) = (pen.ink(130., 0.85, 0.45), pen.ink(90., 0.25, 0.95));
    let (red, black) = (pen.ink(352., 0.8, 0.92), pen.ink(20., 0.5, 0.1));
    let half = |r: f32| move |at: P| disc(at, p(0., -0.45), r).max(-0.45 - at.y);
    pen.fill(green, half(1.));
    pen.fill(pale, half(0.85));
    pen.fill(red, half(0.76));
    for (x, y) in [(-0.48, -0.25), (-0.16, -0.25), (0.16, -0.25), (0.48, -0.25), (-0.3, 0.), (0., 0.02), (0.3, 0.)] {
        pen.fill(black, move |at| ellipse(at, p(x, y), 0.05, 0.085));
    }
}

/// A waffle cone with three scoops and a cherry.
pub fn ice_cream(pen: &mut Pen) {
    let (waffle, line) = (pen.ink(34., 0.65, 0.85), pen.ink(26., 0.8, 0.55));
    let cone = [p(-0.45, 0.), p(0.45, 0.), p(0., 1.)];
    pen.fill(waffle, |at| polygon(at, &cone));
    pen.fill(line, |at| {
        let cross = |x: f32| ((x / 0.22).rem_euclid(1.) - 0.5).abs() * 0.22 - 0.022;
        cross(at.x * 0.85 + at.y * 0.5).min(cross(at.x * 0.85 - at.y * 0.5)).max(polygon(at, &cone))
    });
    let scoops = [pen.ink(335., 0.45, 1.), pen.ink(22., 0.65, 0.45), pen.ink(48., 0.25, 1.)];
    for (colour, at) in scoops.into_iter().zip([p(-0.28, -0.12), p(0.28, -0.12), p(0., -0.46)]) {
        pen.fill(colour, move |q| disc(q, at, 0.33));
    }
    let cherry = pen.ink(350., 0.95, 0.75);
    pen.fill(cherry, |at| disc(at, p(0., -0.83), 0.13));
}

/// A golden oval with a lattice and a crown of leaves.
pub fn pineapple(pen: &mut Pen) {
    let (gold, brown, green) = (pen.ink(44., 0.9, 0.92), pen.ink(28., 0.85, 0.5), pen.ink(125., 0.75, 0.5));
    for i in 0..7 {
        let angle = (i as f32 - 3.) * 0.33;
        let tip = p(0.75 * angle.sin(), -0.1 - 0.88 * angle.cos());
        pen.fill(green, |at| stroke(at, p(0., -0.1), tip, 0.17, 0.01));
    }
    let body = |at: P| ellipse(at, p(0., 0.36), 0.47, 0.6);
    pen.fill(gold, body);
    pen.fill(brown, |at| {
        let cross = |x: f32| ((x / 0.25).rem_euclid(1.) - 0.5).abs() * 0.25 - 0.025;
        cross(at.x + at.y * 0.7).min(cross(at.x - at.y * 0.7)).max(body(at))
    });
}

/// A bun, salad, cheese and meat.
pub fn hamburger(pen: &mut Pen) {
    let (bun, seed) = (pen.ink(32., 0.7, 0.85), pen.ink(48., 0.25, 1.));
    let (salad, tomato) = (pen.ink(100., 0.75, 0.75), pen.ink(5., 0.85, 0.85));
    let (cheese, meat) = (pen.ink(46., 0.9, 1.), pen.ink(18., 0.7, 0.3));
    pen.fill(bun, |at| rect(at, p(0., 0.56), p(0.8, 0.2), 0.18));
    pen.fill(meat, |at| rect(at, p(0., 0.29), p(0.86, 0.15), 0.14));
    pen.fill(cheese, |at| polygon(at, &[p(-0.85, 0.06), p(0.85, 0.06), p(0.5, 0.32), p(0.2, 0.12), p(-0.35, 0.38)]));
    pen.fill(tomato, |at| rect(at, p(0., 0.06), p(0.82, 0.08), 0.07));
    pen.fill(salad, |at| (at.y + 0.04 - 0.06 * (at.x * 16.).cos()).abs() - 0.08 + (at.x.abs() - 0.9).max(0.) * 9.);
    pen.fill(bun, |at| ellipse(at, p(0., -0.12), 0.86, 0.68).max(at.y + 0.12));
    for (x, y) in [(-0.5, -0.38), (-0.22, -0.58), (0.02, -0.36), (0.25, -0.6), (0.5, -0.36)] {
        pen.fill(seed, move |at| ellipse(at, p(x, y), 0.075, 0.045));
    }
}

/// A ring of dough with pink icing and sprinkles.
pub fn doughnut(pen: &mut Pen) {
    let (dough, pink) = (pen.ink(30., 0.6, 0.75), pen.ink(328., 0.5, 1.));
    let ring = |at: P, r: f32, half: f32| (at.len() - r).abs() - half;
    pen.fill(dough, |at| ring(at, 0.63, 0.33));
    pen.fill(pink, |at| ring(at, 0.63, 0.26 + 0.025 * (at.angle() * 9.).cos()));
    for i in 0..16 {
        let angle = (i as f32 + pen.dice.spread(0.3)) / 16. * TAU;
        let radius = 0.62 + [0.12, -0.1][i % 2];
        let (way, hue) = (pen.dice.range(0., TAU), [0., 55., 190., 120.][pen.dice.below(4)]);
        let colour = pen.ink(hue, 0.8, 1.);
        let (x, y) = (radius * angle.cos(), radius * angle.sin());
        let (dx, dy) = (0.06 * way.cos(), 0.06 * way.sin());
        pen.fill(colour, |at| stroke(at, p(x - dx, y - dy), p(x + dx, y + dy), 0.033, 0.033));
    }
}

/// Orange with ribs, a stem and a carved face.
pub fn pumpkin(pen: &mut Pen) {
    let (orange, dark) = (pen.ink(24., 0.95, 0.95), pen.ink(16., 0.95, 0.68));
    let (stem, light) = (pen.ink(100., 0.6, 0.4), pen.ink(52., 0.75, 1.));
    pen.fill(stem, |at| stroke(at, p(0., -0.6), p(0.12, -0.9), 0.1, 0.07));
    for (x, w) in [(0.58, 0.38), (0.32, 0.42), (0., 0.42)] {
        pen.fill(dark, |at| ellipse(at.mirrored(), p(x, 0.08), w, 0.76 - x * 0.25));
        pen.fill(orange, |at| ellipse(at.mirrored(), p(x, 0.08), w - 0.06, 0.7 - x * 0.25));
    }
    pen.fill(light, |at| polygon(at.mirrored(), &[p(0.16, -0.08), p(0.5, -0.05), p(0.32, -0.38)]));
    pen.fill(light, |at| polygon(at, &[p(-0.08, 0.16), p(0.08, 0.16), p(0., 0.)]));
    let mouth = [
        p(-0.1, 0.3),
        p(0.1, 0.3),
        p(0.16, 0.38),
        p(0.3, 0.28),
        p(0.62, 0.24),
        p(0.45, 0.5),
        p(0.24, 0.58),
        p(0.16, 0.48),
        p(0.06, 0.6),
        p(-0.1, 0.6),
    ];
    pen.fill(light, |at| polygon(at.mirrored(), &mouth));
}

/// A red cap with white dots on a pale stem.
pub fn mushroom(pen: &mut Pen) {
    let (red, white, stem) = (pen.ink(2., 0.92, 0.85), pen.ink(40., 0.05, 1.), pen.ink(42., 0.2, 0.93));
    pen.fill(stem, |at| stroke(at, p(0., 0.1), p(0., 0.75), 0.2, 0.27).max(at.y - 0.92));
    let cap = |at: P| ellipse(at, p(0., 0.12), 0.95, 1.).max(at.y - 0.12);
    pen.fill(red, cap);
    for (x, y, r) in [
        (-0.55, -0.2, 0.14),
        (-0.1, -0.5, 0.17),
        (0.45, -0.38, 0.14),
        (0.1, -0.08, 0.13),
        (0.68, -0.02, 0.1),
        (-0.25, 0.04, 0.08),
    ] {
        pen.fill(white, move |at| disc(at, p(x, y), r).max(cap(at)));
    }
}
