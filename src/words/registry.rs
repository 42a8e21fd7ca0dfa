//! Every word there is, by kind and name.

use super::{
    Attribution, Filter, Init, Mode, Objective, Optimizer, Penalty, Transform, attribution, canvas, filter, init,
    layout, mode, model, objective, optimizer, penalty, photo, statement, transform, value,
};
use crate::spec::{Kind, Param, Spec};

/// All words, kind by kind in the order of [`Kind::ALL`].
pub fn all() -> impl Iterator<Item = &'static Spec> {
    Kind::ALL.into_iter().flat_map(of)
}

/// All words of a kind.
pub fn of(kind: Kind) -> Vec<&'static Spec> {
    match kind {
        Kind::Statement => statement::STATEMENTS.to_vec(),
        Kind::Model => model::MODELS.to_vec(),
        Kind::Canvas => canvas::CANVASES.to_vec(),
        Kind::Init => init::INITS.iter().map(|word| word.spec()).collect(),
        Kind::Objective => objective::OBJECTIVES.iter().map(|word| word.spec()).collect(),
        Kind::Attribution => attribution::ATTRIBUTIONS.iter().map(|word| word.spec()).collect(),
        Kind::Photo => photo::PHOTOS.to_vec(),
        Kind::Transform => transform::TRANSFORMS.iter().map(|word| word.spec()).collect(),
        Kind::Penalty => penalty::PENALTIES.iter().map(|word| word.spec()).collect(),
        Kind::Filter => filter::FILTERS.iter().map(|word| word.spec()).collect(),
        Kind::Mode => mode::MODES.iter().map(|word| word.spec()).collect(),
        Kind::Optimizer => optimizer::OPTIMIZERS.iter().map(|word| word.spec()).collect(),
        Kind::Layout => layout::LAYOUTS.to_vec(),
        Kind::Clause => statement::CLAUSES.to_vec(),
        Kind::Value => value::VALUES.to_vec(),
    }
}

/// What every word of a kind takes besides its own parameters, always by name.
pub fn shared(kind: Kind) -> &'static [Param] {
    if kind == Kind::Objective { objective::SHARED } else { &[] }
}

/// All that a word takes: its own parameters, then those of its kind.
pub fn params(spec: &'static Spec) -> impl Iterator<Item = &'static Param> {
    spec.params.iter().chain(shared(spec.kind))
}

/// The word of that kind and name.
pub fn find(kind: Kind, name: &str) -> Option<&'static Spec> {
    of(kind).into_iter().find(|spec| spec.name == name)
}

/// The words of that name, of whatever kind.
pub fn named(name: &str) -> Vec<&'static Spec> {
    all().filter(|spec| spec.name == name).collect()
}

/// The code of an init.
pub fn init(name: &str) -> Option<&'static dyn Init> {
    init::INITS.iter().copied().find(|word| word.spec().name == name)
}

/// The code of an objective.
pub fn objective(name: &str) -> Option<&'static dyn Objective> {
    objective::OBJECTIVES.iter().copied().find(|word| word.spec().name == name)
}

/// The code of an attribution.
pub fn attribution(name: &str) -> Option<&'static dyn Attribution> {
    attribution::ATTRIBUTIONS.iter().copied().find(|word| word.spec().name == name)
}

/// The code of a transform.
pub fn transform(name: &str) -> Option<&'static dyn Transform> {
    transform::TRANSFORMS.iter().copied().find(|word| word.spec().name == name)
}

/// The code of a penalty.
pub fn penalty(name: &str) -> Option<&'static dyn Penalty> {
    penalty::PENALTIES.iter().copied().find(|word| word.spec().name == name)
}

/// The code of a filter.
pub fn filter(name: &str) -> Option<&'static dyn Filter> {
    filter::FILTERS.iter().copied().find(|word| word.spec().name == name)
}

/// The code of a mode.
pub fn mode(name: &str) -> Option<&'static dyn Mode> {
    mode::MODES.iter().copied().find(|word| word.spec().name == name)
}

/// The code of an optimizer.
pub fn optimizer(name: &str) -> Option<&'static dyn Optimizer> {
    optimizer::OPTIMIZERS.iter().copied().find(|word| word.spec().name == name)
}
