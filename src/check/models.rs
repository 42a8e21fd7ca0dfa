//! The networks of a recipe, and which of them an objective reads.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use super::Checker;
use super::recipe::{Model, Stage, Term};
use super::scope::Scope;
use super::structure::{Slot, Structure};
use super::suggest::{list, nearest};
use crate::nets::Facts;
use crate::source::{Diagnostic, FileId, Severity, Span, codes};
use crate::spec::{Arg, Call, Kind, Param, Spec};
use crate::syntax::ast::{Expr, ExprKind, Phrase, Statement};
use crate::words::registry;

/// A network of the variant that is worked out.
pub(super) struct Named {
    /// As `of` names it; empty where it has no name.
    name: String,
    /// Nothing where its statement is wrong, which was told.
    model: Option<Model>,
}

impl Named {
    fn facts(&self) -> Option<Arc<Facts>> {
        self.model.as_ref().map(|model| model.facts.clone())
    }
}

impl Checker<'_> {
    /// Works out the networks of a variant, in the order of the recipe; false after a problem was told.
    pub(super) fn models(&mut self, scope: &mut Scope, statements: &[Rc<Statement>]) -> bool {
        self.models = match statements {
            [] => vec![Named { name: String::new(), model: self.embedded(scope) }],
            _ => statements
                .iter()
                .map(|statement| Named {
                    name: statement.binding.as_ref().map_or(String::new(), |name| name.text.clone()),
                    model: self.model(scope, statement),
                })
                .collect(),
        };
        self.turn_to_first();
        self.models.iter().all(|named| named.model.is_some())
    }

    fn embedded(&mut self, scope: &mut Scope) -> Option<Model> {
        let spec = registry::find(Kind::Model, super::network::EMBEDDED)?;
        let args = self.arguments(scope, spec, None, Span::default())?;
        self.network(Call { spec, args, block: Vec::new(), occurrence: 0, span: Span::default() })
    }

    fn model(&mut self, scope: &mut Scope, statement: &Statement) -> Option<Model> {
        let unnamed = Statement { binding: None, ..statement.clone() };
        if !self.bare(&unnamed, false) || !self.has_operand(statement, &statement.items, "model", "model resnet18") {
            return None;
        }
        let call = self.call(scope, Kind::Model, &statement.items)?;
        let model = self.network(call)?;
        Some(Model { name: statement.binding.as_ref().map_or(String::new(), |name| name.text.clone()), ..model })
    }

    /// Tells of a network that can't stand beside those of the same file before it.
    pub(super) fn stands_beside(&mut self, statement: &Statement, before: &[Rc<Statement>]) -> bool {
        let name = |statement: &Statement| statement.binding.as_ref().map(|name| name.text.clone());
        let (Some(first), own) = (before.first(), name(statement)) else { return true };
        if let Some(other) = before.iter().find(|other| name(other) == own) {
            let (message, help) = match &own {
                Some(name) => (format!("there are two networks `{name}`"), "give it another name"),
                None => {
                    let help = "keep one of the two; several have names, as in `model a = resnet18`, which objectives \
                                then name by `of = a`";
                    ("`model` stands twice".to_string(), help)
                }
            };
            let place = |statement: &Statement| statement.binding.as_ref().unwrap_or(&statement.word).span;
            self.tell(
                Diagnostic::error(&codes::DUPLICATE_STATEMENT, place(statement), message, "again here")
                    .with_label(place(other), "first here")
                    .with_help(help),
            );
            return false;
        }
        let nameless = if own.is_none() { statement } else { &**first };
        if nameless.binding.is_none() {
            let help = "write `model a = resnet18`; objectives then name it by `of = a`";
            self.wrong(nameless.word.span, "a network beside others needs a name", help);
        }
        true
    }

    /// Speaks of the first network again, which settles what belongs to no objective: the size of the canvas.
    pub(super) fn turn_to_first(&mut self) {
        self.facts = self.models.first().and_then(Named::facts);
    }

    /// Turns to the network that a word is about: the one that its `of` names, else the only one. Nodes and classes
    /// are looked up there from now on.
    pub(super) fn turn_to(
        &mut self,
        scope: &mut Scope,
        word: &Spec,
        of: Option<&Phrase>,
        param: &Param,
        at: Span,
    ) -> Option<Arg> {
        let arg = match of {
            Some(phrase) => self.value(scope, &phrase.items, param),
            None if self.models.len() > 1 => {
                let ways: Vec<String> =
                    self.models.iter().map(|named| format!("{} = {}", param.name, named.name)).collect();
                let message = format!("`{}` needs `{}`: the recipe has several networks", word.name, param.name);
                let help = format!("write {}", list(ways.iter().map(String::as_str)));
                self.tell(Diagnostic::error(&codes::MISSING_ARGUMENT, at, message, "of which?").with_help(help));
                None
            }
            None => Some(Arg::None),
        };
        self.facts = arg.as_ref().and_then(|arg| self.models.get(self.position(arg))?.facts());
        arg
    }

    /// The number of the network that a checked `of` means.
    pub(super) fn position(&self, of: &Arg) -> usize {
        let named = |name: &String| self.models.iter().position(|named| named.name == *name);
        match of {
            Arg::Model(name) => named(name).unwrap_or(0),
            _ => 0,
        }
    }

    /// The name of a network of the recipe.
    pub(super) fn model_name(&mut self, expr: &Expr, param: &Param) -> Option<String> {
        let wanted = match &expr.kind {
            ExprKind::Name(name) => name,
            // A shell eats the quotes, so on the command line a string may be a word.
            ExprKind::Text(name) if self.is_command_line(expr.span) => name,
            _ => return self.wrong_type(expr, param),
        };
        let names: Vec<&str> =
            self.models.iter().map(|named| named.name.as_str()).filter(|name| !name.is_empty()).collect();
        if names.contains(&wanted.as_str()) {
            return Some(wanted.clone());
        }
        if self.is_unread(wanted) {
            return None; // its own line could not be read, which was told there
        }
        // Who writes the architecture means the network of it.
        let mut built =
            self.models.iter().filter(|named| named.facts().is_some_and(|facts| facts.name == wanted.as_str()));
        let meant = match (built.next(), built.next()) {
            (Some(one), None) if !one.name.is_empty() => Some(one.name.as_str()),
            _ => nearest(wanted, names.iter().copied()),
        };
        let (label, help) = match meant {
            Some(near) => ("unknown name", format!("did you mean `{near}`?")),
            None if names.is_empty() => {
                let word = self.models.first().and_then(Named::facts).map_or("resnet18", |facts| facts.name);
                let help = format!("there is one, so it needs none; a name is given by `model {wanted} = {word}`");
                ("the network has no name", help)
            }
            None => {
                ("unknown name", format!("the recipe has {}", list(names.iter().copied()).replace(" or ", " and ")))
            }
        };
        let message = format!("no network of the recipe is called `{wanted}`");
        self.tell(Diagnostic::error(&codes::UNKNOWN_CHOICE, expr.span, message, label).with_help(help));
        None
    }

    /// Takes the networks of a variant that its terms read, and numbers these anew: what nothing reads is not loaded.
    pub(super) fn take_models(&mut self, stages: &mut [Stage]) -> Vec<Model> {
        let used: BTreeSet<usize> = stages.iter().flat_map(|stage| &stage.terms).map(|term| term.model).collect();
        for term in stages.iter_mut().flat_map(|stage| &mut stage.terms) {
            term.model = used.range(..term.model).count();
        }
        let all = std::mem::take(&mut self.models).into_iter().enumerate();
        let models: Vec<Model> = all.filter(|(k, _)| used.contains(k)).filter_map(|(_, named)| named.model).collect();
        self.models_read.extend(models.iter().map(|model| model.name.clone()));
        models
    }

    /// Warns of networks that no objective of any variant reads.
    pub(super) fn warn_of_unread_models(&mut self, structure: &Structure) {
        // Behind an error not everything is read, so a network may only seem to be unused.
        if self.diagnostics.iter().any(|problem| problem.severity == Severity::Error) {
            return;
        }
        for statement in structure.top.all(Slot::Model).iter().filter(|statement| statement.span.file == FileId(0)) {
            let Some(name) = statement.binding.as_ref().filter(|name| !self.models_read.contains(&name.text)) else {
                continue;
            };
            let message = format!("no objective reads the network `{}`", name.text);
            let help = format!("read it by `of = {}`, or take it away", name.text);
            self.tell(
                Diagnostic::warning(&codes::UNUSED_MODEL, name.span, message, "it is not even loaded").with_help(help),
            );
        }
    }

    /// Tells of terms that read several networks where one is asked, and turns to that.
    pub(super) fn is_of_one_network(&mut self, terms: &[Term]) -> bool {
        let first = terms.first().map_or(0, |term| term.model);
        if let Some(term) = terms.iter().find(|term| term.model != first) {
            let message = "an attribution asks one network";
            let help = "ask each by itself: `let net = each [a, b]`, and `of = $net` in every objective";
            self.tell(
                Diagnostic::error(&codes::BESIDE_ATTRIBUTE, term.call.span, message, "this asks another one")
                    .with_help(help),
            );
            return false;
        }
        self.facts = self.models.get(first).and_then(Named::facts);
        true
    }
}
