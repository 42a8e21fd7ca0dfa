//! `fviz layers`: the nodes of a network that a recipe can name.

use std::io::Write;

use super::args::LayersArgs;
use super::page::DIM;
use super::report::Reporter;
use super::{Failure, model};
use crate::nets::{Node, Op, Shape};
use crate::ops::{Parts, Rectifier};
use crate::store::WeightStore;

/// Runs the verb.
pub fn run(args: &LayersArgs, reporter: &Reporter) -> Result<(), Failure> {
    let model = model::named(args.model.as_deref(), &WeightStore::from_env(), reporter)?;
    let facts = &model.facts;
    let (width, height) = facts.size;
    let shapes = facts
        .graph
        .shapes(height, width)
        .map_err(|error| Failure::environment(format!("`{}` can't see {width}x{height}: {error}", facts.name), None))?;
    let rows: Vec<[String; 3]> = facts
        .graph
        .nodes()
        .iter()
        .zip(shapes)
        .map(|(node, shape)| [node.name.clone(), shown(shape), kind(node)])
        .collect();
    let widest = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (names, sizes) = (widest(0), widest(1));
    let mut text = format!("{DIM}{:names$}  {:sizes$}  kind{DIM:#}\n", "node", "shape");
    for [name, shape, kind] in &rows {
        text.push_str(&format!("{name:names$}  {shape:sizes$}  {kind}\n"));
    }
    text.push_str(&format!(
        "\n{DIM}channels x height x width for a picture of {width}x{height}; the name of a module, such as the part \
         before a dot, is its last node{DIM:#}\n"
    ));
    anstream::stdout().write_all(text.as_bytes()).map_err(Failure::output)
}

fn shown(shape: Shape) -> String {
    match shape {
        Shape::Map { channels, height, width } => format!("{channels}x{height}x{width}"),
        Shape::Vector { channels } => channels.to_string(),
    }
}

fn kind(node: &Node) -> String {
    let window = |kernel: usize, stride: usize| match stride {
        1 => format!("{kernel}x{kernel}"),
        stride => format!("{kernel}x{kernel}, stride {stride}"),
    };
    match node.op {
        Op::Input => "the picture, preprocessed".into(),
        Op::Convolution { window: w, groups: 1, .. } => format!("convolution {}", window(w.kernel, w.stride)),
        Op::Convolution { window: w, groups, .. } if groups == node.channels => {
            format!("depthwise convolution {}", window(w.kernel, w.stride))
        }
        Op::Convolution { window: w, groups, .. } => {
            format!("convolution {} in {groups} groups", window(w.kernel, w.stride))
        }
        Op::BatchNorm { .. } => "batch norm".into(),
        Op::Relu(Rectifier::Relu) => "ReLU".into(),
        Op::Relu(Rectifier::Relu6) => "ReLU6".into(),
        Op::MaxPool(w) => format!("max pool {}", window(w.kernel, w.stride)),
        Op::MeanPool(Parts::Even(1)) | Op::Mean => "mean over positions".into(),
        Op::MeanPool(Parts::Even(side)) => format!("mean of {side}x{side} parts"),
        Op::MeanPool(Parts::Window(w)) => format!("average pool {}", window(w.kernel, w.stride)),
        Op::Flatten => "flatten".into(),
        Op::Linear => "linear".into(),
        Op::Add => "sum".into(),
        Op::Concat => "channels of all its inputs".into(),
        Op::Dropout => "dropout, which does nothing here".into(),
        Op::LogMeanExp => "log-mean-exp over positions".into(),
    }
}
