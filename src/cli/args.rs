//! The command line: its verbs, their options and help pages.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueHint};

use super::examples::*;
use super::report::Format;
use super::terminal::Color;

/// See what a neural network has learned: write a recipe, run it, watch the picture grow
///
/// A recipe (`hen.fviz`) says what to visualize. `fviz run hen.fviz` grows the picture and writes the GIFs, pictures
/// and plots that the recipe names. A small network is built in, so nothing needs to be downloaded to begin.
#[derive(Debug, Parser)]
#[command(
    name = "fviz",
    version,
    arg_required_else_help = true,
    after_help = EXAMPLES
)]
pub struct Cli {
    /// What all verbs take.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// Options of every verb.
#[derive(Clone, Copy, Debug, Args)]
pub struct Global {
    /// When to use colours: auto, always or never; `NO_COLOR` is respected
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true,
        help_heading = "Global options"
    )]
    pub color: Color,
    /// The form in which problems are told: human, short or json
    #[arg(
        long,
        global = true,
        value_name = "FORM",
        default_value = "human",
        hide_possible_values = true,
        help_heading = "Global options"
    )]
    pub diagnostic_format: Format,
}

/// What fviz can do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run a recipe and write its pictures
    ///
    /// RECIPE may be a `.fviz` file, `-` for standard input, or a GIF or PNG that fviz has written: then the recipe
    /// stored in it is run again and gives the same bytes, as long as its photos and weights are where they were. Ctrl-C finishes the files with the frames made so far.
    ///
    /// Variants that are done are kept, so a run that was stopped, or to which a class or a file was added, grows only
    /// what is missing. They lie in the folder `kept` of the cache (`FVIZ_CACHE`, else your user's), at most 5 GB of them,
    /// or as much as `FVIZ_CACHE_SIZE` says: `500MB`, `20GB`, or 0 to keep nothing.
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArgs),
    /// Run a recipe again whenever it is saved
    ///
    /// The recipe is checked at every save. If it is wrong, the problems are shown and the last good run goes on; if
    /// it is right, the run starts anew. The files it uses and its photos are watched too. While it grows, the
    /// picture is in PICTURE.preview.png: open it in a viewer that follows changes.
    #[command(after_help = WATCH_EXAMPLES)]
    Watch(RunArgs),
    /// Check recipes without running them
    ///
    /// Tells every problem of every file: units, types, ranges, names, classes, nodes, sizes, missing files. Weights
    /// are not loaded.
    #[command(after_help = CHECK_EXAMPLES)]
    Check(CheckArgs),
    /// Explain a word of the language, an error code or a recipe
    ///
    /// A WORD prints what it does, its parameters with units, ranges and defaults, where it comes from and an
    /// example; a kind of words (`transforms`), what there is of it; a parameter (`lr`), what it means to each word
    /// that has it; a CODE, what the error means and what to write instead; a PRESET (`std/best`), its text; a RECIPE,
    /// the recipe with every default and every `use` written in, and what it will do.
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// List the nodes of a network that a recipe can name
    #[command(after_help = LAYERS_EXAMPLES)]
    Layers(LayersArgs),
    /// List the classes of a network
    #[command(after_help = CLASSES_EXAMPLES)]
    Classes(ClassesArgs),
    /// Say what a network sees in a photo
    ///
    /// Prints the most probable classes and, for the first, the units of a node that speak for it most: activation
    /// times gradient of the class's logit, summed over positions.
    #[command(after_help = CLASSIFY_EXAMPLES)]
    Classify(ClassifyArgs),
    /// Show which units a class came from
    ///
    /// For a few layers, the units that speak most for the class in this photo: activation times gradient of the
    /// class's logit, summed over positions. A sheet shows each as it looks (grown from nothing, to excite it) and
    /// beside it what it saw of the photo (its receptive field, half the photo at most, where it is strongest).
    #[command(after_help = TRACE_EXAMPLES)]
    Trace(TraceArgs),
    /// Show which parts of your photos excite a unit most
    ///
    /// Every photo of the folder is shown to the network. A sheet has a row for each unit: what it looks like, grown
    /// from nothing, then the parts of the photos where its activation is greatest, one a photo (its receptive field,
    /// half the photo at most).
    #[command(after_help = EXEMPLARS_EXAMPLES)]
    Exemplars(ExemplarsArgs),
    /// Say how sure a network is that pictures show a class
    ///
    /// Prints, for each picture, the probability of the class (the mean over four sizes, 6/7 to 9/7 of the network's
    /// own, and their mirror images) and its rank among all classes. The network that grew a picture is no judge of
    /// it; ask another one.
    #[command(after_help = JUDGE_EXAMPLES)]
    Judge(JudgeArgs),
    /// Show the recipe, seed and scores that are stored in a GIF or PNG
    #[command(after_help = SHOW_EXAMPLES)]
    Show(ShowArgs),
    /// Show where the time of a recipe goes
    ///
    /// Runs the recipe for a few steps, writes nothing, and prints for every layer of the network how it is computed,
    /// its time forward and back and its share, and the same for transforms, optimizer and files, and the memory.
    #[command(after_help = PROFILE_EXAMPLES)]
    Profile(ProfileArgs),
    /// Compare recipes with their golden files
    ///
    /// Beside `hen.fviz`, `hen.golden` holds the scores and small pictures of a run of at most 20 steps. They must
    /// agree within the tolerance that the file states. What differs is drawn side by side (expected, got,
    /// difference) in a PNG whose path is printed.
    #[command(after_help = TEST_EXAMPLES)]
    Test(TestArgs),
    /// Write a commented recipe to begin with
    #[command(after_help = NEW_EXAMPLES)]
    New(NewArgs),
    /// Print the completions of a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(CompletionsArgs),
}

