//! The thread that runs recipes, one after another, and tells what happens as owned messages.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::preview::Preview;
use crate::check::Recipe;
use crate::render::file::FileError;
use crate::run::{self, Scores};
use crate::session::{Failed, Identity, Keep, News, Options, Session};
use crate::source::{CancelToken, Diagnostic, World};

/// The machine, for two threads.
pub(super) type Shared = Arc<dyn World + Send + Sync>;

/// Something that happened to a run.
#[derive(Debug)]
pub enum Told {
    /// Weights are being fetched.
    Fetching {
        /// The model's name.
        model: String,
        /// Bytes so far.
        done: u64,
        /// Bytes in all, if known.
        all: Option<u64>,
    },
    /// All networks are there.
    Loaded(Vec<Identity>),
    /// A variant is not grown: it was kept.
    Kept(usize),
    /// Variants can't be kept.
    NotKept(Arc<FileError>),
    /// The first step is about to run.
    Started {
        /// Steps of all batches.
        steps: usize,
        /// How many batches there are.
        batches: usize,
    },
    /// A batch made a step.
    Step(Step),
    /// The picture so far was refreshed.
    Refreshed,
    /// Something worth a line, and the variant that it is about, if it is about one.
    Note(Option<usize>, Diagnostic),
    /// All steps are done, or it was stopped; files are written next.
    Finished {
        /// Whether it was stopped.
        cancelled: bool,
    },
    /// A file is about to be made.
    Writing,
    /// A file could not be written yet, or never.
    NotWritten {
        /// Why.
        why: String,
        /// Whether it is tried again in the end.
        again: bool,
    },
    /// A file was written.
    Wrote(PathBuf),
}

/// A step, as [`run::Step`] tells it.
#[derive(Clone, Debug)]
pub struct Step {
    batch: usize,
    variants: Vec<usize>,
    stage: usize,
    iteration: usize,
    step: usize,
    steps: usize,
    done: usize,
    scores: Vec<Scores>,
}

impl Told {
    fn of(news: &News) -> Option<Self> {
        Some(match news {
            News::Fetching { model, done, all } => Self::Fetching { model: (*model).into(), done: *done, all: *all },
            News::Loaded(identities) => Self::Loaded(identities.to_vec()),
            News::Kept { variant, .. } => Self::Kept(*variant),
            News::NotKept(error) => Self::NotKept((*error).clone()),
            News::Writing => Self::Writing,
            News::NotWritten { why, again } => Self::NotWritten { why: (*why).into(), again: *again },
            News::Wrote(path) => Self::Wrote(path.to_path_buf()),
            News::Run(run::Event::Started { steps, batches }) => Self::Started { steps: *steps, batches: *batches },
            News::Run(run::Event::Step(step)) => Self::Step(Step {
                batch: step.batch,
                variants: step.variants.to_vec(),
                stage: step.stage,
                iteration: step.iteration,
                step: step.step,
                steps: step.steps,
                done: step.done,
                scores: step.scores.to_vec(),
            }),
            News::Run(run::Event::Note { variant, note }) => Self::Note(*variant, note.clone()),
            News::Run(run::Event::Finished { cancelled }) => Self::Finished { cancelled: *cancelled },
            News::Run(
                run::Event::Phase(_)
                | run::Event::Frame { .. }
                | run::Event::View { .. }
                | run::Event::Map { .. }
                | run::Event::Done { .. },
            ) => return None,
        })
    }

