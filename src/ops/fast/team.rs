//! Threads that go through one list of stages together.
//!
//! A [`Stage`] fills one buffer of a list from others, piece by piece. Whoever is free takes the next piece, and a stage
//! begins when all pieces of the one before are done. Nobody waits for a thread that has taken no piece: with fewer cores
//! than threads, or where no other thread comes at all, the caller does the work alone. There is no way to lock up, and
//! one list costs one entry into the pool, however many stages it has.

use std::hint::spin_loop;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::Grid;
use super::tile::fetch_all;

/// What fills a buffer.
pub trait Stage: Sync {
    /// Which buffer, and in what pieces.
    fn target(&self) -> Target;

    /// Fills one piece.
    fn piece(&self, part: &mut Part<'_>);
}

/// A buffer, and the pieces that it is filled in: `down` bands of rows, each in `across` groups of channels.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Which buffer.
    pub buffer: usize,
    /// What it holds.
    pub grid: Grid,
    /// A buffer that is filled beside it, by the same bands of rows.
    pub beside: Option<(usize, Grid)>,
    /// Bands begin at multiples of so many rows.
    pub rows: usize,
    /// Groups begin at multiples of so many channels.
    pub channels: usize,
    /// How many bands.
    pub down: usize,
    /// How many groups.
    pub across: usize,
}

impl Target {
    /// Bands of whole rows, enough for `threads` to share them evenly.
    pub fn of_rows(buffer: usize, grid: Grid, threads: usize) -> Self {
        let down = grid.height.min(4 * threads).max(1);
        Self { buffer, grid, beside: None, rows: 1, channels: grid.channels.max(1), down, across: 1 }
    }

    fn pieces(&self) -> usize {
        self.down * self.across
    }

    fn band(&self, index: usize, height: usize) -> Range<usize> {
        let units = height.div_ceil(self.rows);
        let at = |index: usize| (index * units / self.down * self.rows).min(height);
        at(index)..at(index + 1)
    }

    fn group(&self, index: usize) -> Range<usize> {
        let units = self.grid.channels.div_ceil(self.channels);
        let at = |index: usize| (index * units / self.across * self.channels).min(self.grid.channels);
        at(index)..at(index + 1)
    }
}

/// A buffer that stages may read, or read and fill.
pub enum Buffer<'a> {
    /// Only read.
    Given(&'a [f32]),
    /// Filled by a stage, read by later ones.
    Filled(&'a mut [f32]),
}

/// The same for all threads of a team.
#[derive(Clone, Copy)]
struct Raw<'a> {
    start: *mut f32,
    length: usize,
    filled: bool,
    of: PhantomData<&'a [f32]>,
}

// SAFETY: `Part` lets a thread read buffers that no stage fills at that time, and write what nobody else does.
#[allow(unsafe_code)]
unsafe impl Sync for Raw<'_> {}

/// What a piece may touch: its own part of the target, and all of the other buffers.
///
/// Sound because: the team borrows all buffers mutably for as long as it works; at any time all pieces in work are of one
/// stage; each piece of a stage is taken by one thread; pieces have bands or groups of channels of the target that do not
/// overlap; and the target is no buffer that can be read.
pub struct Part<'a> {
    buffers: &'a [Raw<'a>],
    target: Target,
    rows: Range<usize>,
    channels: Range<usize>,
    beside: Range<usize>,
}

