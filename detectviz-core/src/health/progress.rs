//! Whether the application's runtime still makes progress.
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};
use tokio::sync::{Mutex, MutexGuard};

/// When a task of the application's runtime last ran, in milliseconds since `origin`.
#[derive(Debug)]
pub(super) struct Progress {
    origin: Instant,
    /// [`Self::UNWATCHED`] before the watch begins and after it ended.
    last: AtomicU64,
    stall_after: Duration,
    /// Held by the one watch that ticks.
    turn: Mutex<()>,
}

// === impl Progress ===

impl Progress {
    const UNWATCHED: u64 = u64::MAX;

    pub(super) fn new(origin: Instant, stall_after: Duration) -> Self {
        Self {
            origin,
            last: AtomicU64::new(Self::UNWATCHED),
            stall_after,
            turn: Mutex::const_new(()),
        }
    }

    /// How often progress is noted: often enough that a stall is seen within a second of `stall_after`.
    pub(super) fn tick(&self) -> Duration {
        (self.stall_after / 10).clamp(Duration::from_millis(10), Duration::from_millis(500))
    }

    pub(super) fn note(&self, now: Instant) {
        self.last.store(self.millis(now), Ordering::Relaxed);
    }

    /// Waits until no other watch ticks, and keeps others from it.
    pub(super) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// A watch has ended: the runtime is unwatched unless there is another.
    pub(super) fn leave(&self) {
        if let Ok(_turn) = self.turn.try_lock() {
            self.last.store(Self::UNWATCHED, Ordering::Relaxed);
        }
    }

    /// How long the runtime has been stuck, once that is `stall_after` or longer.
    pub(super) fn stalled(&self, now: Instant) -> Option<Duration> {
        let last = self.last.load(Ordering::Relaxed);
        if last == Self::UNWATCHED {
            return None;
        }
        let silent = Duration::from_millis(self.millis(now).saturating_sub(last));
        (silent >= self.stall_after).then_some(silent)
    }

    fn millis(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.origin).as_millis();
        u64::try_from(since).unwrap_or(Self::UNWATCHED - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_is_seen_from_stall_after_on_and_ends_with_progress() {
        let origin = Instant::now();
        let at = |ms| origin + Duration::from_millis(ms);
        let progress = Progress::new(origin, Duration::from_secs(10));
        assert_eq!(progress.stalled(at(60_000)), None, "not watched yet");
        progress.note(at(60_000));
        for (ms, stalled) in [
            (60_000, None),
            (69_999, None),
            (70_000, Some(10)),
            (75_000, Some(15)),
        ] {
            assert_eq!(
                progress.stalled(at(ms)),
                stalled.map(Duration::from_secs),
                "{ms}"
            );
        }
        progress.note(at(75_500));
        assert_eq!(progress.stalled(at(76_000)), None);
        progress.leave();
        assert_eq!(progress.stalled(at(200_000)), None, "no longer watched");
    }
}
