//! A class of the network's output.

use candle_core::{Result, Tensor};

use super::units;
use crate::ops::softmax;
use crate::spec::{Args, Kind, Moment, Param, Presence, Spec, Type, UnitsOf};
use crate::words::Objective;

pub(super) struct Class;

static SPEC: Spec = Spec {
    kind: Kind::Objective,
    name: "class",
    aliases: &["logit", "class_logit", "label", "category", "output", "target"],
    summary: "a class of the network, by its label",
    doc: "`logit`: the class's value at the last node, before the softmax. `probability`: p = e^logit / Σ e^logits. `log_probability`: ln p. Mean over views and over the classes of a list.\n\nThe logit is what to use: it can always grow. The probability and its logarithm also push all other classes down and stop moving once the class has won; a picture made of them alone is mostly noise.",
    source: "Simonyan, Vedaldi, Zisserman 2013, Deep Inside Convolutional Networks, section 2: the unnormalised score",
    params: &[
        Param::new(
            "units",
            Type::Units(UnitsOf::Class),
            Presence::Required,
            "A label (whole, whatever its case; one synonym of its line is enough), an index from 0, or a list: the mean of them is taken. `fviz classes` lists them.",
        ).alias(&["label", "name", "index", "class", "target"]),
        Param::new(
            "as",
            Type::Choice(&["logit", "probability", "log_probability"]),
            Presence::Default("logit"),
            "Which value of the class.",
        ),
    ],
    positional: 1,
    block: false,
    example: "maximize class(\"hen\")",
};

impl Objective for Class {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    fn node<'a>(&self, _: &'a Args, output: &'a str) -> &'a str {
        output
    }

    fn value(&self, tap: &Tensor, args: &Args, _: &Moment) -> Result<Tensor> {
        let logits = tap.flatten_from(1)?;
        let values = match args.choice("as") {
            "probability" => softmax::exp(&softmax::log_softmax(&logits)?)?,
            "log_probability" => softmax::log_softmax(&logits)?,
            _ => logits,
        };
        units(&values, args.units("units"))?.mean_all()
    }
}
