//! `fviz judge`: how sure a network is that a picture shows a class.
//!
//! A network that grew a picture is no judge of it: it may be fooled. Another one is. So that no one size and no one
//! side decides, it is shown the picture at four sizes, and each time its mirror image too.

use std::collections::BTreeSet;
use std::io::Write;

use candle_core::{Result as Candle, Tensor};

use super::args::JudgeArgs;
use super::page::DIM;
use super::progress::{Progress, Style};
use super::report::Reporter;
use super::run::{cancel, told};
use super::terminal::fixed;
use super::{Exit, Failure, model, recipe, terminal};
use crate::check::recipe::Model;
use crate::check::suggest::nearest;
use crate::nets::{Facts, Network};
use crate::ops::{Edge, Sample, Taps, resize, separable, softmax};
use crate::run::reason;
use crate::session::{self, News, Session, photo};
use crate::source::Sources;
use crate::store::WeightStore;

/// Sizes of the picture in sevenths of the network's own: 192, 224, 256 and 288 of 224.
const SEVENTHS: [usize; 4] = [6, 7, 8, 9];

/// Runs the verb.
pub fn run(args: &JudgeArgs, reporter: &Reporter) -> Result<(), Failure> {
    let cancel = cancel();
    let mut session = Session::new(WeightStore::from_env());
    let names: Vec<Option<&str>> = match args.model.as_slice() {
        [] => vec![None],
        names => names.iter().map(|name| Some(name.as_str())).collect(),
    };
    let mut pictures = Vec::new();
    for path in &args.images {
        let name = path.display().to_string();
        let picture = photo::decode(&recipe::bytes(path)?)
            .map_err(|error| Failure::environment(format!("can't read `{name}` as a picture: {error}"), None))?;
        pictures.push((name, picture));
    }
    for name in names {
        let model = model::named(name, session.store(), reporter)?;
        let class = class(&model.facts, &args.class)?;
        let nodes = BTreeSet::from([model.facts.output().name.clone()]);
        let mut progress =
            Progress::new(if terminal::is_interactive() { Style::Bar } else { Style::Silent }, *reporter);
        let mut fetching =
            |model: &str, done, all| progress.hear(&News::Fetching { model, done, all }, &Sources::default());
        let loaded = session.network(&model, &nodes, &mut fetching, &cancel);
        progress.clear();
        let network =
            loaded.map_err(|error| told(session::Failure::Load(error), &Sources::default(), reporter).into_exit())?;
        let mut text =
            format!("{DIM}probability of {}, as {} sees it{DIM:#}\n", model.facts.labels.name(class), model.facts.name);
        let mut verdicts = Vec::new();
        for (name, picture) in &pictures {
            if cancel.is_cancelled() {
                return Err(Failure::told(Exit::Interrupted));
            }
            let shares = shares(picture, &model, &network).map_err(|error| {
                Failure::environment(format!("`{}` can't see `{name}`: {}", model.facts.name, reason(&error)), None)
            })?;
            let verdict = Verdict::of(&shares, class);
            text.push_str(&verdict.line(&model.facts, name));
            verdicts.push(verdict);
        }
        if let [_, _, ..] = verdicts.as_slice() {
            let mean = verdicts.iter().map(|verdict| verdict.share).sum::<f64>() / verdicts.len() as f64;
            let first = verdicts.iter().filter(|verdict| verdict.rank == 1).count();
            text.push_str(&format!("{}  mean, first in {first} of {}\n", fixed(mean, 3), verdicts.len()));
        }
        anstream::stdout().write_all(text.as_bytes()).map_err(Failure::output)?;
    }
    Ok(())
}

/// The class that a label or an index means.
pub fn class(facts: &Facts, wanted: &str) -> Result<usize, Failure> {
    if let Ok(class) = wanted.trim().parse::<usize>() {
        return match class < facts.classes() {
            true => Ok(class),
            false => Err(Failure::usage(
                format!("`{}` has no class {class}", facts.name),
                Some(format!("its classes are 0 to {}", facts.classes() - 1)),
            )),
        };
    }
    match facts.labels.find(wanted).as_slice() {
        [class] => Ok(*class),
        [] => {
            let help = match nearest(wanted, facts.labels.names().map(|(_, name)| name)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("`fviz classes {wanted} --model {}` searches them", facts.name),
            };
            Err(Failure::usage(format!("`{}` has no class `{wanted}`", facts.name), Some(help)))
        }
        several => {
            let list: Vec<String> = several.iter().map(usize::to_string).collect();
            Err(Failure::usage(
                format!("`{wanted}` names {} classes of `{}`", several.len(), facts.name),
                Some(format!("write the index: {}", list.join(" or "))),
            ))
        }
    }
}

