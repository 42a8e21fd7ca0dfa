//! Which statements hold: placement, duplicates, and the one rule of merging.
//!
//! A layer with any statement of a kind replaces all of that kind below it. Layers from low to high: each `use` in
//! order, the file, the command line; above them, for its own stage, the stage's block.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::layers::Layer;
use super::scope::Let;
use super::suggest::{list, nearest};
use super::{Checker, article};
use crate::source::{Diagnostic, FileId, Span, codes};
use crate::syntax::ast::{Expr, ExprKind, Name, Phrase, Statement, Unread};

/// A kind of statement, as merging sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slot {
    Use,
    Let,
    Model,
    Canvas,
    Seed,
    Init,
    Objective,
    Transform,
    Regularize,
    Blur,
    Mode,
    Optimize,
    Stage,
    Render,
}

/// A row of the table of statements: its word, its slot, whether it may stand several times in a layer, in a stage.
struct Row(&'static str, Slot, bool, bool);

/// LANGUAGE.md's table of statements.
const TABLE: [Row; 16] = [
    Row("use", Slot::Use, true, false),
    Row("let", Slot::Let, true, false),
    Row("model", Slot::Model, true, false),
    Row("canvas", Slot::Canvas, false, true),
    Row("seed", Slot::Seed, false, false),
    Row("init", Slot::Init, false, true),
    Row("maximize", Slot::Objective, true, true),
    Row("minimize", Slot::Objective, true, true),
    Row("attribute", Slot::Objective, true, false),
    Row("transform", Slot::Transform, false, true),
    Row("regularize", Slot::Regularize, true, true),
    Row("blur", Slot::Blur, true, true),
    Row("mode", Slot::Mode, true, true),
    Row("optimize", Slot::Optimize, false, true),
    Row("stage", Slot::Stage, true, false),
    Row("render", Slot::Render, true, true),
];

/// The statements that hold in one stage, and its name.
#[derive(Clone, Debug, Default)]
pub(super) struct StageSource {
    /// Empty where the recipe has no stages.
    pub name: String,
    /// By slot, in file order; `none` empties a list and leaves no statement.
    pub slots: BTreeMap<Slot, Vec<Rc<Statement>>>,
    /// The slots that the stage's own block sets.
    pub own: Vec<Slot>,
}

impl StageSource {
    /// The statements of a slot that hold.
    pub fn all(&self, slot: Slot) -> &[Rc<Statement>] {
        self.slots.get(&slot).map_or(&[], Vec::as_slice)
    }

    /// The one statement of a slot that holds.
    pub fn one(&self, slot: Slot) -> Option<&Rc<Statement>> {
        self.all(slot).first()
    }
}

/// A recipe's statements after merging.
#[derive(Clone, Debug, Default)]
pub(super) struct Structure {
    /// Lets by name.
    pub lets: BTreeMap<String, Let>,
    /// Their names in the order in which they first stand.
    pub let_order: Vec<String>,
    /// What holds outside of stages.
    pub top: StageSource,
    /// The stages; one without a name where the recipe has none.
    pub stages: Vec<StageSource>,
}

pub(super) type Slots = BTreeMap<Slot, Vec<Rc<Statement>>>;

impl Checker<'_> {
    /// Merges the layers.
    pub(super) fn structure(&mut self, layers: &[Layer]) -> Structure {
        let mut structure = Structure::default();
        let mut top = Slots::new();
        for layer in layers {
            let mut here = Slots::new();
            self.sort(&layer.ast.statements, false, &mut here);
            for statement in here.remove(&Slot::Let).unwrap_or_default() {
                self.add_let(&statement, layer.file, &mut structure);
            }
            here.remove(&Slot::Use);
            self.warn_of_plain_canvas(&top, &here);
            // The command line changes values; it must not silence the file's own objectives and the like.
            top.append(&mut here);
        }
        self.alone(&mut top);
        let stage_statements = top.remove(&Slot::Stage).unwrap_or_default();
        structure.top = StageSource { slots: top, ..StageSource::default() };
        for statement in &stage_statements {
            if let Some(stage) = self.stage(statement, &structure) {
                structure.stages.push(stage);
            }
        }
        if stage_statements.is_empty() {
            structure.stages.push(structure.top.clone());
        } else {
            self.warn_of_overridden(&structure);
        }
        structure
    }

    /// Sorts the statements of one block into slots; tells of unknown, misplaced and doubled ones.
    fn sort(&mut self, statements: &[Statement], in_stage: bool, slots: &mut Slots) {
        for (k, statement) in statements.iter().enumerate() {
            let word = &statement.word;
            let Some(Row(_, slot, many, stage)) = TABLE.iter().find(|row| row.0 == word.text) else {
                self.unknown_statement(statement);
                continue;
            };
            if in_stage && !stage {
                let message = format!("`{}` can't stand in a stage", word.text);
                self.tell(
                    Diagnostic::error(&codes::MISPLACED_STATEMENT, word.span, message, "not in a stage")
                        .with_help("move it above the stages: it holds for all of them"),
                );
                continue;
            }
            if *slot == Slot::Use && statements.iter().take(k).any(|before| before.word.text != "use") {
                self.tell(
                    Diagnostic::error(&codes::MISPLACED_STATEMENT, word.span, "`use` comes first", "too late here")
                        .with_help("move it to the top: what stands in this file goes above what it uses"),
                );
            }
            let of_slot = slots.entry(*slot).or_default();
            if !many && let Some(first) = of_slot.first() {
                let message = format!("`{}` stands twice", word.text);
                let first = first.word.span;
                self.tell(
                    Diagnostic::error(&codes::DUPLICATE_STATEMENT, word.span, message, "again here")
                        .with_label(first, "first here")
                        .with_help("keep one of the two"),
                );
                continue;
            }
            if *slot != Slot::Model || self.stands_beside(statement, of_slot) {
                of_slot.push(Rc::new(statement.clone()));
            }
        }
    }

    fn unknown_statement(&mut self, statement: &Statement) {
        let word = &statement.word;
        let near = nearest(&word.text, TABLE.iter().map(|row| row.0));
        // What follows only from the absence of the statement that was meant is not told as well.
        let meant = match word.text.as_str() {
            "loss" | "objective" | "target" | "max" => "maximize",
            "set" | "var" | "const" => "let",
            "explain" | "saliency" | "heatmap" | "attribution" => "attribute",
            other => near.unwrap_or(other),
        };
        self.unread.push(Unread {
            word: Some(Name { text: meant.into(), span: word.span }),
            binding: statement.binding.clone(),
            span: statement.span,
        });
        let help = match word.text.as_str() {
            "steps" | "lr" | "learning_rate" | "iterations" | "epochs" | "optimizer" => {
                "write `optimize sgd(lr = 1.5) for 200 steps`".to_string()
            }
            "output" | "save" | "gif" | "write" => "write `render \"hen.gif\"`".to_string(),
            "loss" | "objective" | "target" | "max" => "write `maximize class(\"hen\")`".to_string(),
            "transforms" | "augment" => "write `transform { affine(rotate = ±15deg) }`".to_string(),
            "regularizer" | "regularizers" | "penalty" | "l2" => "write `regularize l2(0.05)`".to_string(),
            "network" | "net" => "write `model resnet18`".to_string(),
            "size" => "write `canvas 224x224`".to_string(),
            "zoom" => "write `mode eternal_zoom(zoom = 1.02)`".to_string(),
            "explain" | "saliency" | "heatmap" | "attribution" => {
                "write `attribute class(\"hen\") on image(\"photo.jpg\")`".to_string()
            }
            "import" | "include" => "write `use \"other.fviz\"`".to_string(),
            "set" | "var" | "const" => "write `let name = value`".to_string(),
            _ => match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("statements are {}", list(TABLE.iter().map(|row| row.0)).replace(" or ", " and ")),
            },
        };
        let message = format!("there is no statement `{}`", word.text);
        self.tell(
            Diagnostic::error(&codes::UNKNOWN_STATEMENT, word.span, message, "unknown statement").with_help(help),
        );
    }

    fn add_let(&mut self, statement: &Statement, file: FileId, structure: &mut Structure) {
        let value = match (&statement.binding, statement.items.first(), statement.items.last()) {
            (Some(_), Some(first), Some(last)) if statement.args.is_none() && statement.block.is_none() => {
                Phrase { items: statement.items.clone(), span: first.span.to(last.span) }
            }
            _ => {
                self.wrong(statement.span, "this `let` names no value", "write `let target = \"hen\"`");
                return;
            }
        };
        let Some(name) = &statement.binding else { return };
        let is_known = structure.lets.contains_key(&name.text) || self.is_unread(&name.text);
        if self.is_command_line(name.span) && !is_known {
            let names: Vec<&str> = structure.lets.keys().map(String::as_str).collect();
            let help = match nearest(&name.text, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if names.is_empty() => "the recipe has no `let`".to_string(),
                None => format!("the recipe has {}", list(names.iter().copied()).replace(" or ", " and ")),
            };
            let message = format!("no `let` of the recipe names `{}`", name.text);
            self.tell(Diagnostic::error(&codes::UNKNOWN_LET, name.span, message, "unknown name").with_help(help));
            return;
        }
        if let Some(before) = structure.lets.get(&name.text)
            && before.span.file == file
        {
            let message = format!("`let {}` stands twice", name.text);
            self.tell(
                Diagnostic::error(&codes::DUPLICATE_STATEMENT, name.span, message, "again here")
                    .with_label(before.span, "first here")
                    .with_help("keep one of the two"),
            );
            return;
        }
        if structure.lets.insert(name.text.clone(), Let { value, span: name.span }).is_none() {
            structure.let_order.push(name.text.clone());
        }
    }

    fn stage(&mut self, statement: &Rc<Statement>, structure: &Structure) -> Option<StageSource> {
        let (name, block) = match (statement.items.as_slice(), &statement.block) {
            ([Expr { kind: ExprKind::Name(name), .. }], Some(block)) if statement.args.is_none() => (name, block),
            _ => {
                self.wrong(statement.word.span, "a stage has a name and a block", "write `stage coarse { … }`");
                return None;
            }
        };
        if let Some(other) = structure.stages.iter().find(|stage| stage.name == *name) {
            let message = format!("there are two stages `{}`", other.name);
            self.tell(
                Diagnostic::error(&codes::DUPLICATE_STATEMENT, statement.word.span, message, "again here")
                    .with_help("give it another name: draws and file names use it"),
            );
            return None;
        }
        let mut own = Slots::new();
        self.sort(&block.statements, true, &mut own);
        if let Some(init) = own.get(&Slot::Init).and_then(|list| list.first())
            && !structure.stages.is_empty()
        {
            self.tell(
                Diagnostic::error(&codes::MISPLACED_STATEMENT, init.word.span, "only the first stage has an `init`", {
                    "the canvas is handed on from the stage before"
                })
                .with_help("move it to the first stage, or above the stages"),
            );
        }
        let mut slots = structure.top.slots.clone();
        let keys = own.keys().copied().collect();
        slots.append(&mut own);
        Some(StageSource { name: name.clone(), slots, own: keys })
    }

    /// Warns of a canvas that is given another size and, unsaid, becomes plain pixels: it replaces all of the one before.
    fn warn_of_plain_canvas(&mut self, before: &Slots, here: &Slots) {
        let canvas = |slots: &Slots| slots.get(&Slot::Canvas).and_then(|statements| statements.first()).cloned();
        let is_as = |item: &Expr| matches!(&item.kind, ExprKind::Name(name) if name == "as");
        let says_kind = |statement: &Statement| statement.items.iter().any(is_as);
        let (Some(before), Some(now)) = (canvas(before), canvas(here)) else { return };
        if says_kind(&before) && !says_kind(&now) {
            let message = "this canvas is of plain pixels, the one that it replaces is not";
            self.tell(
                Diagnostic::warning(&codes::OVERRIDDEN, now.span, message, "all of the other is replaced")
                    .with_label(before.span, "this one")
                    .with_help("write the other's `as …` here too, or `as pixels` if that is meant"),
            );
        }
    }

    /// Warns of a statement of the file itself that every stage replaces.
    fn warn_of_overridden(&mut self, structure: &Structure) {
        for (slot, statements) in &structure.top.slots {
            let everywhere = !structure.stages.is_empty()
                && structure
                    .stages
                    .iter()
                    .enumerate()
                    .all(|(k, stage)| stage.own.contains(slot) && (*slot != Slot::Init || k == 0));
            for statement in statements.iter().filter(|s| everywhere && s.span.file == FileId(0)) {
                let message = format!("this `{}` holds nowhere", statement.word.text);
                self.tell(
                    Diagnostic::warning(&codes::OVERRIDDEN, statement.word.span, message, "every stage replaces it")
                        .with_help("take it away, or take it out of a stage"),
                );
            }
        }
    }
}