#[allow(unsafe_code)]
impl<'a> Part<'a> {
    fn new(buffers: &'a [Raw<'a>], target: Target, piece: usize) -> Self {
        let (down, across) = (piece / target.across, piece % target.across);
        let beside = target.beside.map_or(0..0, |(_, grid)| target.band(down, grid.height));
        Self { buffers, target, rows: target.band(down, target.grid.height), channels: target.group(across), beside }
    }

    /// The rows of the target that are this piece's.
    pub fn rows(&self) -> Range<usize> {
        self.rows.clone()
    }

    /// The channels of the target that are this piece's.
    pub fn channels(&self) -> Range<usize> {
        self.channels.clone()
    }

    /// All of another buffer.
    pub fn read(&self, buffer: usize) -> &'a [f32] {
        let beside = self.target.beside.map(|(buffer, _)| buffer);
        assert!(buffer != self.target.buffer && Some(buffer) != beside, "a stage does not read what it fills");
        let Raw { start, length, .. } = self.buffers[buffer];
        // SAFETY: `start` and `length` are those of a slice that is borrowed for 'a; nobody writes it now (see `Part`).
        unsafe { std::slice::from_raw_parts(start, length) }
    }

    /// `count` channels of a pixel of the target from one of them on, with their place in the buffer.
    #[inline(always)]
    pub fn pixel(&mut self, (y, x): (usize, usize), channel: usize, count: usize) -> (usize, &mut [f32]) {
        let grid = self.target.grid;
        let own = self.rows.contains(&y) && self.channels.start <= channel && channel + count <= self.channels.end;
        assert!(own && x < grid.width, "a piece writes what is its own");
        let at = grid.at(y, x) + channel;
        (at, self.write(self.target.buffer, at, count))
    }

    /// Asks for the memory of a pixel's channels, which will be written soon; where they begin in the buffer.
    #[inline(always)]
    pub fn fetch(&self, (y, x): (usize, usize), channel: usize, count: usize) -> usize {
        let at = self.target.grid.at(y, x) + channel;
        fetch_all(self.buffers[self.target.buffer].start.wrapping_add(at), count);
        at
    }

    /// All pixels of a row of the target, with its place in the buffer.
    pub fn row(&mut self, y: usize) -> (usize, &mut [f32]) {
        let grid = self.target.grid;
        assert!(self.rows.contains(&y) && self.channels == (0..grid.channels), "a piece writes what is its own");
        let at = grid.at(y, 0);
        (at, self.write(self.target.buffer, at, grid.width * grid.channels))
    }

    /// All pixels of a row of the target, and of the buffer beside it.
    pub fn rows_beside(&mut self, y: usize) -> (&mut [f32], &mut [f32]) {
        let (grid, own) = (self.target.grid, self.rows.contains(&y) && self.beside.contains(&y));
        assert!(own && self.channels == (0..grid.channels), "a piece writes what is its own");
        let Some((other, beside)) = self.target.beside.filter(|(other, _)| *other != self.target.buffer) else {
            panic!("a stage has another buffer beside its target");
        };
        let first: *mut [f32] = self.write(self.target.buffer, grid.at(y, 0), grid.width * grid.channels);
        let second = self.write(other, beside.at(y, 0), beside.width * beside.channels);
        // SAFETY: they are of two buffers, and of this piece's own rows.
        (unsafe { &mut *first }, second)
    }

    #[inline(always)]
    fn write(&mut self, buffer: usize, at: usize, count: usize) -> &mut [f32] {
        let Raw { start, length, filled, .. } = self.buffers[buffer];
        assert!(filled && at + count <= length, "a piece lies within its buffer");
        // SAFETY: within a slice that is borrowed mutably for 'a, and nobody else's (see `Part`, and the callers' checks).
        unsafe { std::slice::from_raw_parts_mut(start.add(at), count) }
    }
}

struct Team<'a> {
    buffers: &'a [Raw<'a>],
    /// Each with its target, which is asked for once: were it another every time, pieces could overlap.
    stages: Vec<(Target, &'a (dyn Stage + 'a))>,
    /// The stage in work.
    stage: AtomicUsize,
    /// For each thread the stage in work, times 2³², plus how many pieces of its share are taken.
    taken: Vec<Line<AtomicU64>>,
    /// Pieces of the stage that are done.
    done: Line<AtomicUsize>,
    began: Instant,
    /// For each stage when it ended, in nanoseconds.
    ends: Vec<AtomicU64>,
}

/// What threads write often shares no line of the cache.
#[repr(align(64))]
struct Line<T>(T);

