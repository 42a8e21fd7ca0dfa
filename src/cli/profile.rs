//! `fviz profile`: where the time of a recipe goes.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

use super::args::ProfileArgs;
use super::page::{BOLD, DIM};
use super::progress::{Progress, Style};
use super::report::Reporter;
use super::run::{accepted, cancel, told};
use super::{Exit, Failure, recipe};
use crate::check::recipe::Model;
use crate::check::{Overrides, Recipe, check};
use crate::nets::{LayerTime, Network};
use crate::ops::fast::Vectors;
use crate::plan::plan;
use crate::run::{Event, Phase};
use crate::session::{News, Options, Session};
use crate::source::World;
use crate::store::WeightStore;

/// Steps that are not counted: weights are prepared then, and memory is fetched.
const WARM: usize = 2;

/// Runs the verb.
pub fn run(args: &ProfileArgs, reporter: &Reporter) -> Result<(), Failure> {
    // A step more than is counted at least.
    let steps = (args.steps as usize).max(WARM + 1);
    let overrides = Overrides { set: args.set.clone(), steps: Some(steps), ..Overrides::default() };
    let input = recipe::read(&args.recipe, overrides)?;
    let mut session = Session::new(WeightStore::from_env());
    let world = recipe::world(session.store());
    let mut progress = Progress::new(Style::Silent, *reporter);
    let checked = check(&input, &world);
    let recipe = accepted(&checked, &input.name, reporter)?;
    let folder = tempfile::tempdir()
        .map_err(|error| Failure::environment(format!("can't make a folder for the files: {error}"), None))?;
    let options = Options { folder: Some(folder.path().into()), cancel: cancel(), ..Options::default() };
    let mut clock = Clock::new();
    let result = session.run(recipe, &world, &options, &mut |news| {
        clock.hear(&news);
        progress.hear(&news, &checked.sources);
    });
    let report = result.map_err(|failed| told(failed.why, &checked.sources, reporter).into_exit())?;
    let networks = networks(&session, recipe, &world);
    let text = page(&input.name, recipe, &clock, &networks, report.files.len());
    anstream::stdout().write_all(text.as_bytes()).map_err(Failure::output)?;
    // What was measured until then is worth telling all the same.
    if report.ending.cancelled { Err(Failure::told(Exit::Interrupted)) } else { Ok(()) }
}

/// The networks of the first variant, each once. One that several variants read is loaded for the nodes of each, and was
/// at work in this one for its own alone.
fn networks<'s>(session: &'s Session, recipe: &Recipe, world: &dyn World) -> Vec<(&'s str, &'s Network)> {
    let plan = plan(recipe, world).0.unwrap_or_default();
    let (Some(variant), Some(batch)) = (recipe.variants.first(), plan.batches.first()) else { return Vec::new() };
    let mut networks: Vec<(&str, &Network)> = Vec::new();
    for loaded in variant.models.iter().zip(&batch.nodes).filter_map(|(model, nodes)| session.loaded(model, nodes)) {
        if !networks.iter().any(|(_, known)| std::ptr::eq(*known, loaded.1)) {
            networks.push(loaded);
        }
    }
    networks
}

/// Listens to a run and notes when its parts begin.
struct Clock {
    began: Instant,
    loaded: Option<Instant>,
    first: Option<Instant>,
    /// Since when files are written.
    writing: Option<Instant>,
    /// How long files were written.
    files: Duration,
    steps: usize,
    now: Option<(Phase, Instant)>,
    /// For each phase what it took in all steps that count.
    phases: BTreeMap<Phase, Duration>,
}

impl Clock {
    fn new() -> Self {
        let (loaded, first, writing, files, now) = Default::default();
        Self { began: Instant::now(), loaded, first, writing, files, steps: 0, now, phases: BTreeMap::new() }
    }

