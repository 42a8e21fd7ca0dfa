//! Why there are no weights, and what a person can do about it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Weights could not be had. The message says what is wrong, [`help`](Self::help) what to do.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The recipe names a file that is not there.
    #[error("there is no file `{}`", path.display())]
    NoFile {
        /// As it was looked for.
        path: PathBuf,
    },
    /// A folder, a pipe or a device.
    #[error("`{}` is not a file", path.display())]
    NotAFile {
        /// What was named.
        path: PathBuf,
    },
    /// The system does not hand it out.
    #[error("`{}` can't be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Larger than any network that fviz can run.
    #[error("`{}` is too large: {size} bytes; at most {limit} are read", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes ([`Limits::bytes`](super::Limits::bytes)).
        limit: u64,
    },
    /// A publisher's file whose bytes are not the publisher's.
    #[error("`{}` is damaged: its SHA-256 should begin with {expected}, but is {got}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The digits that the publisher states.
        expected: String,
        /// The digits of the bytes that lie there.
        got: String,
        /// A name for it under which it would be taken as it is.
        rename: String,
    },
    /// Nowhere on this machine, and they could not be fetched.
    #[error("there are no weights of `{}` on this machine, and they could not be downloaded: {problem}", by_hand.model)]
    Fetch {
        /// What went wrong with the download.
        problem: FetchProblem,
        /// The way without a download.
        by_hand: Box<ByHand>,
    },
    /// The person stopped it; what came so far is kept.
    #[error("stopped; what came so far is kept, and the next download goes on from there")]
    Cancelled,
}

/// What went wrong with a download.
#[derive(Debug, thiserror::Error)]
pub enum FetchProblem {
    /// No connection: no network, an unknown name, nobody listens, a proxy that does not let through.
    #[error("no connection to `{host}` ({reason})")]
    Unreachable {
        /// The host that was asked for.
        host: String,
        /// The system's reason.
        reason: String,
    },
    /// `FVIZ_WEIGHTS_URL` is not an address.
    #[error("`{url}` is not an address that begins with http:// or https://")]
    Address {
        /// What was to be asked.
        url: String,
    },
    /// Whatever answers there does not speak HTTP.
    #[error("`{host}` answers in a way that makes no sense ({reason})")]
    Garbled {
        /// The host that was asked for.
        host: String,
        /// What the HTTP library says.
        reason: String,
    },
    /// The other side said nothing for too long.
    #[error("`{host}` did not answer for {} seconds", after.as_secs())]
    TimedOut {
        /// The host that was asked for.
        host: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The connection could not be made secure.
    #[error("no secure connection to `{host}` ({reason})")]
    Insecure {
        /// The host that was asked for.
        host: String,
        /// What the TLS library says.
        reason: String,
    },
    /// The TLS code is written for newer processors.
    #[error("this processor lacks instructions that the built-in secure connection needs")]
    Processor,
    /// 401, 403, 407, 451.
    #[error("the server refuses it (status {status})")]
    Refused {
        /// The HTTP status.
        status: u16,
    },
    /// 404, 410.
    #[error("the server does not have it (status {status})")]
    NotThere {
        /// The HTTP status.
        status: u16,
    },
    /// Any other answer that is not the file.
    #[error("the server can't serve it now (status {status})")]
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// Sent from address to address without end.
    #[error("the server sends from address to address without end")]
    Redirects,
    /// More bytes than any network that fviz can run.
    #[error("the server sends more than {limit} bytes")]
    TooLarge {
        /// The limit in bytes ([`Limits::bytes`](super::Limits::bytes)).
        limit: u64,
    },
    /// The connection ended early, and again without anything new.
    #[error("the connection ended after {got}{} bytes", total.map(|n| format!(" of {n}")).unwrap_or_default())]
    Cut {
        /// Bytes that came and are kept.
        got: u64,
        /// Bytes that were to come, if the server said so.
        total: Option<u64>,
    },
    /// The bytes are not the publisher's.
    #[error("what came is not the file: {} and its SHA-256 should begin with {expected}, but is {got}", what_came(*size, *page))]
    WrongSum {
        /// The digits that the publisher states.
        expected: String,
        /// The digits of what came.
        got: String,
        /// Its size in bytes.
        size: u64,
        /// It begins like a web page: a proxy's or a hotel's sign-in page.
        page: bool,
    },
    /// The disk is full, or the folder can't be written.
    #[error("`{}` can't be written: {source}", path.display())]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// There is no home folder and `FVIZ_CACHE` is not set.
    #[error("no folder is known to keep them in")]
    NoCache,
    /// Built without the feature `download`.
    #[error("this fviz was built without downloads")]
    NotBuilt,
}

fn what_came(size: u64, page: bool) -> String {
    if page { format!("it is a web page of {size} bytes,") } else { format!("it has {size} bytes,") }
}

/// Why a download ended without a file.
#[derive(Debug)]
#[cfg_attr(not(feature = "download"), allow(dead_code))]
pub(super) enum Stop {
    /// The person wanted it so.
    Cancelled,
    /// It went wrong.
    Problem(FetchProblem),
}

impl From<FetchProblem> for Stop {
    fn from(problem: FetchProblem) -> Self {
        Self::Problem(problem)
    }
}

/// How a person gets the weights to where fviz looks for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByHand {
    /// The model's name.
    pub model: String,
    /// The publisher's file name.
    pub file: String,
    /// Where the publisher (or the mirror) serves it.
    pub url: String,
    /// Whether `url` lies on a mirror that `FVIZ_WEIGHTS_URL` names.
    pub mirror: bool,
    /// The folder in which it would be found.
    pub cache: Option<PathBuf>,
    /// What `FVIZ_MODELS` names that is no folder: a slip, most likely.
    pub no_folders: Vec<PathBuf>,
}

