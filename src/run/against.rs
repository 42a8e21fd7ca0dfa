//! What terms compare a picture with: photos as the network sees them, and the other variants of the batch.

use std::collections::BTreeMap;

use candle_core::Tensor;

use super::error::RunError;
use super::look::{seen, unknown};
use super::network::Network;
use super::state::Place;
use super::step::Lane;
use crate::check::recipe::Term;
use crate::words::{Against, Other, Photos, Taps, cover, registry};

/// The photos of one variant in one stage, by the number of the term that compares with it.
#[derive(Clone, Default)]
pub(super) struct References(BTreeMap<usize, Reference>);

#[derive(Clone)]
enum Reference {
    /// `[1, 3, H, W]`, which goes through the transforms anew at each step.
    Picture(Tensor),
    /// What the network makes of a photo that is seen as it is.
    Tap(Tensor),
}

impl References {
    /// Reads the photos of a stage and shows those that are not transformed to the network of their term.
    pub fn of(at: &Place, networks: &[&dyn Network], photos: Photos) -> Result<Self, RunError> {
        let mut references = BTreeMap::new();
        for (number, term) in at.stage.terms.iter().enumerate() {
            let Against::Photo { file, transformed } = against(term)? else { continue };
            let Some(network) = networks.get(term.model) else { continue };
            let failed = RunError::of(term.call.spec.name, term.call.span);
            let photo =
                photos(file).and_then(|photo| cover(&photo, at.stage.height, at.stage.width)).map_err(failed)?;
            let reference = match transformed {
                true => Reference::Picture(photo),
                false => {
                    let photo = at.normalized(&photo, term.model)?;
                    Reference::Tap(tap(&network.forward(&photo, false)?, term)?.detach())
                }
            };
            references.insert(number, reference);
        }
        Ok(Self(references))
    }
}

/// For each variant and each of its terms what it compares with; nothing for terms on other networks than number
/// `model`. `own` are the taps of each variant.
pub(super) fn others(
    lanes: &[Lane],
    own: &[Taps],
    (model, network): (usize, &dyn Network),
) -> Result<Vec<Vec<Vec<Other>>>, RunError> {
    let mut of_all = Vec::with_capacity(lanes.len());
    for (index, lane) in lanes.iter().enumerate() {
        let mut of_terms = Vec::with_capacity(lane.at.stage.terms.len());
        for (number, term) in lane.at.stage.terms.iter().enumerate() {
            of_terms.push(match (against(term)?, lane.references.0.get(&number)) {
                _ if term.model != model => Vec::new(),
                (Against::Photo { .. }, Some(Reference::Tap(tap))) => vec![Other { tap: tap.clone(), offset: 0 }],
                (Against::Photo { .. }, Some(Reference::Picture(photo))) => {
                    let seen = lane.at.normalized(&seen(photo, &lane.at)?, model)?;
                    vec![Other { tap: tap(&network.forward(&seen, false)?, term)?.detach(), offset: 0 }]
                }
                (Against::Variants, _) => {
                    let others = own.iter().enumerate().filter(|(other, _)| *other != index);
                    let taps = others.map(|(other, taps)| {
                        Ok(Other { tap: tap(taps, term)?.detach(), offset: other as i64 - index as i64 })
                    });
                    taps.collect::<Result<_, RunError>>()?
                }
                _ => Vec::new(),
            });
        }
        of_all.push(of_terms);
    }
    Ok(of_all)
}

fn against(term: &Term) -> Result<Against<'_>, RunError> {
    let word = registry::objective(term.call.spec.name).ok_or_else(|| unknown(&term.call))?;
    Ok(word.against(&term.call.args))
}

fn tap<'a>(taps: &'a Taps, term: &Term) -> Result<&'a Tensor, RunError> {
    taps.get(&term.node).ok_or_else(|| RunError::Word {
        word: term.call.spec.name,
        span: term.call.span,
        source: candle_core::Error::Msg(format!("the network did not compute `{}`", term.node)),
    })
}
