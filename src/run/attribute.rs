//! Maps of photos: what an attribution asks, and how that is told.

use candle_core::{Result as Candle, Tensor, Var};

use super::error::{Culprit, NotFinite, RunError};
use super::finite::{greatest, is_finite};
use super::judge::{self, Verdict, judge};
use super::look::unknown;
use super::network::Network;
use super::pullback::seeded;
use super::state::Place;
use super::{Ending, Event, Scores, Setting, Step};
use crate::check::recipe::{Attribution, Stage};
use crate::plan::Take;
use crate::words::{Asked, Scorer, Taps, looked_at, registry, shades, smoothed};

/// The map of every variant of a batch, one after another. Each picture that the network is shown is a step, the photo
/// itself the first; all steps tell the photo's own score.
pub(super) fn maps(
    setting: &Setting,
    number: usize,
    networks: &[&dyn Network],
    done: &mut usize,
    ending: &mut Ending,
    sink: &mut dyn FnMut(Event),
) -> Result<(), RunError> {
    // The checker lets the terms of an attribution read one network only.
    let (Some(batch), Some(network)) = (setting.plan.batches.get(number), networks.first()) else { return Ok(()) };
    for index in &batch.variants {
        let Some(variant) = setting.recipe.variants.get(*index) else { continue };
        let Some(stage) = variant.stages.first() else { continue };
        let Some(attribution) = &stage.attribution else { continue };
        let before = *done;
        let mut told = |passes: usize, scores: &Scores| {
            let passes = passes.min(stage.steps);
            *done = before + passes;
            let step = Step {
                batch: number,
                variants: std::slice::from_ref(index),
                stage: 0,
                iteration: passes.saturating_sub(1),
                step: passes.saturating_sub(1),
                steps: stage.steps,
                done: *done,
                scores: std::slice::from_ref(scores),
            };
            sink(Event::Step(step));
            !setting.cancel.is_cancelled()
        };
        let at = Place { variant, stage, iteration: 0, step: 0 };
        let Some((scores, map, picture)) = map(setting, &at, attribution, *network, &mut told)? else {
            ending.cancelled = true;
            return Ok(());
        };
        sink(Event::Map { variant: *index, values: &map });
        let take = Take { stage: 0, iteration: stage.steps.saturating_sub(1) };
        sink(Event::Frame { variant: *index, take, last: true, picture: &picture });
        if let Some(place) = ending.scores.get_mut(*index) {
            *place = Some(scores);
        }
        sink(Event::Done { variant: *index });
    }
    Ok(())
}

/// Is told how many pictures the network was shown, and the photo's score; whether to go on.
type Told<'a> = &'a mut dyn FnMut(usize, &Scores) -> bool;

/// The photo's score, its map and the picture of that; nothing where it was stopped.
fn map(
    setting: &Setting,
    at: &Place,
    attribution: &Attribution,
    network: &dyn Network,
    told: Told,
) -> Result<Option<(Scores, Tensor, Tensor)>, RunError> {
    let Stage { height, width, .. } = at.stage;
    let Some(model) = at.variant.models.first() else { return Err(unknown(&attribution.method)) };
    let call = &attribution.photo;
    let path = call.args.file("file").unwrap_or(std::path::Path::new(""));
    let photo = (setting.photos)(path)
        .and_then(|photo| looked_at(&photo, &call.args, &model.facts, (*height, *width)))
        .map_err(RunError::of(call.spec.name, call.span))?;
    let method = &attribution.method;
    let word = registry::attribution(method.spec.name).ok_or_else(|| unknown(method))?;
    let mut asking = Asking { network, at, told, passes: 0, scores: Scores::default(), stopped: false, fault: None };
    let asked = Asked { photo: &photo, zero: model.mean, node: attribution.node.as_deref().unwrap_or_default() };
    let map =
        asking.begin(&photo).and_then(|()| word.map(&asked, &method.args, &method.moment(&at.moment()), &mut asking));
    let Asking { scores, stopped, fault, .. } = asking;
    if let Some(fault) = fault {
        return Err(fault);
    }
    let map = match map {
        Ok(map) => map,
        Err(_) if stopped => return Ok(None),
        Err(error) => return Err(RunError::of(method.spec.name, method.span)(error)),
    };
    if !is_finite(&map)? {
        let what = NotFinite {
            what: Culprit::Gradient,
            word: method.spec.name,
            span: method.span,
            variant: at.variant.label.clone(),
            step: 0,
            greatest: greatest(&photo).unwrap_or(f64::INFINITY),
        };
        return Err(RunError::NotFinite(what));
    }
    let share = word.smooth(&method.args, &method.moment(&at.moment()));
    let picture = shades(&smoothed(&map, share)?, &photo, word.is_signed())?;
    Ok(Some((scores, map, picture)))
}

