//! How a person stops what is running: a flag that is set once and asked often.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that says *stop soon*. Copies share it; once set it stays set.
///
/// Loops ask it at every step and every chunk, finish what they have in hand, and return.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<Node>);

#[derive(Debug, Default)]
struct Node {
    cancelled: AtomicBool,
    above: Option<CancelToken>,
}

impl CancelToken {
    /// A token that nobody has set.
    pub fn new() -> Self {
        Self::default()
    }

    /// A token that is set when this one is, but can also be set alone: hot reload ends one run, Ctrl-C ends all.
    pub fn child(&self) -> Self {
        Self(Arc::new(Node { cancelled: AtomicBool::new(false), above: Some(self.clone()) }))
    }

    /// Asks everybody who holds a copy or a child to stop. Returns whether somebody had asked this token before.
    pub fn cancel(&self) -> bool {
        self.0.cancelled.swap(true, Ordering::AcqRel)
    }

    /// Whether to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::Acquire) || self.0.above.as_ref().is_some_and(Self::is_cancelled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_share_and_children_inherit() {
        let all = CancelToken::new();
        let (first, second) = (all.child(), all.child());
        assert!(!first.cancel());
        assert!(first.clone().is_cancelled() && !second.is_cancelled() && !all.is_cancelled());
        assert!(!all.cancel());
        assert!(all.cancel(), "the second time says that it was asked before");
        assert!(second.is_cancelled());
    }
}
