//! A setting that may change while calls read it.
use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// A time that may change, in nanoseconds: up to 584 years.
#[derive(Default)]
pub(super) struct LiveDuration(AtomicU64);

// === impl LiveDuration ===

impl LiveDuration {
    pub(super) fn new(duration: Duration) -> Self {
        let this = Self::default();
        this.set(duration);
        this
    }

    pub(super) fn set(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.0.store(nanos, Relaxed);
    }

    pub(super) fn get(&self) -> Duration {
        Duration::from_nanos(self.0.load(Relaxed))
    }
}

impl fmt::Debug for LiveDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}
