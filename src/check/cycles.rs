//! Lets that are defined by themselves.

use std::collections::BTreeMap;

use super::Checker;
use super::scope::Let;
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{Args, Expr, ExprKind, Phrase};

/// How many lets may be read one through the other.
const DEEPEST_LET: usize = 64;

impl Checker<'_> {
    /// Tells of every let that leads back to itself, or to more than [`DEEPEST_LET`] others, so that nothing else needs
    /// to look out for them.
    pub(super) fn find_cycles(&mut self, lets: &BTreeMap<String, Let>) {
        let reads: BTreeMap<&str, Vec<(String, Span)>> =
            lets.iter().map(|(name, found)| (name.as_str(), reads_of(&found.value))).collect();
        for (name, found) in lets {
            if let Some(span) = reached(&reads, name).and_then(|met| met.get(name.as_str()).copied()) {
                self.cyclic.insert(name.clone());
                let message = format!("`${name}` is defined by itself");
                self.tell(
                    Diagnostic::error(&codes::LET_CYCLE, span, message, "leads back to itself")
                        .with_label(found.span, "defined here")
                        .with_help("give one of the lets on the way a value of its own"),
                );
            }
        }
        // Without cycles the depth of a let is one more than the deepest that it reads.
        let mut depths: BTreeMap<&str, usize> = BTreeMap::new();
        for _ in 0..=DEEPEST_LET {
            for (name, read) in &reads {
                let of = |(read, _): &(String, Span)| depths.get(read.as_str()).map_or(0, |depth| depth + 1);
                let depth = read.iter().map(of).max().unwrap_or(0);
                depths.insert(name, depth);
            }
        }
        for (name, found) in lets {
            let met = reached(&reads, name).unwrap_or_default();
            if met.keys().any(|read| self.cyclic.contains(*read)) {
                self.cyclic.insert(name.clone());
            } else if depths.get(name.as_str()).is_some_and(|depth| *depth > DEEPEST_LET) {
                self.cyclic.insert(name.clone());
                let message = format!("`${name}` reads more than {DEEPEST_LET} lets one through the other");
                self.tell(
                    Diagnostic::error(&codes::TOO_DEEP, found.span, message, "too long a chain")
                        .with_help("write the value itself"),
                );
            }
        }
    }
}

/// Every let that one leads to, each with a place where it is read.
fn reached<'a>(reads: &'a BTreeMap<&str, Vec<(String, Span)>>, from: &str) -> Option<BTreeMap<&'a str, Span>> {
    let mut met = BTreeMap::new();
    let mut open: Vec<&(String, Span)> = reads.get(from)?.iter().collect();
    while let Some((name, span)) = open.pop() {
        if met.insert(name.as_str(), *span).is_none() {
            open.extend(reads.get(name.as_str()).into_iter().flatten());
        }
    }
    Some(met)
}

/// Every `$name` in a value, with its place.
fn reads_of(value: &Phrase) -> Vec<(String, Span)> {
    let mut found = Vec::new();
    let mut open: Vec<&Expr> = value.items.iter().collect();
    while let Some(expr) = open.pop() {
        match &expr.kind {
            ExprKind::Let(name) => found.push((name.clone(), expr.span)),
            ExprKind::List(list) | ExprKind::Group(list) => open.extend(list.iter().flat_map(|phrase| &phrase.items)),
            ExprKind::Call(_, Args { list, .. }) => {
                open.extend(list.iter().flat_map(|argument| &argument.value.items));
            }
            ExprKind::Unary(_, inner) => open.push(inner),
            ExprKind::Binary(_, left, right) => open.extend([left.as_ref(), right.as_ref()]),
            ExprKind::Number { .. } | ExprKind::Text(_) | ExprKind::Size(..) | ExprKind::Name(_) => {}
        }
    }
    found
}
