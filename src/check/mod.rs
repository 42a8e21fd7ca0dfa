//! Tree + vocabulary + facts of the network → [`Recipe`], or every problem of the file at once.
//!
//! layers (what each `use` brings) → structure (which statements hold) → one `build` for each variant → sizes.
//! Reads files through [`World`] only.

mod attribution;
mod build;
mod call;
mod canvas;
mod cycles;
mod files;
mod layers;
mod models;
mod network;
mod number;
mod objective;
mod photo;
pub mod presets;
pub mod recipe;
mod render;
mod resolve;
mod scope;
mod sizes;
mod structure;
pub mod suggest;
#[cfg(test)]
mod tests;
mod text;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::nets::Facts;
use crate::source::{Diagnostic, FileId, Severity, Sources, Span, World, codes};
use crate::syntax::ast::{ExprKind, Phrase, Unread};
use crate::syntax::parse;
use build::Built;
use call::article;
pub use recipe::Recipe;
use recipe::Render;
use scope::Scope;
use structure::{Slot, Structure};

/// What is to be checked.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// Name as shown in messages: the path as typed, `<stdin>`.
    pub name: String,
    /// The recipe's name: the file's stem.
    pub stem: String,
    /// The folder to which relative paths in it are joined.
    pub folder: PathBuf,
    /// The text.
    pub text: String,
    /// What the command line puts above it.
    pub overrides: Overrides,
}

/// `--set`, `--seed`, `--steps`: one more layer above the recipe's.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--set name=value`, in order.
    pub set: Vec<(String, String)>,
    /// `--seed`
    pub seed: Option<u64>,
    /// `--steps`: every stage runs so many.
    pub steps: Option<usize>,
}

/// What the checker found.
#[derive(Debug, Default)]
pub struct Checked {
    /// All files and their texts, the recipe first.
    pub sources: Sources,
    /// Every problem, in order of place.
    pub diagnostics: Vec<Diagnostic>,
    /// The recipe, if there is no error.
    pub recipe: Option<Recipe>,
    /// Every file it depends on, also where there are errors: what `watch` watches.
    pub files: Vec<PathBuf>,
}

/// Variants that one recipe may have.
const MOST_VARIANTS: usize = 1024;

/// Checks a recipe. Never fails: problems are diagnostics.
pub fn check(input: &Input, world: &dyn World) -> Checked {
    let mut checker = Checker {
        world,
        stem: if input.stem.is_empty() { "recipe".to_string() } else { input.stem.clone() },
        sources: Sources::default(),
        folders: Vec::new(),
        diagnostics: Vec::new(),
        told: BTreeSet::new(),
        files: Vec::new(),
        unread: Vec::new(),
        reads: 0,
        cyclic: BTreeSet::new(),
        idle: BTreeMap::new(),
        masks: BTreeMap::new(),
        networks: BTreeMap::new(),
        pictures: BTreeMap::new(),
        listed: BTreeMap::new(),
        models: Vec::new(),
        models_read: BTreeSet::new(),
        facts: None,
        defaults: Defaults,
        steps: input.overrides.steps,
    };
    let recipe = checker.recipe(input);
    let mut diagnostics = checker.diagnostics;
    diagnostics.sort_by_key(|problem| problem.span().map(|span| (span.file, span.start)));
    let well = diagnostics.iter().all(|problem| problem.severity != Severity::Error);
    let files = checker.files;
    let recipe = recipe.filter(|_| well).map(|recipe| Recipe { files: files.clone(), ..recipe });
    Checked { sources: checker.sources, diagnostics, recipe, files }
}

