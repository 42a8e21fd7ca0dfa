//! Memory that all threads fill: for one alone, a picture's worth of it takes as long as many a kernel takes for the
//! picture.

use rayon::prelude::*;

/// Numbers that are filled in together.
const TOGETHER: usize = 16;

/// What is worth a thread of its own: 64 KB.
const WORTH: usize = 1 << 14;

/// So many numbers; `fill` gets the place of some of them and makes them of zeros.
pub(super) fn filled<T: Copy + Default + Send>(length: usize, fill: impl Fn(usize, &mut [T]) + Sync) -> Vec<T> {
    let mut all = Vec::with_capacity(length.div_ceil(TOGETHER));
    (0..length / TOGETHER)
        .into_par_iter()
        .with_min_len(WORTH / TOGETHER)
        .map(|line| {
            let mut numbers = [T::default(); TOGETHER];
            fill(TOGETHER * line, &mut numbers);
            numbers
        })
        .collect_into_vec(&mut all);
    let mut all = all.into_flattened();
    let rest = all.len();
    all.resize(length, T::default());
    fill(rest, &mut all[rest..]);
    all
}

/// So many zeros.
pub(crate) fn zeros(length: usize) -> Vec<f32> {
    filled(length, |_, _| ())
}

/// The same numbers.
pub(super) fn copied(from: &[f32]) -> Vec<f32> {
    filled(from.len(), |at, to| to.copy_from_slice(&from[at..][..to.len()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_there_once() {
        for length in [0, 1, 15, 16, 17, 4 * WORTH - 1, 4 * WORTH + 3] {
            let counted = filled(length, |at, to| (at..).zip(to).for_each(|(k, to)| *to = k));
            assert_eq!(counted, (0..length).collect::<Vec<_>>(), "{length}");
        }
        assert_eq!((copied(&[1.0, 2.0]), zeros(3)), (vec![1.0, 2.0], vec![0.0; 3]));
    }
}