    fn hear(&mut self, news: &News) {
        let now = Instant::now();
        match news {
            News::Loaded(_) => self.loaded = Some(now),
            News::Run(Event::Phase(phase)) => {
                self.close(now);
                self.now = Some((*phase, now));
            }
            News::Run(Event::Step(_)) => {
                self.close(now);
                self.now = None;
                self.steps += 1;
                self.first.get_or_insert(now);
            }
            News::Writing => self.writing = Some(now),
            News::Wrote(_) => self.wrote(now),
            _ => {}
        }
    }

    fn close(&mut self, now: Instant) {
        if let Some((phase, began)) = self.now
            && self.steps >= WARM
        {
            *self.phases.entry(phase).or_default() += now - began;
        }
    }

    fn wrote(&mut self, now: Instant) {
        // A series is several files.
        self.files += self.writing.replace(now).map_or(Duration::ZERO, |began| now - began);
    }

    /// The mean of a step, of what is not in the files' way.
    fn mean(&self, phase: Phase) -> Duration {
        let all = self.phases.get(&phase).copied().unwrap_or_default();
        all / self.steps.saturating_sub(WARM).max(1) as u32
    }
}

/// A line of the table.
struct Row {
    name: String,
    shape: String,
    way: &'static str,
    forward: Duration,
    backward: Duration,
    multiplications: u64,
}

impl Row {
    fn new(name: &str, forward: Duration, backward: Duration) -> Self {
        Self { name: name.into(), shape: String::new(), way: "", forward, backward, multiplications: 0 }
    }

    fn of_layer((names, time): (Vec<String>, LayerTime), images: u32) -> Self {
        let [channels, height, width] = time.shape;
        Self {
            name: together(&names),
            shape: if channels > 0 { format!("{channels}x{height}x{width}") } else { String::new() },
            way: time.way,
            forward: time.forward * images,
            backward: time.backward * images,
            multiplications: time.multiplications * u64::from(images),
        }
    }

    fn took(&self) -> Duration {
        self.forward + self.backward
    }

    /// Additions and multiplications of both directions, of the convolution as it is defined.
    fn speed(&self) -> String {
        match self.multiplications {
            0 => String::new(),
            n => format!("{:.0}", 4.0 * n as f64 / self.took().as_secs_f64() / 1e9),
        }
    }
}

/// `layer1.0.conv1 + bn1 + relu`
fn together(names: &[String]) -> String {
    let Some((first, rest)) = names.split_first() else { return "in and out".into() };
    rest.iter().fold(first.clone(), |all, name| all + " + " + name.rsplit('.').next().unwrap_or(name))
}

