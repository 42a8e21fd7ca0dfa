//! `fviz exemplars`: the parts of a folder's photos that excite a unit most, beside what it looks like.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use candle_core::Tensor;
use image::RgbaImage;

use super::args::ExemplarsArgs;
use super::page::BOLD;
use super::report::Reporter;
use super::run::cancel;
use super::terminal::fixed;
use super::units::{self, Drawing, SIDE};
use super::{Exit, Failure, model, recipe, terminal};
use crate::nets::{Facts, NodeId, Shape};
use crate::render::label::GROUND;
use crate::session::{Session, photo};
use crate::store::WeightStore;

/// A unit that is asked about, and what was found of it.
struct Wanted {
    /// As the command line writes it.
    text: String,
    id: NodeId,
    node: String,
    channel: usize,
    /// The best so far, best first.
    best: Vec<Exemplar>,
}

/// A place in a photo.
struct Exemplar {
    value: f32,
    /// (x, y); nothing where the node has no positions.
    place: Place,
    file: String,
    part: RgbaImage,
}

/// Runs the verb.
pub fn run(args: &ExemplarsArgs, reporter: &Reporter) -> Result<(), Failure> {
    let cancel = cancel();
    let mut session = Session::new(WeightStore::from_env());
    let model = model::named(args.model.model.as_deref(), session.store(), reporter)?;
    let facts = &*model.facts;
    let shapes = units::shapes(facts)?;
    let mut wanted = args.unit.iter().map(|text| wanted(text, facts, &shapes)).collect::<Result<Vec<_>, _>>()?;
    let files = files(&args.folder)?;

    let nodes: BTreeSet<String> = wanted.iter().map(|unit| unit.node.clone()).collect();
    let network = units::load(&mut session, &model, &nodes, reporter, &cancel)?;
    let mut photos = 0;
    for path in &files {
        if cancel.is_cancelled() {
            return Err(Failure::told(Exit::Interrupted));
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let picture = match recipe::bytes(path).map(|bytes| photo::decode(&bytes)) {
            Ok(Ok(picture)) => picture,
            Ok(Err(error)) => {
                terminal::tell(&format!("note: `{name}` is left out: {error}\n"));
                continue;
            }
            Err(failure) => {
                let why = failure.trouble.map(|trouble| trouble.message).unwrap_or_default();
                terminal::tell(&format!("note: `{name}` is left out: {why}\n"));
                continue;
            }
        };
        photos += 1;
        let blind = |error: candle_core::Error| units::blind(facts, &name, &error);
        let picture = units::cut(&picture, facts).map_err(blind)?;
        let taps = network.forward(&units::preprocessed(&picture, &model).map_err(blind)?, false).map_err(blind)?;
        for unit in &mut wanted {
            let Some(tap) = taps.get(&unit.node) else { continue };
            let Some((value, place)) = strongest(tap, unit.channel).map_err(blind)? else { continue };
            let rank = unit.best.iter().take_while(|best| best.value >= value).count();
            if rank < usize::from(args.top) {
                let part = units::crop(&picture, facts, &shapes, unit.id, place)?;
                unit.best.insert(rank, Exemplar { value, place, file: name.clone(), part });
                unit.best.truncate(args.top.into());
            }
        }
    }
    if photos == 0 {
        let help = "photos are PNG, JPEG or WebP; folders inside are not searched".to_string();
        return Err(Failure::environment(format!("there is no photo in `{}`", args.folder.display()), Some(help)));
    }
    drop(network);
    anstream::stdout().write_all(page(&wanted, facts, photos).as_bytes()).map_err(Failure::output)?;

    let mut drawing = Drawing::new(&mut session, args.model.model.as_deref(), reporter, &cancel);
    let most = wanted.iter().map(|unit| unit.best.len()).max().unwrap_or(0);
    let mut cells: Vec<(RgbaImage, String)> = Vec::new();
    for unit in wanted {
        let grown = drawing.pictures(&unit.node, &[unit.channel])?.pop();
        cells.push((grown.unwrap_or_else(dark), unit.text));
        let empty = most - unit.best.len();
        cells.extend(
            unit.best.into_iter().map(|best| (best.part, format!("{} {}", fixed(best.value.into(), 2), best.file))),
        );
        cells.extend((0..empty).map(|_| (dark(), String::new())));
    }
    units::write_sheet(&args.output, &cells, 1 + most)
}

fn dark() -> RgbaImage {
    RgbaImage::from_pixel(SIDE, SIDE, GROUND)
}

/// `layer3.1:42`
fn wanted(text: &str, facts: &Facts, shapes: &[Shape]) -> Result<Wanted, Failure> {
    let form = || {
        let example = facts.graph.nodes().get(1).map_or("conv1", |node| node.name.as_str());
        Failure::usage(format!("`{text}` is no unit"), Some(format!("write a node and a channel, as `{example}:0`")))
    };
    let (name, channel) = text.rsplit_once(':').ok_or_else(form)?;
    let id = units::node(facts, name)?;
    let channel: usize = channel.trim().parse().map_err(|_| form())?;
    let channels = shapes.get(id).map_or(0, Shape::channels);
    if channel >= channels {
        let help = format!("its channels are 0 to {}", channels.saturating_sub(1));
        return Err(Failure::usage(format!("`{name}` has no channel {channel}"), Some(help)));
    }
    let node = facts.graph.nodes().get(id).map(|node| node.name.clone()).unwrap_or_default();
    Ok(Wanted { text: text.into(), id, node, channel, best: Vec::new() })
}

/// The files of a folder by name.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => recipe::missing(folder),
        _ => Failure::environment(format!("can't read the folder `{}`: {error}", folder.display()), None),
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if !path.is_dir() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// (x, y), where a node has positions.
type Place = Option<(usize, usize)>;

/// The greatest activation of a channel and its place, the first of equal ones.
fn strongest(tap: &Tensor, channel: usize) -> candle_core::Result<Option<(f32, Place)>> {
    let own = tap.get(0)?.get(channel)?;
    let width = own.dims().last().copied().unwrap_or(1).max(1);
    let has_places = own.dims().len() == 2;
    let values = own.flatten_all()?.to_vec1::<f32>()?;
    let best = values.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)));
    Ok(best.map(|(at, value)| (*value, has_places.then_some((at % width, at / width)))))
}

