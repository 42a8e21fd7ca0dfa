//! Motifs that neither grow nor are eaten.

use crate::draw::{P, Pen, disc, ellipse, p, polygon, rect, stroke};
use std::f32::consts::{PI, TAU};

/// A red heart with a glint.
pub fn heart(pen: &mut Pen) {
    let (red, glint) = (pen.ink(350., 0.9, 0.88), pen.ink(350., 0.25, 1.));
    let outline: Vec<P> = (0..40)
        .map(|i| {
            let t = i as f32 / 40. * TAU;
            let y = 13. * t.cos() - 5. * (2. * t).cos() - 2. * (3. * t).cos() - (4. * t).cos();
            p(t.sin().powi(3) * 0.95, -(y + 2.5) / 16.)
        })
        .collect();
    pen.fill(red, |at| polygon(at, &outline));
    pen.fill(glint, |at| ellipse(at.from(p(-0.45, -0.42)).turned(-0.7), p(0., 0.), 0.2, 0.1));
}

/// Five points.
pub fn star(pen: &mut Pen) {
    let (yellow, light) = (pen.ink(48., 0.95, 1.), pen.ink(54., 0.6, 1.));
    let corners = |size: f32| -> Vec<P> {
        (0..10)
            .map(|i| {
                let (sin, cos) = (i as f32 / 10. * TAU).sin_cos();
                let r = size * if i % 2 == 0 { 1. } else { 0.45 };
                p(r * sin, -r * cos)
            })
            .collect()
    };
    let (outer, inner) = (corners(1.), corners(0.6));
    pen.fill(yellow, |at| polygon(at, &outer));
    pen.fill(light, |at| polygon(at, &inner));
}

/// A yellow face, smiling.
pub fn smiley(pen: &mut Pen) {
    let (yellow, rim, black) = (pen.ink(52., 0.92, 1.), pen.ink(40., 0.95, 0.8), pen.ink(30., 0.5, 0.08));
    pen.fill(rim, |at| disc(at, p(0., 0.), 0.95));
    pen.fill(yellow, |at| disc(at, p(0., 0.), 0.88));
    pen.fill(black, |at| ellipse(at.mirrored(), p(0.32, -0.28), 0.12, 0.2));
    if pen.dice.chance(0.5) {
        pen.fill(black, |at| ((at.len() - 0.56).abs() - 0.065).max(0.12 - at.y));
    } else {
        pen.fill(black, |at| disc(at, p(0., 0.), 0.6).max(0.14 - at.y));
        let red = pen.ink(355., 0.7, 0.85);
        pen.fill(red, |at| disc(at, p(0., 0.62), 0.3).max(disc(at, p(0., 0.), 0.54)));
    }
}

/// Walls, a red roof, a door and two windows.
pub fn house(pen: &mut Pen) {
    let (wall, roof) = (pen.ink(44., 0.3, 0.97), pen.ink(6., 0.85, 0.75));
    let (door, glass) = (pen.ink(24., 0.75, 0.42), pen.ink(205., 0.6, 0.95));
    let brick = pen.ink(12., 0.7, 0.5);
    pen.fill(brick, |at| rect(at, p(0.45, -0.6), p(0.12, 0.3), 0.));
    pen.fill(wall, |at| rect(at, p(0., 0.43), p(0.72, 0.52), 0.));
    pen.fill(roof, |at| polygon(at, &[p(-0.98, -0.02), p(0., -0.92), p(0.98, -0.02)]));
    pen.fill(door, |at| rect(at, p(0., 0.62), p(0.17, 0.33), 0.));
    pen.fill(door, |at| rect(at.mirrored(), p(0.44, 0.32), p(0.2, 0.2), 0.));
    pen.fill(glass, |at| {
        let at = at.mirrored().from(p(0.44, 0.32));
        rect(p(at.x.abs(), at.y.abs()), p(0.08, 0.08), p(0.065, 0.065), 0.)
    });
}

/// A hull and two sails on the sea.
pub fn boat(pen: &mut Pen) {
    let (hull, mast, water) = (pen.ink(18., 0.8, 0.5), pen.ink(28., 0.6, 0.35), pen.ink(212., 0.85, 0.7));
    let (white, red) = (pen.ink(45., 0.05, 1.), pen.ink(358., 0.85, 0.9));
    pen.fill(mast, |at| stroke(at, p(0., 0.5), p(0., -0.98), 0.035, 0.03));
    pen.fill(white, |at| polygon(at, &[p(0.07, -0.92), p(0.8, 0.24), p(0.07, 0.3)]));
    pen.fill(red, |at| polygon(at, &[p(-0.07, -0.75), p(-0.07, 0.28), p(-0.65, 0.24)]));
    pen.fill(hull, |at| polygon(at, &[p(-0.9, 0.38), p(0.95, 0.38), p(0.6, 0.85), p(-0.6, 0.85)]));
    pen.fill(water, |at| (0.7 + 0.06 * (at.x * 9.).cos() - at.y).max(at.y - 1.05).max(at.x.abs() - 1.2));
}

