//! Threads that stay awake from one piece of a step to the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a thread looks for work before it falls asleep after all: longer than any piece that only one thread does.
const PATIENCE: Duration = Duration::from_micros(200);

/// Does something whose pieces follow one another closely. rayon's threads fall asleep after some 20 µs without work, and
/// to wake one takes as long as many a piece; meanwhile they look for more.
pub(super) fn awake<R>(work: impl FnOnce() -> R) -> R {
    let done = Done(Arc::new(AtomicBool::new(false)));
    let (seen, own) = (done.0.clone(), rayon::current_thread_index());
    rayon::spawn_broadcast(move |context| {
        // This thread's turn comes when it waits for others, and then it must not wait for itself.
        if Some(context.index()) != own {
            look_for_work(&seen);
        }
    });
    work()
}

struct Done(Arc<AtomicBool>);

impl Drop for Done {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn look_for_work(done: &AtomicBool) {
    let mut last = Instant::now();
    while !done.load(Ordering::Relaxed) {
        match rayon::yield_now() {
            Some(rayon::Yield::Executed) => last = Instant::now(),
            _ if last.elapsed() > PATIENCE => return,
            _ => std::hint::spin_loop(),
        }
    }
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;

    use super::*;

    #[test]
    fn nobody_waits_for_who_looks_for_work() {
        let steps = || {
            let step = |number: usize| awake(|| (0..64).into_par_iter().map(|k| k * number).sum::<usize>());
            assert_eq!((0..200).map(step).sum::<usize>(), 2016 * 19900);
        };
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(steps);
            // Two runs that share the threads, and one within the other.
            pool.install(|| rayon::join(steps, steps));
            pool.install(|| awake(steps));
        }
        // By a thread that is no worker.
        steps();
    }

    #[test]
    fn who_panics_ends_it_too() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        let thrown = std::panic::AssertUnwindSafe(|| pool.install(|| awake(|| panic!("as it must"))));
        assert!(std::panic::catch_unwind(thrown).is_err());
        assert_eq!(pool.install(|| (0..64).into_par_iter().sum::<i32>()), 2016);
    }
}
