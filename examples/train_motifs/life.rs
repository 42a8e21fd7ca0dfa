//! Motifs that grow or move.

use crate::draw::{P, Pen, disc, ellipse, lens, p, polygon, rect, stroke};
use std::f32::consts::TAU;

/// Three green triangles on a trunk.
pub fn fir(pen: &mut Pen) {
    let (green, trunk) = (pen.ink(140., 0.85, 0.42), pen.ink(25., 0.7, 0.38));
    pen.fill(trunk, |at| rect(at, p(0., 0.82), p(0.12, 0.18), 0.));
    for (top, bottom, half) in [(0.05, 0.72, 0.8), (-0.4, 0.3, 0.62), (-0.97, -0.15, 0.45)] {
        let light = pen.ink(130., 0.8, 0.5);
        pen.fill(green, |at| polygon(at, &[p(0., top), p(half, bottom), p(-half, bottom)]));
        pen.fill(light, |at| polygon(at, &[p(0., top), p(-half * 0.2, bottom), p(-half, bottom)]));
    }
}

/// A green column with two arms, ribs and a pink flower.
pub fn cactus(pen: &mut Pen) {
    let (green, dark, pink) = (pen.ink(135., 0.7, 0.55), pen.ink(145., 0.8, 0.33), pen.ink(330., 0.65, 1.));
    pen.fill(green, |at| stroke(at, p(0., -0.6), p(0., 0.95), 0.24, 0.24).max(at.y - 0.95));
    for (side, low, high) in [(-1., 0.25, -0.3), (1., 0.05, -0.5)] {
        pen.fill(green, |at| {
            let bend = p(side * 0.62, low);
            stroke(at, p(0., low), bend, 0.15, 0.15).min(stroke(at, bend, p(bend.x, high), 0.16, 0.16))
        });
        pen.fill(dark, |at| stroke(at, p(side * 0.62, low), p(side * 0.62, high), 0.02, 0.02));
    }
    for x in [-0.1, 0.1] {
        pen.fill(dark, |at| stroke(at, p(x, -0.65), p(x, 0.93), 0.02, 0.02));
    }
    for i in 0..5 {
        let (sin, cos) = (i as f32 / 5. * TAU).sin_cos();
        pen.fill(pink, |at| disc(at, p(0.11 * sin, -0.86 - 0.1 * cos), 0.1));
    }
}

/// Violet petals round a yellow centre.
pub fn flower(pen: &mut Pen) {
    let (petal, deep, centre) = (pen.ink(280., 0.6, 0.95), pen.ink(275., 0.8, 0.6), pen.ink(48., 0.95, 1.));
    let count = (6 + pen.dice.below(3)) as f32;
    for (colour, slim) in [(deep, 0.), (petal, 0.05)] {
        pen.fill(colour, |at| {
            let turn = TAU / count;
            let nearest = (at.angle() / turn).round() * turn;
            let width = 1.55 / count + 0.06;
            ellipse(at.turned(nearest), p(0.6, 0.), 0.38 - slim, width - slim)
        });
    }
    pen.fill(centre, |at| disc(at, p(0., 0.), 0.28));
    let dot = pen.ink(30., 0.9, 0.7);
    pen.fill(dot, |at| (at.len() - 0.17).abs() - 0.03);
}

/// Orange with two white bands, swimming to the left.
pub fn fish(pen: &mut Pen) {
    let (orange, fin) = (pen.ink(22., 0.95, 1.), pen.ink(16., 0.95, 0.8));
    let (white, black) = (pen.ink(50., 0.03, 1.), pen.ink(0., 0.2, 0.05));
    pen.fill(fin, |at| polygon(at, &[p(0.45, 0.), p(1., -0.5), p(0.88, 0.), p(1., 0.5)]));
    pen.fill(fin, |at| polygon(at, &[p(-0.35, -0.4), p(0.05, -0.78), p(0.4, -0.65), p(0.3, -0.25)]));
    pen.fill(fin, |at| polygon(at, &[p(-0.1, 0.4), p(0.05, 0.72), p(0.35, 0.6), p(0.25, 0.25)]));
    let body = |at: P| lens(at.from(p(-0.17, 0.)), 0.82, 0.52);
    pen.fill(black, |at| body(at).max((at.x + 0.3).abs() - 0.15).min(body(at).max((at.x - 0.22).abs() - 0.13)));
    pen.fill(orange, |at| body(at).max(0.16 - (at.x + 0.3).abs()).max(0.14 - (at.x - 0.22).abs()));
    pen.fill(white, |at| body(at).max((at.x + 0.3).abs() - 0.11).min(body(at).max((at.x - 0.22).abs() - 0.09)));
    pen.fill(white, |at| disc(at, p(-0.64, -0.1), 0.13));
    pen.fill(black, |at| disc(at, p(-0.66, -0.1), 0.075));
}

