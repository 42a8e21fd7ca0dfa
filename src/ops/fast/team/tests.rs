//! Every piece once, in order, on any number of threads.

use rayon::prelude::*;

use super::*;

/// Adds `amount` to a buffer's numbers.
struct Add {
    from: usize,
    to: usize,
    amount: f32,
    across: usize,
}

const GRID: Grid = Grid { height: 7, width: 5, channels: 6, pad: 1 };

impl Stage for Add {
    fn target(&self) -> Target {
        Target { down: 3, across: self.across, rows: 2, channels: 2, ..Target::of_rows(self.to, GRID, 1) }
    }

    fn piece(&self, part: &mut Part<'_>) {
        let from = part.read(self.from);
        let channels = part.channels();
        for y in part.rows() {
            for x in 0..GRID.width {
                let (at, to) = part.pixel((y, x), channels.start, channels.len());
                to.iter_mut().zip(&from[at..]).for_each(|(to, from)| *to = from + self.amount);
            }
        }
    }
}

fn add(from: usize, to: usize, amount: f32, across: usize) -> Box<dyn Stage> {
    Box::new(Add { from, to, amount, across })
}

fn inside(buffer: &[f32]) -> Vec<f32> {
    let rows = (0..GRID.height).map(|y| &buffer[GRID.at(y, 0)..][..GRID.width * GRID.channels]);
    rows.flatten().copied().collect()
}

#[test]
fn every_piece_is_done_once_and_in_order() {
    for threads in [1, 2, 3, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        for round in 0..50 {
            let given = vec![1.0; GRID.size()];
            let (mut a, mut b) = (vec![0.0; GRID.size()], vec![0.0; GRID.size()]);
            let from = |n: usize| if n == 0 { 0 } else { 2 - n % 2 };
            let stages: Vec<Box<dyn Stage>> = (0..20).map(|n| add(from(n), 1 + n % 2, 1.0, 1 + n % 3)).collect();
            let buffers = vec![Buffer::Given(&given), Buffer::Filled(&mut a), Buffer::Filled(&mut b)];
            let took = pool.install(|| run(buffers, &stages));
            assert_eq!(took.len(), 20);
            assert!(inside(&b).iter().all(|&x| x == 21.0), "{threads} threads, round {round}");
            assert_eq!(b.iter().filter(|&&x| x != 0.0).count(), inside(&b).len(), "the border is nobody's");
        }
    }
}

#[test]
fn teams_inside_of_teams_and_beside_them_do_not_lock_up() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    pool.install(|| {
        (0..64).into_par_iter().for_each(|_| {
            let (given, mut a) = (vec![1.0; GRID.size()], vec![0.0; GRID.size()]);
            run(vec![Buffer::Given(&given), Buffer::Filled(&mut a)], &[add(0, 1, 2.0, 3), add(0, 1, 3.0, 1)]);
            assert!(inside(&a).iter().all(|&x| x == 4.0));
        });
    });
}

#[test]
#[should_panic(expected = "a stage does not read what it fills")]
fn a_stage_cannot_read_its_target() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let mut a = vec![0.0; GRID.size()];
    pool.install(|| run(vec![Buffer::Filled(&mut a)], &[add(0, 0, 1.0, 1)]));
}

#[test]
#[should_panic(expected = "a piece lies within its buffer")]
fn what_is_given_is_not_written() {
    let a = vec![0.0; GRID.size()];
    run(vec![Buffer::Given(&a), Buffer::Given(&a)], &[add(0, 1, 1.0, 1)]);
}
