//! What became of the spans.
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What became of the spans of one [`Spans`](super::Spans).
///
/// Once nothing is recorded, waiting or under way any more, `produced` is `exported` plus all that was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SpanCounts {
    /// Sampled spans that were handed over.
    pub produced: u64,
    /// Accepted by the collector.
    pub exported: u64,
    /// Dropped because the queue was full.
    pub queue_full: u64,
    /// Dropped because the collector refused them or could not be reached for too long.
    pub export_failed: u64,
    /// Dropped by a collector that accepted the rest (`partial_success`).
    pub rejected: u64,
    /// Dropped because the process ended, `late` included.
    pub shutdown: u64,
    /// Handed over after the queue was closed.
    pub late: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) exported: AtomicU64,
    pub(super) queue_full: AtomicU64,
    pub(super) export_failed: AtomicU64,
    pub(super) rejected: AtomicU64,
    /// Accepted by the queue and given up at the end.
    pub(super) abandoned: AtomicU64,
    /// Refused because the queue was closed.
    pub(super) late: AtomicU64,
}

// === impl SpanCounts ===

impl SpanCounts {
    /// All that was dropped, for whatever reason.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.queue_full + self.export_failed + self.rejected + self.shutdown
    }

    /// How many wait or are under way.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.produced.saturating_sub(self.exported + self.dropped())
    }
}

// === impl Counters ===

impl Counters {
    pub(super) fn read(&self, accepted: u64) -> SpanCounts {
        let queue_full = self.queue_full.load(Relaxed);
        let late = self.late.load(Relaxed);
        SpanCounts {
            produced: accepted + queue_full + late,
            exported: self.exported.load(Relaxed),
            queue_full,
            export_failed: self.export_failed.load(Relaxed),
            rejected: self.rejected.load(Relaxed),
            shutdown: late + self.abandoned.load(Relaxed),
            late,
        }
    }
}
