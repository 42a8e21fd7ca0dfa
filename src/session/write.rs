//! Encodes the files of a run and puts them on the disk.

use std::path::Path;

use super::News;
use super::collect::{Collected, Needed};
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
use crate::source::{CancelToken, Span};

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
    /// A frame could not be kept.
    #[error("a frame is missing: {0}")]
    Frame(String),
}

/// Writes the files of a run, each as soon as nothing of it is missing, so that frames need not wait for the whole run.
pub(super) struct Writing<'a> {
    pub recipe: &'a Recipe,
    pub plan: &'a Plan,
    /// Where they go; nothing is written without it.
    pub folder: Option<&'a Path>,
    /// For each batch of the plan the weights that it ran on.
    pub weights: &'a [Vec<Identity>],
    /// Once it is set nothing is written any more.
    pub discard: &'a CancelToken,
    /// For each variant its files, by their numbers in the plan.
    files: Vec<Vec<usize>>,
    /// For each file of how many variants it waits; nothing once it is written, or can never be.
    waits: Vec<Option<usize>>,
    /// Why files can never be written.
    lost: Vec<WriteError>,
    /// Variants that are not done.
    left: usize,
    /// Whether it was told that a file can't be written.
    warned: bool,
}

impl WriteError {
    /// Whether another try may do better: a disk may get room, a picture does not become smaller.
    fn may_pass(&self) -> bool {
        matches!(self, Self::File(_))
    }
}

impl<'a> Writing<'a> {
    pub fn new(
        recipe: &'a Recipe,
        plan: &'a Plan,
        folder: Option<&'a Path>,
        weights: &'a [Vec<Identity>],
        discard: &'a CancelToken,
    ) -> Self {
        let mut files = vec![Vec::new(); recipe.variants.len()];
        for (at, output) in plan.outputs.iter().enumerate() {
            for member in &output.members {
                files.get_mut(member.variant).into_iter().for_each(|own: &mut Vec<usize>| own.push(at));
            }
        }
        let waits = plan.outputs.iter().map(|output| Some(output.members.len())).collect();
        Self {
            recipe,
            plan,
            folder,
            weights,
            discard,
            files,
            waits,
            lost: Vec::new(),
            left: recipe.variants.len(),
            warned: false,
        }
    }

    /// A variant is done: writes the files that waited for it alone, and drops frames that no other file shows. A file
    /// that can't be written keeps its frames and is tried again in the end, unless that is no use. The first one is told
    /// at once: who hears of it after hours of work could have made room.
    pub fn done(&mut self, variant: usize, all: &mut Collected, tell: &mut dyn FnMut(News)) {
        let mut touched = vec![variant];
        self.left = self.left.saturating_sub(1);
        for at in self.files.get(variant).cloned().unwrap_or_default() {
            let Some(Some(waits)) = self.waits.get_mut(at) else { continue };
            *waits -= 1;
            let Some(output) = self.plan.outputs.get(at).filter(|_| *waits == 0) else { continue };
            if self.is_wanted() {
                tell(News::Writing);
                if let Err(error) = self.output(output, all, tell) {
                    let again = error.may_pass();
                    if self.left > 0 && !std::mem::replace(&mut self.warned, true) {
                        tell(News::NotWritten { why: &error.to_string(), again });
                    }
                    if again {
                        continue;
                    }
                    self.lost.push(error);
                }
            }
            self.waits[at] = None;
            touched.extend(output.members.iter().map(|member| member.variant).filter(|other| *other != variant));
        }
        for variant in touched {
            all.keep_only(variant, &self.needed(variant));
        }
    }

    /// Nothing more comes: writes every file that is left and for which the run made something. One that fails doesn't
    /// keep the others from being written.
    pub fn rest(mut self, mut all: Collected, tell: &mut dyn FnMut(News)) -> Vec<WriteError> {
        let mut errors: Vec<WriteError> = all.problem.take().map(WriteError::Frame).into_iter().collect();
        errors.append(&mut self.lost);
        for (at, output) in self.plan.outputs.iter().enumerate() {
            if !self.is_wanted() || self.waits.get(at).copied().flatten().is_none() {
                continue;
            }
            tell(News::Writing);
            errors.extend(self.output(output, &all, tell).err());
            self.waits[at] = None;
            // A long animation is large.
            for member in &output.members {
                all.keep_only(member.variant, &self.needed(member.variant));
            }
        }
        errors
    }

    fn is_wanted(&self) -> bool {
        self.folder.is_some() && !self.discard.is_cancelled()
    }

    /// What files that are not written yet show of a variant.
    pub fn needed(&self, variant: usize) -> Needed {
        let mut needed = Needed::default();
        for &at in self.files.get(variant).map_or(&[][..], Vec::as_slice) {
            let Some(output) = self.plan.outputs.get(at).filter(|_| self.waits.get(at) != Some(&None)) else {
                continue;
            };
            let Some(render) = self.recipe.renders.get(output.render) else { continue };
            let takes = output.members.iter().filter(|member| member.variant == variant).flat_map(|m| &m.takes);
            match render.format {
                Format::Csv | Format::Svg => needed.scores = true,
                _ if render.layout.spec.name == "view" => needed.views.extend(takes),
                _ => needed.canvases.extend(takes),
            }
        }
        needed
    }

    /// Writes a file, or several of a series; nothing where the run made nothing of it.
    fn output(&self, output: &Output, all: &Collected, tell: &mut dyn FnMut(News)) -> Result<(), WriteError> {
        let (Some(folder), Some(render)) = (self.folder, self.recipe.renders.get(output.render)) else { return Ok(()) };
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
            let path = inside(folder, &name).map_err(|problem| WriteError::Name { name: name.clone(), problem })?;
            file::write(&path, bytes)?;
            tell(News::Wrote(&path));
            Ok(())
        };
        match render.format {
            Format::Csv if output.members.iter().any(|member| all.of(member.variant).map.is_some()) => {
                let mut numbers = csv::Map::default();
                for member in &output.members {
                    let Some(map) = &all.of(member.variant).map else { continue };
                    let label = self.recipe.variants.get(member.variant).map_or("", |variant| &variant.label);
                    numbers.add(label, map);
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
            let made = all.of(index);
            let end = made.end.map(|take| take.stage);
            let stage = end.map_or(variant.stages.last(), |stage| variant.stages.get(stage))?;
            let scores = made.latest.as_ref().map(|scores| last_scores(stage, scores)).unwrap_or_default();
            let steps = total_steps(variant);
            let stopped = (made.steps < steps).then_some(Stopped { step: made.steps as u64, of: steps as u64 });
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