/// A method's questions, answered by a network and the terms of a recipe.
struct Asking<'a, 'r> {
    network: &'a dyn Network,
    at: &'a Place<'r>,
    told: Told<'a>,
    /// Pictures that the network was shown.
    passes: usize,
    /// The photo's own.
    scores: Scores,
    stopped: bool,
    /// Why a question could not be answered, with its place.
    fault: Option<RunError>,
}

impl Asking<'_, '_> {
    /// The photo's own score.
    fn begin(&mut self, photo: &Tensor) -> Candle<()> {
        let input = self.input(photo)?;
        let taps = self.network.forward(&input, false)?;
        let Verdict { terms, activation, probability, .. } = self.verdict(&taps, 0)?;
        let terms = terms.into_iter().map(|(_, value)| value).collect();
        let (penalties, probabilities) = (Vec::new(), vec![probability]);
        self.scores = Scores { loss: -activation, terms, penalties, activation, probabilities };
        self.passed(1)
    }

    /// What the network sees of pictures.
    fn input(&self, pictures: &Tensor) -> Candle<Tensor> {
        self.at.normalized(pictures, 0)
    }

    fn passed(&mut self, pictures: usize) -> Candle<()> {
        self.passes += pictures;
        self.stopped = !(self.told)(self.passes, &self.scores);
        if self.stopped { candle_core::bail!("stopped") } else { Ok(()) }
    }

    /// What the terms make of one picture, as if it were alone.
    fn verdict(&mut self, taps: &Taps, image: usize) -> Candle<Verdict> {
        let own = taps
            .iter()
            .map(|(node, tap)| Ok((node.clone(), tap.detach().narrow(0, image, 1)?.contiguous()?)))
            .collect::<Candle<Taps>>()?;
        // What compares with photos or variants is not asked about: the checker refuses it.
        let others = vec![Vec::new(); self.at.stage.terms.len()];
        let fault = match judge(own, 0, &others, self.at) {
            Ok(Ok(verdict)) => return Ok(verdict),
            Ok(Err(judge::Fault(what, term))) => RunError::NotFinite(NotFinite {
                what,
                word: term.call.spec.name,
                span: term.call.span,
                variant: self.at.variant.label.clone(),
                step: 0,
                greatest: 1.0,
            }),
            Err(error) => error,
        };
        self.fault = Some(fault);
        candle_core::bail!("no score")
    }

    /// A loss whose gradient is that of Σ activation of all pictures; each leads to its own alone.
    fn loss(&mut self, taps: &Taps, images: usize) -> Candle<Option<Tensor>> {
        let verdicts = (0..images).map(|image| self.verdict(taps, image)).collect::<Candle<Vec<_>>>()?;
        let mut loss: Option<Tensor> = None;
        for (node, tap) in taps {
            let mut parts = Vec::with_capacity(images);
            for (image, verdict) in verdicts.iter().enumerate() {
                parts.push(match verdict.gradients.get(node) {
                    Some(gradient) => gradient.neg()?,
                    None => tap.detach().narrow(0, image, 1)?.zeros_like()?,
                });
            }
            let link = seeded(tap, &Tensor::cat(&parts, 0)?)?;
            loss = Some(match loss {
                Some(sum) => (sum + link)?,
                None => link,
            });
        }
        Ok(loss)
    }
}

impl Scorer for Asking<'_, '_> {
    fn values(&mut self, pictures: &Tensor) -> Candle<Vec<f64>> {
        let taps = self.network.forward(&self.input(pictures)?, false)?;
        let images = pictures.dim(0)?;
        let values = (0..images).map(|image| Ok(self.verdict(&taps, image)?.activation)).collect::<Candle<_>>()?;
        self.passed(images)?;
        Ok(values)
    }

    fn gradients(&mut self, pictures: &Tensor) -> Candle<Tensor> {
        let leaf = Var::from_tensor(&pictures.detach())?;
        let taps = self.network.forward(&self.input(&leaf)?, false)?;
        let images = pictures.dim(0)?;
        let gradient = match self.loss(&taps, images)? {
            Some(loss) => loss.backward()?.remove(&leaf),
            None => None,
        };
        self.passed(images)?;
        gradient.map_or_else(|| leaf.zeros_like(), Ok)
    }

    fn at_node(&mut self, picture: &Tensor, node: &str) -> Candle<(Tensor, Tensor)> {
        let input = self.input(picture)?;
        let taps = self.network.forward(&input, false)?;
        let Some(tap) = taps.get(node) else { candle_core::bail!("`{node}` is not read") };
        let held = Var::from_tensor(&tap.detach())?;
        let mut taps = self.network.forward_from(&input, node, held.as_tensor())?;
        // A term may read the node itself; else it is no part of the sum.
        if !self.at.stage.terms.iter().any(|term| term.nodes.iter().any(|read| read == node)) {
            taps.remove(node);
        }
        let gradient = match self.loss(&taps, 1)? {
            Some(loss) => loss.backward()?.remove(&held),
            None => None,
        };
        self.passed(1)?;
        let gradient = gradient.map_or_else(|| held.zeros_like(), Ok)?;
        Ok((held.as_detached_tensor(), gradient))
    }
}