/// An open umbrella in two colours, with a hooked handle.
pub fn umbrella(pen: &mut Pen) {
    let hue = pen.dice.range(165., 190.);
    let (one, two, shaft) = (pen.ink(hue, 0.8, 0.75), pen.ink(hue, 0.25, 1.), pen.ink(25., 0.6, 0.3));
    pen.fill(shaft, |at| rect(at, p(0., 0.), p(0.045, 0.78), 0.));
    pen.fill(shaft, |at| ((at.from(p(0.17, 0.75)).len() - 0.17).abs() - 0.05).max(0.74 - at.y));
    pen.fill(shaft, |at| stroke(at, p(0., -0.95), p(0., -0.7), 0.03, 0.03));
    pen.paint(|at| {
        let mut shape = ellipse(at, p(0., 0.05), 0.98, 0.9).max(at.y - 0.05);
        let rib = at.x / (1. - (at.y.min(0.) / 0.9).powi(2)).max(0.04).sqrt();
        for x in [-0.784, -0.392, 0., 0.392, 0.784] {
            shape = shape.max(-ellipse(at, p(x, 0.08), 0.196, 0.16));
        }
        let sector = ((rib + 0.98) / 0.392).floor() as i32;
        (shape, if sector % 2 == 0 { one } else { two })
    });
}

/// White with red fins, a window and fire below.
pub fn rocket(pen: &mut Pen) {
    let (white, red) = (pen.ink(210., 0.06, 0.95), pen.ink(358., 0.9, 0.85));
    let (fire, core, glass) = (pen.ink(24., 0.95, 1.), pen.ink(52., 0.8, 1.), pen.ink(200., 0.75, 0.9));
    let rim = pen.ink(215., 0.4, 0.35);
    pen.fill(fire, |at| {
        polygon(at.mirrored(), &[p(-0.1, 0.45), p(0.26, 0.5), p(0.2, 0.75), p(0., 1.05), p(-0.1, 0.9)])
    });
    pen.fill(core, |at| polygon(at.mirrored(), &[p(-0.1, 0.45), p(0.14, 0.5), p(0., 0.85), p(-0.1, 0.7)]));
    pen.fill(red, |at| polygon(at.mirrored(), &[p(0.2, 0.05), p(0.65, 0.5), p(0.62, 0.75), p(0.2, 0.5)]));
    let body = |at: P| crate::draw::lens(p(at.y + 0.1, at.x), 0.9, 0.36).max(at.y - 0.52);
    pen.fill(white, body);
    pen.fill(red, |at| body(at).max(at.y + 0.5));
    pen.fill(rim, |at| disc(at, p(0., -0.18), 0.2));
    pen.fill(glass, |at| disc(at, p(0., -0.18), 0.14));
}

/// Red, yellow and green in a dark case.
pub fn traffic_light(pen: &mut Pen) {
    let (case, pole) = (pen.ink(220., 0.2, 0.16), pen.ink(220., 0.1, 0.4));
    pen.fill(pole, |at| rect(at, p(0., 0.85), p(0.08, 0.2), 0.));
    pen.fill(case, |at| rect(at, p(0., -0.1), p(0.4, 0.88), 0.12));
    for (hue, y) in [(0., -0.65), (48., -0.1), (135., 0.45)] {
        let colour = pen.ink(hue, 0.95, 1.);
        pen.fill(colour, |at| disc(at, p(0., y), 0.24));
    }
}

/// A yellow bolt with a violet glow.
pub fn lightning(pen: &mut Pen) {
    let (glow, yellow) = (pen.ink(268., 0.6, 0.85), pen.ink(54., 0.75, 1.));
    let bolt = [p(0.2, -1.), p(-0.5, 0.12), p(-0.06, 0.12), p(-0.3, 1.), p(0.52, -0.2), p(0.08, -0.2), p(0.55, -1.)];
    pen.glow(glow, 0.28, |at| polygon(at, &bolt) + 0.02);
    pen.fill(yellow, |at| polygon(at, &bolt));
}

/// Six arcs between two clouds.
pub fn rainbow(pen: &mut Pen) {
    let inks = [0., 28., 54., 125., 212., 278.].map(|hue| pen.ink(hue, 0.88, 0.95));
    pen.paint(|at| {
        let from = at.from(p(0., 0.5));
        let band = ((1.05 - from.len()) / 0.105).clamp(0., 5.99) as usize;
        (((from.len() - 0.735).abs() - 0.315).max(at.y - 0.5), inks[band])
    });
    let cloud = pen.ink(210., 0.04, 1.);
    for x in [-0.72, 0.72] {
        pen.fill(cloud, |at| {
            disc(at, p(x - 0.22, 0.5), 0.18).min(disc(at, p(x, 0.4), 0.24)).min(disc(at, p(x + 0.22, 0.5), 0.18))
        });
    }
}

/// Six branching arms.
pub fn snowflake(pen: &mut Pen) {
    let white = pen.ink(195., 0.15, 1.);
    pen.fill(white, |at| {
        let turn = PI / 3.;
        let arm = at.turned((at.angle() / turn).round() * turn);
        let arm = p(arm.x, arm.y.abs());
        stroke(arm, p(0., 0.), p(0.95, 0.), 0.065, 0.05)
            .min(stroke(arm, p(0.55, 0.), p(0.8, 0.25), 0.05, 0.04))
            .min(stroke(arm, p(0.28, 0.), p(0.45, 0.17), 0.05, 0.04))
    });
}
