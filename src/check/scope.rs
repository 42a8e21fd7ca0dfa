//! What names mean while one variant is worked out: lets, and which value each `each` has.

use std::collections::{BTreeMap, BTreeSet};

use super::Checker;
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{Binary, Expr, ExprKind, Phrase};

/// A `let` that holds.
#[derive(Clone, Debug)]
pub(super) struct Let {
    /// Its value.
    pub value: Phrase,
    /// Where its name stands.
    pub span: Span,
}

/// An axis of variants: one textual `each`.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    /// Where the `each` stands: its identity.
    pub span: Span,
    /// How many values it has.
    pub length: usize,
}

/// Names and choices of one variant.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// The lets that hold, by name.
    pub lets: BTreeMap<String, Let>,
    /// Which value each axis has in this variant; 0 where nothing is said.
    pub choice: BTreeMap<Span, usize>,
    /// The axes met, in the order they were met.
    pub axes: Vec<Axis>,
    /// What each axis chose, for labels.
    pub chosen: BTreeMap<Span, String>,
    /// Lets that were read.
    pub used: BTreeSet<String>,
    /// The let whose value is being worked out, outermost first: labels name it.
    pub active: Vec<String>,
}

/// How often lets may be read in one check. A let that reads another one twice doubles the work at every level.
const MOST_READS: usize = 300_000;

/// Values that one `each` may have.
const MOST_VALUES: usize = super::MOST_VARIANTS;

impl Checker<'_> {
    /// Replaces lets, `each` and parentheses that only group until what stands there is a value. The result is never
    /// empty; `None` after a problem was told.
    pub(super) fn expand(&mut self, scope: &mut Scope, items: &[Expr]) -> Option<Vec<Expr>> {
        match items {
            [Expr { kind: ExprKind::Let(name), span }] => {
                let value = self.look_up(scope, name, *span)?;
                scope.active.push(name.clone());
                let expanded = self.expand(scope, &value.items);
                scope.active.pop();
                expanded
            }
            [Expr { kind: ExprKind::Group(members), .. }] if members.len() == 1 => {
                self.expand(scope, &members.first()?.items)
            }
            [each @ Expr { kind: ExprKind::Name(word), .. }, rest @ ..] if word == "each" => {
                let value = self.choose(scope, each.span, rest)?;
                self.expand(scope, &value.items)
            }
            _ => Some(items.to_vec()),
        }
    }

    /// The value of a let.
    fn look_up(&mut self, scope: &mut Scope, name: &str, span: Span) -> Option<Phrase> {
        self.reads += 1;
        if self.reads > MOST_READS {
            let message = "the lets of this recipe are read too often";
            self.tell(
                Diagnostic::error(&codes::TOO_DEEP, span, message, "read here once more")
                    .with_help("a let that reads another one twice doubles the work at every level; give it a value"),
            );
            return None;
        }
        if self.cyclic.contains(name) {
            return None; // told where it is defined
        }
        scope.used.insert(name.to_string());
        let Some(found) = scope.lets.get(name).cloned() else {
            if self.is_unread(name) {
                return None; // its own line could not be read, which was told there
            }
            let names: Vec<&str> = scope.lets.keys().map(String::as_str).collect();
            let help = match super::suggest::nearest(name, names.iter().copied()) {
                Some(near) => format!("did you mean `${near}`?"),
                None => format!("write `let {name} = …` at the top of the recipe"),
            };
            self.tell(
                Diagnostic::error(&codes::UNKNOWN_LET, span, format!("no `let` names `{name}`"), "unknown name")
                    .with_help(help),
            );
            return None;
        };
        Some(found.value)
    }

    /// Whether a line that could not be read would have been this let.
    pub(super) fn is_unread(&self, name: &str) -> bool {
        self.unread.iter().any(|line| line.binding.as_ref().is_some_and(|binding| binding.text == name))
    }

    /// The value that an `each` has in this variant.
    fn choose(&mut self, scope: &mut Scope, each: Span, rest: &[Expr]) -> Option<Phrase> {
        let Some(values) = self.values_of_each(scope, each, rest) else {
            // So that the same problem is not told again for what would have been the other variants.
            return None;
        };
        if !scope.axes.iter().any(|axis| axis.span == each) {
            scope.axes.push(Axis { span: each, length: values.len() });
        }
        let value = values.get(scope.choice.get(&each).copied().unwrap_or(0)).or(values.first())?.clone();
        let text = self.label_of(scope, &value);
        scope.chosen.insert(each, text);
        Some(value)
    }

    fn values_of_each(&mut self, scope: &mut Scope, each: Span, rest: &[Expr]) -> Option<Vec<Phrase>> {
        let (values, step) = match rest {
            [values] => (values, None),
            [values, Expr { kind: ExprKind::Name(by), .. }, step] if by == "by" => (values, Some(step)),
            [] => {
                self.wrong(each, "`each` needs values", "write `each [\"hen\", \"robin\"]` or `each 0..63`");
                return None;
            }
            [_, extra, ..] => {
                self.wrong(extra.span, "`each` takes one list or range", "write `each [a, b]` or `each 0..60 by 4`");
                return None;
            }
        };
        let expanded = self.expand(scope, std::slice::from_ref(values))?;
        let list = match expanded.as_slice() {
            [Expr { kind: ExprKind::List(list), .. }] if step.is_none() => list.clone(),
            [Expr { kind: ExprKind::Binary(Binary::Range, low, high), span }] => {
                let low = self.whole(scope, low)?;
                let high = self.whole(scope, high)?;
                let by = step.map_or(Some(1), |step| self.whole(scope, step))?;
                if low > high || by < 1 {
                    self.wrong(*span, "this `each` has no values", "both ends are included and the first is the lower");
                    return None;
                }
                let count = (high - low) / by + 1;
                if count > MOST_VALUES as i64 {
                    self.wrong(*span, "this `each` has more than 1024 values", "make the range shorter");
                    return None;
                }
                let number = |v: i64| {
                    let expr = Expr { kind: ExprKind::Number { value: v as f64, unit: None }, span: *span };
                    Phrase { items: vec![expr], span: *span }
                };
                (0..count).map(|k| number(low + k * by)).collect()
            }
            _ => {
                self.wrong(values.span, "`each` takes a list or a range", "write `each [a, b]` or `each 0..60 by 4`");
                return None;
            }
        };
        if list.is_empty() {
            self.wrong(values.span, "this `each` has no values", "put at least one value into the list");
            return None;
        }
        if list.len() > MOST_VALUES {
            self.wrong(values.span, "this `each` has more than 1024 values", "make the list shorter");
            return None;
        }
        Some(list)
    }

    /// A whole number without a unit.
    fn whole(&mut self, scope: &mut Scope, expr: &Expr) -> Option<i64> {
        let quantity = self.quantity(scope, std::slice::from_ref(expr))?;
        match quantity.dial.constant() {
            Some(value) if value == libm::trunc(value) && value.abs() < 1e15 && quantity.unit.is_none() => {
                Some(value as i64)
            }
            _ => {
                self.wrong(expr.span, "a whole number is needed here", "write it without a unit, as `4`");
                None
            }
        }
    }

    /// A value as a label says it: strings without quotes; all else as written, behind the name of its let.
    fn label_of(&self, scope: &Scope, value: &Phrase) -> String {
        match (value.items.as_slice(), scope.active.last()) {
            ([Expr { kind: ExprKind::Text(text), .. }], _) => text.clone(),
            (items, Some(name)) => format!("{name} = {}", crate::syntax::print::items(items)),
            (items, None) => crate::syntax::print::items(items),
        }
    }
}
