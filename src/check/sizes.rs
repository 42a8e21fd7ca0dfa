//! Sizes: a canvas large enough for the network, positions that exist at the smallest size the transforms produce.

use super::Checker;
use super::recipe::{Stage, Term, Variant};
use crate::nets::{Facts, NodeId, Shape};
use crate::source::{Diagnostic, Span, codes};
use crate::spec::{Arg, Coordinate};
use crate::words::{Against, registry};

impl Checker<'_> {
    /// Checks every stage of a variant against the shapes of its networks.
    pub(super) fn sizes(&mut self, variant: &Variant) -> bool {
        let mut well = true;
        for stage in &variant.stages {
            let seen = stage.seen_sizes();
            let span = if stage.canvas.span == Span::default() { stage.terms[0].call.span } else { stage.canvas.span };
            if seen.least.0 == 0 || seen.least.1 == 0 {
                let message = "the transforms can leave nothing of the picture";
                self.tell(
                    Diagnostic::error(&codes::CANVAS_TOO_SMALL, span, message, "too small for these transforms")
                        .with_help("make the canvas larger, or crop less"),
                );
                well = false;
                continue;
            }
            for (number, model) in variant.models.iter().enumerate().filter(|(number, _)| stage.asks(*number)) {
                let terms = stage.terms.iter().filter(|term| term.model == number);
                well &= self.sizes_of(&model.facts, terms, seen.least, span)
                    && self.photos_of(&model.facts, variant, stage, number);
            }
        }
        well
    }

    /// Checks what terms read of their network, for a picture of that height and width; the canvas stands at `span`.
    fn sizes_of<'t>(
        &mut self,
        facts: &Facts,
        terms: impl Iterator<Item = &'t Term>,
        (height, width): (usize, usize),
        span: Span,
    ) -> bool {
        let shapes = match facts.graph.shapes(height, width) {
            Ok(shapes) => shapes,
            Err(small) => {
                let message = format!("a picture of {width}x{height} is too small for `{}`", facts.name);
                let label = format!("at `{}` nothing is left", small.node);
                let help = match smallest(facts) {
                    Some(side) => format!("`{}` needs at least {side}x{side}", facts.name),
                    None => "make the canvas larger".to_string(),
                };
                self.tell(Diagnostic::error(&codes::CANVAS_TOO_SMALL, span, message, label).with_help(help));
                return false;
            }
        };
        let mut well = true;
        for term in terms {
            let Arg::Point(point) = term.call.args.get("at") else { continue };
            let Some(node) = term.nodes.first() else { continue };
            let shape = facts.graph.find(node).and_then(|id| shapes.get(id));
            let Some((height, width)) = shape.and_then(Shape::cells) else { continue };
            let outside = |coordinate: Coordinate, length: usize| match coordinate {
                Coordinate::Cell(cell) => cell >= length,
                _ => false,
            };
            if outside(point.x, width) || outside(point.y, height) {
                let at = term.call.args.span("at").unwrap_or(term.call.span);
                let message = format!("`{node}` has no such cell");
                let label = format!("it is {width} wide and {height} high at the smallest size");
                let help = format!("x is 0 to {}, y is 0 to {}, from the top left", width - 1, height - 1);
                self.tell(Diagnostic::error(&codes::OUT_OF_RANGE, at, message, label).with_help(help));
                well = false;
            }
        }
        well
    }

    /// Checks that a network takes the photos of a stage that are not transformed: they have the size of the canvas,
    /// which a `resize` makes good for the picture alone.
    fn photos_of(&mut self, facts: &Facts, variant: &Variant, stage: &Stage, model: usize) -> bool {
        let Stage { width, height, .. } = *stage;
        let untransformed = |term: &&Term| {
            let word = registry::objective(term.call.spec.name);
            let against = word.map(|word| word.against(&term.call.args));
            term.model == model
                && matches!(against, Some(Against::Photo { transformed: false, .. } | Against::Photos(_)))
        };
        let Some(term) = stage.terms.iter().find(untransformed) else { return true };
        // It is computed as far as any stage reads it.
        let terms = variant.stages.iter().flat_map(|stage| &stage.terms).filter(|term| term.model == model);
        let reads: Vec<NodeId> = terms.flat_map(|term| &term.nodes).filter_map(|node| facts.graph.find(node)).collect();
        let needed = facts.graph.needed(&reads);
        let fault = |height: usize, width: usize| {
            let small = facts.graph.shapes(height, width).err()?;
            let is_needed = |id: NodeId| needed.get(id).copied().unwrap_or(false);
            facts.graph.find(&small.node).is_some_and(is_needed).then_some(small)
        };
        let Some(small) = fault(height, width) else { return true };
        let message = format!("a photo of {width}x{height} is too small for `{}`", facts.name);
        let label = format!("at `{}` nothing is left: it is shown at the canvas's size, not transformed", small.node);
        let help = match (1..=MOST_SIDE).find(|&side| fault(side, side).is_none()) {
            Some(side) => format!("make the canvas at least {side}x{side}"),
            None => "make the canvas larger".to_string(),
        };
        self.tell(Diagnostic::error(&codes::CANVAS_TOO_SMALL, term.call.span, message, label).with_help(help));
        false
    }
}

/// Beyond this no network needs more.
const MOST_SIDE: usize = 512;

/// The smallest square that a network takes.
fn smallest(facts: &Facts) -> Option<usize> {
    (1..=MOST_SIDE).find(|side| facts.graph.shapes(*side, *side).is_ok())
}
