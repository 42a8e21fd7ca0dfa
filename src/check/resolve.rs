//! The recipe with every default and every `use` written in. Running this text gives the same bytes, so it is what
//! pictures carry as metadata and what `fviz explain RECIPE` prints.

use std::rc::Rc;

use super::Checker;
use super::attribution::attribute_of;
use super::build::{Built, DEFAULT_STEPS};
use super::structure::{Slot, StageSource, Structure, is_none};
use crate::source::Span;
use crate::spec::{Kind, Presence, Spec, Type};
use crate::syntax::ast::{Args, Argument, Ast, Block, Expr, ExprKind, Name, Statement};
use crate::syntax::print;
use crate::words::registry;

/// The order in which statements are printed.
const ORDER: [Slot; 11] = [
    Slot::Model,
    Slot::Canvas,
    Slot::Seed,
    Slot::Init,
    Slot::Objective,
    Slot::Transform,
    Slot::Regularize,
    Slot::Blur,
    Slot::Mode,
    Slot::Optimize,
    Slot::Render,
];

impl Checker<'_> {
    /// The whole text. `built` are the variants.
    pub(super) fn resolved(&self, structure: &Structure, built: &[Built]) -> String {
        let of_top = |stage: usize| structure.stages.get(stage).is_some_and(|stage| !stage.own.contains(&Slot::Canvas));
        let size = common_size(built, of_top);
        let several = built.len() > 1;
        let mut statements = Vec::new();
        for name in &structure.let_order {
            if let Some(found) = structure.lets.get(name) {
                let mut statement = bare("let", found.value.items.clone());
                statement.binding = Some(Name { text: name.clone(), span: Span::default() });
                statements.push(statement);
            }
        }
        let staged = structure.stages.iter().any(|stage| !stage.name.is_empty());
        let first = structure.stages.first();
        let asks = structure.stages.iter().any(|stage| attribute_of(stage).is_some());
        for slot in ORDER {
            let own = structure.top.all(slot);
            if slot == Slot::Canvas && asks && !own.is_empty() {
                // The size alone: a parametrization can only be that of a recipe that is used.
                statements.extend(size.map(canvas));
            } else if !own.is_empty() {
                statements.extend(own.iter().map(|statement| self.complete(slot, statement, size)));
            } else if !(staged && first.is_some_and(|stage| stage.own.contains(&slot))) {
                let statement = |s: Rc<Statement>| self.complete(slot, &s, size);
                match slot {
                    // A photo is not grown.
                    Slot::Init | Slot::Optimize if asks => {}
                    Slot::Render if asks => statements.extend(map_renders(several).into_iter().map(statement)),
                    Slot::Canvas if asks => statements.extend(size.map(canvas)),
                    Slot::Init => {
                        statements.extend(own_init(built).map(|name| statement(Rc::new(bare("init", words(name))))))
                    }
                    _ => statements.extend(default(slot, size, several).map(statement)),
                }
            }
        }
        if staged {
            let stages = structure.stages.iter().enumerate();
            statements.extend(stages.map(|(k, stage)| self.stage_text(stage, common_size(built, |other| other == k))));
        }
        print::ast(&Ast { edition: Some((1, Span::default())), statements, ..Ast::default() })
    }

    fn stage_text(&self, stage: &StageSource, size: Option<(usize, usize)>) -> Statement {
        let mut statements = Vec::new();
        for slot in ORDER.into_iter().filter(|slot| stage.own.contains(slot)) {
            statements.extend(stage.all(slot).iter().map(|statement| self.complete(slot, statement, size)));
        }
        let name = Expr { kind: ExprKind::Name(stage.name.clone()), span: Span::default() };
        let mut statement = bare("stage", vec![name]);
        statement.block = Some(Block { statements, span: Span::default() });
        statement
    }

    /// A statement with the defaults of its words written in; a canvas gets no size where its variants differ.
    fn complete(&self, slot: Slot, statement: &Rc<Statement>, size: Option<(usize, usize)>) -> Statement {
        let mut statement = Statement::clone(statement);
        if is_none(&statement) {
            return statement;
        }
        let kind = match slot {
            Slot::Model => Kind::Model,
            Slot::Init => Kind::Init,
            Slot::Objective => Kind::Objective,
            Slot::Regularize => Kind::Penalty,
            Slot::Blur => Kind::Filter,
            Slot::Mode => Kind::Mode,
            Slot::Optimize => Kind::Optimizer,
            Slot::Canvas => Kind::Canvas,
            Slot::Render => Kind::Layout,
            _ => Kind::Transform,
        };
        let asks = statement.word.text == "attribute";
        let mut kind_here = kind;
        for item in &mut statement.items {
            match &item.kind {
                ExprKind::Name(name) if asks && name == "on" => kind_here = Kind::Photo,
                ExprKind::Name(name) if asks && name == "as" => kind_here = Kind::Attribution,
                _ => self.complete_expr(kind_here, item),
            }
        }
        if let Some(block) = &mut statement.block {
            for inner in &mut block.statements {
                if let Some(spec) = registry::find(Kind::Transform, &inner.word.text) {
                    let args = inner.args.get_or_insert_with(|| Args { list: Vec::new(), span: Span::default() });
                    self.complete_args(spec, args);
                    inner.args = (!args.list.is_empty()).then(|| args.clone());
                }
            }
        }
        let has = |word: &str| statement.items.iter().any(|item| is_name(item, word));
        let (has_for, has_as) = (has("for"), has("as"));
        match slot {
            Slot::Objective if asks && !has_as => {
                statement.items.extend(words("as integrated_gradients"));
                if let Some(last) = statement.items.last_mut() {
                    self.complete_expr(Kind::Attribution, last);
                }
            }
            Slot::Optimize => match self.steps {
                Some(steps) => {
                    if let Some(at) = statement.items.iter().position(|item| is_name(item, "for")) {
                        statement.items.truncate(at);
                    }
                    statement.items.extend(words(&format!("for {steps} steps")));
                }
                None if !has_for => statement.items.extend(words(&format!("for {DEFAULT_STEPS} steps"))),
                None => {}
            },
            Slot::Canvas => {
                let sized = !matches!(statement.items.first(), None | Some(Expr { kind: ExprKind::Name(_), .. }));
                if let Some(size) = size.filter(|_| !sized) {
                    statement.items.insert(0, size_of(size));
                }
                if !has_as {
                    statement.items.extend(words("as pixels"));
                    if let Some(last) = statement.items.last_mut() {
                        self.complete_expr(kind, last);
                    }
                }
            }
            _ => {}
        }
        statement
    }

    /// Writes defaults into every call of an expression that is a word of that kind.
    fn complete_expr(&self, kind: Kind, expr: &mut Expr) {
        match &mut expr.kind {
            ExprKind::Call(name, args) => {
                if let Some(spec) = registry::find(kind, &name.text) {
                    self.complete_args(spec, args);
                }
            }
            ExprKind::Name(name) => {
                if let Some(spec) = registry::find(kind, name) {
                    let mut args = Args { list: Vec::new(), span: Span::default() };
                    self.complete_args(spec, &mut args);
                    if !args.list.is_empty() {
                        let name = Name { text: name.clone(), span: expr.span };
                        expr.kind = ExprKind::Call(name, args);
                    }
                }
            }
            ExprKind::Unary(_, inner) => self.complete_expr(kind, inner),
            ExprKind::Binary(_, left, right) => {
                self.complete_expr(kind, left);
                self.complete_expr(kind, right);
            }
            ExprKind::List(list) | ExprKind::Group(list) => {
                for item in list.iter_mut().flat_map(|phrase| &mut phrase.items) {
                    self.complete_expr(kind, item);
                }
            }
            ExprKind::Text(_) | ExprKind::Number { .. } | ExprKind::Size(..) | ExprKind::Let(_) => {}
        }
    }

    /// Paths become relative to the recipe itself, and parameters that were left out get their default.
    fn complete_args(&self, spec: &'static Spec, args: &mut Args) {
        for (k, argument) in args.list.iter_mut().enumerate() {
            let param = match &argument.name {
                Some(name) => spec.param(&name.text),
                None => spec.params.get(k),
            };
            if param.is_some_and(|param| matches!(param.ty, Type::File | Type::Files)) {
                for item in &mut argument.value.items {
                    self.rebase(item);
                }
            }
        }
        for (k, param) in spec.params.iter().enumerate() {
            let given = args.list.iter().enumerate().any(|(j, argument)| match &argument.name {
                Some(name) => name.text == param.name,
                None => j == k,
            });
            if let Presence::Default(text) = param.presence
                && !given
            {
                let name = Some(Name { text: param.name.to_string(), span: Span::default() });
                args.list.push(Argument { name, value: self.defaults.phrase(text) });
            }
        }
    }

    /// A path of a `use`d file, as the recipe itself would write it.
    fn rebase(&self, expr: &mut Expr) {
        let span = expr.span;
        match &mut expr.kind {
            ExprKind::Text(text) => {
                let (Some(here), Some(main)) = (self.folders.get(span.file.0 as usize), self.folders.first()) else {
                    return;
                };
                if here != main
                    && let Ok(relative) = here.strip_prefix(main)
                {
                    *text = relative.join(&*text).to_string_lossy().replace('\\', "/");
                }
            }
            ExprKind::List(list) => list.iter_mut().flat_map(|p| &mut p.items).for_each(|item| self.rebase(item)),
            _ => {}
        }
    }
}

