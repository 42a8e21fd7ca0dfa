//! Which pixels a place of a layer sees: its receptive field.

use std::ops::RangeInclusive;

use super::graph::{Graph, NodeId, Op};
use super::shape::Shape;

/// Rows and columns of the picture, counted from its top left; padding that is seen too lies outside of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// From the first row to the last.
    pub rows: RangeInclusive<i64>,
    /// From the first column to the last.
    pub columns: RangeInclusive<i64>,
}

/// Rows and columns, first and last.
type Box = [(i64, i64); 2];

impl Graph {
    /// The receptive field of the place `(y, x)` of a node, for shapes that [`Graph::shapes`] gave; nothing where the
    /// node doesn't depend on the picture.
    ///
    /// It is all that can matter. What does is mostly the middle: the number of ways from a pixel to the place falls off
    /// like a gaussian (Luo, Li, Urtasun, Zemel 2016, Understanding the Effective Receptive Field).
    pub fn field(&self, node: NodeId, (y, x): (usize, usize), shapes: &[Shape]) -> Option<Field> {
        let mut seen: Vec<Option<Box>> = vec![None; self.nodes().len()];
        let place = [(y as i64, y as i64), (x as i64, x as i64)];
        *seen.get_mut(node)? = Some(place);
        for id in (1..=node).rev() {
            let (Some(own), Some(node)) = (seen.get(id).copied().flatten(), self.nodes().get(id)) else { continue };
            for &input in &node.inputs {
                let cells = shapes.get(input).and_then(Shape::cells).unwrap_or((1, 1));
                let inner = inner(&node.op, own, cells);
                if let Some(slot) = seen.get_mut(input) {
                    *slot = Some(slot.map_or(inner, |before| union(before, inner)));
                }
            }
        }
        let [rows, columns] = seen.first().copied().flatten()?;
        Some(Field { rows: rows.0..=rows.1, columns: columns.0..=columns.1 })
    }
}

/// What of its input an operation sees for these places of its output.
fn inner(op: &Op, place: Box, (height, width): (usize, usize)) -> Box {
    let whole = [(0, height as i64 - 1), (0, width as i64 - 1)];
    match op {
        Op::Convolution { window, .. } | Op::MaxPool(window) => place.map(|(first, last)| {
            let start = |at: i64| at * window.stride as i64 - window.padding as i64;
            (start(first), start(last) + window.kernel as i64 - 1)
        }),
        Op::MeanPool(parts) => {
            let along = |side: usize, (first, last): (i64, i64)| {
                let parts = parts.along(side)?;
                let of = |at: i64| parts.get(usize::try_from(at).unwrap_or(0)).or(parts.last());
                Some((of(first)?.start as i64, of(last)?.end as i64 - 1))
            };
            let [rows, columns] = place;
            [along(height, rows).unwrap_or(whole[0]), along(width, columns).unwrap_or(whole[1])]
        }
        Op::Flatten | Op::Linear | Op::Mean | Op::LogMeanExp => whole,
        Op::Input | Op::BatchNorm { .. } | Op::Relu(_) | Op::Add | Op::Concat | Op::Dropout => place,
    }
}

fn union(a: Box, b: Box) -> Box {
    let [(a0, a1), (a2, a3)] = a;
    let [(b0, b1), (b2, b3)] = b;
    [(a0.min(b0), a1.max(b1)), (a2.min(b2), a3.max(b3))]
}

#[cfg(test)]
mod tests {
    use crate::nets::resnet;

    #[test]
    fn resnet18_sees_what_the_literature_says() {
        let graph = resnet::graph(18, 3, 1000);
        let shapes = graph.shapes(224, 224).unwrap();
        let side = |name: &str| {
            let field = graph.field(graph.find(name).unwrap(), (3, 3), &shapes).unwrap();
            assert_eq!(field.rows, field.columns, "{name}");
            field.rows.end() - field.rows.start() + 1
        };
        // Araujo, Norris, Sim 2019, Computing Receptive Fields of Convolutional Neural Networks (Distill): 435.
        assert_eq!([side("conv1"), side("maxpool"), side("layer1"), side("layer4")], [7, 11, 43, 435]);
        // The whole picture and what is seen of its padding: the fields of all 7x7 places.
        assert_eq!(side("fc"), 435 + 6 * 32);
        let first = graph.field(graph.find("conv1").unwrap(), (0, 5), &shapes).unwrap();
        assert_eq!((first.rows, first.columns), (-3..=3, 7..=13));
    }
}
