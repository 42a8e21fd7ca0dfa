//! A class of the network's output.

use candle_core::{D, DType, Result, Tensor};

use super::units;
use crate::nets::Graph;
use crate::ops::softmax;
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, Unit, UnitsOf};
use crate::words::{Objective, Other};

pub(super) struct Class;

static SPEC: Spec = Spec {
    kind: Kind::Objective,
    name: "class",
    aliases: &["logit", "class_logit", "label", "category", "output", "target"],
    summary: "a class of the network, by its label",
    doc: "`logit`: the class's value at the last node, before the softmax. `probability`: p = e^logit / Σ e^logits. `log_probability`: ln p. `margin`: logit − against · rivals, where rivals = T ln Σ e^(z/T) over all other logits z, T the `temperature`; with `top = k` the mean of the k highest others instead. Mean over views and over the classes of a list.\n\nThe logit can always grow, and what it grows most easily are features that neighbours share: a hen with a partridge's back. The margin makes what sets the class apart, and pictures that other networks recognize too. The probability and its logarithm push all other classes down as well but stop moving once the class has won; a picture made of them alone is mostly noise.",
    source: "Simonyan, Vedaldi, Zisserman 2013, Deep Inside Convolutional Networks, section 2: the unnormalised score; the margin is our own, by measurement (docs/pictures.md)",
    params: &[
        Param::new(
            "units",
            Type::Units(UnitsOf::Class),
            Presence::Required,
            "A label (whole, whatever its case; one synonym of its line is enough), an index from 0, or a list: the mean of them is taken. `fviz classes` lists them.",
        ).alias(&["label", "name", "index", "class", "target"]),
        Param::new(
            "as",
            Type::Choice(&["logit", "probability", "log_probability", "margin"]),
            Presence::Default("logit"),
            "Which value of the class.",
        ),
        Param::new(
            "against",
            Type::Number { unit: Unit::None, min: 0.0, max: 100.0 },
            Presence::Default("0.7"),
            "For `margin`: how much the other classes weigh. 0 is the logit; 0.85 is within the noise of 0.7.",
        )
        .animated()
        .alias(&["rivals", "margin", "weight"]),
        Param::new(
            "temperature",
            Type::Number { unit: Unit::None, min: 0.01, max: 1000.0 },
            Presence::Default("3"),
            "For `margin`: in logits. Near 0 only the highest other class counts, at a large one all alike; both are worse than 2 to 5.",
        )
        .animated()
        .alias(&["t", "tau"]),
        Param::new(
            "top",
            Type::Integer { unit: Unit::None, min: 1, max: 1_000_000 },
            Presence::Optional("all others, by their temperature"),
            "For `margin`: the mean of so many of the highest other logits stands for the rivals. 1 and all are clearly worse than 5 to 20.",
        )
        .alias(&["k", "top_k"]),
    ],
    positional: 1,
    block: false,
    example: "maximize class(\"hen\")",
};

impl Objective for Class {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn nodes(&self, _: &Args, graph: &Graph) -> std::result::Result<Vec<String>, String> {
        Ok(vec![graph.output().name.clone()])
    }

    fn value(&self, tap: &Tensor, _: &[Other], args: &Args, at: &Moment) -> Result<Tensor> {
        let logits = tap.flatten_from(1)?;
        let values = match args.choice("as") {
            "probability" => softmax::exp(&softmax::log_softmax(&logits)?)?,
            "log_probability" => softmax::log_softmax(&logits)?,
            "margin" => margin(&logits, args, at)?,
            _ => logits,
        };
        units(&values, args.units("units"))?.mean_all()
    }
}

/// Every logit less what the classes that are not meant make of it, `[views, classes]`.
fn margin(logits: &Tensor, args: &Args, at: &Moment) -> Result<Tensor> {
    let (meant, classes) = (args.units("units"), logits.dim(1)?);
    let rest: Vec<u32> = (0..classes).filter(|class| !meant.contains(class)).map(|class| class as u32).collect();
    if rest.is_empty() {
        return Ok(logits.clone());
    }
    let others = logits.index_select(&Tensor::new(rest, logits.device())?, 1)?;
    let rivals = match args.dial("top") {
        Some(_) => highest(&others, args.integer("top").max(1) as usize)?.mean_keepdim(D::Minus1)?,
        None => {
            let temperature = args.number("temperature", at);
            let scaled = (others / temperature)?;
            // ln Σ e^x = x − ln p, for any of them.
            let total = (scaled.narrow(1, 0, 1)? - softmax::log_softmax(&scaled)?.narrow(1, 0, 1)?)?;
            (total * temperature)?
        }
    };
    logits.broadcast_sub(&(rivals * args.number("against", at))?)
}

/// The `count` highest of each row; of equal ones the first.
fn highest(logits: &Tensor, count: usize) -> Result<Tensor> {
    let rows = logits.detach().to_dtype(DType::F64)?.to_vec2::<f64>()?;
    let count = count.min(logits.dim(1)?);
    let places = rows.iter().flat_map(|row| {
        let mut order: Vec<u32> = (0..row.len() as u32).collect();
        order.sort_by(|a, b| row[*b as usize].total_cmp(&row[*a as usize]));
        order.truncate(count);
        order
    });
    let places = Tensor::from_iter(places, logits.device())?.reshape((rows.len(), count))?;
    logits.contiguous()?.gather(&places, 1)
}