fn is_name(expr: &Expr, word: &str) -> bool {
    matches!(&expr.kind, ExprKind::Name(name) if name == word)
}

fn bare(word: &str, items: Vec<Expr>) -> Statement {
    let span = Span::default();
    let word = Name { text: word.to_string(), span };
    Statement { word, args: None, binding: None, items, block: None, span }
}

/// Names and numbers side by side, for text of our own.
fn words(text: &str) -> Vec<Expr> {
    let expr = |word: &str| {
        let kind = match word.parse::<f64>() {
            Ok(value) => ExprKind::Number { value, unit: None },
            Err(_) => match word.strip_prefix('"').and_then(|word| word.strip_suffix('"')) {
                Some(text) => ExprKind::Text(text.to_string()),
                None => ExprKind::Name(word.to_string()),
            },
        };
        Expr { kind, span: Span::default() }
    };
    text.split(' ').map(expr).collect()
}

fn size_of((width, height): (usize, usize)) -> Expr {
    Expr { kind: ExprKind::Size(width as u32, height as u32), span: Span::default() }
}

fn canvas(size: (usize, usize)) -> Statement {
    bare("canvas", vec![size_of(size)])
}

/// The canvas of some of the stages, as they are written; nothing where it is not one for all of them and all variants.
fn common_size(built: &[Built], of: impl Fn(usize) -> bool) -> Option<(usize, usize)> {
    let sizes = built.iter().flat_map(|built| built.sizes.iter().enumerate());
    let mut sizes = sizes.filter(|(stage, _)| of(*stage)).map(|(_, size)| *size);
    let first = sizes.next()?;
    sizes.all(|size| size == first).then_some(first)
}

