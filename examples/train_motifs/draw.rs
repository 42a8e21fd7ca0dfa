//! Pictures from signed distances: a shape is a function that says how far a
//! point lies outside it, and a pen paints one shape over another.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::f32::consts::TAU;

/// Width and height of every picture, in pixels.
pub const SIZE: usize = 96;

/// Red, green and blue, each 0 to 1.
pub type Rgb = [f32; 3];

/// Dice whose throws depend on nothing but the seed.
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// Starts a stream of its own for every pair of numbers.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// Throws a number between 0 and 1.
    pub fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / (1 << 24) as f32
    }

    /// Throws a number between `low` and `high`.
    pub fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Throws a number between `-most` and `most`.
    pub fn spread(&mut self, most: f32) -> f32 {
        self.range(-most, most)
    }

    /// Throws a whole number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        ((self.0.next_u32() as u64 * end as u64) >> 32) as usize
    }

    /// Says yes with this probability.
    pub fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// Throws a number with mean 0 and variance 1.
    pub fn normal(&mut self) -> f32 {
        let length = (-2. * (1. - self.unit()).ln()).sqrt();
        length * (TAU * self.unit()).cos()
    }
}

/// A point, y down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct P {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
}

/// Makes a point.
pub const fn p(x: f32, y: f32) -> P {
    P { x, y }
}

impl P {
    /// The point as seen from `origin`.
    pub fn from(self, origin: P) -> P {
        p(self.x - origin.x, self.y - origin.y)
    }

    /// The distance to the origin.
    pub fn len(self) -> f32 {
        self.x.hypot(self.y)
    }

    /// The angle from the x axis, clockwise on the screen.
    pub fn angle(self) -> f32 {
        self.y.atan2(self.x)
    }

    /// The point as seen by someone who turned clockwise by `angle`.
    pub fn turned(self, angle: f32) -> P {
        let (sin, cos) = angle.sin_cos();
        p(self.x * cos + self.y * sin, self.y * cos - self.x * sin)
    }

    /// The point folded onto the right half.
    pub fn mirrored(self) -> P {
        p(self.x.abs(), self.y)
    }

    fn dot(self, other: P) -> f32 {
        self.x * other.x + self.y * other.y
    }
}

/// A disc.
pub fn disc(at: P, centre: P, radius: f32) -> f32 {
    at.from(centre).len() - radius
}

/// An upright ellipse; the distance is exact only near its edge.
pub fn ellipse(at: P, centre: P, rx: f32, ry: f32) -> f32 {
    let d = at.from(centre);
    let near = p(d.x / rx, d.y / ry).len();
    let slope = p(d.x / (rx * rx), d.y / (ry * ry)).len();
    if slope < 1e-6 { -rx.min(ry) } else { near * (near - 1.) / slope }
}

/// An upright box with rounded corners.
pub fn rect(at: P, centre: P, half: P, round: f32) -> f32 {
    let d = at.from(centre);
    let (x, y) = (d.x.abs() - half.x + round, d.y.abs() - half.y + round);
    p(x.max(0.), y.max(0.)).len() + x.max(y).min(0.) - round
}

/// A line from `a` to `b` with round ends and half widths `wa` and `wb` there.
pub fn stroke(at: P, a: P, b: P, wa: f32, wb: f32) -> f32 {
    let (d, line) = (at.from(a), b.from(a));
    let t = (d.dot(line) / line.dot(line)).clamp(0., 1.);
    d.from(p(line.x * t, line.y * t)).len() - wa - (wb - wa) * t
}

/// A closed polygon.
pub fn polygon(at: P, corners: &[P]) -> f32 {
    let mut nearest = f32::INFINITY;
    let mut inside = false;
    let mut before = corners[corners.len() - 1];
    for &corner in corners {
        nearest = nearest.min(stroke(at, before, corner, 0., 0.));
        // An odd number of edges to the right means that the point is inside.
        if (before.y > at.y) != (corner.y > at.y) {
            let t = (at.y - before.y) / (corner.y - before.y);
            inside ^= at.x < before.x + t * (corner.x - before.x);
        }
        before = corner;
    }
    if inside { -nearest } else { nearest }
}

/// What two discs of this half distance have in common: a lens along x with
/// tips at `-half` and `half` and `thick` above and below its axis.
pub fn lens(at: P, half: f32, thick: f32) -> f32 {
    let radius = (half * half + thick * thick) / (2. * thick);
    disc(p(at.x, at.y.abs()), p(0., thick - radius), radius)
}

