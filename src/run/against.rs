//! What terms compare a picture with: photos as the network sees them, statistics of training, and the other variants.

use std::collections::BTreeMap;
use std::path::PathBuf;

use candle_core::{DType, Tensor};

use super::Setting;
use super::error::RunError;
use super::look::{seen, unknown};
use super::network::Network;
use super::state::Place;
use super::step::Lane;
use crate::check::recipe::{Stage, Term};
use crate::plan::same_call;
use crate::words::{Against, Objective, Other, Taps, cover, registry};

/// What does not change while one variant is in one stage, by the number of the term that compares with it.
#[derive(Clone, Default)]
pub(super) struct References(BTreeMap<usize, Reference>);

#[derive(Clone)]
enum Reference {
    /// `[1, 3, H, W]`, which goes through the transforms anew at each step.
    Picture(Tensor),
    /// For each node of the term what stands for the other's activation.
    Still(Vec<Vec<Tensor>>),
}

impl References {
    /// For several variants in their stages; those that compare with the same share it. Nothing where the run is to stop:
    /// a part of the photos is never compared with.
    pub fn of_all<'r>(
        places: impl Iterator<Item = Place<'r>>,
        networks: &[&dyn Network],
        setting: &Setting,
    ) -> Result<Option<Vec<Self>>, RunError> {
        let mut found: Vec<(&Stage, Self)> = Vec::new();
        for at in places {
            let known = found.iter().find(|(stage, _)| compare_alike(stage, at.stage));
            let references = match known {
                Some((_, references)) => Some(references.clone()),
                None => Self::of(&at, networks, setting)?,
            };
            let Some(references) = references else { return Ok(None) };
            found.push((at.stage, references));
        }
        Ok(Some(found.into_iter().map(|(_, references)| references).collect()))
    }

    /// Reads the photos of a stage and shows those that are not transformed to the network of their term.
    fn of(at: &Place, networks: &[&dyn Network], setting: &Setting) -> Result<Option<Self>, RunError> {
        let mut references = BTreeMap::new();
        for (number, term) in at.stage.terms.iter().enumerate() {
            if setting.cancel.is_cancelled() {
                return Ok(None);
            }
            let word = word(term)?;
            let Some(network) = networks.get(term.model) else { continue };
            let reference = match word.against(&term.call.args) {
                Against::Photo { file, transformed } => {
                    let photo = (setting.photos)(file);
                    let photo = photo.and_then(|photo| cover(&photo, at.stage.height, at.stage.width));
                    let photo = photo.map_err(failed(term))?;
                    match transformed {
                        true => Reference::Picture(photo),
                        false => {
                            let input = at.normalized(&photo, term.model)?;
                            let taps = network.forward(&input, false).map_err(failed(term))?;
                            Reference::Still(of_nodes(term, |node| Ok(vec![tap(&taps, term, node)?.detach()]))?)
                        }
                    }
                }
                Against::Running => Reference::Still(of_nodes(term, |node| learned(term, node, *network))?),
                Against::Photos(_) | Against::Variants | Against::Nothing => continue,
            };
            references.insert(number, reference);
        }
        let Some(means) = means(at, networks, setting)? else { return Ok(None) };
        references.extend(means);
        Ok(Some(Self(references)))
    }
}

/// What the batch norm behind a node has learned. Weights whose batch norms were folded and written anew hold what a
/// network has before its training, and no picture becomes better by that.
fn learned(term: &Term, node: &str, network: &dyn Network) -> Result<Vec<Tensor>, RunError> {
    let Some([mean, variance]) = network.running(node) else {
        return Err(missing(term, format!("no batch norm reads `{node}`")));
    };
    let is = |tensor: &Tensor, number: f32| Ok::<_, RunError>(tensor.to_vec1::<f32>()?.iter().all(|&x| x == number));
    if is(&mean, 0.0)? && is(&variance, 1.0)? {
        let problem = format!(
            "these weights hold no statistics of training: the batch norm behind `{node}` has mean 0 and variance 1 in \
             every channel, as where batch norms were folded into convolutions; torchvision's own weights have them"
        );
        return Err(missing(term, problem));
    }
    Ok(vec![mean, variance])
}

