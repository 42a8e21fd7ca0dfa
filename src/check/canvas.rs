//! The canvas of a stage: its size, its parametrization, and what can't be done with that.

use super::Checker;
use super::recipe::Stage;
use super::scope::Scope;
use super::structure::{Slot, StageSource};
use crate::source::{Diagnostic, Span, codes};
use crate::spec::{Arg, Call, Kind, Param, Presence, Type};
use crate::words::{Sizes, default_init, encodes, registry};

const CANVAS: Param = Param::new("canvas", Type::Size, Presence::Required, "");

impl Checker<'_> {
    /// How the picture is parametrized; its place is that of the whole statement.
    pub(super) fn parametrization(&mut self, scope: &mut Scope, source: &StageSource) -> Option<Call> {
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

    /// Tells of what needs to turn a picture into parameters, on a canvas that can't.
    pub(super) fn can_encode(&mut self, stage: &Stage, before: Option<&Stage>) -> bool {
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

    /// Tells of a running mean of pictures that move: it would show them all at once.
    pub(super) fn can_average(&mut self, stage: &Stage) -> bool {
        let averages = stage.optimizer.args.dial("average").and_then(|dial| dial.constant()) != Some(0.0);
        let acts = |mode: &&Call| registry::mode(mode.spec.name).is_some_and(|word| word.acts());
        let Some(mode) = stage.modes.iter().find(acts).filter(|_| averages) else { return true };
        let span = stage.optimizer.args.span("average").unwrap_or(stage.optimizer.span);
        let message = format!("`average` can't be used with the mode `{}`, which moves the picture", mode.spec.name);
        let label = "the mean would show where everything was";
        self.tell(Diagnostic::error(&codes::OUT_OF_RANGE, span, message, label).with_help("take one of the two away"));
        false
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
}

/// A stage, or one for each size where it has the mode `octaves`, smallest first.
pub(super) fn octaves(stage: Stage) -> Vec<Stage> {
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