/// Arguments of `run` and `watch`.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// The recipe: a .fviz file, `-` for standard input, or a GIF or PNG made by fviz
    #[arg(value_hint = ValueHint::FilePath)]
    pub recipe: PathBuf,
    /// Folder in which the files are written
    #[arg(short, long, value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    pub output: PathBuf,
    /// Override a `let` of the recipe; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// Run every stage for N steps
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub steps: Option<u32>,
    /// Use this seed instead of the recipe's
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Grow every variant anew, also those that are kept from an earlier run
    #[arg(long)]
    pub fresh: bool,
    /// Use this many threads; the result is the same [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Show no progress
    #[arg(short, long)]
    pub quiet: bool,
    /// Print events as JSON lines on standard output
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `check`.
#[derive(Clone, Debug, Args)]
pub struct CheckArgs {
    /// The recipes; `-` is standard input
    #[arg(required = true, value_name = "FILES", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Override a `let`; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
}

/// Arguments of `explain`.
#[derive(Clone, Debug, Args)]
pub struct ExplainArgs {
    /// A word (`blur`), an error code (`unknown_class`) or a recipe (`hen.fviz`, `-`)
    #[arg(value_name = "WORD|CODE|RECIPE", value_hint = ValueHint::FilePath)]
    pub what: String,
    /// Override a `let` of the recipe; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
}

/// Which network.
#[derive(Clone, Debug, Args)]
pub struct ModelArg {
    /// The network, written as in a recipe: `resnet18`, `'resnet18(weights = "mine.pth")'` [default: the one built in]
    #[arg(long, value_name = "MODEL")]
    pub model: Option<String>,
}

/// Arguments of `layers`.
#[derive(Clone, Debug, Args)]
pub struct LayersArgs {
    /// The network, written as in a recipe: `resnet18` [default: the one built in]
    #[arg(value_name = "MODEL")]
    pub model: Option<String>,
}

/// Arguments of `classes`.
#[derive(Clone, Debug, Args)]
pub struct ClassesArgs {
    /// Part of a label, or an index; without it all classes are listed
    #[arg(value_name = "QUERY")]
    pub query: Option<String>,
    /// Which network.
    #[command(flatten)]
    pub model: ModelArg,
}

/// Arguments of `classify`.
#[derive(Clone, Debug, Args)]
pub struct ClassifyArgs {
    /// A JPEG, PNG or WebP
    #[arg(value_hint = ValueHint::FilePath)]
    pub photo: PathBuf,
    /// Which network.
    #[command(flatten)]
    pub model: ModelArg,
    /// The node whose units are listed; `fviz layers` lists them [default: the last one with positions]
    #[arg(long, value_name = "NODE")]
    pub layer: Option<String>,
    /// How many classes and units are listed
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    pub top: u16,
}