/// Whether the terms of two stages compare with the same, given that the same networks look at both.
fn compare_alike(a: &Stage, b: &Stage) -> bool {
    let alike = |(a, b): (&Term, &Term)| a.model == b.model && a.nodes == b.nodes && same_call(&a.call, &b.call);
    (a.width, a.height, a.terms.len()) == (b.width, b.height, b.terms.len()) && a.terms.iter().zip(&b.terms).all(alike)
}

/// What the terms keep of several photos, the mean over these. One photo after another is shown to a network, once for
/// all of its terms that name the same ones, and only what is kept of it stays: so they take the memory of one. Nothing
/// where the run is to stop.
fn means(
    at: &Place,
    networks: &[&dyn Network],
    setting: &Setting,
) -> Result<Option<Vec<(usize, Reference)>>, RunError> {
    /// The terms that show the same photos to the same network, with their numbers.
    struct Alike<'t> {
        model: usize,
        files: &'t [PathBuf],
        terms: Vec<(usize, &'t Term)>,
    }
    let mut groups: Vec<Alike> = Vec::new();
    for (number, term) in at.stage.terms.iter().enumerate() {
        let Against::Photos(files) = word(term)?.against(&term.call.args) else { continue };
        match groups.iter_mut().find(|group| (group.model, group.files) == (term.model, files)) {
            Some(group) => group.terms.push((number, term)),
            None => groups.push(Alike { model: term.model, files, terms: vec![(number, term)] }),
        }
    }
    let mut means = Vec::new();
    for Alike { model, files, terms } in groups {
        let Some(network) = networks.get(model) else { continue };
        let mut sums: Vec<Vec<Option<Tensor>>> = terms.iter().map(|(_, term)| vec![None; term.nodes.len()]).collect();
        for file in files {
            if setting.cancel.is_cancelled() {
                return Ok(None);
            }
            let Some((_, first)) = terms.first() else { continue };
            let photo = (setting.photos)(file).and_then(|photo| cover(&photo, at.stage.height, at.stage.width));
            let input = at.normalized(&photo.map_err(failed(first))?, model)?;
            let taps = network.forward(&input, false).map_err(failed(first))?;
            for ((_, term), sums) in terms.iter().zip(&mut sums) {
                for (node, sum) in term.nodes.iter().zip(sums) {
                    let tap = tap(&taps, term, node)?.detach();
                    let kept = word(term)?.kept(&tap, &term.call.args).map_err(failed(term))?.to_dtype(DType::F64)?;
                    *sum = Some(match sum.take() {
                        Some(sum) => (sum + kept)?,
                        None => kept,
                    });
                }
            }
        }
        for ((number, _), sums) in terms.iter().zip(sums) {
            let mean = |sum: Tensor| Ok(vec![(sum / files.len() as f64)?.to_dtype(DType::F32)?]);
            let of_nodes = sums.into_iter().flatten().map(mean).collect::<Result<_, RunError>>()?;
            means.push((*number, Reference::Still(of_nodes)));
        }
    }
    Ok(Some(means))
}

/// For each variant, each of its terms and each of their nodes what it compares with; nothing for terms on other networks
/// than number `model`. `own` are the taps of each variant.
pub(super) fn others(
    lanes: &[Lane],
    own: &[Taps],
    (model, network): (usize, &dyn Network),
) -> Result<Vec<Vec<Vec<Vec<Other>>>>, RunError> {
    let of_lane = |(index, lane): (usize, &Lane)| {
        let terms = lane.at.stage.terms.iter().enumerate();
        let of_term = |(number, term): (usize, &Term)| {
            let still = |tap: &Tensor| Other { tap: tap.clone(), offset: 0 };
            match (word(term)?.against(&term.call.args), lane.references.0.get(&number)) {
                _ if term.model != model => Ok(Vec::new()),
                (_, Some(Reference::Still(nodes))) => {
                    Ok(nodes.iter().map(|others| others.iter().map(still).collect()).collect())
                }
                (_, Some(Reference::Picture(photo))) => {
                    let input = lane.at.normalized(&seen(photo, &lane.at)?, model)?;
                    let taps = network.forward(&input, false).map_err(failed(term))?;
                    of_nodes(term, |node| Ok(vec![still(&tap(&taps, term, node)?.detach())]))
                }
                (Against::Variants, None) => of_nodes(term, |node| {
                    let others = own.iter().enumerate().filter(|(other, _)| *other != index);
                    let taps = others.map(|(other, taps)| {
                        let offset = other as i64 - index as i64;
                        Ok(Other { tap: tap(taps, term, node)?.detach(), offset })
                    });
                    taps.collect()
                }),
                _ => of_nodes(term, |_| Ok(Vec::new())),
            }
        };
        terms.map(of_term).collect()
    };
    lanes.iter().enumerate().map(of_lane).collect()
}

