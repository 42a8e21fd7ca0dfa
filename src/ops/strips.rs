//! Pictures cut into strips, so that threads can share the work on one.

/// What a strip has at least: some 50 µs of work, which is worth another thread.
const PIXELS: usize = 16384;

/// How many of `rows` go into one strip, if every thread shall have one.
pub(super) fn rows_of_a_strip(rows: usize, width: usize) -> usize {
    rows.div_ceil(rayon::current_num_threads()).max(PIXELS.div_ceil(width.max(1)))
}

/// Cuts planes of `area` values into strips of `length`: strip by strip, what each plane has of it.
pub(super) fn strips(planes: &mut [f32], area: usize, length: usize) -> Vec<Vec<&mut [f32]>> {
    let mut strips: Vec<Vec<_>> = (0..area.div_ceil(length)).map(|_| Vec::new()).collect();
    for plane in planes.chunks_mut(area) {
        strips.iter_mut().zip(plane.chunks_mut(length)).for_each(|(strip, part)| strip.push(part));
    }
    strips
}
