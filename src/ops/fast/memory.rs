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
    /// Pages of its own: large ones where there are any, as looking up thousands of small ones takes time too.
    Large(MmapMut),
}

/// So many zeros.
pub fn floats(length: usize) -> Floats {
    let small = || Floats(Place::Small(avec![[64]| 0.0; length]));
    if length < LARGE {
        return small();
    }
    let Ok(pages) = MmapMut::map_anon(4 * length) else { return small() };
    // A wish: without it all works the same.
    #[cfg(target_os = "linux")]
    let _ = pages.advise(memmap2::Advice::HugePage);
    Floats(Place::Large(pages))
}

/// Numbers for which large pages pay: half of one's.
const LARGE: usize = 1 << 18;

impl Deref for Floats {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match &self.0 {
            Place::Small(numbers) => numbers,
            Place::Large(pages) => cast_slice(pages),
        }
    }
}

impl DerefMut for Floats {
    fn deref_mut(&mut self) -> &mut [f32] {
        match &mut self.0 {
            Place::Small(numbers) => numbers,
            Place::Large(pages) => cast_slice_mut(pages),
        }
    }
}

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
