//! Feeds recipes that are broken in every way to fviz, and stops at the first that is answered badly.
//!
//!     cargo run --release --manifest-path fuzz/Cargo.toml -- --inputs 10000000
//!
//! An input is answered badly if the target panics, allocates more than 64 MB at once, or needs more than a second.
//! Each input is a pure function of the seed and its number, so `--seed S --from N --inputs 1` shows it again.

mod alloc;
mod corpus;
mod generate;
mod mutate;
mod rng;
mod target;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::exit;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use corpus::Corpus;

/// More live bytes than this for one input are a finding.
const MOST_BYTES: usize = 64 << 20;

/// More time than this for one input, each of several times, is a finding: on a busy machine once may be chance.
const MOST_TIME: Duration = Duration::from_secs(1);

/// After so long an input is held to hang.
const HANGS: Duration = Duration::from_secs(20);

/// So many inputs are taken at a time.
const BATCH: u64 = 256;

struct Options {
    inputs: u64,
    seed: u64,
    from: u64,
    threads: usize,
    /// Only print the inputs: what ends the whole process (a stack overflow) can't be written down by it.
    show: bool,
}

/// What a worker is doing, for the watchdog.
#[derive(Default)]
struct Worker {
    input: Mutex<(u64, String)>,
    /// When the input at hand began, in milliseconds since the start plus one; 0 if there is none.
    since: AtomicU64,
}

/// What all workers have found out.
#[derive(Default)]
struct Totals {
    next: AtomicU64,
    done: AtomicU64,
    bytes: AtomicU64,
    clean: AtomicU64,
    most_bytes: AtomicU64,
    most_micros: AtomicU64,
}

fn main() {
    let options = options();
    let corpus = Corpus::load(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")));
    eprintln!(
        "{} inputs from number {} of seed {}, {} threads, {} recipes to start from",
        options.inputs,
        options.from,
        options.seed,
        options.threads,
        corpus.len()
    );
    if options.show {
        for number in options.from..options.from.saturating_add(options.inputs) {
            println!("{}", mutate::input(&corpus, options.seed, number).text);
        }
        return;
    }
    let start = Instant::now();
    let totals = Totals { next: AtomicU64::new(options.from), ..Totals::default() };
    let workers: Vec<Worker> = (0..options.threads).map(|_| Worker::default()).collect();
    thread::scope(|scope| {
        for worker in &workers {
            let (totals, corpus, options) = (&totals, &corpus, &options);
            scope.spawn(move || work(worker, totals, corpus, options, start));
        }
        watch(&workers, &totals, &options, start);
    });
    report(&totals, start);
}

/// Answers inputs until there are none left.
fn work(worker: &Worker, totals: &Totals, corpus: &Corpus, options: &Options, start: Instant) {
    let end = options.from.saturating_add(options.inputs);
    loop {
        let first = totals.next.fetch_add(BATCH, Relaxed);
        if first >= end {
            return;
        }
        for number in first..end.min(first + BATCH) {
            let input = mutate::input(corpus, options.seed, number);
            if let Ok(mut slot) = worker.input.lock() {
                slot.0 = number;
                slot.1.clear();
                slot.1.push_str(&input.text);
            }
            worker.since.store(start.elapsed().as_millis() as u64 + 1, Relaxed);
            let began = Instant::now();
            alloc::begin();
            let outcome = catch_unwind(AssertUnwindSafe(|| target::answer(&input.text, input.is_valid)));
            let bytes = alloc::peak();
            let time = began.elapsed();
            worker.since.store(0, Relaxed);
            totals.done.fetch_add(1, Relaxed);
            totals.bytes.fetch_add(input.text.len() as u64, Relaxed);
            totals.most_bytes.fetch_max(bytes as u64, Relaxed);
            totals.most_micros.fetch_max(time.as_micros() as u64, Relaxed);
            match outcome {
                Err(_) => finding("it panics", number, &input.text),
                Ok(_) if time > MOST_TIME && is_slow(&input) => finding("it takes too long", number, &input.text),
                Ok(_) if bytes > MOST_BYTES => finding("it takes too much memory", number, &input.text),
                Ok(clean) => drop(totals.clean.fetch_add(u64::from(clean), Relaxed)),
            }
        }
    }
}

/// Whether an input takes too long again and again.
fn is_slow(input: &mutate::Input) -> bool {
    (0..5).all(|_| {
        let began = Instant::now();
        target::answer(&input.text, input.is_valid);
        began.elapsed() > MOST_TIME
    })
}

/// Tells how far the work is, and ends it if an input takes too long.
fn watch(workers: &[Worker], totals: &Totals, options: &Options, start: Instant) {
    let mut told = Instant::now();
    while totals.done.load(Relaxed) < options.inputs {
        thread::sleep(Duration::from_millis(50));
        let now = start.elapsed().as_millis() as u64 + 1;
        for worker in workers {
            let since = worker.since.load(Relaxed);
            if since != 0
                && now.saturating_sub(since) > HANGS.as_millis() as u64
                && let Ok(slot) = worker.input.lock()
                && worker.since.load(Relaxed) == since
            {
                finding("it hangs", slot.0, &slot.1);
            }
        }
        if told.elapsed() > Duration::from_secs(10) {
            told = Instant::now();
            report(totals, start);
        }
    }
}

fn report(totals: &Totals, start: Instant) {
    let (done, seconds) = (totals.done.load(Relaxed), start.elapsed().as_secs_f64());
    eprintln!(
        "{done} inputs in {seconds:.0} s ({:.0} a second, {:.1} MB/s), {:.0} % without a problem, at most {:.2} MB and {:.1} ms",
        done as f64 / seconds,
        totals.bytes.load(Relaxed) as f64 / seconds / 1e6,
        100.0 * totals.clean.load(Relaxed) as f64 / done.max(1) as f64,
        totals.most_bytes.load(Relaxed) as f64 / f64::from(1 << 20),
        totals.most_micros.load(Relaxed) as f64 / 1000.0,
    );
}

/// Writes the input down and ends the program.
fn finding(what: &str, number: u64, text: &str) -> ! {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("findings");
    let path = folder.join(format!("{number}.fviz"));
    let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, text));
    let shown: String = text.chars().take(2000).collect();
    eprintln!("FINDING: {what}: input {number}, {} bytes: {shown:?}", text.len());
    match written {
        Ok(()) => eprintln!("it is in fuzz/findings/{number}.fviz"),
        Err(error) => eprintln!("it could not be written down: {error}"),
    }
    exit(1)
}

fn options() -> Options {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut options = Options { inputs: 1_000_000, seed: 1, from: 0, threads, show: false };
    let mut args = std::env::args().skip(1);
    while let Some(flag) = args.next() {
        if flag == "--show" {
            options.show = true;
            continue;
        }
        let value = args.next().and_then(|value| value.replace('_', "").parse::<u64>().ok());
        match (flag.as_str(), value) {
            ("--inputs", Some(value)) => options.inputs = value,
            ("--seed", Some(value)) => options.seed = value,
            ("--from", Some(value)) => options.from = value,
            ("--threads", Some(value)) => options.threads = value.clamp(1, 1024) as usize,
            _ => {
                eprintln!("usage: fviz-fuzz [--inputs N] [--seed N] [--from N] [--threads N] [--show]");
                exit(2)
            }
        }
    }
    options
}
