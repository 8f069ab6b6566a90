//! How many bytes may wait.
use std::sync::atomic::{AtomicUsize, Ordering};

/// The bytes that may wait in all buffers of a sink together. Buffers take them in pieces, so that threads seldom meet
/// here.
#[derive(Debug)]
pub(super) struct Budget {
    limit: usize,
    taken: AtomicUsize,
}

// === impl Budget ===

impl Budget {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            taken: AtomicUsize::new(0),
        }
    }

    /// Takes `wanted`, or `needed` when there is not that much; 0 when there is not even that.
    pub(super) fn take(&self, needed: usize, wanted: usize) -> usize {
        for amount in [wanted.max(needed), needed] {
            let before = self.taken.fetch_add(amount, Ordering::Relaxed);
            if before.saturating_add(amount) <= self.limit {
                return amount;
            }
            self.give(amount);
        }
        0
    }

    pub(super) fn give(&self, amount: usize) {
        self.taken.fetch_sub(amount, Ordering::Relaxed);
    }

    pub(super) fn is_half_taken(&self) -> bool {
        self.taken.load(Ordering::Relaxed) > self.limit / 2
    }

    #[cfg(test)]
    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}
