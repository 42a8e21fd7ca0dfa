//! What lies outside a picture.

/// What lies outside a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Edge {
    /// This value.
    Constant(f64),
    /// The picture, mirrored about its outermost pixels: `c b | a b c | b a`.
    Reflect,
    /// Its outermost pixels, again and again: `a a | a b c | c c`.
    Replicate,
    /// Its other side: `b c | a b c | a b`.
    Wrap,
}

impl Edge {
    /// The pixel that stands for number `at` of a row of `length`; none where a constant does.
    pub(super) fn index(self, at: i64, length: usize) -> Option<usize> {
        let count = length as i64;
        if (0..count).contains(&at) {
            return Some(at as usize);
        }
        match self {
            Edge::Constant(_) => None,
            _ if count <= 1 => Some(0),
            Edge::Reflect => {
                let folded = at.rem_euclid(2 * (count - 1));
                Some(folded.min(2 * (count - 1) - folded) as usize)
            }
            Edge::Replicate => Some(at.clamp(0, count - 1) as usize),
            Edge::Wrap => Some(at.rem_euclid(count) as usize),
        }
    }

    /// The value outside, if it is a constant.
    pub(super) fn fill(self) -> Option<f64> {
        match self {
            Edge::Constant(fill) => Some(fill),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_outside_follows_its_pattern() {
        let row = |edge: Edge, length| (-4..7).map(|i| edge.index(i, length).unwrap_or(9)).collect::<Vec<_>>();
        assert_eq!(row(Edge::Constant(0.0), 3), [9, 9, 9, 9, 0, 1, 2, 9, 9, 9, 9]);
        assert_eq!(row(Edge::Reflect, 3), [0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2]);
        assert_eq!(row(Edge::Replicate, 3), [0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2]);
        assert_eq!(row(Edge::Wrap, 3), [2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0]);
        assert_eq!(row(Edge::Reflect, 1), [0; 11]);
    }
}
