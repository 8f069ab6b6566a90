//! The limit itself, shared by all who keep to it.
use super::{
    AdaptiveConfig, AdaptiveMetrics, Outcome,
    state::{Limiter, Sample},
};
use crate::resilience::bulkhead::{Bulkhead, Permit};
use std::{
    borrow::Borrow,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
    time::{Duration, Instant},
};

/// A [`Bulkhead`] whose limit follows the latency of the calls.
///
/// # Clone
/// Clones are the same limit.
#[derive(Clone)]
pub struct Adaptive {
    inner: Arc<Inner>,
}

pub(super) struct Inner {
    bulkhead: Bulkhead,
    limiter: Mutex<Limiter>,
}

/// A permit whose call is measured.
///
/// # Cancel safety
/// Dropping it gives the permit back; the call then says nothing.
#[derive(Debug)]
#[must_use = "its permit is given back as soon as it is dropped"]
pub struct Measured {
    permit: Permit<Adaptive>,
    started: Instant,
}

// === impl Adaptive ===

impl Adaptive {
    /// A limit that nobody records.
    #[must_use]
    pub fn new(config: &AdaptiveConfig) -> Self {
        Self::of(Bulkhead::new(&config.bulkhead()), config)
    }

    /// A limit whose metrics, and those of its [`bulkhead`](Self::bulkhead), carry `name`.
    #[must_use]
    pub fn with_metrics(config: &AdaptiveConfig, name: &str, metrics: &AdaptiveMetrics) -> Self {
        let bulkhead = Bulkhead::with_metrics(&config.bulkhead(), name, metrics.bulkheads());
        let adaptive = Self::of(bulkhead, config);
        metrics.watch(name, &adaptive.inner);
        adaptive
    }

    /// The limit, where calls are [admitted](Bulkhead::admit). An adaptive limit [borrows](Borrow) as it, so that
    /// [`Bulkhead::admit_by`] gives permits that hold this.
    #[must_use]
    pub fn bulkhead(&self) -> &Bulkhead {
        &self.inner.bulkhead
    }

    /// The latency that calls are taken to have without a queue; 0 as long as nothing is known.
    #[must_use]
    pub fn baseline(&self) -> Duration {
        self.inner.limiter().baseline()
    }

    /// Measures a call that starts at `now`, with the permit that it holds.
    #[inline]
    pub fn measure(permit: Permit<Self>, now: Instant) -> Measured {
        Measured {
            permit,
            started: now,
        }
    }

    /// Takes in a call that ended at `now` and still holds its permit. Where another call is just being taken in, this one is
    /// left out: nobody waits here.
    #[inline]
    pub fn sample(&self, started: Instant, now: Instant, outcome: Outcome) {
        if outcome != Outcome::Ignored {
            self.inner.sample(started, now, outcome);
        }
    }

    /// Takes over new settings without forgetting what was learned; the limit moves only as far as its new bounds ask.
    pub fn reconfigure(&self, config: &AdaptiveConfig) {
        let bulkhead = &self.inner.bulkhead;
        bulkhead.reconfigure_queue(&config.queue, config.retry_after);
        let mut limiter = self.inner.limiter();
        limiter.set_rules(config.rules());
        let limit = limiter.limit();
        drop(limiter);
        bulkhead.set_limit(limit);
    }

    fn of(bulkhead: Bulkhead, config: &AdaptiveConfig) -> Self {
        let limiter = Limiter::new(config.rules(), fastrand::u64(..));
        bulkhead.set_limit(limiter.limit());
        let inner = Inner {
            bulkhead,
            limiter: Mutex::new(limiter),
        };
        Self {
            inner: Arc::new(inner),
        }
    }
}

impl Borrow<Bulkhead> for Adaptive {
    #[inline]
    fn borrow(&self) -> &Bulkhead {
        &self.inner.bulkhead
    }
}

impl fmt::Debug for Adaptive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adaptive")
            .field("bulkhead", &self.inner.bulkhead)
            .field("baseline", &self.baseline())
            .finish_non_exhaustive()
    }
}

// === impl Measured ===

impl Measured {
    /// Ends the call at `now`: it is taken in, and its permit given back.
    #[inline]
    pub fn finish(self, now: Instant, outcome: Outcome) {
        if let Some(adaptive) = self.permit.holder() {
            adaptive.sample(self.started, now, outcome);
        }
        self.permit.release(now);
    }
}

// === impl Inner ===

impl Inner {
    pub(super) fn baseline(&self) -> Duration {
        self.limiter().baseline()
    }

    fn sample(&self, started: Instant, now: Instant, outcome: Outcome) {
        let mut limiter = match self.limiter.try_lock() {
            Ok(limiter) => limiter,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return,
        };
        let sample = Sample {
            latency: now.saturating_duration_since(started),
            in_flight: self.bulkhead.in_flight(),
            is_dropped: outcome == Outcome::Dropped,
        };
        if !limiter.sample(now, sample) {
            return;
        }
        let limit = limiter.limit();
        drop(limiter);
        if limit != self.bulkhead.limit() {
            self.bulkhead.set_limit(limit);
        }
    }

    fn limiter(&self) -> MutexGuard<'_, Limiter> {
        self.limiter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
