//! Values of every type: phrases → [`Arg`]s.

use super::scope::Scope;
use super::suggest::{list, nearest};
use super::{Checker, article};
use crate::source::{Diagnostic, Span, codes};
use crate::spec::{Arg, Coordinate, Param, Point, Presence, Type, Unit};
use crate::syntax::ast::{Binary, Expr, ExprKind, Phrase};

/// Sides of a canvas; beyond them a picture is no longer one.
const LONGEST_SIDE: u32 = 16_384;

impl Checker<'_> {
    /// The value of a parameter. `None` after a problem was told.
    pub(super) fn value(&mut self, scope: &mut Scope, items: &[Expr], param: &Param) -> Option<Arg> {
        if let Type::Number { .. } | Type::Integer { .. } | Type::Odd { .. } = param.ty {
            return Some(Arg::Number(self.number(scope, items, param)?));
        }
        let expanded = self.expand(scope, items)?;
        let [expr] = expanded.as_slice() else {
            let span = expanded.get(1).or(expanded.first())?.span;
            self.wrong(span, &format!("`{}` takes one value", param.name), "take this away");
            return None;
        };
        match param.ty {
            Type::Choice(choices) => self.choice(expr, choices, param).map(Arg::Choice),
            Type::Switch => self.choice(expr, &["on", "off"], param).map(|choice| Arg::Switch(choice == "on")),
            Type::Text => match &expr.kind {
                ExprKind::Text(text) => self.fill(scope, text, expr.span, false).map(Arg::Text),
                _ => self.wrong_type(expr, param),
            },
            Type::File => match &expr.kind {
                ExprKind::Text(text) => {
                    let text = self.fill(scope, text, expr.span, false)?;
                    self.file(&text, expr.span).map(Arg::File)
                }
                _ => self.wrong_type(expr, param),
            },
            Type::Files => match &expr.kind {
                ExprKind::Text(text) => {
                    let text = self.fill(scope, text, expr.span, false)?;
                    self.files(&text, expr.span).map(Arg::Files)
                }
                _ => self.wrong_type(expr, param),
            },
            Type::Size => self.size(expr, param).map(|(width, height)| Arg::Size(width, height)),
            Type::Node => match &expr.kind {
                ExprKind::Name(name) | ExprKind::Text(name) => self.node(name, expr.span).map(Arg::Node),
                _ => self.wrong_type(expr, param),
            },
            Type::Model => self.model_name(expr, param).map(Arg::Model),
            // Units need to know which node they are of: see `units`. Words are read by their statements.
            Type::Units(_) | Type::Word(_) | Type::Any => self.wrong_type(expr, param),
            Type::Point => self.point(scope, expr, param).map(Arg::Point),
            Type::Numbers(count) => self.numbers(scope, expr, count, param).map(Arg::Numbers),
            Type::Interval => self.interval(scope, expr, param),
            Type::Number { .. } | Type::Integer { .. } | Type::Odd { .. } => None,
        }
    }

    fn choice(&mut self, expr: &Expr, choices: &'static [&'static str], param: &Param) -> Option<&'static str> {
        let word = match &expr.kind {
            ExprKind::Name(word) => word,
            // A shell eats the quotes, so on the command line a string may be a word.
            ExprKind::Text(word) if self.is_command_line(expr.span) => word,
            _ => return self.wrong_type(expr, param),
        };
        if let Some(choice) = choices.iter().find(|choice| *choice == word) {
            return Some(choice);
        }
        let message = format!("`{}` can't be `{word}`", param.name);
        let meant = match word.as_str() {
            "true" | "yes" => choices.iter().find(|c| **c == "on").copied(),
            "false" | "no" | "none" => choices.iter().find(|c| **c == "off").copied(),
            _ => nearest(word, choices.iter().copied()),
        };
        let help = match meant {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write {}", list(choices.iter().copied())),
        };
        let label = format!("expected {}", list(choices.iter().copied()));
        self.tell(Diagnostic::error(&codes::UNKNOWN_CHOICE, expr.span, message, label).with_help(help));
        None
    }

    /// Says that a value is of another type, with an example of what fits.
    pub(super) fn wrong_type<T>(&mut self, expr: &Expr, param: &Param) -> Option<T> {
        let (expected, help) = match param.ty {
            Type::Number { .. } => ("a number".to_string(), "write a number, as `0.5`".to_string()),
            Type::Integer { .. } => ("a whole number".into(), "write a whole number, as `4`".into()),
            Type::Odd { .. } => ("an odd whole number".into(), "write an odd whole number, as `5`".into()),
            Type::Word(kind) => (format!("{} {}", article(kind.noun()), kind.noun()), "write a word".into()),
            Type::Any => ("a value".into(), "write a value".into()),
            Type::Choice(choices) => (list(choices.iter().copied()), "write the word without quotes".into()),
            Type::Switch => ("`on` or `off`".into(), format!("write `{} = on`", param.name)),
            Type::Text => ("a string".into(), "put it into double quotes".into()),
            Type::File => ("a file's name".into(), "put the path into double quotes".into()),
            Type::Files => ("files' names".into(), "put the path or the pattern into double quotes".into()),
            Type::Size => ("a size".into(), "write width x height, as `224x224`".into()),
            Type::Model => {
                ("the name of a network".into(), "write the name that `model` gave it, without quotes".into())
            }
            Type::Node => ("a node of the network".into(), "write its name, as `layer3.1.conv2`".into()),
            Type::Units(_) => {
                ("a label, an index or a list of them".into(), "write `\"hen\"`, `8` or `[8, 16]`".into())
            }
            Type::Point => ("a point".into(), "write `(3, 4)`, `(50%, 20%)` or `center`".into()),
            Type::Numbers(0) => ("a list of numbers".into(), "write it as `[0.5, 1, -2]`".into()),
            Type::Numbers(n) => (format!("a list of {n} numbers"), "write it as `[0.5, 0.5, 0.5]`".into()),
            Type::Interval => ("two bounds or `off`".into(), "write `0..1`".into()),
        };
        let message = format!("`{}` takes {expected}", param.name);
        self.tell(
            Diagnostic::error(&codes::WRONG_TYPE, expr.span, message, format!("expected {expected}")).with_help(help),
        );
        None
    }

    /// Width and height of a canvas or a grid.
    pub(super) fn size(&mut self, expr: &Expr, param: &Param) -> Option<(u32, u32)> {
        match expr.kind {
            ExprKind::Size(width, height) if (1..=LONGEST_SIDE).contains(&width.min(height)) => {
                if width.max(height) <= LONGEST_SIDE {
                    return Some((width, height));
                }
                self.out_of_size(expr.span, param)
            }
            ExprKind::Size(..) => self.out_of_size(expr.span, param),
            _ => self.wrong_type(expr, param),
        }
    }

    fn out_of_size<T>(&mut self, span: Span, param: &Param) -> Option<T> {
        let message = format!("`{}` is out of range", param.name);
        let label = format!("expected sides from 1 to {LONGEST_SIDE}");
        self.tell(Diagnostic::error(&codes::OUT_OF_RANGE, span, message, label).with_help("write it as `224x224`"));
        None
    }

    fn point(&mut self, scope: &mut Scope, expr: &Expr, param: &Param) -> Option<Point> {
        match &expr.kind {
            ExprKind::Name(word) if word == "center" => Some(Point { x: Coordinate::Center, y: Coordinate::Center }),
            ExprKind::Group(members) => match members.as_slice() {
                [x, y] => {
                    let (x, y) = (self.coordinate(scope, x, param), self.coordinate(scope, y, param));
                    Some(Point { x: x?, y: y? })
                }
                _ => self.wrong_type(expr, param),
            },
            _ => self.wrong_type(expr, param),
        }
    }

    fn coordinate(&mut self, scope: &mut Scope, phrase: &Phrase, param: &Param) -> Option<Coordinate> {
        let expanded = self.expand(scope, &phrase.items)?;
        if let [Expr { kind: ExprKind::Name(word), .. }] = expanded.as_slice()
            && word == "center"
        {
            return Some(Coordinate::Center);
        }
        let percent = matches!(expanded.as_slice(),
            [Expr { kind: ExprKind::Number { unit: Some(unit), .. }, .. }] if unit.text == "%");
        let (min, max) = if percent { (0.0, 1.0) } else { (0.0, f64::from(LONGEST_SIDE)) };
        let ty = if percent {
            Type::Number { unit: Unit::None, min, max }
        } else {
            Type::Integer { unit: Unit::None, min: 0, max: i64::from(LONGEST_SIDE) }
        };
        let wanted = Param::new(param.name, ty, Presence::Required, "");
        let value = self.number(scope, &expanded, &wanted)?.constant()?;
        Some(if percent { Coordinate::Share(value) } else { Coordinate::Cell(value as usize) })
    }

    fn numbers(&mut self, scope: &mut Scope, expr: &Expr, count: usize, param: &Param) -> Option<Vec<f64>> {
        let ExprKind::List(members) = &expr.kind else { return self.wrong_type(expr, param) };
        if members.is_empty() || count > 0 && members.len() != count {
            return self.wrong_type(expr, param);
        }
        let ty = Type::Number { unit: Unit::None, min: f64::MIN, max: f64::MAX };
        let wanted = Param::new(param.name, ty, Presence::Required, "");
        let numbers: Vec<Option<f64>> = members
            .iter()
            .map(|member| self.number(scope, &member.items, &wanted).and_then(|dial| dial.constant()))
            .collect();
        numbers.into_iter().collect()
    }

    fn interval(&mut self, scope: &mut Scope, expr: &Expr, param: &Param) -> Option<Arg> {
        match &expr.kind {
            ExprKind::Name(word) if word == "off" => Some(Arg::None),
            ExprKind::Binary(Binary::Range, low, high) => {
                let ty = Type::Number { unit: Unit::None, min: f64::MIN, max: f64::MAX };
                let wanted = Param::new(param.name, ty, Presence::Required, "");
                let low_value = self.number(scope, std::slice::from_ref(low), &wanted)?.constant()?;
                let high_value = self.number(scope, std::slice::from_ref(high), &wanted)?.constant()?;
                if low_value >= high_value {
                    let help = "write the lower bound first, as `0..1`";
                    let message = "these bounds leave no room";
                    let label = "the lower bound comes first";
                    self.tell(Diagnostic::error(&codes::BACKWARD_RANGE, expr.span, message, label).with_help(help));
                    return None;
                }
                Some(Arg::Interval(low_value, high_value))
            }
            _ => self.wrong_type(expr, param),
        }
    }
}
