//! A word with its arguments: looked up in the vocabulary, every parameter given once and of its type.

use super::Checker;
use super::scope::Scope;
use super::suggest::{list, nearest};
use crate::source::{Diagnostic, Span, codes};
use crate::spec::{Arg, Args, Call, Kind, Param, Presence, Spec, Type};
use crate::syntax::ast::{self, Expr, ExprKind, Name};
use crate::syntax::print;
use crate::words::registry;

impl Checker<'_> {
    /// The call that a phrase is: `word`, `word(…)` or a let that holds one.
    pub(super) fn call(&mut self, scope: &mut Scope, kind: Kind, items: &[Expr]) -> Option<Call> {
        let expanded = self.expand(scope, items)?;
        match expanded.as_slice() {
            [Expr { kind: ExprKind::Name(text), span }] => {
                let name = Name { text: text.clone(), span: *span };
                self.call_of(scope, kind, &name, None, *span)
            }
            [Expr { kind: ExprKind::Call(name, args), span }] => self.call_of(scope, kind, name, Some(args), *span),
            several if self.lacks_parentheses(kind, several) => None,
            [other, ..] => {
                let noun = kind.noun();
                let words = registry::all().filter(|spec| spec.kind == kind).map(|spec| spec.name);
                let help = format!("write {}", list(words));
                let message = format!("this is not {} {noun}", article(noun));
                let span = match expanded.as_slice() {
                    [Expr { kind: ExprKind::Name(_) | ExprKind::Call(..), .. }, extra, ..] => extra.span,
                    _ => other.span,
                };
                self.tell(
                    Diagnostic::error(&codes::WRONG_TYPE, span, message, format!("expected {} {noun}", article(noun)))
                        .with_help(help),
                );
                None
            }
            [] => None,
        }
    }

    /// Tells of `class "hen"`: arguments that stand beside their word.
    pub(super) fn lacks_parentheses(&mut self, kind: Kind, items: &[Expr]) -> bool {
        let [Expr { kind: ExprKind::Name(word), span }, arguments @ ..] = items else { return false };
        let plain = |argument: &Expr| match &argument.kind {
            ExprKind::Name(_) | ExprKind::Call(..) => false,
            ExprKind::Binary(operator, ..) => matches!(operator, ast::Binary::Range | ast::Binary::Tween),
            _ => true,
        };
        if arguments.is_empty() || !arguments.iter().all(plain) || registry::find(kind, word).is_none() {
            return false;
        }
        let written = match arguments {
            [group @ Expr { kind: ExprKind::Group(_), .. }] => print::items(std::slice::from_ref(group)),
            arguments => {
                let each: Vec<String> = arguments.iter().map(|one| print::items(std::slice::from_ref(one))).collect();
                format!("({})", each.join(", "))
            }
        };
        let place = arguments.iter().fold(*span, |place, one| place.to(one.span));
        let message = format!("the arguments of `{word}` need parentheses");
        self.tell(
            Diagnostic::error(&codes::UNEXPECTED, place, message, "parentheses are missing")
                .with_help(format!("write `{word}{written}`")),
        );
        true
    }

    /// A word by its name, with its arguments.
    pub(super) fn call_of(
        &mut self,
        scope: &mut Scope,
        kind: Kind,
        name: &Name,
        args: Option<&ast::Args>,
        span: Span,
    ) -> Option<Call> {
        let spec = self.word(kind, name)?;
        let args = self.arguments(scope, spec, args, name.span)?;
        Some(Call { spec, args, block: Vec::new(), occurrence: 0, span })
    }

    fn word(&mut self, kind: Kind, name: &Name) -> Option<&'static Spec> {
        if let Some(spec) = registry::find(kind, &name.text) {
            return Some(spec);
        }
        let noun = kind.noun();
        let of_kind = || registry::all().filter(move |spec| spec.kind == kind);
        let alias = of_kind().find(|spec| spec.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(&name.text)));
        let elsewhere = registry::all().find(|spec| spec.name == name.text);
        let help = if let Some(spec) = alias {
            format!("fviz calls it `{}`: `{}`", spec.name, spec.example)
        } else if let Some(near) = nearest(&name.text, of_kind().map(|spec| spec.name)) {
            format!("did you mean `{near}`?")
        } else if let Some(spec) = elsewhere {
            let other = spec.kind.noun();
            format!("`{}` is {} {other}: `{}`", spec.name, article(other), spec.example)
        } else {
            format!("{} are {}", kind.plural(), list(of_kind().map(|spec| spec.name)).replace(" or ", " and "))
        };
        let message = format!("there is no {noun} `{}`", name.text);
        self.tell(
            Diagnostic::error(&codes::UNKNOWN_WORD, name.span, message, format!("unknown {noun}")).with_help(help),
        );
        None
    }

    /// The arguments of a word: positional ones first, then named ones, defaults for the rest.
    pub(super) fn arguments(
        &mut self,
        scope: &mut Scope,
        spec: &'static Spec,
        given: Option<&ast::Args>,
        at: Span,
    ) -> Option<Args> {
        let mut written: Vec<(&'static Param, &ast::Argument, Span)> = Vec::new();
        let mut well = true;
        let mut named = false;
        for (k, argument) in given.map_or(&[][..], |args| &args.list).iter().enumerate() {
            let param = match &argument.name {
                Some(name) => {
                    named = true;
                    self.parameter(spec, name)
                }
                None if named || k >= spec.positional => {
                    self.misplaced_argument(spec, argument, named);
                    None
                }
                None => spec.params.get(k),
            };
            let Some(param) = param else {
                well = false;
                continue;
            };
            let place = argument.name.as_ref().map_or(argument.value.span, |name| name.span);
            if let Some((_, _, first)) = written.iter().find(|(other, ..)| other.name == param.name) {
                let message = format!("`{}` is given twice", param.name);
                self.tell(
                    Diagnostic::error(&codes::GIVEN_TWICE, place, message, "given again here")
                        .with_label(*first, "first given here")
                        .with_help("keep one of the two"),
                );
                well = false;
                continue;
            }
            written.push((param, argument, place));
        }
        let mut args = Args::new();
        // What a kind's words share comes first: of which network it is decides which nodes and classes there are.
        for param in registry::shared(spec.kind).iter().chain(spec.params) {
            let argument = written.iter().find(|(other, ..)| other.name == param.name);
            let value = match (argument, param.presence) {
                _ if param.ty == Type::Model => {
                    let phrase = argument.map(|(_, argument, _)| &argument.value);
                    let span = phrase.map_or(at, |phrase| phrase.span);
                    self.turn_to(scope, spec, phrase, param, at).map(|value| (value, span))
                }
                (Some((_, argument, _)), _) => {
                    let span = argument.value.span;
                    let value = match param.ty {
                        Type::Units(of) => {
                            let node = args.text("node").map(str::to_string);
                            self.units(scope, &argument.value, of, node.as_deref(), param)
                        }
                        _ => self.value(scope, &argument.value.items, param),
                    };
                    value.map(|value| (value, span))
                }
                (None, Presence::Required) => {
                    if well {
                        let message = format!("`{}` needs `{}`", spec.name, param.name);
                        self.tell(
                            Diagnostic::error(
                                &codes::MISSING_ARGUMENT,
                                at,
                                message,
                                format!("`{}` is missing", { param.name }),
                            )
                            .with_help(format!("write it as in `{}`", spec.example)),
                        );
                    }
                    None
                }
                (None, Presence::Default(text)) => self.default(scope, param, text).map(|value| (value, at)),
                (None, Presence::Optional(_)) => Some((Arg::None, at)),
            };
            match value {
                Some((value, span)) => args.set(param.name, value, span),
                None => well = false,
            }
        }
        well.then_some(args)
    }

    /// The value of a default, which is written in the language itself.
    fn default(&mut self, scope: &mut Scope, param: &'static Param, text: &'static str) -> Option<Arg> {
        let phrase = self.defaults.phrase(text);
        // Defaults are constants of the program: a test of the registry holds that each is a value of its type.
        self.value(scope, &phrase.items, param)
    }

    fn parameter(&mut self, spec: &'static Spec, name: &Name) -> Option<&'static Param> {
        if let Some(param) = registry::params(spec).find(|param| param.name == name.text) {
            return Some(param);
        }
        let names = || registry::params(spec).map(|param| param.name);
        let alias = registry::params(spec).find(|param| param.aliases.contains(&name.text.as_str()));
        let others: Vec<&str> = registry::of(spec.kind)
            .into_iter()
            .filter(|other| other.param(&name.text).is_some())
            .map(|other| other.name)
            .collect();
        let help = match alias.map(|param| param.name).or(nearest(&name.text, names())) {
            Some(near) => format!("did you mean `{near}`?"),
            None if spec.kind == Kind::Canvas && !others.is_empty() => {
                format!("{} can do it, `{}` can't", list(others.into_iter()).replace(" or ", " and "), spec.name)
            }
            None if names().next().is_none() => format!("`{}` takes no arguments", spec.name),
            None => format!("it takes {}", list(names()).replace(" or ", " and ")),
        };
        let message = format!("`{}` has no parameter `{}`", spec.name, name.text);
        self.tell(
            Diagnostic::error(&codes::UNKNOWN_PARAMETER, name.span, message, "unknown parameter").with_help(help),
        );
        None
    }

    fn misplaced_argument(&mut self, spec: &'static Spec, argument: &ast::Argument, named: bool) {
        let span = argument.value.span;
        let text = self.sources.text(span).to_string();
        let (message, help) = if named {
            ("positional arguments come first".to_string(), "give it a name, or move it to the front".to_string())
        } else if let Some(param) = spec.params.get(spec.positional) {
            let count = spec.positional;
            let message = match count {
                0 => format!("`{}` takes named arguments only", spec.name),
                1 => format!("`{}` takes one argument without a name", spec.name),
                _ => format!("`{}` takes {count} arguments without names", spec.name),
            };
            (message, format!("give it a name: `{} = {text}`", param.name))
        } else {
            (format!("`{}` takes no more arguments", spec.name), "take this away".to_string())
        };
        self.tell(Diagnostic::error(&codes::MISPLACED_ARGUMENT, span, message, "not expected here").with_help(help));
    }
}

/// "a" or "an".
pub(super) fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}
