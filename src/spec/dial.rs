//! A number that may change: drawn from a range, tweened over a stage, or both.

/// How a tween runs from its first to its last value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// a + (b − a) u
    Linear,
    /// a + (b − a) (1 − cos πu) / 2
    Cosine,
    /// a (b / a)^u; both ends must be positive
    Exponential,
}

impl Curve {
    /// All curves by name.
    pub const NAMES: [(&'static str, Curve); 3] =
        [("linear", Curve::Linear), ("cosine", Curve::Cosine), ("exponential", Curve::Exponential)];
}

/// A number that may depend on the time in the stage and on a draw.
#[derive(Clone, Debug, PartialEq)]
pub enum Dial {
    /// Always this.
    Constant(f64),
    /// Drawn uniformly between two others.
    Range(Box<Dial>, Box<Dial>),
    /// Drawn between two positive ones, uniformly in the logarithm.
    LogRange(Box<Dial>, Box<Dial>),
    /// Drawn from a list.
    Pick(Vec<f64>),
    /// From one to another over the stage.
    Tween(Box<Dial>, Box<Dial>, Curve),
    /// A sum.
    Sum(Box<Dial>, Box<Dial>),
    /// A product.
    Product(Box<Dial>, Box<Dial>),
}

impl Dial {
    /// Its value at `progress` u in 0..=1 of the stage, for a draw in 0..1. One draw serves the whole dial.
    pub fn at(&self, progress: f64, draw: f64) -> f64 {
        match self {
            Dial::Constant(value) => *value,
            Dial::Range(low, high) => {
                let (low, high) = (low.at(progress, draw), high.at(progress, draw));
                low + (high - low) * draw
            }
            Dial::LogRange(low, high) => {
                let (low, high) = (low.at(progress, draw), high.at(progress, draw));
                low * libm::pow(high / low, draw)
            }
            Dial::Pick(list) => {
                let index = ((draw * list.len() as f64) as usize).min(list.len().saturating_sub(1));
                list.get(index).copied().unwrap_or(0.0)
            }
            Dial::Tween(first, last, curve) => {
                let (first, last) = (first.at(progress, draw), last.at(progress, draw));
                match curve {
                    Curve::Linear => first + (last - first) * progress,
                    Curve::Cosine => first + (last - first) * (0.5 - 0.5 * libm::cos(std::f64::consts::PI * progress)),
                    Curve::Exponential => first * libm::pow(last / first, progress),
                }
            }
            Dial::Sum(a, b) => a.at(progress, draw) + b.at(progress, draw),
            Dial::Product(a, b) => a.at(progress, draw) * b.at(progress, draw),
        }
    }

    /// The least and the greatest value it can take over the stage and all draws.
    pub fn bounds(&self) -> (f64, f64) {
        let hull = |a: &Dial, b: &Dial| {
            let ((a0, a1), (b0, b1)) = (a.bounds(), b.bounds());
            (a0.min(b0), a1.max(b1))
        };
        match self {
            Dial::Constant(value) => (*value, *value),
            Dial::Range(a, b) | Dial::LogRange(a, b) | Dial::Tween(a, b, _) => hull(a, b),
            Dial::Pick(list) => {
                list.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)))
            }
            Dial::Sum(a, b) => {
                let ((a0, a1), (b0, b1)) = (a.bounds(), b.bounds());
                (a0 + b0, a1 + b1)
            }
            Dial::Product(a, b) => {
                let ((a0, a1), (b0, b1)) = (a.bounds(), b.bounds());
                let corners = [a0 * b0, a0 * b1, a1 * b0, a1 * b1];
                corners.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)))
            }
        }
    }

    /// Whether it draws anything.
    pub fn is_drawn(&self) -> bool {
        match self {
            Dial::Constant(_) => false,
            Dial::Range(..) | Dial::LogRange(..) | Dial::Pick(_) => true,
            Dial::Tween(a, b, _) | Dial::Sum(a, b) | Dial::Product(a, b) => a.is_drawn() || b.is_drawn(),
        }
    }

    /// Whether it changes over the stage.
    pub fn is_animated(&self) -> bool {
        match self {
            Dial::Constant(_) | Dial::Pick(_) => false,
            Dial::Tween(..) => true,
            Dial::Range(a, b) | Dial::LogRange(a, b) | Dial::Sum(a, b) | Dial::Product(a, b) => {
                a.is_animated() || b.is_animated()
            }
        }
    }

    /// The value, if it is always the same.
    pub fn constant(&self) -> Option<f64> {
        (!self.is_drawn() && !self.is_animated()).then(|| self.at(0.0, 0.0))
    }
}

impl From<f64> for Dial {
    fn from(value: f64) -> Self {
        Dial::Constant(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tween(a: f64, b: f64, curve: Curve) -> Dial {
        Dial::Tween(Box::new(a.into()), Box::new(b.into()), curve)
    }

    #[test]
    fn tweens_start_and_end_where_they_say() {
        for (_, curve) in Curve::NAMES {
            let dial = tween(2.5, 0.5, curve);
            assert!((dial.at(0.0, 0.3) - 2.5).abs() < 1e-12);
            assert!((dial.at(1.0, 0.3) - 0.5).abs() < 1e-12);
        }
        assert!((tween(1.0, 0.01, Curve::Exponential).at(0.5, 0.0) - 0.1).abs() < 1e-12);
    }

    #[test]
    fn a_logarithmic_range_is_as_likely_halved_as_doubled() {
        let dial = Dial::LogRange(Box::new(0.5.into()), Box::new(2.0.into()));
        assert!((dial.at(0.0, 0.5) - 1.0).abs() < 1e-12 && (dial.at(0.0, 0.25) - 0.5f64.sqrt()).abs() < 1e-12);
        assert_eq!((dial.at(0.0, 0.0), dial.bounds()), (0.5, (0.5, 2.0)));
        assert!(dial.is_drawn() && !dial.is_animated());
    }

    #[test]
    fn a_range_may_move() {
        let wide = Dial::Range(Box::new((-20.0).into()), Box::new(20.0.into()));
        let dial = Dial::Tween(Box::new(wide), Box::new(0.0.into()), Curve::Linear);
        assert_eq!(dial.at(0.0, 0.75), 10.0);
        assert_eq!(dial.at(0.5, 0.75), 5.0);
        assert_eq!(dial.bounds(), (-20.0, 20.0));
        assert!(dial.is_drawn() && dial.is_animated());
    }
}
