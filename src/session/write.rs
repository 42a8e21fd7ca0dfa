//! Encodes the files of a run and puts them on the disk.

use std::path::Path;

use candle_core::DType;

use super::collect::Collected;
use super::pictures::{Page, number, pages};
use super::table::{last_scores, table};
use super::weights::Identity;
use crate::check::recipe::{Format, Recipe, Render};
use crate::plan::{Output, Plan, total_steps};
use crate::render::file::{self, FileError};
use crate::render::metadata::{Metadata, Stopped, Variant, Weights};
use crate::render::picture::over_gray;
use crate::render::slug::{NameError, inside};
use crate::render::{csv, gif, plot, png};
use crate::source::Span;

/// Why a file of a recipe could not be made.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// It could not be put on the disk.
    #[error(transparent)]
    File(#[from] FileError),
    /// Its name leads nowhere.
    #[error("can't write `{name}`: {problem}")]
    Name {
        /// The name.
        name: String,
        /// Why not.
        problem: NameError,
    },
    /// Its pictures could not be laid out or encoded.
    #[error("can't make `{name}`: {problem}")]
    Encode {
        /// The name.
        name: String,
        /// Why not.
        problem: String,
        /// The `render` statement.
        span: Span,
    },
}

/// What is known besides the frames when files are written.
pub(super) struct Writing<'a> {
    pub recipe: &'a Recipe,
    pub plan: &'a Plan,
    pub folder: &'a Path,
    /// For each batch of the plan the weights that it ran on.
    pub weights: &'a [Vec<Identity>],
}

impl Writing<'_> {
    /// Writes every file for which the run made something; `wrote` is told each name. One that fails doesn't keep the
    /// others from being written.
    pub fn all(&self, mut all: Collected, wrote: &mut dyn FnMut(&Path)) -> Vec<WriteError> {
        let mut errors = Vec::new();
        for (at, output) in self.plan.outputs.iter().enumerate() {
            if let Err(error) = self.output(output, &all, wrote) {
                errors.push(error);
            }
            self.forget(at, &mut all);
        }
        errors
    }

    /// Frames that no file behind number `at` shows are dropped: a long animation is large.
    fn forget(&self, at: usize, all: &mut Collected) {
        let later = self.plan.outputs.get(at + 1..).unwrap_or_default();
        let shown = |variant: usize| later.iter().any(|output| output.members.iter().any(|m| m.variant == variant));
        all.canvases.retain(|(variant, _), _| shown(*variant));
        all.views.retain(|(variant, _), _| shown(*variant));
    }

    fn output(&self, output: &Output, all: &Collected, wrote: &mut dyn FnMut(&Path)) -> Result<(), WriteError> {
        let Some(render) = self.recipe.renders.get(output.render) else { return Ok(()) };
        let steps = output
            .members
            .iter()
            .filter_map(|member| self.recipe.variants.get(member.variant))
            .map(total_steps)
            .max()
            .unwrap_or(0);
        let encode = |problem: String| WriteError::Encode { name: output.name.clone(), problem, span: render.span };
        let last = |pages: &[Page]| pages.last().map_or(0, |page| page.step);
        let mut put = |name: String, bytes: &[u8]| -> Result<(), WriteError> {
            let path =
                inside(self.folder, &name).map_err(|problem| WriteError::Name { name: name.clone(), problem })?;
            file::write(&path, bytes)?;
            wrote(&path);
            Ok(())
        };
        match render.format {
            Format::Csv if !all.maps.is_empty() => {
                let mut numbers = csv::Map::default();
                for member in &output.members {
                    let Some(map) = all.maps.get(&member.variant) else { continue };
                    let label = self.recipe.variants.get(member.variant).map_or("", |variant| &variant.label);
                    let rows = map.to_dtype(DType::F64).and_then(|map| map.to_vec2::<f64>());
                    numbers.add(label, &rows.map_err(|error| encode(crate::run::reason(&error)))?);
                }
                put(output.name.clone(), numbers.finish().as_bytes())
            }
            Format::Csv | Format::Svg => {
                let scores = table(self.recipe, output, all);
                if scores.rows.is_empty() {
                    return Ok(());
                }
                let text = if render.format == Format::Csv {
                    csv::table(&scores)
                } else {
                    plot::svg(&scores, &self.recipe.name)
                };
                put(output.file_name(steps.saturating_sub(1), steps), text.as_bytes())
            }
            Format::Gif => {
                let pages = pages(self.recipe, output, all).map_err(encode)?;
                if pages.is_empty() {
                    return Ok(());
                }
                let name = output.file_name(last(&pages), steps);
                let frames: Vec<_> = pages.into_iter().map(|page| over_gray(&page.picture)).collect();
                let metadata = self.metadata(output, all);
                let options = options(render, &metadata);
                let bytes = gif::encode(&frames, &options).map_err(|error| encode(error.to_string()))?;
                put(name, &bytes)
            }
            Format::Png => {
                let metadata = self.metadata(output, all);
                let mut pages = pages(self.recipe, output, all).map_err(encode)?;
                if !output.is_series() {
                    pages = pages.pop().into_iter().collect();
                }
                for page in pages {
                    let bytes =
                        png::encode(&page.picture, Some(&metadata)).map_err(|error| encode(error.to_string()))?;
                    put(output.file_name(page.step, steps), &bytes)?;
                }
                Ok(())
            }
        }
    }

    fn metadata(&self, output: &Output, all: &Collected) -> Metadata {
        let members = output.members.iter().map(|member| member.variant);
        let mut weights: Vec<Weights> = Vec::new();
        let mut reasons: Vec<&str> = Vec::new();
        for (batch, identities) in self.plan.batches.iter().zip(self.weights) {
            if !batch.variants.iter().any(|variant| members.clone().any(|member| member == *variant)) {
                continue;
            }
            for identity in identities {
                let own = Weights { name: identity.name.clone(), sha256: identity.sha256.clone() };
                if !weights.contains(&own) {
                    weights.push(own);
                }
                reasons.extend(identity.non_commercial.as_deref().filter(|reason| !reasons.contains(reason)));
            }
        }
        let variant = |index: usize| {
            let variant = self.recipe.variants.get(index)?;
            let end = all.ends.get(&index).map(|take| take.stage);
            let stage = end.map_or(variant.stages.last(), |stage| variant.stages.get(stage))?;
            let scores = all.latest.get(&index).map(|scores| last_scores(stage, scores)).unwrap_or_default();
            let (made, steps) = (all.made.get(&index).copied().unwrap_or(0), total_steps(variant));
            let stopped = (made < steps).then_some(Stopped { step: made as u64, of: steps as u64 });
            Some(Variant { label: variant.label.clone(), seed: variant.seed, scores, stopped })
        };
        Metadata {
            version: env!("CARGO_PKG_VERSION").to_string(),
            recipe: self.recipe.resolved.clone(),
            weights,
            non_commercial: (!reasons.is_empty()).then(|| reasons.join(", ")),
            variants: members.clone().filter_map(variant).collect(),
        }
    }
}

fn options<'a>(render: &Render, metadata: &'a Metadata) -> gif::Options<'a> {
    gif::Options {
        fps: render.fps,
        hold: number(render, "hold", 1.0),
        plays: if render.layout.args.choice("loop") == "once" { gif::Plays::Times(1) } else { gif::Plays::Forever },
        metadata: Some(metadata),
    }
}
