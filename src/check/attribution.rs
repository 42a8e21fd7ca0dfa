//! `attribute`: what may stand beside it, and the stage that it makes.

use std::rc::Rc;

use super::Checker;
use super::build::number_equals;
use super::recipe::{Attribution, Format, Schedule, Stage, Term};
use super::render::RenderUse;
use super::scope::Scope;
use super::structure::{Slot, Slots, StageSource, is_none};
use crate::nets::{Facts, Graph};
use crate::source::{Diagnostic, FileId, Span, codes};
use crate::spec::{Call, Kind};
use crate::syntax::ast::{Expr, ExprKind, Statement};
use crate::words::{Against, registry};

/// Statements that only a picture that grows needs.
const OF_GROWTH: [Slot; 7] =
    [Slot::Init, Slot::Transform, Slot::Regularize, Slot::Blur, Slot::Mode, Slot::Optimize, Slot::Stage];

/// The words of a `render` statement that pick steps.
const OF_STEPS: [&str; 4] = ["every", "from", "until", "at"];

/// The `attribute` statement of a recipe that has one.
pub(super) fn attribute_of(source: &StageSource) -> Option<&Rc<Statement>> {
    source.one(Slot::Objective).filter(|statement| statement.word.text == "attribute")
}

impl Checker<'_> {
    /// Takes away what has no meaning beside `attribute`. In the same file that is a mistake; in a file that is used it
    /// is what this one replaces.
    pub(super) fn alone(&mut self, top: &mut Slots) {
        let Some(objectives) = top.get_mut(&Slot::Objective) else { return };
        let Some(asked) = objectives.iter().find(|statement| statement.word.text == "attribute").cloned() else {
            return;
        };
        let others: Vec<Rc<Statement>> =
            objectives.iter().filter(|other| !Rc::ptr_eq(other, &asked)).cloned().collect();
        objectives.retain(|statement| Rc::ptr_eq(statement, &asked));
        for other in others {
            if other.word.text == "attribute" {
                let message = "`attribute` stands twice";
                self.tell(
                    Diagnostic::error(&codes::DUPLICATE_STATEMENT, other.word.span, message, "again here")
                        .with_label(asked.word.span, "first here")
                        .with_help(
                            "several photos, classes or methods are variants: `on image(each [\"a.jpg\", \"b.jpg\"])`",
                        ),
                );
            } else {
                self.beside(&other, &asked, "a recipe asks about a photo or grows a picture; make two recipes of it");
            }
        }
        for slot in OF_GROWTH {
            for other in top.remove(&slot).unwrap_or_default() {
                if !is_below(&other, &asked) {
                    self.beside(&other, &asked, "take it away: nothing is optimized here, the photo stays as it is");
                }
            }
        }
        // Files of a recipe that is used show how its picture grows.
        if let Some(renders) = top.get_mut(&Slot::Render) {
            renders.retain(|render| !is_below(render, &asked));
            if renders.is_empty() {
                top.remove(&Slot::Render);
            }
        }
    }

    fn beside(&mut self, other: &Statement, asked: &Statement, help: &str) {
        let message = format!("`{}` has no meaning beside `attribute`", other.word.text);
        self.tell(
            Diagnostic::error(&codes::BESIDE_ATTRIBUTE, other.word.span, message, "there is nothing to grow")
                .with_label(asked.word.span, "this asks about a photo")
                .with_help(help),
        );
    }

    /// The stage of a recipe that asks about a photo.
    pub(super) fn asked(
        &mut self,
        scope: &mut Scope,
        source: &StageSource,
        statement: &Statement,
    ) -> Option<(Stage, Vec<RenderUse>)> {
        let clauses = self.bare(statement, false).then(|| self.clauses(statement, &["on", "as"])).flatten();
        let terms = clauses.as_ref().and_then(|clauses| {
            let example = format!("attribute class({:?}) on image(\"photo.jpg\")", self.some_label());
            self.has_operand(statement, &clauses.operand, "objective", &example)
                .then(|| self.objective(scope, statement, &clauses.operand, 1.0))
                .flatten()
        });
        let mut well = terms.as_ref().is_none_or(|terms| self.is_of_one_network(terms));
        let size = self.size_looked_at(scope, source);
        let photo = clauses.as_ref().and_then(|clauses| self.photo(scope, statement, clauses.get("on")));
        let method = clauses.as_ref().and_then(|clauses| match clauses.get("as") {
            Some(items) => self.call(scope, Kind::Attribution, items),
            None => self.plain_call(scope, Kind::Attribution, "integrated_gradients"),
        });
        let mut renders = Vec::new();
        for statement in source.all(Slot::Render).iter().filter(|s| !is_none(s)) {
            let render = self.render_of_map(scope, statement);
            well &= render.is_some();
            renders.extend(render);
        }
        let ((width, height), terms, photo, method) = (size?, terms?, photo?, method?);
        let word = registry::attribution(method.spec.name)?;
        let facts = self.facts.clone()?;
        let reads: Vec<String> = terms.iter().flat_map(|term| term.nodes.clone()).collect();
        let node = match word.reads_node() {
            true => Some(self.node_on_the_way(&facts, &method, &reads, (height, width))?),
            false => None,
        };
        well &= self.leaves_no_gaps(&method) && self.asks_of_one_picture(&terms);
        let steps = 1 + word.passes(&method.args, (height, width));
        let mut stage = Stage {
            name: String::new(),
            width,
            height,
            canvas: self.plain_call(scope, Kind::Canvas, "pixels")?,
            over_photo: false,
            init: self.plain_call(scope, Kind::Init, "gray")?,
            terms,
            views: 1,
            transforms: Vec::new(),
            penalties: Vec::new(),
            filters: Vec::new(),
            modes: Vec::new(),
            optimizer: self.plain_call(scope, Kind::Optimizer, "adam")?,
            steps,
            attribution: Some(Attribution { method, photo, node }),
        };
        number_equals(&mut stage);
        well.then_some((stage, renders))
    }

    /// Tells of objectives that compare with something else than the photo.
    fn asks_of_one_picture(&mut self, terms: &[Term]) -> bool {
        let compares = |term: &&Term| {
            registry::objective(term.call.spec.name)
                .is_some_and(|word| word.against(&term.call.args) != Against::Nothing)
        };
        let Some(term) = terms.iter().find(compares) else { return true };
        let message = format!("`{}` has no meaning beside `attribute`", term.call.spec.name);
        self.tell(
            Diagnostic::error(
                &codes::BESIDE_ATTRIBUTE,
                term.call.span,
                message,
                "it compares with something else than the photo",
            )
            .with_help("ask for a class, a channel, a neuron, a direction or a layer"),
        );
        false
    }

    /// A word with its defaults, which stands nowhere.
    fn plain_call(&mut self, scope: &mut Scope, kind: Kind, name: &str) -> Option<Call> {
        let spec = registry::find(kind, name)?;
        let args = self.arguments(scope, spec, None, Span::default())?;
        Some(Call { spec, args, block: Vec::new(), occurrence: 0, span: Span::default() })
    }

    /// Width and height to which the photo is cut: the canvas's, else the model's own.
    fn size_looked_at(&mut self, scope: &mut Scope, source: &StageSource) -> Option<(usize, usize)> {
        if let Some(statement) = source.one(Slot::Canvas).cloned()
            && let Some(clauses) = self.clauses(&statement, &["as"])
            && let Some((_, span, _)) = clauses.list.first()
            && !attribute_of(source).is_some_and(|asked| is_below(&statement, asked))
        {
            let message = "a photo has no parametrization";
            self.tell(
                Diagnostic::error(&codes::BESIDE_ATTRIBUTE, *span, message, "there is nothing to grow")
                    .with_help("write the size alone: `canvas 224x224`"),
            );
            return None;
        }
        self.canvas_size(scope, source, None, None)
    }

    fn photo(&mut self, scope: &mut Scope, statement: &Statement, items: Option<&[Expr]>) -> Option<Call> {
        let example = "attribute class(\"hen\") on image(\"photo.jpg\")";
        let Some(items) = items else {
            let help = format!("write `{example}`");
            self.wrong(statement.word.span, "`attribute` needs a photo", &help);
            return None;
        };
        if let [Expr { kind: ExprKind::Text(path), span }] = items {
            let help = format!("write `on image({})`", crate::syntax::print::quoted(path));
            self.wrong(*span, "a photo is named by `image`", &help);
            return None;
        }
        let call = self.call(scope, Kind::Photo, items)?;
        let path = call.args.file("file")?.to_path_buf();
        self.picture_size(&path, call.args.span("file").unwrap_or(call.span))?;
        Some(call)
    }

    /// The node of a method that reads one: on the way to every objective, and with positions.
    fn node_on_the_way(
        &mut self,
        facts: &Facts,
        method: &Call,
        reads: &[String],
        (height, width): (usize, usize),
    ) -> Option<String> {
        let graph = &facts.graph;
        // A picture that is too small is told of where sizes are.
        let shapes = graph.shapes(height, width).ok()?;
        let has_positions = |id: usize| shapes.get(id).and_then(|shape| shape.cells()).is_some_and(|(h, w)| h * w > 1);
        let last = (0..graph.nodes().len()).rfind(|&id| has_positions(id) && id > 0 && on_the_way(graph, id, reads));
        let last = last.and_then(|id| graph.nodes().get(id)).map(|node| node.name.clone());
        let help = match &last {
            Some(last) => format!("the last one that fits is `{last}`"),
            None => "ask with `integrated_gradients`, which reads no node".to_string(),
        };
        let span = method.args.span("node").filter(|span| *span != Span::default()).unwrap_or(method.span);
        let (message, label) = match method.args.text("node") {
            None if last.is_some() => return last,
            None => ("no node with positions leads to the objective".to_string(), "nothing to draw"),
            Some(name) => match graph.find(name) {
                Some(id) if !on_the_way(graph, id, reads) => {
                    (format!("the objective does not depend on `{name}`"), "not on the way to it")
                }
                Some(id) if !has_positions(id) => (format!("`{name}` has no positions"), "nothing to draw"),
                Some(_) => return Some(name.to_string()),
                None => return None,
            },
        };
        self.tell(Diagnostic::error(&codes::NODE_OFF_THE_WAY, span, message, label).with_help(help));
        None
    }

    /// Whether windows that slide cover every pixel.
    fn leaves_no_gaps(&mut self, method: &Call) -> bool {
        let side = |name| method.args.dial(name).map(|_| method.args.integer(name));
        let (Some(size), Some(stride)) = (side("size"), side("stride")) else { return true };
        if stride > size {
            let span = method.args.span("stride").unwrap_or(method.span);
            let message = "windows that move farther than their side leave pixels out";
            let label = format!("expected 1px to {size}px, the window's side");
            let help = format!("write `stride = {}px`", (size / 2).max(1));
            self.tell(Diagnostic::error(&codes::OUT_OF_RANGE, span, message, label).with_help(help));
        }
        stride <= size
    }

    /// A `render` statement of a map: one picture, or its numbers.
    fn render_of_map(&mut self, scope: &mut Scope, statement: &Statement) -> Option<RenderUse> {
        let render = self.render(scope, statement, 1)?;
        let clause = statement.items.iter().find_map(|item| match &item.kind {
            ExprKind::Name(name) if OF_STEPS.contains(&name.as_str()) => Some((name.clone(), item.span)),
            _ => None,
        });
        let layout = render.layout.spec.name;
        let (what, span, help) = match (clause, render.format) {
            (Some((name, span)), _) => (name, span, "take it away: a map is one picture"),
            (None, Format::Gif) => (".gif".to_string(), render.name_span, "write a name that ends in `.png`"),
            (None, Format::Svg) => {
                (".svg".to_string(), render.name_span, "write a name that ends in `.png`, or `.csv` for the numbers")
            }
            (None, Format::Png) if matches!(layout, "strip" | "view") => {
                (layout.to_string(), render.layout.span, "write `as frames`, `as grid(4x2)` or `as sheet`")
            }
            (None, Format::Png | Format::Csv) => return Some(RenderUse { schedule: Schedule::NEVER, ..render }),
        };
        let message = format!("`{what}` has no meaning beside `attribute`");
        self.tell(
            Diagnostic::error(&codes::BESIDE_ATTRIBUTE, span, message, "there are no steps to show").with_help(help),
        );
        None
    }
}

/// Whether a statement stands in a file that the recipe uses, and `attribute` in the recipe itself.
fn is_below(statement: &Statement, asked: &Statement) -> bool {
    asked.span.file == FileId(0) && statement.span.file != FileId(0)
}

/// Whether every one of these reads depends on a node.
fn on_the_way(graph: &Graph, id: usize, reads: &[String]) -> bool {
    reads.iter().all(|read| {
        let read = graph.find(read);
        read.is_some_and(|read| graph.needed(&[read]).get(id).copied().unwrap_or(false))
    })
}