/// The state of one check.
struct Checker<'a> {
    world: &'a dyn World,
    stem: String,
    sources: Sources,
    /// The folder of each source file.
    folders: Vec<PathBuf>,
    diagnostics: Vec<Diagnostic>,
    /// What was told already: the same place is looked at once for every variant.
    told: BTreeSet<(&'static str, Option<Span>)>,
    files: Vec<PathBuf>,
    /// Lines that could not be read: what follows only from their absence is not told as well.
    unread: Vec<Unread>,
    /// How often lets were read.
    reads: usize,
    /// Lets that are defined by themselves, which was told.
    cyclic: BTreeSet<String>,
    /// Transforms by place: whether they change nothing in every variant so far, and their name.
    idle: BTreeMap<Span, (bool, &'static str)>,
    /// Masks by file and size of the canvas: whether something moves, or why they can't be read.
    masks: BTreeMap<(PathBuf, usize, usize), Result<bool, String>>,
    /// Networks by their files, so that each header is read once.
    networks: BTreeMap<network::Key, Option<Arc<Facts>>>,
    /// Photos by their paths, each read once.
    pictures: BTreeMap<PathBuf, photo::Size>,
    /// Folders by their paths, each listed once.
    listed: BTreeMap<PathBuf, files::Listing>,
    /// The networks of the variant that is worked out.
    models: Vec<models::Named>,
    /// Names of networks that some objective of some variant reads.
    models_read: BTreeSet<String>,
    /// The network that is spoken of: nodes and classes are its.
    facts: Option<Arc<Facts>>,
    defaults: Defaults,
    steps: Option<usize>,
}

impl Checker<'_> {
    /// Notes a problem, once for each place.
    fn tell(&mut self, problem: Diagnostic) {
        if self.told.insert((problem.code.name, problem.span())) {
            self.diagnostics.push(problem);
        }
    }

    /// A problem of form: something stands where something else belongs.
    fn wrong(&mut self, span: Span, message: &str, help: &str) {
        self.tell(Diagnostic::error(&codes::UNEXPECTED, span, message, "not expected").with_help(help));
    }

    /// Notes that the recipe depends on a file.
    fn depends_on(&mut self, path: &Path) {
        if !self.files.iter().any(|file| file == path) {
            self.files.push(path.to_path_buf());
        }
    }

    /// The folder of the file in which something stands.
    fn folder(&self, span: Span) -> PathBuf {
        self.folders.get(span.file.0 as usize).cloned().unwrap_or_default()
    }

    fn recipe(&mut self, input: &Input) -> Option<Recipe> {
        let layers = self.layers(input);
        let mut structure = self.structure(&layers);
        self.find_cycles(&structure.lets);
        let base = Scope { lets: structure.lets.clone(), ..Scope::default() };

        // A first look with the first value of every axis tells which axes there are.
        let mut scope = base.clone();
        self.variant(&mut scope, &structure);
        let mut axes = std::mem::take(&mut scope.axes);
        axes.sort_by_key(|axis| build::axis_order(axis.span));
        let count = axes.iter().try_fold(1usize, |count, axis| count.checked_mul(axis.length));
        let Some(count) = count.filter(|count| *count <= MOST_VARIANTS) else {
            let span = axes.last().map(|axis| axis.span).unwrap_or_default();
            let message = format!("this recipe has more than {MOST_VARIANTS} variants");
            self.tell(
                Diagnostic::error(&codes::TOO_MANY_VARIANTS, span, message, "one axis too many")
                    .with_help("axes multiply; make one `each` shorter"),
            );
            return None;
        };
        add_default_renders(&mut structure, count > 1);

        let mut built = Vec::with_capacity(count);
        let mut used = scope.used;
        for k in 0..count {
            let mut scope = Scope { choice: choice(&axes, k), ..base.clone() };
            let variant = self.variant(&mut scope, &structure);
            used.append(&mut scope.used);
            built.extend(variant.filter(|built| self.sizes(&built.variant)));
        }
        self.warn_of_unused(&structure, &used);
        self.warn_of_unread_models(&structure);
        for (span, (everywhere, name)) in std::mem::take(&mut self.idle) {
            if everywhere {
                let message = format!("this `{name}` changes nothing");
                self.tell(
                    Diagnostic::warning(&codes::NO_EFFECT, span, message, "no effect")
                        .with_help("give it a range, or take it away"),
                );
            }
        }
        if built.len() < count {
            return None;
        }
        let resolved = self.resolved(&structure, &built);
        let renders = self.renders(&built);
        let variants = built.into_iter().map(|built| built.variant).collect();
        Some(Recipe { name: self.stem.clone(), variants, renders, resolved, files: Vec::new() })
    }

    fn warn_of_unused(&mut self, structure: &Structure, used: &BTreeSet<String>) {
        // Behind an error nothing is read, so a let may only seem to be unused.
        if self.diagnostics.iter().any(|problem| problem.severity == Severity::Error) {
            return;
        }
        for (name, found) in &structure.lets {
            if !used.contains(name) && found.span.file == FileId(0) {
                let message = format!("`{name}` is never used");
                self.tell(
                    Diagnostic::warning(&codes::UNUSED_LET, found.span, message, "not read by anything")
                        .with_help(format!("read it as `${name}`, or take it away")),
                );
            }
        }
    }

    /// Gathers what each variant says of the same `render` statement.
    fn renders(&self, built: &[Built]) -> Vec<Render> {
        let mut renders: Vec<Render> = Vec::new();
        for (index, Built { variant, renders: stages, .. }) in built.iter().enumerate() {
            let label = crate::render::slug::slug(&variant.label);
            for (stage, render) in stages.iter().enumerate().flat_map(|(k, uses)| uses.iter().map(move |one| (k, one)))
            {
                // The defaults stand nowhere, and each has a format of its own.
                let is_known = |other: &Render| (other.span, other.format) == (render.span, render.format);
                let at = renders.iter().position(is_known).unwrap_or(renders.len());
                if at == renders.len() {
                    renders.push(Render {
                        files: vec![String::new(); built.len()],
                        format: render.format,
                        layout: render.layout.clone(),
                        frames: vec![Vec::new(); built.len()],
                        fps: render.fps,
                        span: render.span,
                        name_span: render.name_span,
                    });
                }
                let Some(slot) = renders.get_mut(at) else { continue };
                if let (Some(file), Some(frames)) = (slot.files.get_mut(index), slot.frames.get_mut(index)) {
                    *file = render.file.replace("{label}", &label);
                    frames.resize(stages.len(), None);
                    frames[stage] = Some(render.schedule);
                }
            }
        }
        renders
    }
}