fn page(name: &str, recipe: &Recipe, clock: &Clock, networks: &[(&str, &Network)], files: usize) -> String {
    let phase = |phase| clock.mean(phase);
    let images = recipe.variants.first().and_then(|v| v.stages.first()).map_or(1, |stage| stage.views) as u32;
    let mut rows = vec![Row::new("transforms, penalties", phase(Phase::Transforms), phase(Phase::Pullback))];
    let (mut forward, mut backward) = (phase(Phase::Forward), phase(Phase::Backward));
    let lanes = recipe.variants.len().max(1) as u32;
    let mut portable = Vec::new();
    for (name, network) in networks {
        // Names of nodes alone would not tell which network is meant.
        let of = if networks.len() > 1 { format!("{name}: ") } else { String::new() };
        for row in network.times().into_iter().map(|layer| Row::of_layer(layer, images * lanes)) {
            forward = forward.saturating_sub(row.forward);
            backward = backward.saturating_sub(row.backward);
            rows.push(Row { name: of.clone() + &row.name, ..row });
        }
        let names = network.portable_time().0;
        // Where no node is left, there still are gradients that are handed over.
        portable.push(of + &if names.is_empty() { "between".into() } else { together(&names) });
    }
    if !portable.is_empty() {
        rows.push(Row { way: "portable", ..Row::new(&portable.join("; "), forward, backward) });
    }
    rows.push(Row::new("objective", phase(Phase::Objective), Duration::ZERO));
    rows.push(Row::new("optimizer, filters", phase(Phase::Update), Duration::ZERO));
    let all: Duration = rows.iter().map(Row::took).sum();

    let models = recipe.variants.first().map_or(&[][..], |variant| &variant.models);
    let model = models.iter().map(Model::title).collect::<Vec<_>>().join(", ");
    let vectors = Vectors::best().map_or("no vectors", Vectors::name);
    let threads = rayon::current_num_threads();
    let steps = clock.steps.saturating_sub(WARM);
    let mut text = format!("{BOLD}{name}{BOLD:#}: {model}, {vectors}, {threads} threads, mean of {steps} steps\n\n");
    let widest = |of: fn(&Row) -> usize, title: usize| rows.iter().map(of).max().unwrap_or(0).max(title);
    let names = widest(|row| row.name.chars().count(), 4);
    let shapes = widest(|row| row.shape.len(), 5);
    text.push_str(&format!(
        "{DIM}{:names$}  {:shapes$}  {:12}  {:>8}  {:>8}  {:>7}  share{DIM:#}\n",
        "part", "shape", "computed", "forward", "back", "GFLOP/s"
    ));
    let ms = |time: Duration| match time {
        Duration::ZERO => String::new(),
        time => format!("{:.2} ms", 1e3 * time.as_secs_f64()),
    };
    for row in &rows {
        let share = 100.0 * row.took().as_secs_f64() / all.as_secs_f64().max(1e-9);
        text.push_str(&format!(
            "{:names$}  {:shapes$}  {:12}  {:>8}  {:>8}  {:>7}  {share:>3.0} %\n",
            row.name,
            row.shape,
            row.way,
            ms(row.forward),
            ms(row.backward),
            row.speed(),
        ));
    }
    let line = names + shapes + 16;
    text.push_str(&format!("{BOLD}{:line$}{:>18}{BOLD:#}\n\n", "a step", ms(all)));
    let between = |from: Option<Instant>, to: Option<Instant>| match (from, to) {
        (Some(from), Some(to)) => (to - from).as_secs_f64(),
        _ => 0.0,
    };
    text.push_str(&format!(
        "{:.2} s to load the weights, {:.2} s for the first step, {:.2} s to write {files} files\n",
        between(Some(clock.began), clock.loaded),
        between(clock.loaded, clock.first),
        clock.files.as_secs_f64(),
    ));
    if let Some(megabytes) = peak() {
        text.push_str(&format!("{megabytes} MB of memory at most\n"));
    }
    text
}

/// The most memory that this process ever held, in MB, where the system tells.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()?.div_ceil(1024))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Input;
    use crate::source::SystemWorld;

    #[test]
    fn networks_are_those_of_the_first_variant() {
        let text = "fviz 1\nmodel a = motifs\nmodel b = motifs(weights = \"src/nets/motifs.safetensors\")\ncanvas 48x48\n\
                    maximize channel(each [conv3, conv4], 0, of = a) + channel(conv5, 0, of = b)\noptimize adam for 1 step\n";
        let input = Input { stem: "a".into(), text: text.into(), ..Input::default() };
        let world = SystemWorld::default();
        let checked = check(&input, &world);
        let recipe = checked.recipe.unwrap_or_else(|| panic!("{:#?}", checked.diagnostics));
        let mut session = Session::new(WeightStore::default());
        session
            .run(&recipe, &world, &Options::default(), &mut |_| {})
            .unwrap_or_else(|failed| panic!("{}", failed.why));
        assert_eq!(session.networks().count(), 3);
        let picture =
            candle_core::Tensor::zeros((1, 3, 48, 48), candle_core::DType::F32, &candle_core::Device::Cpu).unwrap();
        let reads = |(_, network): (&str, &Network)| network.forward(&picture, false).unwrap().into_keys().collect();
        let found: Vec<Vec<String>> = networks(&session, &recipe, &world).into_iter().map(reads).collect();
        let expected: Vec<_> = recipe.variants[0].stages[0].terms.iter().map(|term| term.nodes.clone()).collect();
        assert_eq!(found, expected);
    }
}
