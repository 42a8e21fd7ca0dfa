//! One variant: the statements that hold, with every value worked out.

use std::collections::BTreeMap;

use super::Checker;
use super::attribution::attribute_of;
use super::canvas::octaves;
use super::recipe::{Schedule, Scheduled, Stage, Term, Variant};
use super::render::RenderUse;
use super::scope::Scope;
use super::structure::{Slot, StageSource, Structure, is_none};
use crate::source::{Diagnostic, FileId, Span, codes};
use crate::spec::{Call, GREATEST_SEED, Kind, Param, Presence, Type, Unit};
use crate::syntax::ast::{Expr, Statement, Unread};
use crate::words::{MOST_STEPS, MOST_VIEWS, default_init, registry};

const SEED: Param = whole("seed", Unit::None, 0, GREATEST_SEED);
const STEPS: Param = whole("for", Unit::Steps, 1, MOST_STEPS);
const VIEWS: Param = whole("views", Unit::None, 1, MOST_VIEWS);
pub(super) const EVERY: Param = whole("every", Unit::Steps, 1, MOST_STEPS);
pub(super) const FROM: Param = whole("from", Unit::Steps, 0, MOST_STEPS);
pub(super) const UNTIL: Param = whole("until", Unit::Steps, 0, MOST_STEPS);
const fn whole(name: &'static str, unit: Unit, min: i64, max: i64) -> Param {
    Param::new(name, Type::Integer { unit, min, max }, Presence::Required, "")
}

/// A variant and what its stages render.
#[derive(Clone, Debug)]
pub(super) struct Built {
    pub variant: Variant,
    /// Width and height of the canvas of each stage as it is written, before octaves make several of it.
    pub sizes: Vec<(usize, usize)>,
    pub renders: Vec<Vec<RenderUse>>,
}

