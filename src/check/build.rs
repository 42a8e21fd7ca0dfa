//! One variant: the statements that hold, with every value worked out.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Checker;
use super::attribution::attribute_of;
use super::recipe::{Format, Model, Schedule, Scheduled, Stage, Term, Variant};
use super::scope::Scope;
use super::structure::{Slot, StageSource, Structure, is_none};
use crate::source::{Diagnostic, FileId, Span, codes};
use crate::spec::{Arg, Call, GREATEST_SEED, Kind, Param, Presence, Type, Unit};
use crate::syntax::ast::{Expr, ExprKind, Statement, Unread};
use crate::words::{LEAST_FPS, MOST_FPS, MOST_STEPS, MOST_VIEWS, Sizes, default_init, encodes, registry};

const SEED: Param = whole("seed", Unit::None, 0, GREATEST_SEED);
const STEPS: Param = whole("for", Unit::Steps, 1, MOST_STEPS);
const VIEWS: Param = whole("views", Unit::None, 1, MOST_VIEWS);
const EVERY: Param = whole("every", Unit::Steps, 1, MOST_STEPS);
const FROM: Param = whole("from", Unit::Steps, 0, MOST_STEPS);
const UNTIL: Param = whole("until", Unit::Steps, 0, MOST_STEPS);
const FPS: Param =
    Param::new("at", Type::Number { unit: Unit::Fps, min: LEAST_FPS, max: MOST_FPS }, Presence::Required, "");
const CANVAS: Param = Param::new("canvas", Type::Size, Presence::Required, "");

const fn whole(name: &'static str, unit: Unit, min: i64, max: i64) -> Param {
    Param::new(name, Type::Integer { unit, min, max }, Presence::Required, "")
}

/// A `render` statement as one stage of one variant sees it.
#[derive(Clone, Debug)]
pub(super) struct RenderUse {
    pub span: Span,
    pub name_span: Span,
    pub file: String,
    pub format: Format,
    pub layout: Call,
    pub schedule: Schedule,
    pub fps: f64,
}

/// A variant and what its stages render.
#[derive(Clone, Debug)]
pub(super) struct Built {
    pub variant: Variant,
    pub renders: Vec<Vec<RenderUse>>,
}