/// Four blue wings with a dark rim and pale spots.
pub fn butterfly(pen: &mut Pen) {
    let (blue, pale, dark) = (pen.ink(212., 0.85, 0.95), pen.ink(190., 0.4, 1.), pen.ink(250., 0.6, 0.14));
    let upper = |at: P, less: f32| {
        ellipse(at.mirrored().from(p(0.52, -0.33)).turned(-0.6), p(0., 0.), 0.52 - less, 0.37 - less)
    };
    let lower =
        |at: P, less: f32| ellipse(at.mirrored().from(p(0.4, 0.4)).turned(0.9), p(0., 0.), 0.44 - less, 0.3 - less);
    pen.fill(dark, |at| upper(at, 0.).min(lower(at, 0.)));
    pen.fill(blue, |at| upper(at, 0.09).min(lower(at, 0.08)));
    pen.fill(pale, |at| disc(at.mirrored(), p(0.6, -0.42), 0.12).min(disc(at.mirrored(), p(0.42, 0.42), 0.1)));
    pen.fill(dark, |at| ellipse(at, p(0., 0.05), 0.09, 0.52));
    pen.fill(dark, |at| {
        stroke(at.mirrored(), p(0., -0.4), p(0.24, -0.86), 0.03, 0.025).min(disc(at.mirrored(), p(0.25, -0.88), 0.06))
    });
}

/// A red shell with black dots, seen from above.
pub fn ladybird(pen: &mut Pen) {
    let (red, black, white) = (pen.ink(4., 0.95, 0.88), pen.ink(0., 0.2, 0.06), pen.ink(50., 0.03, 1.));
    for y in [-0.25, 0.15, 0.5] {
        pen.fill(black, |at| stroke(at.mirrored(), p(0.5, y), p(0.93, y + 0.1 * (y - 0.1)), 0.05, 0.04));
    }
    pen.fill(black, |at| stroke(at.mirrored(), p(0.1, -0.75), p(0.34, -0.98), 0.03, 0.03));
    pen.fill(black, |at| ellipse(at, p(0., -0.55), 0.44, 0.34));
    pen.fill(white, |at| disc(at.mirrored(), p(0.24, -0.68), 0.09));
    pen.fill(red, |at| ellipse(at, p(0., 0.17), 0.72, 0.74).max(-0.42 - at.y));
    pen.fill(black, |at| at.x.abs().max(at.y.abs() - 0.9) - 0.03);
    for (x, y, r) in [(0.32, -0.16, 0.14), (0.42, 0.25, 0.14), (0.24, 0.6, 0.12)] {
        pen.fill(black, move |at| disc(at.mirrored(), p(x, y), r));
    }
}

/// Brown, with large yellow eyes.
pub fn owl(pen: &mut Pen) {
    let (brown, dark, pale) = (pen.ink(26., 0.6, 0.5), pen.ink(22., 0.65, 0.32), pen.ink(38., 0.4, 0.9));
    let (yellow, black, beak) = (pen.ink(50., 0.95, 1.), pen.ink(0., 0.2, 0.05), pen.ink(28., 0.95, 0.95));
    pen.fill(brown, |at| polygon(at.mirrored(), &[p(0.25, -0.65), p(0.68, -0.98), p(0.72, -0.35)]));
    pen.fill(brown, |at| ellipse(at, p(0., -0.38), 0.74, 0.46).min(ellipse(at, p(0., 0.25), 0.7, 0.72)));
    pen.fill(pale, |at| ellipse(at, p(0., 0.42), 0.42, 0.5));
    pen.fill(dark, |at| ellipse(at.mirrored().from(p(0.62, 0.3)).turned(0.15), p(0., 0.), 0.17, 0.52));
    pen.fill(dark, |at| {
        let x = (at.x / 0.2).rem_euclid(1.) - 0.5;
        let row = (at.y / 0.2).rem_euclid(1.);
        ((row - 0.3 - x.abs()).abs() * 0.14 - 0.02).max(ellipse(at, p(0., 0.45), 0.36, 0.4))
    });
    pen.fill(pale, |at| disc(at.mirrored(), p(0.33, -0.38), 0.34));
    pen.fill(yellow, |at| disc(at.mirrored(), p(0.33, -0.38), 0.25));
    pen.fill(black, |at| disc(at.mirrored(), p(0.33, -0.38), 0.14));
    pen.fill(beak, |at| polygon(at, &[p(-0.13, -0.28), p(0.13, -0.28), p(0., 0.06)]));
    pen.fill(beak, |at| ellipse(at.mirrored(), p(0.22, 0.93), 0.15, 0.07));
}