impl Checker<'_> {
    /// Works out one variant; `None` after a problem was told.
    pub(super) fn variant(&mut self, scope: &mut Scope, structure: &Structure) -> Option<Built> {
        let mut well = self.models(scope, structure.top.all(Slot::Model));
        let seed = match structure.top.one(Slot::Seed) {
            Some(statement)
                if self.bare(statement, false) && self.has_operand(statement, &statement.items, "number", "seed 7") =>
            {
                self.number(scope, &statement.items, &SEED).and_then(|dial| dial.constant()).map(|v| v as u64)
            }
            Some(_) => None,
            None => Some(0),
        };
        let (mut stages, mut sizes, mut renders) = (Vec::new(), Vec::new(), Vec::new());
        well &= seed.is_some();
        for source in &structure.stages {
            self.turn_to_first();
            let built = match attribute_of(source) {
                Some(statement) => self.asked(scope, source, statement),
                None => self.stage_of(scope, source, stages.last()),
            };
            match built {
                Some((stage, uses)) => {
                    sizes.push((stage.width, stage.height));
                    for stage in octaves(stage) {
                        stages.push(stage);
                        renders.push(uses.clone());
                    }
                }
                None => well = false,
            }
        }
        let values: Vec<String> = {
            let mut chosen: Vec<(&Span, &String)> = scope.chosen.iter().collect();
            chosen.sort_by_key(|(span, _)| axis_order(**span));
            chosen.into_iter().map(|(_, text)| text.clone()).collect()
        };
        if !well {
            return None;
        }
        let models = self.take_models(&mut stages);
        let variant = Variant { label: values.join(", "), values, models, seed: seed?, stages };
        Some(Built { variant, sizes, renders })
    }

    fn stage_of(
        &mut self,
        scope: &mut Scope,
        source: &StageSource,
        before: Option<&Stage>,
    ) -> Option<(Stage, Vec<RenderUse>)> {
        let parametrization = self.parametrization(scope, source);
        let default = parametrization.as_ref().map_or("gray", |call| default_init(call.spec.name));
        let init = self.single(scope, source, Slot::Init, Kind::Init, default);
        let optimizer = self.optimizer(scope, source);
        let steps = optimizer.as_ref().map_or(1, |(_, steps)| *steps);
        let size = self.canvas_size(scope, source, init.as_ref(), before);
        let transforms = self.transforms(scope, source);
        let mut well = true;
        let mut penalties = Vec::new();
        for statement in source.all(Slot::Regularize).iter().filter(|s| !is_none(s)) {
            let call = (self.bare(statement, false)
                && self.has_operand(statement, &statement.items, "penalty", "regularize l2(0.05)"))
            .then(|| self.call(scope, Kind::Penalty, &statement.items))
            .flatten();
            well &= call.is_some();
            penalties.extend(call);
        }
        let mut filters = Vec::new();
        for statement in source.all(Slot::Blur).iter().filter(|s| !is_none(s)) {
            let filter = self.filter(scope, statement, steps);
            well &= filter.is_some();
            filters.extend(filter);
        }
        let mut modes = Vec::new();
        for statement in source.all(Slot::Mode).iter().filter(|s| !is_none(s)) {
            let mode = self.mode(scope, statement);
            well &= mode.is_some();
            modes.extend(mode);
        }
        let terms = self.terms(scope, source);
        let mut renders = Vec::new();
        for statement in source.all(Slot::Render).iter().filter(|s| !is_none(s)) {
            let render = self.render(scope, statement, steps);
            well &= render.is_some();
            renders.extend(render);
        }
        let ((width, height), canvas, init, (optimizer, steps)) = (size?, parametrization?, init?, optimizer?);
        let (views, transforms) = transforms?;
        let mut stage = Stage {
            name: source.name.clone(),
            width,
            height,
            canvas,
            over_photo: false,
            init,
            terms: terms?,
            views,
            transforms,
            penalties,
            filters,
            modes,
            optimizer,
            steps,
            attribution: None,
        };
        number_equals(&mut stage);
        well &= self.can_encode(&stage, before) && self.mask_moves(&stage) && self.has_what_penalties_read(&stage);
        well &= self.can_average(&stage);
        well.then_some((stage, renders))
    }

    /// A statement with one call as operand, or the default.
    fn single(
        &mut self,
        scope: &mut Scope,
        source: &StageSource,
        slot: Slot,
        kind: Kind,
        default: &str,
    ) -> Option<Call> {
        match source.one(slot) {
            Some(statement) => {
                if !self.bare(statement, false) {
                    return None;
                }
                let clauses = self.clauses(statement, &[])?;
                if !self.has_operand(
                    statement,
                    &clauses.operand,
                    kind.noun(),
                    &format!("{} {default}", statement.word.text),
                ) {
                    return None;
                }
                self.call(scope, kind, &clauses.operand)
            }
            None => {
                let spec = registry::find(kind, default)?;
                let args = self.arguments(scope, spec, None, Span::default())?;
                Some(Call { spec, args, block: Vec::new(), occurrence: 0, span: Span::default() })
            }
        }
    }

    fn optimizer(&mut self, scope: &mut Scope, source: &StageSource) -> Option<(Call, usize)> {
        let (call, steps) = match source.one(Slot::Optimize) {
            Some(statement) => {
                if !self.bare(statement, false) {
                    return None;
                }
                let clauses = self.clauses(statement, &["for"])?;
                let example = "optimize adam(lr = 0.05) for 256 steps";
                if !self.has_operand(statement, &clauses.operand, "optimizer", example) {
                    return None;
                }
                let call = self.call(scope, Kind::Optimizer, &clauses.operand);
                let steps = match clauses.get("for") {
                    Some(items) => self.number(scope, items, &STEPS)?.constant()? as usize,
                    None => DEFAULT_STEPS,
                };
                (call?, steps)
            }
            None => {
                let spec = registry::find(Kind::Optimizer, "adam")?;
                let args = self.arguments(scope, spec, None, Span::default())?;
                (Call { spec, args, block: Vec::new(), occurrence: 0, span: Span::default() }, DEFAULT_STEPS)
            }
        };
        Some((call, self.steps.unwrap_or(steps)))
    }

    fn transforms(&mut self, scope: &mut Scope, source: &StageSource) -> Option<(usize, Vec<Call>)> {
        let Some(statement) = source.one(Slot::Transform).filter(|s| !is_none(s)) else {
            return Some((1, Vec::new()));
        };
        let mut views = 1;
        for argument in statement.args.as_ref().map_or(&[][..], |args| &args.list) {
            match &argument.name {
                Some(name) if name.text == "views" => {
                    views = self.number(scope, &argument.value.items, &VIEWS)?.constant()? as usize;
                }
                _ => {
                    let help = "write `transform(views = 2) { … }`";
                    self.wrong(argument.value.span, "`transform` takes only `views`", help);
                    return None;
                }
            }
        }
        let Some(block) = &statement.block else {
            let help = "write `transform { affine(rotate = ±15deg) }`";
            self.wrong(statement.word.span, "`transform` needs a block", help);
            return None;
        };
        if let Some(item) = statement.items.first() {
            self.wrong(item.span, "this does not belong to `transform`", "put the transforms into its block");
            return None;
        }
        Some((views, self.block(scope, &block.statements)?))
    }

    /// The transforms of a block, in order.
    fn block(&mut self, scope: &mut Scope, statements: &[Statement]) -> Option<Vec<Call>> {
        let mut calls = Vec::new();
        let mut well = true;
        for statement in statements {
            if let Some(item) = statement.items.first() {
                let help = "write its arguments in parentheses: `affine(rotate = ±15deg)`";
                self.wrong(item.span, "a transform has arguments only", help);
                well = false;
                continue;
            }
            if let Some(block) = &statement.block {
                self.wrong(block.span, "a transform has no block", "take it away");
                well = false;
                continue;
            }
            let call = self.call_of(scope, Kind::Transform, &statement.word, statement.args.as_ref(), statement.span);
            if let Some(call) = &call {
                let idle = registry::transform(call.spec.name).is_some_and(|word| word.is_identity(&call.args));
                let (everywhere, _) = self.idle.entry(call.span).or_insert((true, call.spec.name));
                *everywhere &= idle;
            }
            well &= call.is_some();
            calls.extend(call);
        }
        well.then_some(calls)
    }

    fn filter(&mut self, scope: &mut Scope, statement: &Statement, steps: usize) -> Option<Scheduled> {
        if !self.bare(statement, false) {
            return None;
        }
        let clauses = self.clauses(statement, &["every", "from", "until"])?;
        let example = "blur gaussian(size = 5, sigma = 1.5) every 10 steps";
        if !self.has_operand(statement, &clauses.operand, "filter", example) {
            return None;
        }
        let call = self.call(scope, Kind::Filter, &clauses.operand);
        let every = clauses.get("every").map_or(Some(1), |items| self.steps_of(scope, items, &EVERY));
        let from = clauses.get("from").map_or(Some(0), |items| self.steps_of(scope, items, &FROM));
        let until = clauses.get("until").map_or(Some(steps), |items| self.steps_of(scope, items, &UNTIL));
        let schedule = Schedule { every: every?, from: from?, until: until? };
        if schedule.from >= schedule.until.min(steps) {
            let message = "this filter never acts";
            let label = format!("the stage has the steps 0 to {}", steps - 1);
            self.tell(
                Diagnostic::warning(&codes::NEVER_FIRES, statement.span, message, label)
                    .with_help("`from` must lie before `until` and before the last step"),
            );
        }
        Some(Scheduled { call: call?, schedule })
    }

    pub(super) fn steps_of(&mut self, scope: &mut Scope, items: &[Expr], param: &Param) -> Option<usize> {
        Some(self.number(scope, items, param)?.constant()? as usize)
    }

    fn mode(&mut self, scope: &mut Scope, statement: &Statement) -> Option<Call> {
        if !self.bare(statement, true) {
            return None;
        }
        let clauses = self.clauses(statement, &[])?;
        if !self.has_operand(statement, &clauses.operand, "mode", "mode eternal_zoom(zoom = 1.02)") {
            return None;
        }
        let mut call = self.call(scope, Kind::Mode, &clauses.operand)?;
        match (&statement.block, call.spec.block) {
            (Some(block), true) => call.block = self.block(scope, &block.statements)?,
            (Some(block), false) => {
                self.wrong(block.span, &format!("`{}` has no block", call.spec.name), "take it away");
                return None;
            }
            (None, true) => {
                let message = format!("`{}` needs a block of transforms", call.spec.name);
                self.wrong(statement.word.span, &message, &format!("write `{}`", call.spec.example));
                return None;
            }
            (None, false) => {}
        }
        Some(call)
    }

    fn terms(&mut self, scope: &mut Scope, source: &StageSource) -> Option<Vec<Term>> {
        let statements = source.all(Slot::Objective);
        let mut terms = Vec::new();
        let mut well = true;
        for statement in statements.iter().filter(|s| !is_none(s)) {
            let sign = if statement.word.text == "minimize" { -1.0 } else { 1.0 };
            let found = self
                .bare(statement, false)
                .then(|| self.clauses(statement, &[]))
                .flatten()
                .and_then(|clauses| self.objective(scope, statement, &clauses.operand, sign));
            well &= found.is_some();
            terms.extend(found.unwrap_or_default());
        }
        if well && terms.is_empty() && self.unread.iter().any(may_be_objective) {
            return None;
        }
        if well && terms.is_empty() {
            let place = match source.name.as_str() {
                "" => "the recipe".to_string(),
                name => format!("stage `{name}`"),
            };
            let span = statements.first().map_or(Span::new(FileId(0), 0, 0), |statement| statement.span);
            let help = format!("write `maximize class({:?})`: what the picture shall excite", self.some_label());
            self.tell(
                Diagnostic::error(&codes::NO_OBJECTIVE, span, format!("{place} has no objective"), {
                    "nothing is maximized"
                })
                .with_help(help),
            );
            return None;
        }
        well.then_some(terms)
    }
}

