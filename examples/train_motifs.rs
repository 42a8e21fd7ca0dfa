//! Trains the network that is built into fviz, from pictures that it draws
//! itself, and shows what the network has learned.
#![allow(clippy::disallowed_methods)] // the network is what is shipped; another machine may train another one

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

#[path = "train_motifs/conv.rs"]
mod conv;
#[path = "train_motifs/draw.rs"]
mod draw;
#[path = "train_motifs/file.rs"]
mod file;
#[path = "train_motifs/food.rs"]
mod food;
#[path = "train_motifs/gallery.rs"]
mod gallery;
#[path = "train_motifs/life.rs"]
mod life;
#[path = "train_motifs/motifs.rs"]
mod motifs;
#[path = "train_motifs/net.rs"]
mod net;
#[path = "train_motifs/norm.rs"]
mod norm;
#[path = "train_motifs/patterns.rs"]
mod patterns;
#[path = "train_motifs/scene.rs"]
mod scene;
#[path = "train_motifs/things.rs"]
mod things;
#[path = "train_motifs/train.rs"]
mod train;

use draw::{Canvas, Dice};
use gallery::{Climb, Goal};
use motifs::MOTIFS;
use net::{Head, Net};

/// What may go wrong here only needs to be shown.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Trains the network that is built into fviz.
#[derive(Parser)]
struct Args {
    /// Everything random follows from it
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Channels of every layer, times this
    #[arg(long, default_value_t = 1.)]
    width: f32,
    /// Batches of pictures to learn from
    #[arg(long, default_value_t = 4000)]
    steps: usize,
    /// Pictures in a batch
    #[arg(long, default_value_t = 32)]
    batch: usize,
    /// How far an attack may change a picture (L2), in the first and in the second half
    #[arg(long, num_args = 1..=2, value_delimiter = ',', default_value = "8,16")]
    epsilon: Vec<f32>,
    /// The largest step of the optimizer
    #[arg(long, default_value_t = 0.003)]
    rate: f64,
    /// How the scores at the positions become one
    #[arg(long, value_enum, default_value = "lse")]
    head: Head,
    /// Write the network here
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Read this network instead of training one
    #[arg(long, value_name = "FILE")]
    net: Option<PathBuf>,
    /// Write a picture of what excites each class into this folder
    #[arg(long, value_name = "DIR")]
    gallery: Option<PathBuf>,
    /// The network that ranks the gallery's pictures
    #[arg(long, value_name = "FILE")]
    judge: Option<PathBuf>,
    /// What the gallery's pictures climb
    #[arg(long, value_enum, default_value = "centre")]
    goal: Goal,
    /// How many steps they take
    #[arg(long, default_value_t = 128)]
    climb_steps: usize,
    /// How far each step goes (L2)
    #[arg(long, default_value_t = 8.)]
    climb_length: f32,
    /// How much they are blurred at first (pixels)
    #[arg(long, default_value_t = 1.2)]
    climb_blur: f32,
    /// Write the motifs and two drawings of each as a network sees them to this picture
    #[arg(long, value_name = "FILE")]
    motifs: Option<PathBuf>,
}

fn main() -> Outcome<()> {
    let args = Args::parse();
    if let Some(path) = &args.motifs {
        return show_motifs(path, args.seed);
    }
    // Asked before the training: there may be other commits after it.
    let commit = commit();
    let net = match &args.net {
        Some(path) => Net::load(path)?,
        None => learn(&args, &commit)?,
    };
    let shares = train::accuracy(&net, 50)?;
    let accuracy = shares.iter().sum::<f32>() / shares.len() as f32;
    for (motif, share) in MOTIFS.iter().zip(&shares).filter(|(_, share)| **share < 0.98) {
        println!("{:5.1} %  {}", share * 100., motif.label);
    }
    println!("{:5.1} %  of {} held-out pictures", accuracy * 100., 50 * shares.len());
    if let Some(path) = &args.out {
        let hash = net.save(path, about(&args, &commit, accuracy))?;
        println!("{} has hash {hash}", path.display());
    }
    if let Some(folder) = &args.gallery {
        show_gallery(&net, &args, folder)?;
    }
    Ok(())
}

