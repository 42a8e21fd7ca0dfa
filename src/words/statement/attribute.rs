//! The statement that asks about a photo instead of growing a picture.

use super::clauses::{AS_ATTRIBUTION, ON};
use super::statement;
use super::step::OBJECTIVE;
use crate::spec::Spec;

pub(super) static ATTRIBUTE: Spec = Spec {
    aliases: &["explain", "saliency", "heatmap", "why", "interpret", "attribution"],
    ..statement(
        "attribute",
        "which parts of a photo an objective's value comes from",
        "Any objective may stand here, with the algebra of `maximize`: the difference of two classes, `class(\"cat\") - class(\"dog\")`, shows what decides between them. The map is drawn over the photo, gray and dimmed: red speaks for the objective and blue against it; methods without a sign go from dark over red and yellow to white. The strongest colour is the 99th percentile of the |numbers|, so it is a picture's own measure: compare maps by their numbers, which `render \"map.csv\"` writes.\n\nA recipe asks about photos or grows pictures: beside `attribute` stand only `use`, `let`, `model`, `canvas` with a size, `seed` and `render`, and what stands there of a recipe that is used is left out. It is one kind with `maximize`: a layer that has either replaces both below it. `each` makes variants of photos, classes and methods alike, for `grid` and `sheet`.",
        &[OBJECTIVE, ON, AS_ATTRIBUTION],
        "attribute class(\"hen\") on image(\"photo.jpg\") as integrated_gradients(steps = 50)",
    )
};