impl Checker<'_> {
    /// Works out one variant; `None` after a problem was told.
    pub(super) fn variant(&mut self, scope: &mut Scope, structure: &Structure) -> Option<Built> {
        let model = self.model(scope, structure.top.one(Slot::Model).map(Rc::as_ref));
        self.facts = model.as_ref().map(|model| model.facts.clone());
        let seed = match structure.top.one(Slot::Seed) {
            Some(statement)
                if self.bare(statement, false) && self.has_operand(statement, &statement.items, "number", "seed 7") =>
            {
                self.number(scope, &statement.items, &SEED).and_then(|dial| dial.constant()).map(|v| v as u64)
            }
            Some(_) => None,
            None => Some(0),
        };
        let mut stages = Vec::new();
        let mut renders = Vec::new();
        let mut well = model.is_some() && seed.is_some();
        for source in &structure.stages {
            let built = match attribute_of(source) {
                Some(statement) => self.asked(scope, source, statement),
                None => self.stage_of(scope, source, stages.last()),
            };
            match built {
                Some((stage, uses)) => {
                    for stage in octaves(stage) {
                        stages.push(stage);
                        renders.push(uses.clone());
                    }
                }
                None => well = false,
            }
        }
        let label: Vec<String> = {
            let mut chosen: Vec<(&Span, &String)> = scope.chosen.iter().collect();
            chosen.sort_by_key(|(span, _)| axis_order(**span));
            chosen.into_iter().map(|(_, text)| text.clone()).collect()
        };
        if !well {
            return None;
        }
        let variant = Variant { label: label.join(", "), model: model?, seed: seed?, stages };
        Some(Built { variant, renders })
    }

    fn model(&mut self, scope: &mut Scope, statement: Option<&Statement>) -> Option<Model> {
        let call = match statement {
            Some(statement) => {
                if let Some(name) = &statement.binding {
                    let help = "write `model resnet18`; compare networks with `model each [resnet18, resnet34]`";
                    self.wrong(name.span, "a recipe has one network, without a name", help);
                    return None;
                }
                if !self.bare(statement, false)
                    || !self.has_operand(statement, &statement.items, "model", "model resnet18")
                {
                    return None;
                }
                self.call(scope, Kind::Model, &statement.items)?
            }
            None => {
                let spec = registry::find(Kind::Model, super::network::EMBEDDED)?;
                let args = self.arguments(scope, spec, None, Span::default())?;
                Call { spec, args, block: Vec::new(), occurrence: 0, span: Span::default() }
            }
        };
        self.network(call)
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
        well &= self.can_encode(&stage, before);
        well.then_some((stage, renders))
    }

    /// Tells of what needs to turn a picture into parameters, on a canvas that can't.
    fn can_encode(&mut self, stage: &Stage, before: Option<&Stage>) -> bool {
        let canvas = stage.canvas.spec.name;
        if encodes(canvas) {
            return true;
        }
        let acts = |mode: &&Call| {
            registry::mode(mode.spec.name).is_some_and(|word| word.acts() || mode.spec.name == "octaves")
        };
        let (span, what) = if let Some(mode) = stage.modes.iter().find(acts) {
            (mode.span, format!("the mode `{}` acts on the picture", mode.spec.name))
        } else if let Some(filter) = stage.filters.first() {
            (filter.call.span, format!("the filter `{}` acts on the picture", filter.call.spec.name))
        } else if before.is_some() {
            (stage.canvas.span, "a stage goes on with the picture of the stage before".to_string())
        } else if stage.init.spec.name != default_init(canvas) {
            (stage.init.span, format!("`init {}` makes a picture", stage.init.spec.name))
        } else {
            return true;
        };
        let message = format!("{what}, and `{canvas}` stands for no given picture");
        let help = "take it away, or use `fourier` or `pixels`".to_string();
        self.tell(
            Diagnostic::error(&codes::CANNOT_ENCODE, span, message, "not possible on this canvas").with_help(help),
        );
        false
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

    /// How the picture is parametrized; its place is that of the whole statement.
    fn parametrization(&mut self, scope: &mut Scope, source: &StageSource) -> Option<Call> {
        let statement = source.one(Slot::Canvas);
        let mut clauses = None;
        if let Some(statement) = statement {
            if !self.bare(statement, false) {
                return None;
            }
            clauses = Some(self.clauses(statement, &["as"])?);
        }
        let call = match clauses.as_ref().and_then(|clauses| clauses.get("as")) {
            Some(items) => self.call(scope, Kind::Canvas, items)?,
            None => {
                let spec = registry::find(Kind::Canvas, "pixels")?;
                let args = self.arguments(scope, spec, None, Span::default())?;
                Call { spec, args, block: Vec::new(), occurrence: 0, span: Span::default() }
            }
        };
        let span = statement.map_or(Span::default(), |statement| statement.span);
        Some(Call { span, ..call })
    }

    /// Width and height of the canvas.
    pub(super) fn canvas_size(
        &mut self,
        scope: &mut Scope,
        source: &StageSource,
        init: Option<&Call>,
        before: Option<&Stage>,
    ) -> Option<(usize, usize)> {
        let clauses = match source.one(Slot::Canvas) {
            Some(statement) => Some(self.clauses(statement, &["as"])?),
            None => None,
        };
        match clauses.as_ref().map(|clauses| clauses.operand.as_slice()) {
            None | Some([]) => self.default_size(init, before),
            Some(items) => match self.value(scope, items, &CANVAS)? {
                Arg::Size(width, height) => Some((width as usize, height as usize)),
                _ => None,
            },
        }
    }

    /// The canvas of a stage before; else the init image's size; else the model's own.
    fn default_size(&mut self, init: Option<&Call>, before: Option<&Stage>) -> Option<(usize, usize)> {
        if let Some(stage) = before {
            return Some((stage.width, stage.height));
        }
        if let Some(path) = init.and_then(|call| call.args.file("file")) {
            return self.picture_size(path, init?.span);
        }
        self.facts.as_ref().map(|facts| facts.size)
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

    fn steps_of(&mut self, scope: &mut Scope, items: &[Expr], param: &Param) -> Option<usize> {
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

    /// The sizes of what the network sees.
    pub(super) fn seen_sizes(stage: &Stage) -> Sizes {
        let size = (stage.height, stage.width);
        let start = Sizes { least: size, most: size };
        stage.transforms.iter().fold(start, |sizes, call| match registry::transform(call.spec.name) {
            Some(word) => word.sizes(&call.args, sizes),
            None => sizes,
        })
    }

    /// The fps of an animation that says none.
    pub(super) fn render(&mut self, scope: &mut Scope, statement: &Statement, steps: usize) -> Option<RenderUse> {
        if !self.bare(statement, false) {
            return None;
        }
        let clauses = self.clauses(statement, &["as", "every", "from", "until", "at"])?;
        let expanded = self.expand(scope, &clauses.operand);
        let (text, name_span) = match expanded.as_deref() {
            Some([Expr { kind: ExprKind::Text(text), span }]) => (text.clone(), *span),
            Some(_) => {
                let help = "write `render \"hen.gif\"`";
                let span = clauses.operand.first().map_or(statement.word.span, |item| item.span);
                self.wrong(span, "`render` takes a file's name in quotes", help);
                return None;
            }
            None if clauses.operand.is_empty() => {
                let help = "write `render \"hen.gif\"`";
                self.wrong(statement.word.span, "`render` needs a file's name in quotes", help);
                return None;
            }
            None => return None,
        };
        let file = self.fill(scope, &text, name_span, true)?;
        let format = self.format(&file, name_span)?;
        let layout = match clauses.get("as") {
            Some(items) => self.call(scope, Kind::Layout, items)?,
            None => {
                let spec = registry::find(Kind::Layout, "frames")?;
                let args = self.arguments(scope, spec, None, Span::default())?;
                Call { spec, args, block: Vec::new(), occurrence: 0, span: statement.span }
            }
        };
        let every = match clauses.get("every") {
            Some(items) => Some(self.steps_of(scope, items, &EVERY)?),
            None => None,
        };
        let from = clauses.get("from").map_or(Some(0), |items| self.steps_of(scope, items, &FROM))?;
        let until = clauses.get("until").map_or(Some(steps), |items| self.steps_of(scope, items, &UNTIL))?;
        let fps = match clauses.get("at") {
            Some(items) => self.number(scope, items, &FPS)?.constant()?,
            None => DEFAULT_FPS,
        };
        let every = match format {
            Format::Gif => Some(every.unwrap_or(steps.div_ceil(MOST_FRAMES))),
            // A strip shows how a picture grew, so it takes a handful of steps on its own.
            Format::Png if layout.spec.name == "strip" => Some(every.unwrap_or(steps.div_ceil(STRIP_FRAMES))),
            Format::Png => every,
            Format::Csv | Format::Svg => Some(every.unwrap_or(1)),
        };
        let schedule = every.map_or(Schedule::NEVER, |every| Schedule { every, from, until });
        Some(RenderUse { span: statement.span, name_span, file, format, layout, schedule, fps })
    }
}

/// A stage, or one for each size where it has the mode `octaves`, smallest first.
fn octaves(stage: Stage) -> Vec<Stage> {
    let Some(at) = stage.modes.iter().position(|mode| mode.spec.name == "octaves") else { return vec![stage] };
    let args = &stage.modes[at].args;
    let (count, scale) = (args.integer("count").max(1), args.dial("scale").and_then(|dial| dial.constant()));
    let (photo, scale) = (stage.init.args.file("file").is_some(), scale.unwrap_or(1.0));
    let sized = |length: usize, k: i64| ((length as f64 / libm::pow(scale, k as f64)).round() as usize).max(1);
    let one = |k: i64| {
        let mut octave = stage.clone();
        octave.modes.remove(at);
        octave.name = match stage.name.as_str() {
            "" => format!("octave{}", count - k),
            name => format!("{name}_octave{}", count - k),
        };
        (octave.width, octave.height) = (sized(stage.width, k), sized(stage.height, k));
        octave.over_photo = photo && k + 1 < count;
        octave
    };
    (0..count).rev().map(one).collect()
}

/// Whether a line that could not be read may have been an objective.
fn may_be_objective(line: &Unread) -> bool {
    line.word.as_ref().is_none_or(|word| matches!(word.text.as_str(), "maximize" | "minimize" | "attribute" | "stage"))
}

/// `optimize adam(lr = 0.05) for 256 steps`
pub(super) const DEFAULT_STEPS: usize = 256;
/// Frames a second where a recipe says none: slow enough to see a picture grow.
pub(super) const DEFAULT_FPS: f64 = 12.0;
/// An animation without `every` takes every ceil(N / 50).
const MOST_FRAMES: usize = 50;
/// Pictures of a strip without `every`.
const STRIP_FRAMES: usize = 6;

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
