//! What is known of the state before.
use super::{transition::Counts, word::Word};
use crate::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

/// What was known when the present state began.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Last {
    /// Generation (20 bits) and calls (44) of the window or trial that opened the circuit.
    calls: AtomicU64,
    /// Failures (32 bits) and slow calls (32) of it.
    bad: AtomicU64,
    /// All refusals there had been.
    refused: AtomicU64,
}

// === impl Last ===

impl Last {
    pub(super) fn new() -> Self {
        Self {
            calls: AtomicU64::new(0),
            bad: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// Of all `refusals` there were, those since the present state began.
    pub(super) fn refused_since(&self, refusals: u64) -> u64 {
        refusals.saturating_sub(self.refused.load(Acquire))
    }

    /// The same for the state that ends now.
    pub(super) fn refused_until(&self, refusals: u64) -> u64 {
        refusals.saturating_sub(self.refused.fetch_max(refusals, AcqRel))
    }

    /// Keeps what opened the circuit, for others to see.
    pub(super) fn keep(&self, word: Word, counts: Counts) {
        let Counts {
            calls,
            failures,
            slow,
            ..
        } = counts;
        let low = |n: u64| n.min(u64::from(u32::MAX));
        self.bad.store(low(failures) << 32 | low(slow), Relaxed);
        let calls = calls.min((1 << 44) - 1);
        self.calls
            .store(u64::from(word.generation()) << 44 | calls, Release);
    }

    /// What opened the circuit; nothing, while the one who opened it has not said it.
    pub(super) fn counts(&self, word: Word) -> Counts {
        let calls = self.calls.load(Acquire);
        if calls >> 44 != u64::from(word.generation()) {
            return Counts::default();
        }
        let bad = self.bad.load(Relaxed);
        Counts {
            calls: calls & ((1 << 44) - 1),
            failures: bad >> 32,
            slow: bad & u64::from(u32::MAX),
            is_enough: true,
            ..Counts::default()
        }
    }
}
