//! Motifs that fill the picture.

use crate::draw::{Pen, noise, p, scatter};
use std::f32::consts::TAU;

/// Brown patches with cream between them.
pub fn giraffe(pen: &mut Pen) {
    let (cream, brown) = (pen.ink(42., 0.3, 0.95), pen.ink(24., 0.75, 0.55));
    let dark = pen.ink(20., 0.8, 0.4);
    let salt = pen.dice.below(1 << 20) as u32;
    pen.fill(cream, |_| -1.);
    pen.paint(move |at| {
        // The two nearest of one point per cell; where they are equally near is the border.
        let (cell, mut near) = (p(at.x * 2.4, at.y * 2.4), [f32::INFINITY; 2]);
        for i in 0..9 {
            let (x, y) = (cell.x.floor() as i32 + i % 3 - 1, cell.y.floor() as i32 + i / 3 - 1);
            let jitter = p(scatter(x, y, salt), scatter(x, y, salt + 1));
            let d = cell.from(p(x as f32 + 0.1 + 0.8 * jitter.x, y as f32 + 0.1 + 0.8 * jitter.y));
            let d = d.len();
            near = if d < near[0] { [d, near[0]] } else { [near[0], near[1].min(d)] };
        }
        (0.07 - (near[1] - near[0]) / 2.4, if near[0] < 0.25 { dark } else { brown })
    });
}

/// Black and white, wavering and forking.
pub fn zebra(pen: &mut Pen) {
    let (white, black) = (pen.ink(45., 0.04, 0.95), pen.ink(30., 0.1, 0.06));
    let salt = pen.dice.below(1 << 20) as u32;
    let period = pen.dice.range(0.34, 0.44);
    pen.fill(white, |_| -1.);
    pen.fill(black, |at| {
        let bend = noise(p(at.x * 1.3 + 9., at.y * 1.3 + 9.), salt);
        let width = noise(p(at.x * 1.1, at.y * 2.), salt + 1);
        let x = (at.x + 0.75 * bend) / period;
        let d = (x - x.floor() - 0.5).abs() * period;
        d - period * (0.14 + 0.22 * width)
    });
}

/// Two colours winding round the middle.
pub fn spiral(pen: &mut Pen) {
    let hue = pen.dice.range(0., 360.);
    let (dark, pale) = (pen.ink(hue, 0.8, 0.55), pen.ink(hue + 40., 0.25, 0.97));
    let period = pen.dice.range(0.34, 0.44);
    pen.fill(pale, |_| -1.);
    pen.fill(dark, |at| {
        let x = at.len() / period - at.angle() / TAU;
        ((x - x.floor() - 0.5).abs() - 0.25) * period
    });
}
