//! What `classify`, `trace` and `exemplars` share: units of a network, what they say of a photo, how they look.

mod draw;
mod score;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use candle_core::{Result as Candle, Tensor};

use super::progress::{Progress, Style};
use super::report::Reporter;
use super::run::told;
use super::{Failure, recipe, terminal};
use crate::check::recipe::Model;
use crate::check::suggest::nearest;
use crate::nets::{Facts, Network, NodeId, Op, Shape};
use crate::session::{self, News, Session, photo};
use crate::source::{CancelToken, Sources};
use crate::words::fitted;

pub use draw::{Drawing, SIDE, blind, crop, write_sheet};
pub use score::{Unit, numbers, ranked, softmax, units};

/// A photo that the command line names, `[1, 3, H, W]`.
pub fn picture(path: &Path) -> Result<Tensor, Failure> {
    photo::decode(&recipe::bytes(path)?)
        .map_err(|error| Failure::environment(format!("can't read `{}` as a photo: {error}", path.display()), None))
}

/// As torchvision's classifiers are shown photos: scaled and cut.
pub fn cut(photo: &Tensor, facts: &Facts) -> Candle<Tensor> {
    let (wide, high) = facts.size;
    fitted(photo, facts, (high, wide))
}

/// What the network sees of a picture: mean and deviation taken away.
pub fn preprocessed(picture: &Tensor, model: &Model) -> Candle<Tensor> {
    let row =
        |values: [f64; 3]| Tensor::new(&values.map(|value| value as f32), picture.device())?.reshape((1, 3, 1, 1));
    picture.broadcast_sub(&row(model.mean)?)?.broadcast_div(&row(model.std)?)?.contiguous()
}

/// The shapes of all nodes for a picture of the network's own size.
pub fn shapes(facts: &Facts) -> Result<Vec<Shape>, Failure> {
    let (width, height) = facts.size;
    facts
        .graph
        .shapes(height, width)
        .map_err(|error| Failure::environment(format!("`{}` can't see {width}x{height}: {error}", facts.name), None))
}

/// The node of that name.
pub fn node(facts: &Facts, name: &str) -> Result<NodeId, Failure> {
    facts.graph.find(name).ok_or_else(|| {
        let names = facts.graph.names();
        let help = match nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("`fviz layers {}` lists its nodes", facts.name),
        };
        Failure::usage(format!("`{}` has no node `{name}`", facts.name), Some(help))
    })
}

/// The ReLUs that have positions and are the last of their size: a network's stages.
pub fn stages(facts: &Facts, shapes: &[Shape]) -> Vec<NodeId> {
    let mut last: Vec<((usize, usize), NodeId)> = Vec::new();
    for (id, (node, shape)) in facts.graph.nodes().iter().zip(shapes).enumerate() {
        let Some(cells) = shape.cells().filter(|(height, width)| height * width > 1) else { continue };
        if !matches!(node.op, Op::Relu(_)) {
            continue;
        }
        match last.iter_mut().find(|(size, _)| *size == cells) {
            Some((_, stage)) => *stage = id,
            None => last.push((cells, id)),
        }
    }
    last.into_iter().map(|(_, id)| id).collect()
}

/// The network for just these nodes; its weights are fetched where they are missing.
pub fn load(
    session: &mut Session,
    model: &Model,
    nodes: &BTreeSet<String>,
    reporter: &Reporter,
    cancel: &CancelToken,
) -> Result<Arc<Network>, Failure> {
    let mut progress = Progress::new(if terminal::is_interactive() { Style::Bar } else { Style::Silent }, *reporter);
    let mut fetching =
        |model: &str, done, all| progress.hear(&News::Fetching { model, done, all }, &Sources::default());
    let loaded = session.network(model, nodes, &mut fetching, cancel);
    progress.clear();
    loaded.map_err(|error| told(session::Failure::Load(error), &Sources::default(), reporter).into_exit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nets::architecture;

    #[test]
    fn stages_end_with_the_last_relu_of_a_size() {
        let names = |name: &str| -> Vec<String> {
            let facts = Facts::new(architecture(name).unwrap(), None).unwrap();
            let ids = stages(&facts, &shapes(&facts).unwrap());
            ids.into_iter().map(|id| facts.graph.nodes()[id].name.clone()).collect()
        };
        let resnet = ["relu", "layer1.1.relu_1", "layer2.1.relu_1", "layer3.1.relu_1", "layer4.1.relu_1"];
        assert_eq!(names("resnet18"), resnet);
        assert!(names("motifs").len() >= 3, "{:?}", names("motifs"));
    }
}
