//! Numbers with units, ranges and tweens: phrases → [`Dial`]s.

use super::Checker;
use super::scope::Scope;
use super::suggest::list;
use crate::source::{Diagnostic, Span, codes};
use crate::spec::{Curve, Dial, Param, Type, Unit};
use crate::syntax::ast::{Binary, Expr, ExprKind, Phrase, Unary};

/// The word behind a range that is drawn uniformly in the logarithm.
const LOG_UNIFORM: &str = "log_uniform";

/// A number with its unit.
#[derive(Clone, Debug)]
pub(super) struct Quantity {
    /// The number.
    pub dial: Dial,
    /// Its unit, and how it is written.
    pub unit: Option<Unit>,
    /// Whether it is a `±`, for the help of `scale(±10%)`.
    pub plus_minus: bool,
    /// Where.
    pub span: Span,
}

impl Checker<'_> {
    /// A number of the type that a parameter wants.
    pub(super) fn number(&mut self, scope: &mut Scope, items: &[Expr], param: &Param) -> Option<Dial> {
        let quantity = self.quantity(scope, items)?;
        let (unit, min, max, whole) = match param.ty {
            Type::Number { unit, min, max } => (unit, min, max, false),
            Type::Integer { unit, min, max } => (unit, min as f64, max as f64, true),
            Type::Odd { min, max } => (Unit::None, min as f64, max as f64, true),
            _ => return None,
        };
        let fits = self.unit_fits(&quantity, unit, param.name)
            & self.changes_fit(&quantity, param)
            & self.in_range(&quantity, (min, max), unit, whole, param.name);
        (fits && self.is_odd(&quantity, param)).then_some(quantity.dial)
    }

    fn is_odd(&mut self, quantity: &Quantity, param: &Param) -> bool {
        let value = quantity.dial.constant().unwrap_or(1.0) as i64;
        if !matches!(param.ty, Type::Odd { .. }) || value % 2 != 0 {
            return true;
        }
        let message = format!("`{} = {value}` has no middle", param.name);
        self.tell(
            Diagnostic::error(&codes::OUT_OF_RANGE, quantity.span, message, "expected an odd number")
                .with_help(format!("write `{}`", value + 1)),
        );
        false
    }

    fn unit_fits(&mut self, quantity: &Quantity, wanted: Unit, name: &str) -> bool {
        let got = quantity.unit.unwrap_or(Unit::None);
        if got == wanted {
            return true;
        }
        let text = self.sources.text(quantity.span).to_string();
        let bare = text.trim_end_matches(|c: char| c.is_alphabetic() || c == ' ').to_string();
        let (label, help) = match wanted {
            Unit::None => ("no unit fits here".to_string(), format!("write `{name}` as a plain number: `{bare}`")),
            _ => {
                let spaced = if matches!(wanted, Unit::Steps | Unit::Fps) { " " } else { "" };
                let suffix = wanted.suffix();
                (
                    format!("expected a number in `{suffix}`"),
                    format!("write the unit at each number, as in `10{spaced}{suffix}`"),
                )
            }
        };
        let message = match quantity.unit {
            None => format!("`{text}` needs a unit"),
            Some(unit) => format!("`{text}` is in `{}`", unit.suffix()),
        };
        self.tell(Diagnostic::error(&codes::WRONG_UNIT, quantity.span, message, label).with_help(help));
        false
    }

    fn changes_fit(&mut self, quantity: &Quantity, param: &Param) -> bool {
        if quantity.dial.is_animated() && !param.animates {
            let message = format!("`{}` can't change over a stage", param.name);
            self.tell(
                Diagnostic::error(&codes::CANNOT_ANIMATE, quantity.span, message, "a tween is not possible here")
                    .with_help("give it one value; sizes and counts stay the same for a whole stage"),
            );
            return false;
        }
        if quantity.dial.is_drawn() && !param.draws {
            let message = format!("`{}` is not drawn at random", param.name);
            let text = self.sources.text(quantity.span);
            let help = if text.contains("..") && param.animates {
                format!("write a tween, `{}`, or one number", text.replacen("..", " -> ", 1))
            } else {
                "give it one number; for several variants write `each [a, b]`".to_string()
            };
            self.tell(
                Diagnostic::error(&codes::CANNOT_DRAW, quantity.span, message, "a range is not possible here")
                    .with_help(help),
            );
            return false;
        }
        true
    }

    fn in_range(&mut self, quantity: &Quantity, range: (f64, f64), unit: Unit, whole: bool, name: &str) -> bool {
        let (min, max) = range;
        let (low, high) = quantity.dial.bounds();
        let text = self.sources.text(quantity.span).to_string();
        if !(low >= min && high <= max) {
            // `1 to 10 steps`, but `-10deg to 10deg`: what stands apart is said once.
            let bound = |value: f64| match unit {
                Unit::Steps if value == 1.0 => "1 step".to_string(),
                Unit::Steps | Unit::Fps => format!("{value} {}", unit.suffix()),
                _ => format!("{value}{}", unit.suffix()),
            };
            let first = if matches!(unit, Unit::Steps | Unit::Fps) { min.to_string() } else { bound(min) };
            let label = match (min.is_finite() && min.abs() < 1e16, max.is_finite() && max.abs() < 1e16) {
                (true, true) => format!("expected {first} to {}", bound(max)),
                (true, false) => format!("expected at least {}", bound(min)),
                (false, true) => format!("expected at most {}", bound(max)),
                (false, false) => "expected a finite number".to_string(),
            };
            let help = if quantity.plus_minus && min >= 0.0 && high < 1.0 && unit == Unit::None {
                let percent = |v: f64| format!("{}%", (v * 1e6).round() / 1e4);
                format!("a range about 1 is written `{}..{}`", percent(1.0 - high), percent(1.0 + high))
            } else {
                format!("`fviz explain {name}` tells what `{name}` means")
            };
            let message = format!("`{name} = {text}` is out of range");
            self.tell(Diagnostic::error(&codes::OUT_OF_RANGE, quantity.span, message, label).with_help(help));
            return false;
        }
        let all_whole = |value: f64| value == libm::trunc(value);
        if whole && !(all_whole(low) && all_whole(high) && quantity.dial.constant().is_none_or(all_whole)) {
            let message = format!("`{name}` must be a whole number");
            let help = format!("write `{}`", libm::round(low));
            self.tell(
                Diagnostic::error(&codes::NOT_WHOLE, quantity.span, message, "not a whole number").with_help(help),
            );
            return false;
        }
        true
    }

    /// A number with whatever unit it has. Operators nest at most as deep as the parser allows.
    pub(super) fn quantity(&mut self, scope: &mut Scope, items: &[Expr]) -> Option<Quantity> {
        let items = self.expand(scope, items)?;
        let span = items.first()?.span.to(items.last()?.span);
        match items.as_slice() {
            [one] => self.expression(scope, one),
            [number, Expr { kind: ExprKind::Name(word), span: at }] if Curve::NAMES.iter().any(|(n, _)| n == word) => {
                let curve = Curve::NAMES.iter().find(|(n, _)| n == word)?.1;
                let mut quantity = self.expression(scope, number)?;
                match &mut quantity.dial {
                    Dial::Tween(first, last, shape) => {
                        *shape = curve;
                        if curve == Curve::Exponential && (first.bounds().0 <= 0.0 || last.bounds().0 <= 0.0) {
                            self.wrong(number.span, "an exponential tween needs positive ends", "use `linear`");
                            return None;
                        }
                    }
                    _ => {
                        self.wrong(*at, "a curve follows a tween", "write `a -> b cosine`");
                        return None;
                    }
                }
                Some(Quantity { span, ..quantity })
            }
            [number, Expr { kind: ExprKind::Name(word), span: at }] if word == LOG_UNIFORM => {
                self.log_uniform(scope, number, *at, span)
            }
            [number, Expr { kind: ExprKind::Name(word), span: at }] => {
                let quantity = self.expression(scope, number)?;
                if matches!(quantity.dial, Dial::Tween(..)) && Unit::of(word).is_none() && unit_meant(word).is_none() {
                    let message = format!("there is no curve `{word}`");
                    let help =
                        format!("curves are {}", list(Curve::NAMES.map(|(name, _)| name)).replace(" or ", " and "));
                    self.tell(Diagnostic::error(&codes::UNKNOWN_WORD, *at, message, "unknown curve").with_help(help));
                    return None;
                }
                let unit = self.unit_named(word, *at)?;
                if quantity.unit.is_some() {
                    self.wrong(*at, "a number has one unit", "take one of the two away");
                    return None;
                }
                Some(Quantity { unit: (unit != Unit::None).then_some(unit), span, ..quantity })
            }
            [Expr { kind: ExprKind::Name(word), .. }, Expr { kind: ExprKind::List(list), span: at }]
                if word == "pick" =>
            {
                self.pick(scope, list, *at, span)
            }
            [_, extra, ..] => {
                self.wrong(extra.span, "one number is expected here", "take this away");
                None
            }
            [] => None,
        }
    }

    /// `0.5..1.4 log_uniform`
    fn log_uniform(&mut self, scope: &mut Scope, number: &Expr, at: Span, span: Span) -> Option<Quantity> {
        let quantity = self.expression(scope, number)?;
        let Dial::Range(low, high) = quantity.dial else {
            self.wrong(at, "`log_uniform` follows a range", "write `0.5..2 log_uniform`");
            return None;
        };
        if low.bounds().0 <= 0.0 || high.bounds().0 <= 0.0 {
            self.wrong(
                number.span,
                "a range that is drawn in the logarithm needs positive ends",
                "take `log_uniform` away",
            );
            return None;
        }
        Some(Quantity { dial: Dial::LogRange(low, high), span, ..quantity })
    }

    fn pick(&mut self, scope: &mut Scope, list: &[Phrase], at: Span, span: Span) -> Option<Quantity> {
        let mut values = Vec::new();
        let mut unit = None;
        for (k, phrase) in list.iter().enumerate() {
            let member = self.quantity(scope, &phrase.items)?;
            if k > 0 && member.unit != unit {
                self.wrong(member.span, "the members of `pick` have different units", "give all the same unit");
                return None;
            }
            unit = member.unit;
            let Some(value) = member.dial.constant() else {
                self.wrong(member.span, "`pick` draws from plain numbers", "write numbers only");
                return None;
            };
            values.push(value);
        }
        if values.is_empty() {
            self.wrong(at, "`pick` needs at least one number", "write `pick [0.9, 1, 1.1]`");
            return None;
        }
        Some(Quantity { dial: Dial::Pick(values), unit, plus_minus: false, span })
    }

    fn unit_named(&mut self, word: &str, span: Span) -> Option<Unit> {
        if let Some(unit) = Unit::of(word) {
            return Some(unit);
        }
        let help = unit_meant(word).unwrap_or("units are `deg`, `px`, `steps`, `fps`, `s` and `%`");
        self.tell(
            Diagnostic::error(&codes::WRONG_UNIT, span, format!("`{word}` is not a unit"), "unknown unit")
                .with_help(help),
        );
        None
    }

    fn expression(&mut self, scope: &mut Scope, expr: &Expr) -> Option<Quantity> {
        let span = expr.span;
        let plain = |dial: Dial, unit| Some(Quantity { dial, unit, plus_minus: false, span });
        match &expr.kind {
            ExprKind::Number { value, unit: None } => plain((*value).into(), None),
            ExprKind::Number { value, unit: Some(unit) } if unit.text == "%" => plain((value / 100.0).into(), None),
            ExprKind::Number { value, unit: Some(unit) } => {
                let unit = self.unit_named(&unit.text, unit.span)?;
                plain((*value).into(), Some(unit))
            }
            // Several members in parentheses are a point, which no expanding makes a number.
            ExprKind::Group(members) if members.len() == 1 => {
                let quantity = self.quantity(scope, &members.first()?.items)?;
                Some(Quantity { span, ..quantity })
            }
            ExprKind::Let(_) => {
                let quantity = self.quantity(scope, std::slice::from_ref(expr))?;
                Some(Quantity { span, ..quantity })
            }
            ExprKind::Unary(Unary::Minus, inner) => {
                let inner = self.expression(scope, inner)?;
                plain(scaled(inner.dial, -1.0), inner.unit)
            }
            ExprKind::Unary(Unary::PlusMinus, inner) => {
                let inner = self.expression(scope, inner)?;
                if inner.dial.is_drawn() || inner.dial.bounds().0 < 0.0 {
                    self.wrong(span, "`±` stands before one positive number", "write `±15deg` or `-15deg..15deg`");
                    return None;
                }
                let dial = Dial::Range(Box::new(scaled(inner.dial.clone(), -1.0)), Box::new(inner.dial));
                Some(Quantity { dial, unit: inner.unit, plus_minus: true, span })
            }
            ExprKind::Binary(operator, left, right) => self.binary(scope, *operator, left, right, span),
            _ => {
                let (what, help) = match &expr.kind {
                    ExprKind::Text(_) => ("a string", "take the quotes away"),
                    ExprKind::Size(..) => ("a size", "write one number"),
                    ExprKind::List(_) => ("a list", "write one number, or `each [a, b]` for several variants"),
                    ExprKind::Name(_) => ("a name", "write a number; a let is read as `$name`"),
                    ExprKind::Group(_) => ("a point", "write one number"),
                    ExprKind::Call(..) => ("a call", "write a number"),
                    _ => ("something else", "write a number"),
                };
                self.tell(
                    Diagnostic::error(&codes::WRONG_TYPE, span, format!("{what} stands where a number is needed"), {
                        "expected a number"
                    })
                    .with_help(help),
                );
                None
            }
        }
    }

    fn binary(
        &mut self,
        scope: &mut Scope,
        operator: Binary,
        left: &Expr,
        right: &Expr,
        span: Span,
    ) -> Option<Quantity> {
        let (a, b) = (self.expression(scope, left), self.expression(scope, right));
        let (a, b) = (a?, b?);
        let same_unit = a.unit == b.unit;
        if !same_unit && !matches!(operator, Binary::Multiply | Binary::Divide) {
            let odd = if a.unit.is_none() { &a } else { &b };
            let unit = a.unit.or(b.unit).map_or("", Unit::suffix);
            let message = "the two sides have different units";
            self.tell(
                Diagnostic::error(&codes::WRONG_UNIT, odd.span, message, format!("expected a number in `{unit}`"))
                    .with_help(format!("write the unit on both sides, as in `-15{unit}..15{unit}`")),
            );
            return None;
        }
        let (dial, unit) = match operator {
            Binary::Add => (Dial::Sum(Box::new(a.dial), Box::new(b.dial)), a.unit),
            Binary::Subtract => (Dial::Sum(Box::new(a.dial), Box::new(scaled(b.dial, -1.0))), a.unit),
            Binary::Multiply if a.unit.is_some() && b.unit.is_some() => {
                self.wrong(span, "two quantities can't be multiplied", "one side must be a plain number");
                return None;
            }
            Binary::Multiply => (Dial::Product(Box::new(a.dial), Box::new(b.dial)), a.unit.or(b.unit)),
            Binary::Divide => match b.dial.constant() {
                Some(by) if by != 0.0 && b.unit.is_none() => (scaled(a.dial, 1.0 / by), a.unit),
                _ => {
                    self.wrong(right.span, "the divisor must be a plain number other than 0", "write a plain number");
                    return None;
                }
            },
            Binary::Tween => (Dial::Tween(Box::new(a.dial), Box::new(b.dial), Curve::Linear), a.unit),
            Binary::Range => {
                if a.dial.bounds().0 > b.dial.bounds().1 {
                    let (low, high) = (self.sources.text(left.span), self.sources.text(right.span));
                    let help = format!("write `{high}..{low}`");
                    self.tell(
                        Diagnostic::error(&codes::BACKWARD_RANGE, span, "this range runs backwards", {
                            "the lower end comes first"
                        })
                        .with_help(help),
                    );
                    return None;
                }
                (Dial::Range(Box::new(a.dial), Box::new(b.dial)), a.unit)
            }
        };
        Some(Quantity { dial, unit, plus_minus: false, span })
    }
}

/// What to write for a unit of elsewhere.
fn unit_meant(word: &str) -> Option<&'static str> {
    Some(match word {
        "degrees" | "degree" | "rad" | "radians" | "turn" | "turns" => "angles are written in `deg`, as `15deg`",
        "pixels" | "pixel" => "lengths are written in `px`, as `8px`",
        "iterations" | "iteration" | "iters" | "it" | "epochs" => "durations are written in `steps`: `10 steps`",
        "sec" | "seconds" | "ms" => "times are written in `s`, as `1.5s`",
        "x" => "factors are plain numbers: `1.5` or `150%`",
        _ => return None,
    })
}

/// A dial times a constant.
fn scaled(dial: Dial, by: f64) -> Dial {
    match dial {
        Dial::Constant(value) => Dial::Constant(value * by),
        dial => Dial::Product(Box::new(dial), Box::new(Dial::Constant(by))),
    }
}