/// The init that stands where a recipe has none; nothing where the canvases of its variants have different ones.
fn own_init(built: &[Built]) -> Option<&'static str> {
    let mut names = built.iter().filter_map(|built| built.variant.stages.first()).map(|stage| stage.init.spec.name);
    let first = names.next()?;
    names.all(|name| name == first).then_some(first)
}

/// The files of a recipe that asks about a photo and names none: a picture of one moment.
pub(super) fn map_renders(several: bool) -> Vec<Rc<Statement>> {
    let text = if several { "\"{recipe}.png\" as sheet" } else { "\"{recipe}.png\"" };
    vec![Rc::new(bare("render", words(text)))]
}

/// The statements that stand where a recipe has none of a kind; the init is its canvas's.
pub(super) fn default(slot: Slot, size: Option<(usize, usize)>, several: bool) -> impl Iterator<Item = Rc<Statement>> {
    let statements = match slot {
        Slot::Model => vec![bare("model", words(super::network::EMBEDDED))],
        Slot::Canvas => vec![size.map_or_else(|| bare("canvas", Vec::new()), canvas)],
        Slot::Seed => vec![bare("seed", words("0"))],
        Slot::Optimize => vec![bare("optimize", words("adam"))],
        Slot::Render if several => {
            vec![bare("render", words("\"{recipe}.gif\" as sheet")), bare("render", words("\"{recipe}.png\" as sheet"))]
        }
        Slot::Render => {
            vec![bare("render", words("\"{recipe}.gif\"")), bare("render", words("\"{recipe}.png\""))]
        }
        _ => Vec::new(),
    };
    statements.into_iter().map(Rc::new)
}
