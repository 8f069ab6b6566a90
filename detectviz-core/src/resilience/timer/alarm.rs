//! Until when the one who drives the timer sleeps.
use super::state::NEVER;
use crate::sync::atomic::{AtomicU64, Ordering};

/// The moment at which the driver wakes by itself: 0 while it is awake, [`NEVER`] when it does not, or when there is none.
#[derive(Debug)]
pub(super) struct Alarm {
    at: AtomicU64,
}

// === impl Alarm ===

impl Alarm {
    pub(super) fn new() -> Self {
        Self {
            at: AtomicU64::new(NEVER),
        }
    }

    /// The driver is about to sleep until `at`; afterwards it looks once more whether there is something earlier.
    pub(super) fn set(&self, at: u64) {
        self.at.store(at, Ordering::SeqCst);
    }

    /// Something is due at `due`, and stands where the driver looks. Returns whether the driver must be woken: it sleeps
    /// longer, and nobody else wakes it.
    pub(super) fn pull(&self, due: u64) -> bool {
        self.at.load(Ordering::SeqCst) > due && self.at.fetch_min(due, Ordering::SeqCst) > due
    }
}