/// The mean of the softmax over sizes and mirror images.
fn shares(picture: &Tensor, model: &Model, network: &Network) -> Candle<Vec<f64>> {
    let (width, height) = model.facts.size;
    let mut sum: Vec<f64> = vec![0.0; model.facts.classes()];
    for seventh in SEVENTHS {
        let seen = sized(picture, height * seventh / 7, width * seventh / 7)?;
        let row = |values: [f64; 3]| Tensor::new(&values.map(|v| v as f32), seen.device())?.reshape((1, 3, 1, 1));
        let seen = seen.broadcast_sub(&row(model.mean)?)?.broadcast_div(&row(model.std)?)?.contiguous()?;
        for seen in [mirrored(&seen)?, seen] {
            let taps = network.forward(&seen, false)?;
            let logits = taps.get(&model.facts.output().name).ok_or_else(|| candle_core::Error::msg("no logits"))?;
            let shares = softmax::exp(&softmax::log_softmax(&logits.flatten_from(1)?)?)?;
            let shares = shares.flatten_all()?.to_vec1::<f32>()?;
            sum.iter_mut().zip(shares).for_each(|(sum, share)| *sum += f64::from(share));
        }
    }
    Ok(sum.into_iter().map(|sum| sum / (2 * SEVENTHS.len()) as f64).collect())
}

/// The picture at that size, the middle of it where it is longer than wide: bilinear, averaging where it shrinks.
fn sized(picture: &Tensor, height: usize, width: usize) -> Candle<Tensor> {
    let (_, _, tall, wide) = picture.dims4()?;
    let factor = (height as f64 / tall as f64).max(width as f64 / wide as f64);
    let scaled = |length: usize, least: usize| ((length as f64 * factor).round() as usize).max(least);
    let scaled = resize(picture, scaled(tall, height), scaled(wide, width), Sample::Bilinear)?;
    let (_, _, tall, wide) = scaled.dims4()?;
    scaled.narrow(2, (tall - height) / 2, height)?.narrow(3, (wide - width) / 2, width)?.contiguous()
}

fn mirrored(picture: &Tensor) -> Candle<Tensor> {
    let (_, _, height, width) = picture.dims4()?;
    let same = Taps::pick(0..height as i64, height, Edge::Replicate);
    let turned = Taps::pick((0..width as i64).rev(), width, Edge::Replicate);
    separable(picture, &same, &turned, Edge::Replicate)
}

/// What a network thinks of a picture.
struct Verdict {
    /// The probability of the class.
    share: f64,
    /// 1 where no other class is more probable.
    rank: usize,
    /// The most probable class.
    top: usize,
}

impl Verdict {
    fn of(shares: &[f64], class: usize) -> Self {
        let share = shares.get(class).copied().unwrap_or(f64::NAN);
        let rank = 1 + shares.iter().filter(|other| **other > share).count();
        let top = shares.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(class, |(top, _)| top);
        Self { share, rank, top }
    }

    fn line(&self, facts: &Facts, name: &str) -> String {
        let rest = match self.rank {
            1 => String::new(),
            _ => format!(", first is {}", facts.labels.name(self.top)),
        };
        format!("{}  rank {:<4} {name}{rest}\n", fixed(self.share, 3), self.rank)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nets::architecture;
    use crate::ops::testing::{random, values};

    #[test]
    fn a_rank_counts_what_is_more_probable() {
        let verdict = Verdict::of(&[0.2, 0.5, 0.2, 0.1], 2);
        assert_eq!((verdict.share, verdict.rank, verdict.top), (0.2, 2, 1));
        assert_eq!(Verdict::of(&[0.2, 0.5, 0.3], 1).rank, 1);
    }

    #[test]
    fn pictures_are_scaled_and_cut_and_turned() {
        let x = random(&[1, 3, 6, 8], 1);
        assert_eq!(sized(&x, 12, 12).unwrap().dims(), [1, 3, 12, 12]);
        assert_eq!(sized(&x, 6, 6).unwrap().dims(), [1, 3, 6, 6]);
        assert_eq!(values(&sized(&x, 6, 6).unwrap()), values(&x.narrow(3, 1, 6).unwrap().contiguous().unwrap()));
        assert_eq!(values(&mirrored(&x).unwrap())[..8], values(&x)[..8].iter().rev().copied().collect::<Vec<_>>()[..]);
    }

    #[test]
    fn a_class_is_a_label_or_an_index() {
        let facts = Facts::new(architecture("resnet18").unwrap(), None).unwrap();
        assert_eq!(class(&facts, "Hen").ok(), Some(8));
        assert_eq!(class(&facts, "999").ok(), Some(999));
        let help = |wanted| class(&facts, wanted).err().and_then(|failure| failure.trouble?.help).unwrap();
        assert_eq!(help("1000"), "its classes are 0 to 999");
        assert_eq!(help("pelikan"), "did you mean `pelican`?");
        assert_eq!(help("crane"), "write the index: 134 or 517");
    }
}