/// Smooth noise between 0 and 1, one lattice value per unit.
pub fn noise(at: P, salt: u32) -> f32 {
    let (x, y) = (at.x.floor(), at.y.floor());
    let ease = |t: f32| t * t * (3. - 2. * t);
    let (u, v) = (ease(at.x - x), ease(at.y - y));
    let value = |i: f32, j: f32| scatter((x + i) as i32, (y + j) as i32, salt);
    let top = value(0., 0.) * (1. - u) + value(1., 0.) * u;
    let bottom = value(0., 1.) * (1. - u) + value(1., 1.) * u;
    top * (1. - v) + bottom * v
}

/// A number between 0 and 1 that looks random but belongs to its cell.
pub fn scatter(x: i32, y: i32, salt: u32) -> f32 {
    let mut bits = (x as u32).wrapping_mul(0x9E37_79B1);
    bits = (bits ^ y as u32).wrapping_mul(0x85EB_CA77) ^ salt.wrapping_mul(0xC2B2_AE3D);
    bits = (bits ^ bits >> 15).wrapping_mul(0x2C1B_3C6D);
    bits = (bits ^ bits >> 13).wrapping_mul(0x297A_2D39);
    (bits >> 8 ^ bits >> 24) as f32 / (1 << 24) as f32
}

/// A colour from its hue in degrees, saturation and value.
pub fn hsv(hue: f32, saturation: f32, value: f32) -> Rgb {
    [5., 3., 1.].map(|turn| {
        let k = (turn + hue / 60.).rem_euclid(6.);
        value - value * saturation * k.min(4. - k).clamp(0., 1.)
    })
}

/// A colour between two.
pub fn blend(a: Rgb, b: Rgb, t: f32) -> Rgb {
    std::array::from_fn(|i| a[i] + (b[i] - a[i]) * t)
}

/// A picture, row by row.
#[derive(Clone)]
pub struct Canvas(pub Vec<Rgb>);

impl Canvas {
    /// Makes a canvas of one colour.
    pub fn new(colour: Rgb) -> Self {
        Self(vec![colour; SIZE * SIZE])
    }
}

/// Where a motif stands: in pixels and radians.
#[derive(Clone, Copy)]
pub struct Place {
    /// The middle of the motif.
    pub centre: P,
    /// The length of one local unit.
    pub radius: f32,
    /// How far it's turned.
    pub angle: f32,
}

/// Paints one motif in its own coordinates, in which it has radius 1.
pub struct Pen<'a> {
    /// What is painted on.
    pub canvas: &'a mut Canvas,
    /// For whatever differs between two drawings of the motif.
    pub dice: &'a mut Dice,
    /// Where the motif stands.
    pub place: Place,
    /// By how many degrees the picture's hues are shifted.
    pub hue_shift: f32,
    /// Beyond this distance there is nothing to paint.
    pub reach: f32,
}

impl Pen<'_> {
    /// Mixes a colour near this one: no two drawings have quite the same.
    pub fn ink(&mut self, hue: f32, saturation: f32, value: f32) -> Rgb {
        let hue = hue + self.hue_shift + self.dice.spread(9.);
        // Greys stay grey.
        let sway = self.dice.spread(0.12) * (saturation * 4.).min(1.);
        let value = value + self.dice.spread(0.1) * (value * 4.).min(1.);
        hsv(hue, (saturation + sway).clamp(0., 1.), value.clamp(0., 1.))
    }

    /// Fills a shape with a colour.
    pub fn fill(&mut self, colour: Rgb, shape: impl Fn(P) -> f32) {
        self.paint(|at| (shape(at), colour));
    }

    /// Fills a shape with a colour that depends on the point.
    pub fn paint(&mut self, shape: impl Fn(P) -> (f32, Rgb)) {
        let unit = self.place.radius;
        self.layer(|at| {
            let (distance, colour) = shape(at);
            ((0.5 - distance * unit).clamp(0., 1.), colour)
        });
    }

    /// Lays light over the picture: strength 1 at the shape, less with distance.
    pub fn glow(&mut self, colour: Rgb, reach: f32, shape: impl Fn(P) -> f32) {
        self.layer(|at| ((-shape(at).max(0.) / reach).exp(), colour));
    }

    fn layer(&mut self, cover: impl Fn(P) -> (f32, Rgb)) {
        let Place { centre, radius, angle } = self.place;
        let bounds = |middle: f32| {
            let far = self.reach * radius;
            let edge = |x: f32| x.clamp(0., SIZE as f32) as usize;
            edge((middle - far).floor())..edge((middle + far).ceil())
        };
        for (y, x) in bounds(centre.y).flat_map(|y| bounds(centre.x).map(move |x| (y, x))) {
            let pixel = &mut self.canvas.0[y * SIZE + x];
            let at = p(x as f32 + 0.5, y as f32 + 0.5);
            let at = at.from(centre).turned(angle);
            let (share, colour) = cover(p(at.x / radius, at.y / radius));
            if share > 0. {
                *pixel = blend(*pixel, colour, share);
            }
        }
    }
}