/// Trains a network and shows how it gets on.
fn learn(args: &Args, commit: &str) -> Outcome<Net> {
    let net = Net::new(args.width, args.head, MOTIFS.len(), &mut Dice::new(args.seed, u64::MAX - 1))?;
    let epsilon = [args.epsilon[0], args.epsilon[args.epsilon.len() - 1]];
    let Args { seed, steps, batch, rate, .. } = *args;
    let plan = train::Plan { seed, steps, batch, epsilon, rate };
    let style = "{bar:30} {pos}/{len}  {elapsed}, {eta} left  {msg}";
    let bar = ProgressBar::new(steps as u64).with_style(ProgressStyle::with_template(style)?);
    let start = Instant::now();
    let mut mean = (0., 0.);
    train::train(&net, &plan, |step, loss, right| {
        let weight = 1. / (step + 1).min(50) as f32;
        mean = (mean.0 + weight * (loss - mean.0), mean.1 + weight * (right - mean.1));
        bar.set_message(format!("loss {:.2}, right {:.0} %", mean.0, mean.1 * 100.));
        bar.inc(1);
        if (step + 1) % 250 > 0 {
            return Ok(());
        }
        if bar.is_hidden() {
            let (seconds, right) = (start.elapsed().as_secs(), mean.1 * 100.);
            println!("{:5}  {seconds} s  loss {:.3}  right {right:.1} %", step + 1, mean.0);
        }
        // A long training can be looked at before its end.
        if let Some(path) = &args.out {
            net.save(path, about(args, commit, 0.))?;
        }
        Ok(())
    })?;
    bar.finish();
    println!("{steps} steps took {:.0} s", start.elapsed().as_secs_f32());
    Ok(net.round()?)
}

/// The commit of this program.
fn commit() -> String {
    let git = Command::new("git").args(["rev-parse", "HEAD"]).output().ok();
    let hash = git.filter(|out| out.status.success()).map(|out| out.stdout);
    String::from_utf8(hash.unwrap_or_default()).unwrap_or_default().trim().into()
}

/// What a user of the file must know, and where it comes from.
fn about(args: &Args, commit: &str, accuracy: f32) -> HashMap<String, String> {
    let labels: Vec<&str> = MOTIFS.iter().map(|motif| motif.label).collect();
    [
        ("labels", labels.join("\n")),
        ("mean", "0.5,0.5,0.5".into()),
        ("std", "0.25,0.25,0.25".into()),
        ("size", format!("{0}x{0}", draw::SIZE)),
        ("seed", args.seed.to_string()),
        ("commit", commit.into()),
        ("accuracy", format!("{accuracy:.4}")),
    ]
    .map(|(key, value)| (key.into(), value))
    .into()
}

/// Draws what excites every class and has it judged.
fn show_gallery(net: &Net, args: &Args, folder: &Path) -> Outcome<()> {
    std::fs::create_dir_all(folder)?;
    let classes: Vec<usize> = (0..MOTIFS.len()).collect();
    let climb = Climb {
        goal: args.goal,
        steps: args.climb_steps,
        length: args.climb_length,
        blur: args.climb_blur,
        seed: args.seed,
    };
    let start = Instant::now();
    let pictures = gallery::climb(net, &classes, &climb)?;
    println!("{} pictures took {:.0} s", pictures.len(), start.elapsed().as_secs_f32());
    for (motif, picture) in MOTIFS.iter().zip(&pictures) {
        let name = motif.label.replace(' ', "-");
        gallery::image(picture, 4).save(folder.join(format!("{name}.png")))?;
    }
    gallery::sheet(&pictures, 8, 2, &folder.join("sheet.png"))?;
    if let Some(path) = &args.judge {
        let ranks = gallery::ranks(&Net::load(path)?, &pictures, &classes)?;
        for (motif, rank) in MOTIFS.iter().zip(&ranks).filter(|(_, rank)| **rank > 1) {
            println!("rank {rank:2}  {}", motif.label);
        }
        let first = ranks.iter().filter(|rank| **rank == 1).count();
        println!("the judge ranks {first} of {} first", ranks.len());
    }
    Ok(())
}

/// Draws every motif for people to check.
fn show_motifs(path: &Path, seed: u64) -> Outcome<()> {
    let mut pictures: Vec<Canvas> = Vec::new();
    for (i, motif) in MOTIFS.iter().enumerate() {
        let mut dice = Dice::new(seed, i as u64);
        pictures.push(scene::portrait(motif, &mut dice));
        pictures.push(scene::picture(motif, scene::Split::Train, &mut dice));
        pictures.push(scene::picture(motif, scene::Split::HeldOut, &mut dice));
    }
    gallery::sheet(&pictures, 12, 1, path)
}