    /// The same as a session tells it; nothing for what only a live run has.
    pub fn with_news(&self, hear: impl FnOnce(&News)) {
        match self {
            Self::Fetching { model, done, all } => hear(&News::Fetching { model, done: *done, all: *all }),
            Self::Loaded(identities) => hear(&News::Loaded(identities)),
            Self::Started { steps, batches } => {
                hear(&News::Run(run::Event::Started { steps: *steps, batches: *batches }));
            }
            Self::Step(step) => hear(&News::Run(run::Event::Step(run::Step {
                batch: step.batch,
                variants: &step.variants,
                stage: step.stage,
                iteration: step.iteration,
                step: step.step,
                steps: step.steps,
                done: step.done,
                scores: &step.scores,
            }))),
            Self::Note(variant, note) => {
                hear(&News::Run(run::Event::Note { variant: *variant, note: note.clone() }));
            }
            Self::Finished { cancelled } => hear(&News::Run(run::Event::Finished { cancelled: *cancelled })),
            Self::Kept(variant) => hear(&News::Kept { variant: *variant, canvas: None }),
            Self::NotKept(error) => hear(&News::NotKept(error)),
            Self::Writing => hear(&News::Writing),
            Self::NotWritten { why, again } => hear(&News::NotWritten { why, again: *again }),
            Self::Wrote(path) => hear(&News::Wrote(path)),
            Self::Refreshed => {}
        }
    }
}

/// A message of the runner: of which run, and what.
#[derive(Debug)]
pub(super) struct Message {
    pub run: u64,
    pub what: What,
}

/// What a message says.
#[derive(Debug)]
pub(super) enum What {
    /// Something happened.
    Told(Told),
    /// It ended; whether it was stopped.
    Done { cancelled: bool },
    /// It failed.
    Failed(Box<Failed>),
}

/// A recipe to run.
pub(super) struct Job {
    pub run: u64,
    pub recipe: Arc<Recipe>,
    /// Stops it; its files are written with what there is.
    pub cancel: CancelToken,
    /// Stops it; nothing is written.
    pub discard: CancelToken,
    /// Files that networks were loaded from may have changed.
    pub files_changed: bool,
}

/// The thread and the ways to and from it. It ends when this is dropped and its last job is done.
pub(super) struct Runner {
    jobs: Sender<Job>,
    messages: Receiver<Message>,
}

impl Runner {
    /// Starts the thread. Files go into `folder`, and variants that are done onto the shelf of `keep`.
    pub(super) fn start(session: Session, world: Shared, folder: PathBuf, keep: Option<Keep>) -> std::io::Result<Self> {
        let (jobs, to_do) = channel::<Job>();
        let (tell, messages) = channel();
        std::thread::Builder::new().name("run".into()).spawn(move || {
            let mut session = session;
            for job in to_do {
                let what = work(&job, &mut session, &*world, (&folder, keep.as_ref()), &tell);
                if tell.send(Message { run: job.run, what }).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { jobs, messages })
    }

    /// Hands over a recipe; it runs when the one before has ended.
    pub(super) fn run(&self, job: Job) -> Result<(), Gone> {
        self.jobs.send(job).map_err(|_| Gone)
    }

    /// The next message, if one comes in time.
    pub(super) fn next(&self, timeout: Duration) -> Result<Option<Message>, Gone> {
        match self.messages.recv_timeout(timeout) {
            Ok(message) => Ok(Some(message)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Gone),
        }
    }
}

/// The thread has ended, which only a mistake of ours can cause.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the thread that runs recipes has ended unexpectedly")]
pub struct Gone;

fn work(
    job: &Job,
    session: &mut Session,
    world: &dyn World,
    (folder, keep): (&Path, Option<&Keep>),
    tell: &Sender<Message>,
) -> What {
    if job.files_changed {
        session.forget_files();
    }
    let options = Options {
        folder: Some(folder.to_path_buf()),
        all_frames: true,
        keep: keep.cloned(),
        cancel: job.cancel.clone(),
        discard: job.discard.clone(),
    };
    let mut preview = Preview::new(folder, &job.recipe);
    // Nobody listens any more when the program is about to end.
    let say = |told| drop(tell.send(Message { run: job.run, what: What::Told(told) }));
    let result = session.run(&job.recipe, world, &options, &mut |news| {
        if preview.hear(&news) {
            say(Told::Refreshed);
        }
        if let Some(told) = Told::of(&news) {
            say(told);
        }
    });
    match result {
        Ok(report) => What::Done { cancelled: report.ending.cancelled },
        Err(failed) => What::Failed(Box::new(failed)),
    }
}
