//! The canvas of a stage: its size, its parametrization, and what can't be done with that.

use super::Checker;
use super::recipe::Stage;
use super::scope::Scope;
use super::structure::{Slot, StageSource};
use crate::source::{Diagnostic, Span, codes, photo};
use crate::spec::{Arg, Call, Kind, Param, Presence, Type};
use crate::words::{default_init, encodes, planes, registry};

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

    /// Tells of a mask that is no picture, or that lets nothing move.
    pub(super) fn mask_moves(&mut self, stage: &Stage) -> bool {
        let args = &stage.canvas.args;
        let (Some(path), Some(span)) = (args.file("mask"), args.span("mask")) else { return true };
        let key = (path.to_path_buf(), stage.height, stage.width);
        let moves = match self.masks.get(&key) {
            Some(known) => known.clone(),
            None => {
                let read = self.world.read(path).map_err(|error| error.to_string());
                let moves = read.and_then(|bytes| shows_light(&bytes, (stage.height, stage.width)));
                self.masks.insert(key, moves.clone());
                moves
            }
        };
        let problem = match moves {
            Ok(true) => return true,
            Ok(false) => {
                Diagnostic::error(&codes::MASK_HOLDS_ALL, span, "the mask lets nothing move", "black all over")
                    .with_help("paint white where the canvas is to move")
            }
            Err(reason) => Diagnostic::error(&codes::BAD_FILE, span, "the mask can't be read", reason)
                .with_help("masks are PNG, JPEG or WebP"),
        };
        self.tell(problem);
        false
    }

    /// Tells of penalties that read alpha, on a canvas that has none.
    pub(super) fn has_what_penalties_read(&mut self, stage: &Stage) -> bool {
        if planes(&stage.canvas) == 4 {
            return true;
        }
        let reads = |call: &&Call| registry::penalty(call.spec.name).is_some_and(|word| word.reads_alpha());
        let Some(call) = stage.penalties.iter().find(reads) else { return true };
        let message = format!("`{}` needs alpha, and the canvas has none", call.spec.name);
        // Where the canvas has no such parameter, another one has.
        let canvas = if stage.canvas.spec.param("alpha").is_some() { stage.canvas.spec.name } else { "fourier" };
        let help = format!("write `canvas {}x{} as {canvas}(alpha = on)`", stage.width, stage.height);
        self.tell(Diagnostic::error(&codes::NO_ALPHA, call.span, message, "nothing to read").with_help(help));
        false
    }
}

/// Whether a mask has a place that is not black in what is left of it when it fills a canvas of that height and width.
fn shows_light(bytes: &[u8], (height, width): (usize, usize)) -> Result<bool, String> {
    let mask = photo::decode(bytes).map_err(|error| error.to_string())?.into_rgba8();
    let factor = (width as f64 / f64::from(mask.width())).max(height as f64 / f64::from(mask.height()));
    // What stands out is cut off, alike on both sides.
    let shown = |at: u32, length: u32, side: usize| {
        (f64::from(at) + 0.5 - f64::from(length) / 2.0).abs() * factor <= side as f64 / 2.0
    };
    let (wide, high) = mask.dimensions();
    let mut pixels = mask.enumerate_pixels();
    // What is clear lies over gray, and gray moves.
    Ok(pixels.any(|(x, y, pixel)| pixel.0 != [0, 0, 0, 255] && shown(x, wide, width) && shown(y, high, height)))
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
