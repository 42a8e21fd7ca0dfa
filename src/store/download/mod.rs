//! Fetching a published file: resumed where an earlier try ended, checked, and named only when it is whole.

mod part;
#[cfg(test)]
mod tests;
mod wire;

use std::path::{Path, PathBuf};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::RootCerts;

use self::part::Part;
use self::wire::{Head, News};
use super::problem::{FetchProblem, Stop};
use super::sha256;
use super::weights::Limits;
use crate::source::CancelToken;

/// How often a connection that broke off is made anew, as long as each brings something.
const TRIES: usize = 5;
/// How often it is asked whether to stop.
const ASK: Duration = Duration::from_millis(50);

/// One file to fetch.
pub(super) struct Job<'a> {
    /// Where from.
    pub(super) url: &'a str,
    /// Where to; `target.part` and `target.lock` lie beside it.
    pub(super) target: &'a Path,
    /// All hex digits of its SHA-256, or at least the first 8.
    pub(super) sha256: &'a str,
    /// What it may cost.
    pub(super) limits: Limits,
}

/// How one request ended.
enum Ended {
    /// The server says that the part is the whole file.
    Whole {
        /// All of it came with this one answer.
        fresh: bool,
    },
    /// The connection broke off; of so many bytes.
    Broken(Option<u64>),
    /// What lies there does not fit what the server has, it says with this status.
    Misfit(u16),
}

impl Job<'_> {
    /// Fetches the file, or waits until another process has.
    pub(super) fn run(
        &self,
        progress: &mut dyn FnMut(u64, Option<u64>),
        cancel: &CancelToken,
    ) -> Result<PathBuf, Stop> {
        self.run_with(RootCerts::WebPki, progress, cancel)
    }

    fn run_with(
        &self,
        roots: RootCerts,
        progress: &mut dyn FnMut(u64, Option<u64>),
        cancel: &CancelToken,
    ) -> Result<PathBuf, Stop> {
        let agent = wire::client(self.url, roots, self.limits)?;
        let Some(mut part) = Part::open(self.target, &mut |bytes| progress(bytes, None), cancel)? else {
            return Ok(self.target.to_owned());
        };
        let ended = self.complete(&agent, &mut part, progress, cancel);
        match ended {
            Ok(()) => part.finish(self.target)?,
            Err(Stop::Problem(FetchProblem::WrongSum { .. } | FetchProblem::TooLarge { .. })) => part.discard(),
            Err(_) if part.len() == 0 => part.discard(),
            Err(_) => {}
        }
        ended.map(|()| self.target.to_owned())
    }

    /// Makes requests until the part is the whole file.
    fn complete(
        &self,
        agent: &Agent,
        part: &mut Part,
        progress: &mut dyn FnMut(u64, Option<u64>),
        cancel: &CancelToken,
    ) -> Result<(), Stop> {
        let (mut tries, mut restarted) = (0, false);
        // Asked before the first request too: an earlier process may have been ended between the last byte and the name.
        while !self.fits(part) {
            let before = part.len();
            match self.request(agent, part, progress, cancel)? {
                Ended::Whole { .. } if self.fits(part) => {}
                // What an earlier try left, perhaps of another file, may be to blame: once more from the start.
                Ended::Whole { fresh: false } | Ended::Misfit(_) if !restarted => {
                    part.restart()?;
                    restarted = true;
                }
                Ended::Misfit(status) => return Err(FetchProblem::Status { status }.into()),
                Ended::Whole { .. } => {
                    return Err(FetchProblem::WrongSum {
                        expected: self.sha256.to_owned(),
                        got: part.sha256(),
                        size: part.len(),
                        page: part.is_page(),
                    }
                    .into());
                }
                Ended::Broken(total) => {
                    tries += 1;
                    if part.len() <= before || tries >= TRIES {
                        return Err(FetchProblem::Cut { got: part.len(), total }.into());
                    }
                }
            }
        }
        Ok(())
    }

    fn fits(&self, part: &Part) -> bool {
        part.len() > 0 && sha256::matches(&part.sha256(), self.sha256)
    }

    fn request(
        &self,
        agent: &Agent,
        part: &mut Part,
        progress: &mut dyn FnMut(u64, Option<u64>),
        cancel: &CancelToken,
    ) -> Result<Ended, Stop> {
        let news = wire::get(agent.clone(), self.url.to_owned(), part.len(), self.limits);
        let (mut total, mut fresh) = (None, false);
        loop {
            if cancel.is_cancelled() {
                return Err(Stop::Cancelled);
            }
            match news.recv_timeout(ASK) {
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) | Ok(News::Broken) => return Ok(Ended::Broken(total)),
                Ok(News::Head(head)) => match self.begin(&head, part)? {
                    Some(ended) => return Ok(ended),
                    None => {
                        fresh = part.len() == 0;
                        total = head.whole.or(head.length.filter(|_| head.status == 200));
                        if total.is_some_and(|total| total > self.limits.bytes) {
                            return Err(FetchProblem::TooLarge { limit: self.limits.bytes }.into());
                        }
                        progress(part.len(), total);
                    }
                },
                Ok(News::Bytes(bytes)) => {
                    if part.len() + bytes.len() as u64 > self.limits.bytes {
                        return Err(FetchProblem::TooLarge { limit: self.limits.bytes }.into());
                    }
                    part.append(&bytes)?;
                    progress(part.len(), total);
                }
                Ok(News::End) => {
                    let short = total.is_some_and(|total| part.len() < total);
                    return Ok(if short { Ended::Broken(total) } else { Ended::Whole { fresh } });
                }
                Ok(News::Failed(problem)) => return Err(problem.into()),
            }
        }
    }

    /// What the answer's head means for the part; `None` if its body belongs behind it.
    fn begin(&self, head: &Head, part: &mut Part) -> Result<Option<Ended>, FetchProblem> {
        match head.status {
            // The whole file, though only the rest may have been asked for.
            200 => part.restart().map(|()| None),
            206 if head.first == Some(part.len()) => Ok(None),
            // Nothing lies behind the part: it is whole, or longer than the file.
            416 if head.whole == Some(part.len()) => Ok(Some(Ended::Whole { fresh: false })),
            status @ (206 | 416) if part.len() > 0 => Ok(Some(Ended::Misfit(status))),
            status @ (401 | 403 | 407 | 451) => Err(FetchProblem::Refused { status }),
            status @ (404 | 410) => Err(FetchProblem::NotThere { status }),
            status => Err(FetchProblem::Status { status }),
        }
    }
}
