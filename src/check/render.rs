//! A `render` statement: its file, its layout and the moments that it shows.

use super::Checker;
use super::build::{EVERY, FROM, UNTIL};
use super::recipe::{Format, Schedule};
use super::scope::Scope;
use crate::source::Span;
use crate::spec::{Call, Kind, Param, Presence, Type, Unit};
use crate::syntax::ast::{Expr, ExprKind, Statement};
use crate::words::{LEAST_FPS, MOST_FPS, registry};

/// Frames a second where a recipe says none: slow enough to see a picture grow.
pub(super) const DEFAULT_FPS: f64 = 12.0;
/// An animation without `every` takes every ceil(N / 50).
const MOST_FRAMES: usize = 50;
/// Pictures of a strip without `every`.
const STRIP_FRAMES: usize = 6;

const FPS: Param =
    Param::new("at", Type::Number { unit: Unit::Fps, min: LEAST_FPS, max: MOST_FPS }, Presence::Required, "");

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

impl Checker<'_> {
    /// What a statement asks for in a stage of so many steps.
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
        let flips = layout.spec.name == "flipbook";
        if flips && format == Format::Png {
            let help = "write `.gif`, or `as sheet` for all of them in one still";
            self.wrong(name_span, "a flipbook is an animation", help);
            return None;
        }
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
            Format::Gif if flips => every,
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