impl ByHand {
    fn advice(&self) -> String {
        let Self { model, file, url, cache, .. } = self;
        let save = match cache {
            Some(folder) => format!("save {url} as `{}`", folder.join(file).display()),
            None => format!("save {url} as `{file}`"),
        };
        let or = if cache.is_some() { "or set" } else { "and set" };
        format!(
            "{save}, {or} `FVIZ_MODELS` to the folder that holds it (`{model}.safetensors` and `{model}.pth` are taken \
             there too)"
        )
    }
}

impl WeightsError {
    /// What to do about it: one or a few lines for a person; `None` where the message says all.
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::NoFile { .. } => "a path in a recipe is relative to the recipe's folder".to_owned(),
            Self::NotAFile { .. } => "name a `.safetensors` or `.pth` file".to_owned(),
            Self::Damaged { path, rename, .. } => format!(
                "delete `{}` and let it be downloaded anew; if it is meant to differ, rename it `{rename}`",
                path.display()
            ),
            Self::Fetch { problem, by_hand } => problem.help(by_hand),
            Self::Unreadable { .. } | Self::TooLarge { .. } | Self::Cancelled => return None,
        })
    }
}

impl FetchProblem {
    fn help(&self, by_hand: &ByHand) -> String {
        let advice = by_hand.advice();
        let slip: String = by_hand
            .no_folders
            .iter()
            .map(|path| format!("`FVIZ_MODELS` names `{}`, which is no folder; ", path.display()))
            .collect();
        slip + &match self {
            Self::Cut { .. } | Self::TimedOut { .. } => {
                format!("run it again: what came is kept, and the download goes on from there; or {advice}")
            }
            Self::Status { .. } => format!("try again later, or {advice}"),
            Self::NotThere { .. } | Self::Refused { .. } | Self::Redirects | Self::Address { .. } if by_hand.mirror => {
                format!("`FVIZ_WEIGHTS_URL` makes it {}; is that right? or {advice}", by_hand.url)
            }
            Self::WrongSum { page: true, .. } => {
                format!("the network may want you to sign in first: open {} in a browser; or {advice}", by_hand.url)
            }
            Self::Disk { .. } | Self::NoCache => {
                format!("make room, or set `FVIZ_CACHE` to a folder that can be written; or {advice}")
            }
            _ => advice,
        }
    }
}
