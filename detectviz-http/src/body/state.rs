//! Whether a body comes fast enough.
use std::time::Duration;
use tokio::time::Instant;

/// Counts the time that a reader had to wait for bytes, and what came meanwhile.
#[derive(Debug)]
pub(super) struct Pace {
    progress: Duration,
    min_rate: u64,
    received: u64,
    waited: Duration,
    since: Option<Instant>,
}

// === impl Pace ===

impl Pace {
    /// `progress`: the longest wait for the next byte. `min_rate`: bytes per second of waiting that must come on average
    /// once the waits add up to more than `progress`; 0 for none.
    pub(super) fn new(progress: Duration, min_rate: u64) -> Self {
        Self {
            progress,
            min_rate,
            received: 0,
            waited: Duration::ZERO,
            since: None,
        }
    }

    pub(super) fn limit(&self) -> Duration {
        self.progress
    }

    /// Whether the reader was left waiting by the last poll, so that a clock must be read.
    pub(super) fn is_waiting(&self) -> bool {
        self.since.is_some()
    }

    /// The reader waits; gives the time at which the body fails unless something comes.
    pub(super) fn waiting(&mut self, now: Instant) -> Instant {
        let since = *self.since.get_or_insert(now);
        let mut allowed = self.progress;
        if self.min_rate > 0 {
            let earned = Duration::from_secs_f64(self.received as f64 / self.min_rate as f64);
            let left = (self.progress + earned).saturating_sub(self.waited);
            allowed = allowed.min(left);
        }
        since + allowed
    }

    /// The wait that began with the last [`waiting`](Self::waiting) is over.
    pub(super) fn resumed(&mut self, now: Instant) {
        if let Some(since) = self.since.take() {
            self.waited += now.saturating_duration_since(since);
        }
    }

    pub(super) fn received(&mut self, bytes: usize) {
        self.received += bytes as u64;
    }
}
