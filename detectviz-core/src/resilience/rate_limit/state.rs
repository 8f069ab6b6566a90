//! One bucket: the generic cell rate algorithm in one atomic word.
//!
//! GCRA (ITU-T I.371, annex A, in its virtual scheduling form) keeps the *theoretical arrival time* of the next request and
//! nothing else: it needs no timer that fills a bucket, and a decision is one compare-and-swap. A request may come as much
//! earlier than that as the burst allows. What a caller can be told follows throttled's reading of it (Brandur Leach, "Rate
//! Limiting, Cells, and GCRA").
use super::{
    decision::{Decision, Terms},
    quota::Quota,
};
use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// One bucket, full at first.
///
/// However its callers interleave, at most `burst + t / interval` units pass within any time `t`: the one word decides, and
/// a refusal does not change it. Callers whose readings of the clock are out of order lose, never gain.
#[derive(Debug)]
pub struct Gcra {
    /// The theoretical arrival time, in nanoseconds since the owner's origin.
    tat: AtomicU64,
}

// === impl Gcra ===

impl Gcra {
    /// A full bucket.
    #[must_use]
    pub fn new() -> Self {
        Self {
            tat: AtomicU64::new(0),
        }
    }

    /// Takes `cost` units under `quota`, or none. `now` is in nanoseconds since an origin that is the caller's choice. A
    /// cost of 0 only looks.
    #[inline]
    pub fn check(&self, quota: Quota, now: u64, cost: u32) -> Decision {
        let terms = Terms::new(quota, 0);
        let mut tat = self.tat.load(Relaxed);
        loop {
            let ahead = tat.saturating_sub(now);
            let Some(after) = terms.take(ahead, cost) else {
                return terms.decision(ahead, cost, cost == 0);
            };
            if cost == 0 {
                return terms.decision(ahead, cost, true);
            }
            let next = now + after;
            match self.tat.compare_exchange_weak(tat, next, Relaxed, Relaxed) {
                Ok(_) => return terms.decision(after, cost, true),
                Err(changed) => tat = changed,
            }
        }
    }

    /// After a change of the terms: a bucket that owes more than the new ones allow is empty, and not worse than that.
    pub fn settle(&self, quota: Quota, now: u64) {
        let most = now + Terms::new(quota, 0).tolerance();
        self.tat.fetch_min(most, Relaxed);
    }
}

impl Default for Gcra {
    fn default() -> Self {
        Self::new()
    }
}
