//! The limit itself, shared by all who keep to it.
use super::{
    Admission, BulkheadConfig, BulkheadMetrics, Overloaded, Permit, Priority, QueueConfig, Reason,
    Waiting,
    recorder::Recorder,
    shared::{Arrival, Shared},
    waiting::Acquire,
};
use crate::{clock, telemetry::context};
use std::{
    borrow::Borrow,
    fmt,
    future::IntoFuture,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// A limit on how many calls run at once, with a bounded queue in front of it.
///
/// # Clone
/// Clones are the same limit.
#[derive(Clone)]
pub struct Bulkhead {
    inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) shared: Shared,
    /// In milliseconds.
    retry_after: AtomicU64,
    recorder: Option<Recorder>,
}

// === impl Bulkhead ===

impl Bulkhead {
    /// A limit that nobody records.
    #[must_use]
    pub fn new(config: &BulkheadConfig) -> Self {
        Self::build(config, None)
    }

    /// A limit whose metrics carry `name`, such as that of the upstream or the route.
    #[must_use]
    pub fn with_metrics(config: &BulkheadConfig, name: &str, metrics: &BulkheadMetrics) -> Self {
        let bulkhead = Self::build(config, Some(metrics.of(name)));
        metrics.watch(name, &bulkhead.inner);
        bulkhead
    }

    /// Takes a permit if there is one at once, for a call of [normal](Priority::Normal) priority.
    ///
    /// # Errors
    /// [`Overloaded`] when as many calls run as may, or some wait.
    #[inline]
    pub fn try_acquire(&self) -> Result<Permit, Overloaded> {
        if self.inner.shared.gate.take() {
            return Ok(Permit::taken(self.clone()));
        }
        Err(self.inner.refuse(Reason::LimitReached, clock::now()))
    }

    /// The future of a permit, for a call that came at `now`: it is ready at once, or waits in the queue, which it has joined
    /// already. See [`admit`](Self::admit).
    ///
    /// # Cancel safety
    /// Dropping it gives up the permit or the place.
    pub fn acquire(&self, priority: Priority, now: Instant) -> Acquire {
        self.admit(priority, now).into_future()
    }

    /// Lets a call that came at `now` run, wait or go, and does so at once.
    ///
    /// A [critical](Priority::Critical) call always runs. Others run when there is a permit and nobody waits for it; else they
    /// take a place in the queue, which they hold until there is a permit, or `max_wait` has passed, or the deadline of the
    /// current request's [slot](context::Slot).
    #[inline]
    pub fn admit(&self, priority: Priority, now: Instant) -> Admission {
        self.admit_at(priority, || now)
    }

    /// As [`admit`](Self::admit), with a permit that holds `holder` and reaches the bulkhead by it.
    #[inline]
    pub fn admit_by<H: Borrow<Self>>(holder: H, priority: Priority, now: Instant) -> Admission<H> {
        match holder.borrow().inner.arrive(priority, || now) {
            Ok(place) => Admission::new(holder, place),
            Err(overloaded) => Admission::Refused(overloaded),
        }
    }

    /// As [`admit`](Self::admit), for those who need the clock only when there is no permit.
    #[inline]
    pub(super) fn admit_at(&self, priority: Priority, now: impl FnOnce() -> Instant) -> Admission {
        match self.inner.arrive(priority, now) {
            Ok(place) => Admission::new(self.clone(), place),
            Err(overloaded) => Admission::Refused(overloaded),
        }
    }

    /// How many calls run; more than the limit while it has just shrunk, or critical calls run beyond it.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.inner.shared.gate.in_flight()
    }

    /// How many calls wait.
    #[must_use]
    pub fn queued(&self) -> u32 {
        self.inner.shared.queued()
    }

    /// How many calls may run at once.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.inner.shared.gate.limit()
    }

    /// Changes how many calls may run at once, 1 to 2147483647; what is beyond is taken for the nearest. Calls that wait go at
    /// once where there is room; those that run go on, also when they are too many now.
    pub fn set_limit(&self, limit: u32) {
        self.inner.shared.set_limit(limit, clock::now);
    }

    /// Takes over new settings without losing count. Calls that wait keep their place, and the time that they were given.
    pub fn reconfigure(&self, config: &BulkheadConfig) {
        self.reconfigure_queue(&config.queue, config.retry_after);
        self.set_limit(config.max_concurrent);
    }

    /// As [`reconfigure`](Self::reconfigure), for those who set the limit themselves.
    pub(in crate::resilience) fn reconfigure_queue(
        &self,
        queue: &QueueConfig,
        retry_after: Duration,
    ) {
        self.inner.shared.set_rules(queue.rules());
        let retry_after = millis(retry_after);
        self.inner.retry_after.store(retry_after, Relaxed);
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.inner
    }

    fn build(config: &BulkheadConfig, recorder: Option<Recorder>) -> Self {
        let inner = Inner {
            shared: Shared::new(config.max_concurrent, config.queue.rules()),
            retry_after: AtomicU64::new(millis(config.retry_after)),
            recorder,
        };
        Self {
            inner: Arc::new(inner),
        }
    }
}

impl fmt::Debug for Bulkhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bulkhead")
            .field("limit", &self.limit())
            .field("in_flight", &self.in_flight())
            .field("queued", &self.queued())
            .finish_non_exhaustive()
    }
}

// === impl Admission ===

/// A place among those who wait; `None` is a permit.
type Place = Option<(u32, Instant, Instant)>;

impl<H: Borrow<Bulkhead>> Admission<H> {
    fn new(holder: H, place: Place) -> Self {
        match place {
            None => Self::Permit(Permit::taken(holder)),
            Some((slot, since, expires)) => {
                Self::Queued(Waiting::new(holder, slot, since, expires))
            }
        }
    }
}

// === impl Inner ===

impl Inner {
    /// Of a call that was refused at `now`.
    pub(super) fn refuse(&self, reason: Reason, now: Instant) -> Overloaded {
        if let Some(recorder) = &self.recorder {
            recorder.refused(reason);
        }
        let value = context::NoteValue::Str(reason.as_str());
        context::note(now, "bulkhead.refused", Some(("reason", value)));
        let retry_after = Duration::from_millis(self.retry_after.load(Relaxed));
        Overloaded::new(reason, self.shared.gate.limit(), retry_after)
    }

    /// Of a call whose waiting has ended.
    pub(super) fn waited(&self, took: Duration) {
        if let Some(recorder) = &self.recorder {
            recorder.waited(took);
        }
    }

    #[inline]
    fn arrive(
        &self,
        priority: Priority,
        now: impl FnOnce() -> Instant,
    ) -> Result<Place, Overloaded> {
        if priority != Priority::Critical && self.shared.gate.take() {
            return Ok(None);
        }
        self.arrive_at_limit(priority, now())
    }

    /// Of a call that is critical, or found no permit.
    #[cold]
    fn arrive_at_limit(&self, priority: Priority, now: Instant) -> Result<Place, Overloaded> {
        if priority == Priority::Critical && self.shared.gate.take_beyond_limit() {
            return Ok(None);
        }
        let deadline = context::current(|slot| slot.and_then(|slot| slot.deadline));
        let is_sheddable = priority == Priority::Sheddable;
        match self.shared.arrive(is_sheddable, now, deadline) {
            Arrival::Permit => Ok(None),
            Arrival::Queued { slot, expires } => Ok(Some((slot, now, expires))),
            Arrival::Refused(reason) => Err(self.refuse(reason, now)),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