/// The value of each axis in variant k: the first axis varies slowest.
fn choice(axes: &[scope::Axis], k: usize) -> BTreeMap<Span, usize> {
    let mut rest = k;
    axes.iter()
        .rev()
        .map(|axis| {
            let index = rest % axis.length;
            rest /= axis.length;
            (axis.span, index)
        })
        .collect()
}

/// Where no layer renders anything, the defaults do.
fn add_default_renders(structure: &mut Structure, several: bool) {
    if structure.stages.iter().any(|stage| stage.slots.contains_key(&Slot::Render)) {
        return;
    }
    let renders: Vec<_> = match structure.stages.iter().any(|stage| attribution::attribute_of(stage).is_some()) {
        true => resolve::map_renders(several),
        false => resolve::default(Slot::Render, None, several).collect(),
    };
    for stage in &mut structure.stages {
        stage.slots.insert(Slot::Render, renders.clone());
    }
}

/// Values of parameters that are left out. They are written in the language itself, so that help and reference
/// print just what the checker reads.
struct Defaults;

impl Defaults {
    /// The phrase that a default's text is.
    fn phrase(&self, text: &'static str) -> Phrase {
        // No source has this number, so the phrase has no text that a message could show.
        let file = FileId(u32::MAX);
        let (ast, _) = parse(file, &format!("let default = {text}\n"));
        let items = ast.statements.into_iter().next().map(|statement| statement.items).unwrap_or_default();
        let span = Span::new(file, 0, 0);
        let mut phrase = Phrase { items, span };
        if phrase.items.is_empty() {
            phrase.items.push(crate::syntax::ast::Expr { kind: ExprKind::Name(String::new()), span });
        }
        phrase
    }
}
