//! The algebra of objectives: `class("hen") - 0.5 * class("robin")` → weighted terms.

use super::Checker;
use super::recipe::Term;
use super::scope::Scope;
use crate::source::{Diagnostic, Span, codes};
use crate::spec::{Call, Dial, Kind, Presence};
use crate::syntax::ast::{Args, Argument, Binary, Expr, ExprKind, Statement, Unary};
use crate::syntax::print;
use crate::words::{Against, registry};

/// Either side of an operator.
enum Side {
    Objective(Vec<(Dial, Expr)>),
    Number(Dial),
}

impl Checker<'_> {
    /// The terms of one `maximize` or `minimize`.
    pub(super) fn objective(
        &mut self,
        scope: &mut Scope,
        statement: &Statement,
        items: &[Expr],
        sign: f64,
    ) -> Option<Vec<Term>> {
        let expr = match items {
            [expr] => expr.clone(),
            [] => {
                let help = format!("write `maximize class({:?})`", self.some_label());
                self.wrong(statement.word.span, "an objective is missing", &help);
                return None;
            }
            items => {
                let expanded = self.expand(scope, items)?;
                match expanded.as_slice() {
                    [expr] => expr.clone(),
                    several if self.lacks_parentheses(Kind::Objective, several) => return None,
                    [_, extra, ..] => {
                        self.wrong(extra.span, "one objective is expected here", "join objectives by `+` or `-`");
                        return None;
                    }
                    [] => return None,
                }
            }
        };
        let parts = match self.side(scope, &expr)? {
            Side::Objective(parts) => parts,
            Side::Number(_) => {
                let message = "a number is no objective";
                let help = format!("write `class({:?})`, `channel(NODE, 7)` or another objective", self.some_label());
                self.tell(
                    Diagnostic::error(&codes::WRONG_TYPE, expr.span, message, "expected an objective").with_help(help),
                );
                return None;
            }
        };
        let mut terms = Vec::new();
        let mut well = true;
        for (weight, expr) in parts {
            let call = self.call(scope, Kind::Objective, std::slice::from_ref(&expr));
            well &= call.is_some();
            let Some(call) = call else { continue };
            let nodes = self.read_by(&call);
            let model = self.position(call.args.get("of"));
            well &= self.agrees(&call) && nodes.is_some();
            let name = self.term_name(&expr);
            let weight = if sign < 0.0 { times(weight, Dial::Constant(sign)) } else { weight };
            terms.extend(nodes.map(|nodes| Term { name, weight, call, model, nodes }));
        }
        well.then_some(terms)
    }

    /// The nodes that an objective reads.
    fn read_by(&mut self, call: &Call) -> Option<Vec<String>> {
        let facts = self.facts.clone()?;
        match registry::objective(call.spec.name)?.nodes(&call.args, &facts.graph) {
            Ok(nodes) => Some(nodes),
            Err(problem) => {
                let span = call.args.text("node").and(call.args.span("node")).unwrap_or(call.span);
                let help = format!("`fviz layers {}` lists its nodes", facts.name);
                self.tell(
                    Diagnostic::error(&codes::WRONG_NODE, span, problem, format!("`{}` can't read it", call.spec.name))
                        .with_help(help),
                );
                None
            }
        }
    }

    /// Tells of arguments that contradict each other, and of photos that are none.
    fn agrees(&mut self, call: &Call) -> bool {
        let Some(word) = registry::objective(call.spec.name) else { return false };
        if let Some((param, problem)) = word.contradiction(&call.args) {
            let span = call.args.span(param).unwrap_or(call.span);
            let help = format!("`fviz explain {}` tells what belongs together", call.spec.name);
            self.tell(
                Diagnostic::error(&codes::OUT_OF_RANGE, span, problem, "this does not fit the rest").with_help(help),
            );
            return false;
        }
        match word.against(&call.args) {
            Against::Photo { file, .. } => {
                let span = call.args.span("file").unwrap_or(call.span);
                self.picture_size(file, span).is_some()
            }
            Against::Photos(files) => {
                let span = call.args.span("files").unwrap_or(call.span);
                self.are_photos(files, span)
            }
            _ => true,
        }
    }

    /// `lerp(a, b, t)`: (1 − t) a + t b.
    fn lerp(&mut self, scope: &mut Scope, args: &Args, span: Span) -> Option<Side> {
        let is_t = |argument: &Argument| argument.name.as_ref().is_none_or(|name| name.text == "t");
        let ([a, b, t], true) = (args.list.as_slice(), args.list.last().is_some_and(is_t)) else {
            let help = "write `lerp(class(\"hen\"), class(\"cock\"), t = 0 -> 1)`";
            self.wrong(span, "`lerp` takes two objectives and a number", help);
            return None;
        };
        let mut objective = |argument: &Argument| {
            let one = match argument.value.items.as_slice() {
                [one] if argument.name.is_none() => one,
                _ => {
                    self.wrong(
                        argument.value.span,
                        "`lerp` takes two objectives and a number",
                        "join each by operators",
                    );
                    return None;
                }
            };
            match self.side(scope, one)? {
                Side::Objective(parts) => Some(parts),
                Side::Number(_) => {
                    let message = "a number stands where `lerp` needs an objective";
                    self.tell(
                        Diagnostic::error(&codes::WRONG_TYPE, one.span, message, "expected an objective")
                            .with_help("the number comes last: `lerp(class(\"hen\"), class(\"cock\"), t = 0 -> 1)`"),
                    );
                    None
                }
            }
        };
        let (first, second) = (objective(a), objective(b));
        let t = self.weight(scope, &t.value.items)?;
        let rest = Dial::Sum(Box::new(1.0.into()), Box::new(times(t.clone(), Dial::Constant(-1.0))));
        let rest = rest.constant().map_or(rest, Dial::Constant);
        let mut parts = scaled(first?, &rest);
        parts.extend(scaled(second?, &t));
        Some(Side::Objective(parts))
    }

    /// A term as its column is called: as written, without named arguments that only repeat a default. The resolved
    /// recipe writes all defaults, and its columns must be the same.
    fn term_name(&self, expr: &Expr) -> String {
        let mut expr = expr.clone();
        if let ExprKind::Call(name, args) = &mut expr.kind
            && let Some(spec) = registry::find(Kind::Objective, &name.text)
        {
            args.list.retain(|argument| {
                let param = argument.name.as_ref().and_then(|name| spec.param(&name.text));
                let Some(Presence::Default(text)) = param.map(|param| param.presence) else { return true };
                print::items(&argument.value.items) != print::items(&self.defaults.phrase(text).items)
            });
            if args.list.is_empty() {
                expr.kind = ExprKind::Name(name.text.clone());
            }
        }
        print::items(std::slice::from_ref(&expr))
    }

    fn side(&mut self, scope: &mut Scope, expr: &Expr) -> Option<Side> {
        match &expr.kind {
            ExprKind::Call(name, args) if name.text == "lerp" => self.lerp(scope, args, expr.span),
            ExprKind::Call(..) | ExprKind::Name(_) => Some(Side::Objective(vec![(1.0.into(), expr.clone())])),
            ExprKind::Text(label) => {
                let message = "a label alone is no objective";
                self.tell(
                    Diagnostic::error(&codes::WRONG_TYPE, expr.span, message, "expected an objective")
                        .with_help(format!("write `class({})`", print::quoted(label))),
                );
                None
            }
            ExprKind::Let(_) | ExprKind::Group(_) => {
                let expanded = self.expand(scope, std::slice::from_ref(expr))?;
                match expanded.as_slice() {
                    [one] if !matches!(one.kind, ExprKind::Let(_) | ExprKind::Group(_)) => self.side(scope, one),
                    items => Some(Side::Number(self.weight(scope, items)?)),
                }
            }
            ExprKind::Unary(Unary::Minus, inner) => Some(match self.side(scope, inner)? {
                Side::Objective(parts) => Side::Objective(scaled(parts, &Dial::Constant(-1.0))),
                Side::Number(dial) => Side::Number(times(dial, Dial::Constant(-1.0))),
            }),
            ExprKind::Binary(operator @ (Binary::Add | Binary::Subtract), left, right) => {
                let (a, b) = (self.side(scope, left), self.side(scope, right));
                match (a?, b?) {
                    (Side::Objective(mut a), Side::Objective(b)) => {
                        let sign = if *operator == Binary::Add { 1.0 } else { -1.0 };
                        a.extend(if sign < 0.0 { scaled(b, &Dial::Constant(sign)) } else { b });
                        Some(Side::Objective(a))
                    }
                    (Side::Number(_), Side::Number(_)) => {
                        Some(Side::Number(self.weight(scope, std::slice::from_ref(expr))?))
                    }
                    (a, _) => {
                        let odd = if matches!(a, Side::Number(_)) { left } else { right };
                        let message = "a number can't be added to an objective";
                        self.tell(
                            Diagnostic::error(&codes::WRONG_TYPE, odd.span, message, "expected an objective")
                                .with_help("it would change nothing; a weight is written `0.5 * class(\"hen\")`"),
                        );
                        None
                    }
                }
            }
            ExprKind::Binary(Binary::Multiply, left, right) => {
                let (a, b) = (self.side(scope, left), self.side(scope, right));
                match (a?, b?) {
                    (Side::Number(number), Side::Objective(parts)) | (Side::Objective(parts), Side::Number(number)) => {
                        Some(Side::Objective(scaled(parts, &number)))
                    }
                    (Side::Number(a), Side::Number(b)) => Some(Side::Number(times(a, b))),
                    _ => {
                        let message = "an objective can't be multiplied by an objective";
                        self.tell(
                            Diagnostic::error(&codes::OBJECTIVE_PRODUCT, expr.span, message, {
                                "one side must be a number"
                            })
                            .with_help("add them with `+`, each with a weight: `2 * class(\"hen\") + class(\"cock\")`"),
                        );
                        None
                    }
                }
            }
            ExprKind::Binary(Binary::Divide, left, right) => {
                let divisor = self.weight(scope, std::slice::from_ref(right))?.constant().filter(|by| *by != 0.0);
                let Some(by) = divisor else {
                    self.wrong(right.span, "the divisor must be a plain number other than 0", "write a plain number");
                    return None;
                };
                Some(match self.side(scope, left)? {
                    Side::Objective(parts) => Side::Objective(scaled(parts, &Dial::Constant(1.0 / by))),
                    Side::Number(dial) => Side::Number(times(dial, Dial::Constant(1.0 / by))),
                })
            }
            _ => Some(Side::Number(self.weight(scope, std::slice::from_ref(expr))?)),
        }
    }

    /// A weight: a number without a unit, which may change but is not drawn.
    fn weight(&mut self, scope: &mut Scope, items: &[Expr]) -> Option<Dial> {
        use crate::spec::{Param, Presence, Type, Unit};
        let ty = Type::Number { unit: Unit::None, min: -1e12, max: 1e12 };
        self.number(scope, items, &Param::new("weight", ty, Presence::Required, "").animated())
    }
}

fn scaled(parts: Vec<(Dial, Expr)>, by: &Dial) -> Vec<(Dial, Expr)> {
    parts.into_iter().map(|(weight, expr)| (times(weight, by.clone()), expr)).collect()
}

fn times(a: Dial, b: Dial) -> Dial {
    match (a, b) {
        (Dial::Constant(a), Dial::Constant(b)) => Dial::Constant(a * b),
        (Dial::Constant(1.0), b) => b,
        (a, b) => Dial::Product(Box::new(a), Box::new(b)),
    }
}
