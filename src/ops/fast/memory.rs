//! Memory whose vectors begin at lines of the cache: one that lies across two of them costs twice the time.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

use aligned_vec::{AVec, ConstAlign, avec};
use bytemuck::{cast_slice, cast_slice_mut};
use memmap2::MmapMut;

use super::tile::SUMS;

/// Numbers, the first of which begins a line.
#[derive(Debug)]
pub struct Floats(Place);

#[derive(Debug)]
enum Place {
    Small(AVec<f32, ConstAlign<64>>),
    /// Pages of its own, and how many numbers of them: large ones where there are any, as looking up thousands of small
    /// ones takes time too.
    Large(MmapMut, usize),
}

/// So many zeros.
pub fn floats(length: usize) -> Floats {
    let small = || Floats(Place::Small(avec![[64]| 0.0; length]));
    let bytes = 4 * length;
    if bytes < LARGE / 2 {
        return small();
    }
    // Whole large pages, as what is no multiple of them may not even begin with one.
    let pages = bytes.next_multiple_of(LARGE);
    let Ok(memory) = MmapMut::map_anon(pages) else { return small() };
    #[cfg(target_os = "linux")]
    {
        // The last one only if half of it is used. A wish: without it all works the same.
        let large = if pages - bytes > LARGE / 2 { pages - LARGE } else { pages };
        let _ = memory.advise_range(memmap2::Advice::HugePage, 0, large);
    }
    Floats(Place::Large(memory, length))
}

/// Bytes of a large page.
const LARGE: usize = 2 << 20;

impl Deref for Floats {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &self.0 {
            Place::Small(numbers) => numbers,
            Place::Large(pages, length) => &cast_slice(pages)[..*length],
        }
    }
}

impl DerefMut for Floats {
    fn deref_mut(&mut self) -> &mut [f32] {
        match &mut self.0 {
            Place::Small(numbers) => numbers,
            Place::Large(pages, length) => &mut cast_slice_mut(pages)[..*length],
        }
    }
}

/// Buffers side by side, so that they share large pages.
#[derive(Debug)]
pub struct Buffers {
    all: Floats,
    /// What each has, and what follows it before the next line begins.
    lengths: Vec<(usize, usize)>,
}

impl Buffers {
    /// Zeros, so many in each.
    pub fn new(lengths: impl IntoIterator<Item = usize>) -> Self {
        let whole = |length: usize| (length, length.next_multiple_of(LINE) - length);
        let lengths: Vec<_> = lengths.into_iter().map(whole).collect();
        Self { all: floats(lengths.iter().map(|(length, rest)| length + rest).sum()), lengths }
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &[f32]> {
        let mut all = &self.all[..];
        self.lengths.iter().map(move |(length, rest)| {
            let (one, after) = all.split_at(length + rest);
            all = after;
            &one[..*length]
        })
    }

    /// Each of them, to be written to.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        let mut all = &mut self.all[..];
        self.lengths.iter().map(move |(length, rest)| {
            let (one, after) = std::mem::take(&mut all).split_at_mut(length + rest);
            all = after;
            &mut one[..*length]
        })
    }
}

/// Numbers of a line of the cache.
const LINE: usize = 16;

/// The sums of one product, or the results of one tile.
#[repr(align(64))]
pub(super) struct Sums(pub [f32; SUMS]);

/// Lends two buffers of the current thread. What they hold is left over from whoever used them last.
pub(super) fn scratch<R>(lengths: [usize; 2], work: impl FnOnce(&mut [f32], &mut [f32]) -> R) -> R {
    thread_local! {
        static SCRATCH: RefCell<[Floats; 2]> = RefCell::new([floats(0), floats(0)]);
    }
    SCRATCH.with_borrow_mut(|buffers| {
        for (buffer, length) in buffers.iter_mut().zip(lengths) {
            if buffer.len() < length {
                *buffer = floats(length);
            }
        }
        let [first, second] = buffers;
        work(&mut first[..lengths[0]], &mut second[..lengths[1]])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_lie_apart_at_lines() {
        // Small ones, and ones on large pages.
        for lengths in [vec![3, 0, 16, 17], vec![1 << 18, 5, 0, 700_001]] {
            let mut buffers = Buffers::new(lengths.iter().copied());
            for (value, buffer) in (1..).zip(buffers.iter_mut()) {
                assert!(buffer.iter().all(|&number| number == 0.0));
                buffer.fill(value as f32);
            }
            let found: Vec<&[f32]> = buffers.iter().collect();
            assert_eq!(found.iter().map(|buffer| buffer.len()).collect::<Vec<_>>(), lengths);
            for (value, buffer) in (1..).zip(found) {
                assert!(buffer.iter().all(|&number| number == value as f32));
                assert_eq!(buffer.as_ptr().addr() % 64, 0);
            }
        }
    }
}