/// Whether a line that could not be read may have been an objective.
fn may_be_objective(line: &Unread) -> bool {
    line.word.as_ref().is_none_or(|word| matches!(word.text.as_str(), "maximize" | "minimize" | "attribute" | "stage"))
}

/// `optimize adam(lr = 0.05) for 256 steps`
pub(super) const DEFAULT_STEPS: usize = 256;
/// Used files stand before the file that uses them, so their axes vary slower.
pub(super) fn axis_order(span: Span) -> (bool, u32, usize) {
    (span.file == FileId(0), span.file.0, span.start)
}

/// Numbers equal words of one kind in their order: part of the key of their draws.
pub(super) fn number_equals(stage: &mut Stage) {
    let mut seen: BTreeMap<(Kind, &'static str), usize> = BTreeMap::new();
    let mut number = |call: &mut Call| {
        let count = seen.entry((call.spec.kind, call.spec.name)).or_default();
        call.occurrence = *count;
        *count += 1;
    };
    stage.transforms.iter_mut().for_each(&mut number);
    stage.penalties.iter_mut().for_each(&mut number);
    stage.filters.iter_mut().for_each(|filter| number(&mut filter.call));
    stage.terms.iter_mut().for_each(|term| number(&mut term.call));
    stage.attribution.iter_mut().for_each(|attribution| number(&mut attribution.method));
    for mode in &mut stage.modes {
        number(mode);
        // A transform inside a mode is another use of the word: its draws must not repeat the network's.
        mode.block.iter_mut().for_each(&mut number);
    }
}