fn word(term: &Term) -> Result<&'static dyn Objective, RunError> {
    registry::objective(term.call.spec.name).ok_or_else(|| unknown(&term.call))
}

fn of_nodes<T>(term: &Term, of: impl FnMut(&String) -> Result<T, RunError>) -> Result<Vec<T>, RunError> {
    term.nodes.iter().map(of).collect()
}

fn tap<'a>(taps: &'a Taps, term: &Term, node: &str) -> Result<&'a Tensor, RunError> {
    taps.get(node).ok_or_else(|| missing(term, format!("the network did not compute `{node}`")))
}

fn failed(term: &Term) -> impl Fn(candle_core::Error) -> RunError {
    RunError::of(term.call.spec.name, term.call.span)
}

fn missing(term: &Term, problem: String) -> RunError {
    failed(term)(candle_core::Error::Msg(problem))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::path::Path;

    use candle_core::{Device, Tensor};

    use crate::check::recipe::{Recipe, Stage, Term};
    use crate::plan::plan;
    use crate::plan::testing::{call, class, recipe, stage, variant};
    use crate::run::tests::{Waves, facts};
    use crate::run::{Event, Setting, run};
    use crate::source::{CancelToken, MemoryWorld};
    use crate::spec::{Arg, Kind};

    fn features(by: &'static str, files: &[&str]) -> Term {
        let files = files.iter().map(|&file| file.into()).collect();
        let args = [("node", Arg::Node("x".into())), ("files", Arg::Files(files)), ("by", Arg::Choice(by))];
        Term { call: call(Kind::Objective, "features", &args), ..class("x", 0, 1.0) }
    }

    fn photo(path: &Path) -> candle_core::Result<Tensor> {
        let level = match path.to_str() {
            Some("a") => 0.0,
            Some("b") => 0.5,
            _ => 1.0,
        };
        Tensor::full(level as f32, (1, 3, 6, 5), &Device::Cpu)
    }

    /// The terms of every step, and the photos in the order in which they were read.
    fn told(recipe: &Recipe) -> (Vec<Vec<f64>>, Vec<String>) {
        let plan = plan(recipe, &MemoryWorld::default()).0.unwrap();
        let read = RefCell::new(Vec::new());
        let photos = |path: &Path| {
            read.borrow_mut().push(path.display().to_string());
            photo(path)
        };
        let network = Waves::default();
        let setting = Setting {
            recipe,
            networks: &vec![vec![&network as &dyn super::Network]; plan.batches.len()],
            plan: &plan,
            photos: &photos,
            all_frames: false,
            cancel: &CancelToken::new(),
        };
        let mut terms = Vec::new();
        run(&setting, &mut |event| {
            if let Event::Step(step) = event {
                terms.extend(step.scores.iter().map(|scores| scores.terms.clone()));
            }
        })
        .unwrap();
        (terms, read.into_inner())
    }

    /// A gray stage that does not move.
    fn still(name: &str, size: usize, terms: Vec<Term>) -> Stage {
        let level = [("low", Arg::Number(0.5.into())), ("high", Arg::Number(0.5.into()))];
        let rate = [("lr", Arg::Number(0.0.into())), ("normalize", Arg::Choice("off"))];
        Stage {
            init: call(Kind::Init, "uniform", &level),
            optimizer: call(Kind::Optimizer, "sgd", &rate),
            terms,
            ..stage(name, size, 1)
        }
    }

    #[test]
    fn photos_are_read_once_a_stage_in_their_order_and_their_mean_counts() {
        let terms =
            || vec![features("sorted", &["a", "b"]), features("moments", &["a", "b"]), features("sorted", &["b"])];
        let stages = || vec![still("one", 4, terms()), still("two", 7, terms())];
        let both = recipe(vec![variant("a", &facts(), stages()), variant("b", &facts(), stages())], vec![]);
        let (found, read) = told(&both);
        // Gray 0.5 against the mean 0.25, and against itself.
        let expected = [-0.0625, -0.0625, 0.0];
        assert_eq!(found.len(), 4);
        for terms in found {
            assert!(terms.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{terms:?}");
        }
        assert_eq!(
            read,
            ["a", "b", "b", "a", "b", "b"],
            "in each of two stages, for both variants and the first two terms"
        );
    }

    #[test]
    fn photos_are_left_at_once_and_a_part_of_them_is_not_compared_with() {
        let terms = || vec![features("sorted", &["a", "b", "c"])];
        let stages = vec![still("one", 4, terms()), still("two", 7, terms())];
        let recipe = recipe(vec![variant("", &facts(), stages)], vec![]);
        let plan = plan(&recipe, &MemoryWorld::default()).0.unwrap();
        for (stop, steps, frames) in [(1, 0, vec![]), (2, 0, vec![]), (4, 1, vec![3 * 4 * 4]), (5, 1, vec![3 * 4 * 4])]
        {
            let (cancel, read) = (CancelToken::new(), RefCell::new(0));
            let photos = |path: &Path| {
                *read.borrow_mut() += 1;
                if *read.borrow() == stop {
                    cancel.cancel();
                }
                photo(path)
            };
            let network = Waves::default();
            let networks = vec![vec![&network as &dyn super::Network]];
            let setting = Setting {
                recipe: &recipe,
                networks: &networks,
                plan: &plan,
                photos: &photos,
                all_frames: false,
                cancel: &cancel,
            };
            let (mut made, mut shown) = (0, Vec::new());
            let ending = run(&setting, &mut |event| match event {
                Event::Step(_) => made += 1,
                Event::Frame { last: true, picture, .. } => shown.push(picture.elem_count()),
                _ => {}
            });
            assert!(ending.unwrap().cancelled);
            assert_eq!((*read.borrow(), made, shown), (stop, steps, frames), "stopped at {stop}");
        }
    }

    #[test]
    fn a_term_of_several_nodes_is_their_sum_and_variants_are_apart() {
        let term = |nodes: &[&str]| {
            let call = call(Kind::Objective, "batch_norm", &[]);
            let nodes = nodes.iter().map(|node| node.to_string()).collect();
            vec![Term { call, nodes, ..class("x", 0, 1.0) }]
        };
        let of = |nodes: &[&str]| vec![still("one", 4, term(nodes)), still("two", 5, term(nodes))];
        let alone = told(&recipe(vec![variant("", &facts(), of(&["x"]))], vec![])).0;
        // Gray has the mean 0.5 and no variance; what was learned are (0.5, 0.4, 0.6) and (0.1, 0.2, 0.3).
        let distance = 0.02f64.sqrt() + 0.14f64.sqrt();
        assert!(alone.iter().all(|terms| (terms[0] + distance).abs() < 1e-5), "{alone:?}");
        let twice = told(&recipe(vec![variant("", &facts(), of(&["x", "x"]))], vec![])).0;
        assert!(twice.iter().all(|terms| (terms[0] + 2.0 * distance).abs() < 1e-5), "{twice:?}");
        // Beside a variant that is quite another picture the numbers are the same to the last bit.
        let mut noise = of(&["x"]);
        noise[0].init =
            call(Kind::Init, "uniform", &[("low", Arg::Number(0.0.into())), ("high", Arg::Number(1.0.into()))]);
        let pair = recipe(vec![variant("a", &facts(), of(&["x"])), variant("b", &facts(), noise)], vec![]);
        let pair = told(&pair).0;
        assert_eq!([&pair[0], &pair[2]], [&alone[0], &alone[1]]);
        assert!(pair[1] != pair[0]);
    }
}