/// Arguments of `trace`.
#[derive(Clone, Debug, Args)]
pub struct TraceArgs {
    /// A JPEG, PNG or WebP
    #[arg(value_hint = ValueHint::FilePath)]
    pub photo: PathBuf,
    /// Which network.
    #[command(flatten)]
    pub model: ModelArg,
    /// The class, a label or an index [default: the most probable one]
    #[arg(long, value_name = "CLASS")]
    pub class: Option<String>,
    /// A node to look at; may be given several times [default: the last ReLU of each of the last four stages]
    #[arg(long, value_name = "NODE")]
    pub layer: Vec<String>,
    /// How many units of each layer
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=32))]
    pub top: u16,
    /// The picture to write, a PNG
    #[arg(short, long, value_name = "FILE", default_value = "trace.png", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,
}

/// Arguments of `exemplars`.
#[derive(Clone, Debug, Args)]
pub struct ExemplarsArgs {
    /// A folder with JPEG, PNG or WebP pictures
    #[arg(value_hint = ValueHint::DirPath)]
    pub folder: PathBuf,
    /// A node and a channel, as `layer3.1:42`; may be given several times
    #[arg(long, required = true, value_name = "NODE:CHANNEL")]
    pub unit: Vec<String>,
    /// Which network.
    #[command(flatten)]
    pub model: ModelArg,
    /// How many photos of each unit
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub top: u16,
    /// The picture to write, a PNG
    #[arg(short, long, value_name = "FILE", default_value = "exemplars.png", value_hint = ValueHint::FilePath)]
    pub output: PathBuf,
}

/// Arguments of `judge`.
#[derive(Clone, Debug, Args)]
pub struct JudgeArgs {
    /// JPEG, PNG or WebP pictures
    #[arg(required = true, value_name = "IMAGES", value_hint = ValueHint::FilePath)]
    pub images: Vec<PathBuf>,
    /// The class: a label or an index
    #[arg(long, value_name = "CLASS")]
    pub class: String,
    /// A network that judges, written as in a recipe; may be given several times [default: the one built in]
    #[arg(long, value_name = "MODEL")]
    pub model: Vec<String>,
}

/// Arguments of `show`.
#[derive(Clone, Debug, Args)]
pub struct ShowArgs {
    /// A GIF or PNG made by fviz
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Print only the recipe
    #[arg(long)]
    pub recipe: bool,
}

/// Arguments of `profile`.
#[derive(Clone, Debug, Args)]
pub struct ProfileArgs {
    /// The recipe: a .fviz file, `-` for standard input, or a GIF or PNG made by fviz
    #[arg(value_hint = ValueHint::FilePath)]
    pub recipe: PathBuf,
    /// Override a `let` of the recipe; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// Run every stage for N steps
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub steps: u32,
    /// Use this many threads [default: one for each core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

/// Arguments of `test`.
#[derive(Clone, Debug, Args)]
pub struct TestArgs {
    /// Recipes, or folders that are searched for them [default: the current folder]
    #[arg(value_name = "PATHS", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// Write the golden files anew
    #[arg(long)]
    pub bless: bool,
    /// Folder for the pictures of what differs
    #[arg(long, value_name = "DIR", default_value = "fviz-test", value_hint = ValueHint::DirPath)]
    pub report: PathBuf,
}

/// Arguments of `new`.
#[derive(Clone, Debug, Args)]
pub struct NewArgs {
    /// Name of the recipe; `hen` writes hen.fviz
    pub name: PathBuf,
}

/// Arguments of `completions`.
#[derive(Clone, Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, for example target=\"hen\"")?;
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(format!("`{name}` is no name of a let"));
    }
    Ok((name.trim_start_matches('$').into(), value.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_are_split_at_the_first_sign() {
        assert_eq!(assignment("a = \"x=y\""), Ok(("a".into(), "\"x=y\"".into())));
        assert!(assignment("a").is_err() && assignment("a b=1").is_err() && assignment("=1").is_err());
    }
}
