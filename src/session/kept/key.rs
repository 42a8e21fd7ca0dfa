//! The text that decides about the bytes of a variant. Its checksum is the name under which they are kept.
//!
//! Every struct is taken apart with all its fields named, and every kind of value is listed: a field or a kind that is
//! added one day does not compile here until somebody has said whether it matters. The recipe's own text would not do
//! instead: it is one for all variants, with lets, renders and comments in it, and photos and weights are only paths.

use std::path::Path;

use crate::check::recipe::{Attribution, Model, Schedule, Scheduled, Stage, Term, Variant};
use crate::spec::{Arg, Call};

/// The text of a variant that runs on weights of these checksums. `photo` tells the checksum of a file; nothing where it
/// can't be read.
pub(super) fn text(
    variant: &Variant,
    weights: &[&str],
    photo: &mut dyn FnMut(&Path) -> Option<String>,
) -> Option<String> {
    let mut text = Text { lines: String::new(), photo, is_whole: true };
    text.line("weights", weights);
    // A label names files and columns.
    let Variant { label: _, values: _, models, seed, stages } = variant;
    text.line("seed", seed);
    // The facts follow from the model and its weights; terms say by number which one they read.
    for Model { name: _, call, facts: _, mean, std } in models {
        text.model(call);
        text.line("mean, std", (mean, std));
    }
    stages.iter().for_each(|stage| text.stage(stage));
    text.is_whole.then_some(text.lines)
}

struct Text<'a> {
    lines: String,
    photo: &'a mut dyn FnMut(&Path) -> Option<String>,
    /// Whether all photos could be read.
    is_whole: bool,
}

impl Text<'_> {
    /// Quoted as Rust would: floats to the last bit, texts in quotes, so that no two lists of lines look the same.
    fn line(&mut self, what: &str, value: impl std::fmt::Debug) {
        self.lines.push_str(&format!("{what}: {value:?}\n"));
    }

    /// What the files of a model hold is its weights, which are known, and labels, which name things.
    fn model(&mut self, call: &Call) {
        let Call { spec, args, block: _, occurrence: _, span: _ } = call;
        self.line("model", spec.name);
        for (name, value, _) in args.iter() {
            if !matches!(value, Arg::File(_)) {
                self.line(name, value);
            }
        }
    }

    fn stage(&mut self, stage: &Stage) {
        let Stage {
            name,
            width,
            height,
            canvas,
            over_photo,
            init,
            terms,
            views,
            transforms,
            penalties,
            filters,
            modes,
            optimizer,
            steps,
            attribution,
        } = stage;
        // Draws depend on the stage's name.
        self.line("stage", (name, width, height, over_photo, views, steps));
        self.call("canvas", canvas);
        self.call("init", init);
        for Term { name: _, weight, call, model, nodes } in terms {
            self.line("term", (weight, model, nodes));
            self.call("objective", call);
        }
        self.calls("transform", transforms);
        self.calls("penalty", penalties);
        for Scheduled { call, schedule: Schedule { every, from, until } } in filters {
            self.line("every, from, until", (every, from, until));
            self.call("filter", call);
        }
        self.calls("mode", modes);
        self.call("optimizer", optimizer);
        if let Some(Attribution { method, photo, node }) = attribution {
            self.line("attribution of", node);
            self.call("method", method);
            self.call("photo", photo);
        }
    }

    fn calls(&mut self, what: &str, calls: &[Call]) {
        calls.iter().for_each(|call| self.call(what, call));
    }

    fn call(&mut self, what: &str, call: &Call) {
        let Call { spec, args, block, occurrence, span: _ } = call;
        self.line(what, (spec.name, occurrence));
        for (name, value, _) in args.iter() {
            match value {
                Arg::File(path) => self.photo(name, path),
                Arg::Files(paths) => paths.iter().for_each(|path| self.photo(name, path)),
                // A term says by its number which network it reads.
                Arg::Model(_) => {}
                Arg::Number(_)
                | Arg::Choice(_)
                | Arg::Switch(_)
                | Arg::Text(_)
                | Arg::Size(..)
                | Arg::Node(_)
                | Arg::Units(_)
                | Arg::Point(_)
                | Arg::Numbers(_)
                | Arg::Interval(..)
                | Arg::None => self.line(name, value),
            }
        }
        self.calls("in its block", block);
        self.line("end of", what);
    }

    fn photo(&mut self, name: &str, path: &Path) {
        match (self.photo)(path) {
            Some(checksum) => self.line(name, checksum),
            None => self.is_whole = false,
        }
    }
}