/// Black back, white belly, orange beak and feet.
pub fn penguin(pen: &mut Pen) {
    let (black, white) = (pen.ink(225., 0.5, 0.14), pen.ink(50., 0.03, 1.));
    let orange = pen.ink(30., 0.95, 1.);
    pen.fill(orange, |at| ellipse(at.mirrored(), p(0.26, 0.9), 0.22, 0.09));
    pen.fill(black, |at| stroke(at.mirrored(), p(0.45, -0.15), p(0.78, 0.4), 0.14, 0.07));
    pen.fill(black, |at| ellipse(at, p(0., 0.2), 0.56, 0.72).min(disc(at, p(0., -0.52), 0.43)));
    pen.fill(white, |at| ellipse(at, p(0., 0.32), 0.4, 0.56));
    pen.fill(white, |at| disc(at.mirrored(), p(0.17, -0.52), 0.19));
    pen.fill(black, |at| disc(at.mirrored(), p(0.15, -0.54), 0.075));
    pen.fill(orange, |at| polygon(at, &[p(-0.18, -0.44), p(0.18, -0.44), p(0., -0.2)]));
}

/// An open eye with lashes.
pub fn eye(pen: &mut Pen) {
    let (skin, white) = (pen.ink(20., 0.5, 0.35), pen.ink(50., 0.03, 1.));
    let hue = [205., 205., 140., 30.][pen.dice.below(4)];
    let (iris, deep) = (pen.ink(hue, 0.75, 0.85), pen.ink(hue, 0.9, 0.35));
    for i in 0..7 {
        let angle = -TAU / 4. + (i as f32 - 3.) * 0.3;
        let (sin, cos) = angle.sin_cos();
        pen.fill(skin, |at| {
            stroke(at, p(0.62 * cos * 1.25, 0.12 + 0.6 * sin), p(0.98 * cos * 1.1, 0.14 + 0.92 * sin), 0.035, 0.015)
        });
    }
    pen.fill(skin, |at| lens(at, 1., 0.58) - 0.02);
    pen.fill(white, |at| lens(at, 0.93, 0.5));
    pen.paint(|at| {
        let ray = (at.angle() * 14.).sin() * 0.2;
        let t = (at.len() / 0.4 * 1.1 + ray - 0.3).clamp(0., 1.);
        let colour = crate::draw::blend(iris, deep, t * t);
        (disc(at, p(0., 0.), 0.42).max(lens(at, 0.93, 0.5)), colour)
    });
    pen.fill([0.02; 3], |at| disc(at, p(0., 0.), 0.2));
    pen.fill(white, |at| disc(at, p(0.13, -0.15), 0.09));
}

/// The eye of a peacock's feather and its barbs.
pub fn peacock(pen: &mut Pen) {
    let (green, light) = (pen.ink(130., 0.8, 0.45), pen.ink(95., 0.75, 0.65));
    for i in 0..26 {
        let (t, side) = ((i / 2) as f32 / 12., if i % 2 == 0 { 1. } else { -1. });
        let root = p(0., 0.95 - 1.1 * t);
        let tip = p(side * (0.35 + 0.45 * (t * 3.).sin().abs()), root.y - 0.45);
        let colour = if i % 4 < 2 { green } else { light };
        pen.fill(colour, |at| stroke(at, root, tip, 0.05, 0.03));
    }
    pen.fill(light, |at| stroke(at, p(0., 0.), p(0., 1.), 0.03, 0.04));
    let rings = [
        (130., 0.8, 0.5, 0.62, 0.68),
        (42., 0.85, 0.8, 0.5, 0.56),
        (178., 0.9, 0.75, 0.37, 0.42),
        (232., 0.95, 0.5, 0.23, 0.28),
    ];
    for (hue, s, v, rx, ry) in rings {
        let colour = pen.ink(hue, s, v);
        pen.fill(colour, |at| ellipse(at, p(0., -0.28), rx, ry));
    }
}
