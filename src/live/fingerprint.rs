//! What a file is known by: cheaply by what the system says of it, surely by its bytes.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

/// File systems stamp times in ticks: 4 ms on Linux, 1 s on old Macs, 2 s on memory cards. Within one, a second save of
/// the same length shows no other stamp than the first.
const TICK: Duration = Duration::from_secs(2);

/// What the system says of a file without opening it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stamp {
    /// Nothing is there.
    Missing,
    /// A folder, a pipe, a device.
    Other,
    /// A file.
    File {
        /// Bytes.
        len: u64,
        /// Last write.
        modified: Option<SystemTime>,
        /// Who and when, for a file renamed over another with its time kept (see [`identity`]).
        identity: [i64; 4],
    },
}

impl Stamp {
    /// Looks; links are followed.
    pub(super) fn of(path: &Path) -> Self {
        match std::fs::metadata(path) {
            Ok(meta) if meta.is_file() => {
                Self::File { len: meta.len(), modified: meta.modified().ok(), identity: identity(&meta) }
            }
            Ok(_) => Self::Other,
            Err(_) => Self::Missing,
        }
    }

    /// Missing or empty: perhaps a save has begun and more is to come.
    pub(super) fn is_void(&self) -> bool {
        matches!(self, Self::Missing | Self::File { len: 0, .. })
    }

    /// Whether a save after `now` would show another stamp.
    fn is_old(&self, now: SystemTime) -> bool {
        match self {
            Self::File { modified: Some(time), .. } => now.duration_since(*time).is_ok_and(|age| age > TICK),
            Self::File { modified: None, .. } => false,
            Self::Missing | Self::Other => true,
        }
    }
}

/// Device, inode and time of the last change of anything, of which a program can set none at will.
#[cfg(unix)]
pub(super) fn identity(meta: &Metadata) -> [i64; 4] {
    use std::os::unix::fs::MetadataExt;
    [meta.dev() as i64, meta.ino() as i64, meta.ctime(), meta.ctime_nsec()]
}

/// Windows tells length and time of the last write only.
#[cfg(not(unix))]
pub(super) fn identity(_: &Metadata) -> [i64; 4] {
    [0; 4]
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing is there.
    Missing,
    /// A folder, a pipe, a device: never read, a pipe would wait for its writer.
    Other,
    /// The system does not hand it out.
    Unreadable,
    /// The SHA-256 of its bytes.
    Sum([u8; 32]),
}

impl Content {
    /// Of bytes that somebody has read.
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        Self::Sum(Sha256::digest(bytes).into())
    }

    /// Reads the file.
    pub(super) fn of(path: &Path) -> Self {
        match Stamp::of(path) {
            Stamp::Missing => Self::Missing,
            Stamp::Other => Self::Other,
            Stamp::File { .. } => match sum(path) {
                Ok(sum) => Self::Sum(sum),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Missing,
                Err(_) => Self::Unreadable,
            },
        }
    }
}

fn sum(path: &Path) -> io::Result<[u8; 32]> {
    let mut file = File::open(path)?;
    let mut sum = Sha256::new();
    let mut chunk = vec![0; 256 << 10];
    loop {
        match file.read(&mut chunk) {
            Ok(0) => return Ok(sum.finalize().into()),
            Ok(n) => sum.update(chunk.get(..n).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// What a file was when it was last looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Its bytes.
    pub(super) content: Content,
    /// Its stamp, if as long as it stays the content does too.
    pub(super) stamp: Option<Stamp>,
}

impl Seen {
    /// Looks now.
    pub(super) fn now(path: &Path) -> Self {
        // The stamp first: a save between the two then shows as another stamp.
        let (stamp, now) = (Stamp::of(path), SystemTime::now());
        Self { content: Content::of(path), stamp: Some(stamp).filter(|stamp| stamp.is_old(now)) }
    }
}
