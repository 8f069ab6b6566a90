//! Which threads have a shard for themselves.
use crate::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};

/// The shards that threads may have for themselves. Who takes one gives it back when it ends; what it has counted stays there,
/// and the next owner counts on.
#[derive(Debug)]
pub(super) struct Leases {
    /// A bit for each that is free.
    free: AtomicU32,
}

// === impl Leases ===

impl Leases {
    /// `count` leases, at most 31.
    pub(super) fn new(count: usize) -> Self {
        debug_assert!(count < 32);
        Self {
            free: AtomicU32::new((1 << count) - 1),
        }
    }

    /// Takes the lowest lease that is free. Whoever had it before has stored all that it counted: giving back releases, and
    /// this acquires.
    pub(super) fn take(&self) -> Option<usize> {
        let mut free = self.free.load(Relaxed);
        while free != 0 {
            let lowest = free & free.wrapping_neg();
            match self
                .free
                .compare_exchange_weak(free, free ^ lowest, Acquire, Relaxed)
            {
                Ok(_) => return Some(lowest.trailing_zeros() as usize),
                Err(now) => free = now,
            }
        }
        None
    }

    /// Gives a lease back; its owner records there no more.
    pub(super) fn give_back(&self, lease: usize) {
        self.free.fetch_or(1 << lease, Release);
    }
}