/// Does all stages, on all threads of the current pool. → How long each took.
pub fn run(buffers: Vec<Buffer<'_>>, stages: &[Box<dyn Stage + '_>]) -> Vec<Duration> {
    let raw = |buffer| match buffer {
        Buffer::Given(slice) => {
            Raw { start: slice.as_ptr().cast_mut(), length: slice.len(), filled: false, of: PhantomData }
        }
        Buffer::Filled(slice) => Raw { start: slice.as_mut_ptr(), length: slice.len(), filled: true, of: PhantomData },
    };
    let buffers: Vec<Raw> = buffers.into_iter().map(raw).collect();
    let threads = rayon::current_num_threads();
    let ends = stages.iter().map(|_| AtomicU64::new(0)).collect();
    let stages: Vec<(Target, &dyn Stage)> = stages.iter().map(|stage| (stage.target(), &**stage)).collect();
    assert!(stages.iter().all(|(target, _)| target.pieces() > 0), "a stage has pieces");
    let team = Team {
        buffers: &buffers,
        stages,
        stage: AtomicUsize::new(0),
        taken: (0..threads).map(|_| Line(AtomicU64::new(0))).collect(),
        done: Line(AtomicUsize::new(0)),
        began: Instant::now(),
        ends,
    };
    rayon::in_place_scope(|scope| {
        let team = &team;
        (1..threads).for_each(|thread| scope.spawn(move |_| team.work(thread)));
        team.work(0);
    });
    let mut before = 0;
    let took = |end: &AtomicU64| {
        let end = end.load(Ordering::Relaxed);
        Duration::from_nanos(end - std::mem::replace(&mut before, end))
    };
    team.ends.iter().map(took).collect()
}

/// Ends all work if a piece panics, as nobody would ever finish its stage.
struct Break<'a>(&'a AtomicUsize);

impl Drop for Break<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(usize::MAX, Ordering::Release);
        }
    }
}

impl Team<'_> {
    fn work(&self, thread: usize) {
        let guard = Break(&self.stage);
        let mut patience = 0;
        loop {
            let stage = self.stage.load(Ordering::Acquire);
            let Some(&(target, current)) = self.stages.get(stage) else { break };
            let Some(piece) = self.take(thread, stage, target.pieces()) else {
                // The last pieces are in work elsewhere; that thread may need this core.
                patience += 1;
                if patience % 1024 == 0 {
                    std::thread::yield_now()
                } else {
                    spin_loop()
                }
                continue;
            };
            patience = 0;
            current.piece(&mut Part::new(self.buffers, target, piece));
            if self.done.0.fetch_add(1, Ordering::AcqRel) + 1 == target.pieces() {
                self.done.0.store(0, Ordering::Relaxed);
                self.ends[stage].store(self.began.elapsed().as_nanos() as u64, Ordering::Relaxed);
                // From here on nobody can take a piece of the old stage, and soon of the new one.
                self.taken.iter().for_each(|taken| taken.0.store((stage as u64 + 1) << 32, Ordering::Release));
                self.stage.store(stage + 1, Ordering::Release);
            }
        }
        drop(guard);
    }

    /// A piece that nobody took: of the thread's own share, which is near what it did in the stage before and so in its
    /// cache, or else of another's.
    fn take(&self, thread: usize, stage: usize, pieces: usize) -> Option<usize> {
        let threads = self.taken.len();
        let first = |thread: usize| thread * pieces / threads;
        for owner in (0..threads).map(|k| (thread + k) % threads) {
            let taken = &self.taken[owner].0;
            let mut seen = taken.load(Ordering::Acquire);
            while (seen >> 32) as usize == stage {
                let piece = first(owner) + seen as u32 as usize;
                if piece >= first(owner + 1) {
                    break;
                }
                match taken.compare_exchange_weak(seen, seen + 1, Ordering::AcqRel, Ordering::Acquire) {
                    Ok(_) => return Some(piece),
                    Err(now) => seen = now,
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