fn page(wanted: &[Wanted], facts: &Facts, photos: usize) -> String {
    let many = if photos == 1 { "photo" } else { "photos" };
    let mut text = format!("{photos} {many}, as {} sees them\n", facts.name);
    for unit in wanted {
        text.push_str(&format!("\n{BOLD}{}{BOLD:#}, channel {} of {}\n", unit.text, unit.channel, unit.node));
        for Exemplar { value, place, file, .. } in &unit.best {
            let place = place.map_or(String::new(), |(x, y)| format!("  at ({x}, {y})"));
            text.push_str(&format!("{:>8}  {file}{place}\n", fixed((*value).into(), 3)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nets::architecture;
    use candle_core::Device;

    #[test]
    fn a_unit_is_a_node_and_a_channel() {
        let facts = Facts::new(architecture("resnet18").unwrap(), None).unwrap();
        let shapes = units::shapes(&facts).unwrap();
        let unit = wanted("layer3.1:42", &facts, &shapes).unwrap();
        assert_eq!((unit.node.as_str(), unit.channel), ("layer3.1.relu_1", 42));
        let failure = |text| wanted(text, &facts, &shapes).err().unwrap();
        let help = |text| failure(text).trouble.unwrap().help.unwrap();
        assert_eq!(failure("layer9:1").exit, Exit::Usage);
        assert!(help("layer3.1.rellu_1:1").starts_with("did you mean `layer3"));
        assert_eq!(help("layer3:256"), "its channels are 0 to 255");
        assert_eq!(help("layer3"), "write a node and a channel, as `conv1:0`");
        assert_eq!(help("layer3:x"), "write a node and a channel, as `conv1:0`");
    }

    #[test]
    fn the_strongest_place_is_the_first_of_equals() {
        let tap = Tensor::new(&[[[[0f32, 3.0, 1.0], [3.0, 2.0, 1.0]]]], &Device::Cpu).unwrap();
        assert_eq!(strongest(&tap, 0).unwrap(), Some((3.0, Some((1, 0)))));
        let vector = Tensor::new(&[[0f32, 3.0, 1.0]], &Device::Cpu).unwrap();
        assert_eq!(strongest(&vector, 1).unwrap(), Some((3.0, None)));
    }
}
