//! For how long a store lends a secret.
use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// For how long a store lends a secret. Released when the last clone of its bundle is dropped.
///
/// The provider prolongs it while anybody may use it; its end moves, everything else stays.
pub struct Lease {
    id: String,
    granted: Instant,
    duration: Duration,
    renewable: bool,
    /// In milliseconds after `granted`.
    end: AtomicU64,
    release: Option<Box<dyn FnOnce() + Send + Sync>>,
}

// === impl Lease ===

impl Lease {
    /// A lease that was granted at `granted`, by [`clock::now`](crate::clock::now), for `duration`. `release` runs once,
    /// when the last clone of the bundle goes; it must not block.
    #[must_use]
    pub fn new(
        id: impl Into<String>,
        granted: Instant,
        duration: Duration,
        renewable: bool,
        release: impl FnOnce() + Send + Sync + 'static,
    ) -> Self {
        Self {
            id: id.into(),
            granted,
            duration,
            renewable,
            end: AtomicU64::new(millis(duration)),
            release: Some(Box::new(release)),
        }
    }

    /// The store's name for the lease.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// When the store granted it.
    #[must_use]
    pub fn granted(&self) -> Instant {
        self.granted
    }

    /// How long it lasts from when it was granted, if it is not renewed.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// Whether it can be renewed.
    #[must_use]
    pub fn is_renewable(&self) -> bool {
        self.renewable
    }

    /// When it ends, as far as is known: the secret must not be used after that.
    #[must_use]
    pub fn end(&self) -> Instant {
        self.granted + Duration::from_millis(self.end.load(Ordering::Acquire))
    }

    /// How much is left at `now`; zero when it has ended.
    #[must_use]
    pub fn remaining(&self, now: Instant) -> Duration {
        self.end().saturating_duration_since(now)
    }

    /// Moves the end, for the provider, which has renewed the lease or has learned that it is gone.
    pub fn ends_at(&self, end: Instant) {
        let after = end.saturating_duration_since(self.granted);
        self.end.store(millis(after), Ordering::Release);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(release) = self.release.take() {
            release();
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("id", &self.id)
            .field("duration", &self.duration)
            .field("renewable", &self.renewable)
            .finish_non_exhaustive()
    }
}

/// Rounded down, so that a lease never seems longer than it is.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX >> 20)
}
