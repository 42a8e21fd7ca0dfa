//! What the recipe says of its network: which one, its nodes, the units of a node, the labels of its classes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Checker;
use super::recipe::Model;
use super::scope::Scope;
use super::suggest::nearest;
use crate::nets::{self, Architecture, Facts, Known, Labels, Op};
use crate::source::{Diagnostic, Span, codes};
use crate::spec::{Arg, Call, Param, Type, Unit, UnitsOf};
use crate::syntax::ast::{Expr, ExprKind, Phrase};

/// The network that needs no download and is used where a recipe names none.
pub(super) const EMBEDDED: &str = "motifs";

/// What tells networks apart before their weights are read: word, weights, labels.
pub(super) type Key = (&'static str, Option<PathBuf>, Option<PathBuf>);

impl Checker<'_> {
    /// The network of a checked `model` call.
    pub(super) fn network(&mut self, call: Call) -> Option<Model> {
        let weights = call.args.file("weights").map(Path::to_path_buf);
        let labels = call.args.file("labels").map(Path::to_path_buf);
        let key = (call.spec.name, weights, labels);
        let facts = match self.networks.get(&key) {
            Some(known) => known.clone(),
            None => {
                let facts = self.facts_of(&call).map(Arc::new);
                self.networks.insert(key, facts.clone());
                facts
            }
        }?;
        let three = |name: &str| -> Option<[f64; 3]> { call.args.numbers(name)?.try_into().ok() };
        let (mean, std) = match call.args.choice("input") {
            "raw" => ([0.0; 3], [1.0; 3]),
            _ => (three("mean").unwrap_or(facts.mean), three("std").unwrap_or(facts.std)),
        };
        if std.contains(&0.0) {
            let span = call.args.span("std").unwrap_or(call.span);
            let message = "`std` divides, so none of its numbers may be 0";
            self.tell(
                Diagnostic::error(&codes::OUT_OF_RANGE, span, message, "expected numbers other than 0")
                    .with_help("ImageNet's are `[0.229, 0.224, 0.225]`"),
            );
            return None;
        }
        Some(Model { name: String::new(), call, facts, mean, std })
    }

    fn facts_of(&mut self, call: &Call) -> Option<Facts> {
        let bad = |span: Span, what: &str, reason: String| {
            Diagnostic::error(&codes::BAD_FILE, span, format!("the {what} can't be read"), reason)
        };
        let header = match call.args.file("weights") {
            None => None,
            Some(path) => {
                let span = call.args.span("weights").unwrap_or(call.span);
                match nets::Header::open(self.world, path) {
                    Ok(header) => Some(header),
                    Err(error) => {
                        let help = error.help().unwrap_or_else(|| {
                            "weights are `.safetensors` or torch's `.pth`, saved by torch 1.6 or newer".to_string()
                        });
                        self.tell(bad(span, "weights", error.to_string()).with_help(help));
                        return None;
                    }
                }
            }
        };
        let labels = match call.args.file("labels") {
            None => None,
            Some(path) => {
                let span = call.args.span("labels").unwrap_or(call.span);
                let read = self.world.read(path).map_err(|error| error.to_string());
                match read.and_then(|bytes| Labels::parse(&bytes).map_err(|error| error.to_string())) {
                    Ok(labels) => Some(labels),
                    Err(reason) => {
                        let help = "write one label a line, or a JSON list";
                        self.tell(bad(span, "labels", reason).with_help(help));
                        return None;
                    }
                }
            }
        };
        let architecture = nets::architecture(call.spec.name)?;
        let span = call.args.file("weights").and(call.args.span("weights")).unwrap_or(call.span);
        let mut facts = match Facts::new(architecture, header.as_ref()) {
            Ok(facts) => facts.of_known(self.known_weights(call, architecture)),
            Err(error) => {
                let message = format!("these weights are not those of `{}`", call.spec.name);
                let help = error.help().unwrap_or_else(|| "weights and architecture must be of one network".into());
                self.tell(Diagnostic::error(&codes::BAD_FILE, span, message, error.to_string()).with_help(help));
                return None;
            }
        };
        if let Some(labels) = labels {
            if labels.len() != facts.classes() {
                let span = call.args.span("labels").unwrap_or(call.span);
                let message = "the labels do not fit the network";
                let label = format!("{} labels for {} classes", labels.len(), facts.classes());
                let help = "the file has one label a line, in the order of the network's outputs";
                self.tell(Diagnostic::error(&codes::BAD_FILE, span, message, label).with_help(help));
                return None;
            }
            facts.labels = labels;
        }
        let has = |is: fn(&Op) -> bool| facts.graph.nodes().iter().any(|node| is(&node.op));
        let factor = call.args.dial("residual_gradient").and_then(|dial| dial.constant());
        let (scaled, smooth) = (factor.is_some_and(|factor| factor != 1.0), call.args.choice("pool_gradient") != "max");
        for (asked, there, param, what) in [
            (scaled, has(|op| *op == Op::Add), "residual_gradient", "shortcuts"),
            (smooth, has(|op| matches!(op, Op::MaxPool(_))), "pool_gradient", "max pools"),
        ] {
            if asked && !there {
                let span = call.args.span(param).unwrap_or(call.span);
                let message = format!("`{}` has no {what}, so `{param}` changes nothing", call.spec.name);
                self.tell(Diagnostic::warning(&codes::NO_EFFECT, span, message, "no effect").with_help("take it away"));
            }
        }
        Some(facts)
    }

    /// What is known of the file that the weights will be read from, if it is here already.
    fn known_weights(&self, call: &Call, architecture: &Architecture) -> Option<&'static Known> {
        let named = call.args.file("weights").map(Path::to_path_buf);
        let places = || {
            self.world
                .model_folders()
                .into_iter()
                .flat_map(|folder| architecture.file_names().into_iter().map(move |name| folder.join(name)))
        };
        let path = named.or_else(|| places().find(|path| self.world.exists(path)))?;
        Known::at(architecture.name, self.world, &path)
    }

    /// The graph's name of a node: torchvision's, or a module's path, whose last node is meant.
    pub(super) fn node(&mut self, name: &str, span: Span) -> Option<String> {
        let facts = self.facts.clone()?;
        if let Some(id) = facts.graph.find(name) {
            return facts.graph.nodes().get(id).map(|node| node.name.clone());
        }
        let names = facts.graph.names();
        let help = match nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("`fviz layers {}` lists its nodes", facts.name),
        };
        let message = format!("`{}` has no node `{name}`", facts.name);
        self.tell(Diagnostic::error(&codes::UNKNOWN_NODE, span, message, "unknown node").with_help(help));
        None
    }

    /// Indices of classes or channels: a label, an index, or a list of them.
    pub(super) fn units(
        &mut self,
        scope: &mut Scope,
        value: &Phrase,
        of: UnitsOf,
        node: Option<&str>,
        param: &Param,
    ) -> Option<Arg> {
        let facts = self.facts.clone()?;
        let (count, labelled, place) = match of {
            UnitsOf::Class => (facts.classes(), true, facts.name.to_string()),
            UnitsOf::Channel => {
                let id = facts.graph.find(node?)?;
                let node = facts.graph.nodes().get(id)?;
                // Channels that stand for classes may be called by their labels: the map of the embedded network.
                (node.channels, facts.graph.is_class_map(id), node.name.clone())
            }
        };
        let expanded = self.expand(scope, &value.items)?;
        let members: Vec<Vec<Expr>> = match expanded.as_slice() {
            [Expr { kind: ExprKind::List(list), .. }] => list.iter().map(|phrase| phrase.items.clone()).collect(),
            items => vec![items.to_vec()],
        };
        if members.is_empty() {
            self.wrong(value.span, &format!("`{}` needs at least one", param.name), "write a label or an index");
            return None;
        }
        let mut units = Vec::new();
        let mut well = true;
        for member in &members {
            let member = self.expand(scope, member)?;
            let unit = match member.as_slice() {
                [Expr { kind: ExprKind::Text(label), span }] if labelled => self.label(&facts, label, *span),
                [Expr { kind: ExprKind::Text(label), span }] => {
                    let message = format!("the channels of `{place}` have no labels");
                    self.tell(
                        Diagnostic::error(&codes::WRONG_TYPE, *span, message, "expected an index")
                            .with_help(format!("write an index from 0 to {}, not {label:?}", count.saturating_sub(1))),
                    );
                    None
                }
                [name @ Expr { kind: ExprKind::Name(word), .. }] => {
                    let message = format!("`{word}` is a name, not a label");
                    let help = format!("put it into quotes: `\"{word}\"`; a let is read as `${word}`");
                    self.tell(
                        Diagnostic::error(&codes::WRONG_TYPE, name.span, message, "expected a label or an index")
                            .with_help(help),
                    );
                    None
                }
                [single @ Expr { kind: ExprKind::Call(..) | ExprKind::Size(..) | ExprKind::List(_), .. }] => {
                    self.wrong_type(single, param)
                }
                items => {
                    let ty = Type::Integer { unit: Unit::None, min: 0, max: count.saturating_sub(1) as i64 };
                    let wanted = Param { ty, draws: false, animates: false, ..*param };
                    self.number(scope, items, &wanted).and_then(|dial| dial.constant()).map(|v| v as usize)
                }
            };
            well &= unit.is_some();
            units.extend(unit);
        }
        well.then_some(Arg::Units(units))
    }

    /// A label of the network, for examples.
    pub(super) fn some_label(&self) -> String {
        match &self.facts {
            Some(facts) if !facts.labels.is_empty() && facts.labels.find("hen").is_empty() => facts.labels.name(0),
            _ => "hen".into(),
        }
    }

    fn label(&mut self, facts: &Facts, label: &str, span: Span) -> Option<usize> {
        match facts.labels.find(label).as_slice() {
            [class] => Some(*class),
            [] => {
                let (near, more) = super::suggest::labels(label, &facts.labels);
                let names: Vec<String> = (0..facts.labels.len()).map(|class| facts.labels.name(class)).collect();
                let help = match near.as_slice() {
                    [] if facts.name == EMBEDDED => {
                        format!("its classes are {}", super::suggest::list(names.iter().map(String::as_str)))
                    }
                    [] => format!("`fviz classes QUERY --model {}` searches them", facts.name),
                    near if more => format!(
                        "did you mean {}? `fviz classes {label:?} --model {}` lists all",
                        super::suggest::quoted(near.iter().copied()),
                        facts.name
                    ),
                    near => format!("did you mean {}?", super::suggest::quoted(near.iter().copied())),
                };
                let message = format!("`{}` has no class \"{label}\"", facts.name);
                self.tell(Diagnostic::error(&codes::UNKNOWN_CLASS, span, message, "unknown label").with_help(help));
                None
            }
            several => {
                let list: Vec<String> = several
                    .iter()
                    .map(|class| format!("{class} ({})", facts.labels.line(*class).unwrap_or_default()))
                    .collect();
                let message = format!("\"{label}\" names {} classes", several.len());
                self.tell(
                    Diagnostic::error(&codes::AMBIGUOUS_CLASS, span, message, "which of them?")
                        .with_help(format!("write the index: {}", list.join(" or "))),
                );
                None
            }
        }
    }
}
