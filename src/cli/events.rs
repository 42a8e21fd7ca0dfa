//! `--json`: every event as one JSON object a line on stdout, for programs. The fields are stable: more may come, none
//! changes its meaning.
//!
//! | `event` | fields |
//! | --- | --- |
//! | `started` | `recipe`, `steps` (of all batches), `variants` (labels) |
//! | `fetching` | `model`, `bytes`, `of` (or null) |
//! | `loaded` | `weights`: list of `name`, `sha256`, `non_commercial` (reason or null) |
//! | `kept` | `variant`, `label`: it is not grown, it was kept from an earlier run; before `started`, whose steps don't count it |
//! | `not_kept` | `message`: variants can't be kept for later runs; at most once |
//! | `step` | `step` (from 0), `steps`, `done` (of all batches), `stage`, `iteration`, `variants`: list of `variant`, `label`, `loss`, `activation`, `probabilities` (of each network, or null), `probability` (the first of them that is not null), `terms`, `penalties` |
//! | `frame` | `variant`, `label`, `stage`, `iteration`, `last` |
//! | `note` | `diagnostic`, as `--diagnostic-format json` prints it |
//! | `not_written` | `message`, `again` (whether it is tried again in the end): the first file that can't be written while others still grow |
//! | `wrote` | `file` |
//! | `failed` | `message`, `help`, `diagnostics`, `files` (written all the same) |
//! | `saved` | `files`: under `watch`, a new run is about to begin |
//! | `first_picture` | `seconds` from the save until the first picture can be seen, under `watch` |
//! | `finished` | `cancelled`, `files`: the last line of a run that did not fail |
//!
//! A number that is none (NaN, infinite) is null.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use super::report::object;
use crate::run::{Event, Step};
use crate::session::News;
use crate::source::Sources;

/// Writes events.
#[derive(Debug, Default)]
pub struct Events {
    /// The variants' labels.
    pub labels: Vec<String>,
    /// For each variant its stages' names.
    pub stages: Vec<Vec<String>>,
    /// Those of the run, for its last line.
    pub files: Vec<PathBuf>,
    /// Nobody reads any more.
    closed: bool,
}

impl Events {
    /// Something happened.
    pub fn news(&mut self, news: &News, recipe: &str, sources: &Sources) {
        let value = match news {
            News::Fetching { model, done, all } => {
                json!({"event": "fetching", "model": model, "bytes": done, "of": all})
            }
            News::Loaded(identities) => {
                let weights: Vec<Value> = identities
                    .iter()
                    .map(|i| json!({"name": i.name, "sha256": i.sha256, "non_commercial": i.non_commercial}))
                    .collect();
                json!({"event": "loaded", "weights": weights})
            }
            News::Kept { variant, .. } => {
                json!({"event": "kept", "variant": variant, "label": self.labels.get(*variant)})
            }
            News::NotKept(error) => json!({"event": "not_kept", "message": error.to_string()}),
            News::Run(Event::Started { steps, .. }) => {
                json!({"event": "started", "recipe": recipe, "steps": steps, "variants": self.labels})
            }
            News::Run(Event::Step(step)) => self.step(step),
            News::Run(Event::Frame { variant, take, last, .. }) => json!({
                "event": "frame", "variant": variant, "label": self.labels.get(*variant),
                "stage": self.stage(*variant, take.stage), "iteration": take.iteration, "last": last,
            }),
            News::Run(Event::Note { note, .. }) => json!({"event": "note", "diagnostic": object(note, sources)}),
            News::Run(
                Event::Phase(_) | Event::View { .. } | Event::Map { .. } | Event::Done { .. } | Event::Finished { .. },
            )
            | News::Writing => return,
            News::NotWritten { why, again } => json!({"event": "not_written", "message": why, "again": again}),
            News::Wrote(path) => {
                self.files.push(path.to_path_buf());
                json!({"event": "wrote", "file": path})
            }
        };
        self.write(&value);
    }

    fn stage(&self, variant: usize, stage: usize) -> Option<&String> {
        self.stages.get(variant)?.get(stage)
    }

    fn step(&self, step: &Step) -> Value {
        let variants: Vec<Value> = step
            .variants
            .iter()
            .zip(step.scores)
            .map(|(variant, scores)| {
                json!({
                    "variant": variant, "label": self.labels.get(*variant), "loss": scores.loss,
                    "activation": scores.activation, "probability": scores.probabilities.iter().flatten().next(),
                    "probabilities": scores.probabilities,
                    "terms": scores.terms, "penalties": scores.penalties,
                })
            })
            .collect();
        json!({
            "event": "step", "step": step.step, "steps": step.steps, "done": step.done,
            "stage": step.variants.first().and_then(|&first| self.stage(first, step.stage)),
            "iteration": step.iteration, "variants": variants,
        })
    }

    /// A saved recipe is about to run.
    pub fn saved(&mut self, files: &[String]) {
        self.write(&json!({"event": "saved", "files": files}));
    }

    /// Its first picture can be seen.
    pub fn first_picture(&mut self, after: Duration) {
        self.write(&json!({"event": "first_picture", "seconds": after.as_secs_f64()}));
    }

    /// The run ended, with all its files written.
    pub fn ended(&mut self, cancelled: bool) {
        let value = json!({"event": "finished", "cancelled": cancelled, "files": self.files});
        self.write(&value);
    }

    /// It could not run, or not to its end.
    pub fn failed(&mut self, message: &str, help: Option<&str>, diagnostics: Vec<Value>, files: &[PathBuf]) {
        let value = json!({
            "event": "failed", "message": message, "help": help, "diagnostics": diagnostics, "files": files,
        });
        self.write(&value);
    }

    /// A reader that has gone is no reason to stop a run: its files are still wanted.
    fn write(&mut self, value: &Value) {
        if !self.closed {
            let mut stdout = std::io::stdout().lock();
            self.closed = writeln!(stdout, "{value}").and_then(|()| stdout.flush()).is_err();
        }
    }
}