/// Whether a statement only empties its list: `transform none`.
pub(super) fn is_none(statement: &Statement) -> bool {
    matches!(statement.items.as_slice(), [Expr { kind: ExprKind::Name(name), .. }] if name == "none")
        && statement.block.is_none()
        && statement.args.is_none()
}

/// An operand and its clauses: `gaussian(size = 5) every 10 steps until 180`.
#[derive(Debug)]
pub(super) struct Clauses {
    /// What stands before the first clause.
    pub operand: Vec<Expr>,
    /// The clauses: word, place, value.
    pub list: Vec<(&'static str, Span, Vec<Expr>)>,
}

impl Clauses {
    /// The value of a clause.
    pub fn get(&self, word: &str) -> Option<&[Expr]> {
        self.list.iter().find(|(name, ..)| *name == word).map(|(.., items)| items.as_slice())
    }
}

impl Checker<'_> {
    /// Splits the items of a statement at the words of its clauses.
    pub(super) fn clauses(&mut self, statement: &Statement, words: &[&'static str]) -> Option<Clauses> {
        let mut clauses = Clauses { operand: Vec::new(), list: Vec::new() };
        let mut well = true;
        for (k, item) in statement.items.iter().enumerate() {
            let name = match &item.kind {
                ExprKind::Name(name) => Some(name.as_str()),
                _ => None,
            };
            if let Some(word) = words.iter().find(|word| Some(**word) == name) {
                if clauses.get(word).is_some() {
                    let message = format!("`{word}` is given twice");
                    self.tell(
                        Diagnostic::error(&codes::GIVEN_TWICE, item.span, message, "given again here")
                            .with_help("keep one of the two"),
                    );
                    well = false;
                }
                clauses.list.push((word, item.span, Vec::new()));
                continue;
            }
            if let Some(name) = name
                && k > 0
                && self.starts_no_value(&statement.items, k)
            {
                self.unknown_clause(statement, name, item.span, words);
                return None;
            }
            match clauses.list.last_mut() {
                Some((.., items)) => items.push(item.clone()),
                None => clauses.operand.push(item.clone()),
            }
        }
        for (word, span, _) in clauses.list.iter().filter(|(.., items)| items.is_empty()) {
            self.wrong(*span, &format!("`{word}` needs a value"), "write it as in `every 10 steps`");
            well = false;
        }
        well.then_some(clauses)
    }

    /// Whether a name at `k` can be no part of a value: it follows something whole and is no unit, curve or `by`.
    fn starts_no_value(&self, items: &[Expr], k: usize) -> bool {
        let Some(before) = k.checked_sub(1).and_then(|k| items.get(k)) else { return false };
        match &before.kind {
            ExprKind::Text(_) | ExprKind::Call(..) | ExprKind::Size(..) => true,
            ExprKind::Name(_) => items.get(k + 1).is_some_and(|next| matches!(next.kind, ExprKind::Number { .. })),
            _ => false,
        }
    }

    fn unknown_clause(&mut self, statement: &Statement, name: &str, span: Span, words: &[&'static str]) {
        let word = &statement.word.text;
        let message = format!("`{word}` has no clause `{name}`");
        let help = match nearest(name, words.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if words.is_empty() => format!("`{word}` has no clauses; a statement ends at the end of its line"),
            None => format!("its clauses are {}", list(words.iter().copied()).replace(" or ", " and ")),
        };
        self.tell(Diagnostic::error(&codes::UNKNOWN_CLAUSE, span, message, "unknown clause").with_help(help));
    }

    /// Tells of a statement that stands without what it is about.
    pub(super) fn has_operand(&mut self, statement: &Statement, operand: &[Expr], noun: &str, example: &str) -> bool {
        if operand.is_empty() {
            let message = format!("`{}` needs {} {noun}", statement.word.text, article(noun));
            self.wrong(statement.word.span, &message, &format!("write `{example}`"));
        }
        !operand.is_empty()
    }

    /// Tells of arguments, a name or a block where a statement has none.
    pub(super) fn bare(&mut self, statement: &Statement, block: bool) -> bool {
        let odd = statement
            .args
            .as_ref()
            .map(|args| args.span)
            .or(statement.binding.as_ref().map(|name| name.span))
            .or(statement.block.as_ref().filter(|_| !block).map(|block| block.span));
        if let Some(span) = odd {
            let word = &statement.word.text;
            let help = format!("`fviz explain {word}` shows how it is written");
            self.wrong(span, &format!("this does not belong to `{word}`"), &help);
        }
        odd.is_none()
    }
}
