//! The policy that everybody shares who calls the same other side, and what operators see of it.
use super::{Attempt, Call, PolicyConfig, recorder::Recorder};
use crate::{
    clock,
    resilience::{
        breaker::{BreakerHandle, Circuit, State},
        bulkhead::{Bulkhead, BulkheadMetrics},
        hedge::Hedge,
        retry::Retry,
        timer::Timer,
    },
    sync::atomic::{
        AtomicBool, AtomicU64,
        Ordering::{Relaxed, Release},
    },
    telemetry::metrics::Registry,
};
use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Guards calls to one other side, such as a database. See the [module](super).
///
/// # Clone
/// Clones are the same policy: they share limits, budgets, the state of the breaker and all counts.
#[derive(Clone)]
pub struct Policy {
    inner: Arc<Inner>,
}

/// A live view of a [`Policy`], for those who watch it and may step in.
///
/// # Clone
/// Clones are views of the same policy.
#[derive(Clone)]
pub struct PolicyHandle {
    inner: Arc<Inner>,
}

/// How much a policy lets through at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyLimits {
    /// Calls that run.
    pub in_flight: u32,
    /// Calls that wait for their turn.
    pub queued: u32,
    /// Calls that may run at once.
    pub max_concurrent: u32,
    /// Retries that the budget allows.
    pub retries_left: u64,
    /// Hedges that the budget allows.
    pub hedges_left: u64,
}

pub(super) struct Inner {
    name: Arc<str>,
    /// In nanoseconds.
    total_timeout: AtomicU64,
    /// In nanoseconds.
    attempt_timeout: AtomicU64,
    /// Whether there are hedges.
    hedges: AtomicBool,
    pub(super) retry: Retry,
    pub(super) breaker: Circuit,
    pub(super) bulkhead: Bulkhead,
    hedge: Hedge,
    pub(super) timer: Timer,
    pub(super) recorder: Recorder,
    /// What it was built or last changed with; held by those who change it.
    config: Mutex<Arc<PolicyConfig>>,
}

// === impl Policy ===

impl Policy {
    /// A policy of that name, which is a label of its metrics, with a timer of its own.
    ///
    /// # Panics
    /// When the names of the metrics are taken by other descriptions.
    #[must_use]
    pub fn new(name: &str, config: &PolicyConfig, metrics: &Registry) -> Self {
        Self::with_timer(name, config, metrics, Timer::new())
    }

    /// The same with a timer that others use too.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    #[must_use]
    pub fn with_timer(name: &str, config: &PolicyConfig, metrics: &Registry, timer: Timer) -> Self {
        let bulkheads = BulkheadMetrics::new(metrics);
        let inner = Inner {
            name: name.into(),
            total_timeout: AtomicU64::new(nanos(config.total_timeout)),
            attempt_timeout: AtomicU64::new(nanos(config.attempt_timeout)),
            hedges: AtomicBool::new(config.hedge.is_some()),
            retry: Retry::with_metrics(&config.retry, name, metrics),
            breaker: Circuit::new(name, &config.breaker, metrics),
            bulkhead: Bulkhead::with_metrics(&config.bulkhead, name, &bulkheads),
            hedge: Hedge::with_metrics(&config.hedges(), name, metrics),
            timer,
            recorder: Recorder::new(name, metrics),
            config: Mutex::new(Arc::new(config.clone())),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The call that `op` makes, and makes again for each further attempt. Nothing happens before it is polled.
    ///
    /// Without more being said, an error is a failure of the other side, and nothing is repeated that may have been sent.
    #[inline]
    pub fn call<Op, F, T, E>(&self, op: Op) -> Call<'_, Op, F>
    where
        Op: FnMut(Attempt) -> F,
        F: Future<Output = Result<T, E>>,
    {
        Call::new(&self.inner, op)
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Takes over new settings without losing count; calls under way keep the deadlines that they have. Settings are not
    /// validated here.
    pub fn reconfigure(&self, config: &PolicyConfig) {
        self.inner.reconfigure(config);
    }

    /// Whether nothing waits for its time.
    #[cfg(test)]
    pub(super) fn timer_is_empty(&self) -> bool {
        self.inner.timer.is_empty()
    }

    /// What operators see and do.
    #[must_use]
    pub fn handle(&self) -> PolicyHandle {
        let inner = Arc::clone(&self.inner);
        PolicyHandle { inner }
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

// === impl PolicyHandle ===

impl PolicyHandle {
    /// What the policy is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The state of the breaker.
    #[must_use]
    pub fn state(&self) -> State {
        self.inner.breaker.state()
    }

    /// How much it lets through as of now.
    #[must_use]
    pub fn limits(&self) -> PolicyLimits {
        let (inner, now) = (&self.inner, clock::now());
        PolicyLimits {
            in_flight: inner.bulkhead.in_flight(),
            queued: inner.bulkhead.queued(),
            max_concurrent: inner.bulkhead.limit(),
            retries_left: inner.retry.budget().balance(now),
            hedges_left: inner.hedge.budget().balance(now),
        }
    }

    /// The settings in force.
    #[must_use]
    pub fn config(&self) -> Arc<PolicyConfig> {
        Arc::clone(&self.inner.config_mut())
    }

    /// Refuses all calls, for as long as nobody says otherwise.
    pub fn force_open(&self) {
        self.breaker().force_open();
    }

    /// Lets calls through again, with an empty window.
    pub fn force_close(&self) {
        self.breaker().force_close();
    }

    /// All that can be seen and done of the breaker.
    #[must_use]
    pub fn breaker(&self) -> BreakerHandle {
        self.inner.breaker.handle()
    }
}

impl fmt::Debug for PolicyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

// === impl Inner ===

impl Inner {
    #[inline]
    pub(super) fn total_timeout(&self) -> Duration {
        Duration::from_nanos(self.total_timeout.load(Relaxed))
    }

    #[inline]
    pub(super) fn attempt_timeout(&self) -> Duration {
        Duration::from_nanos(self.attempt_timeout.load(Relaxed))
    }

    /// What decides on hedges, if there are any.
    #[inline]
    pub(super) fn hedge(&self) -> Option<&Hedge> {
        self.hedges.load(Relaxed).then_some(&self.hedge)
    }

    fn config_mut(&self) -> MutexGuard<'_, Arc<PolicyConfig>> {
        let config = self.config.lock();
        config.unwrap_or_else(PoisonError::into_inner)
    }

    fn reconfigure(&self, config: &PolicyConfig) {
        let mut present = self.config_mut();
        self.total_timeout
            .store(nanos(config.total_timeout), Release);
        self.attempt_timeout
            .store(nanos(config.attempt_timeout), Release);
        self.retry.reconfigure(&config.retry);
        self.breaker.handle().reconfigure(&config.breaker);
        self.bulkhead.reconfigure(&config.bulkhead);
        self.hedge.reconfigure(&config.hedges());
        self.hedges.store(config.hedge.is_some(), Release);
        *present = Arc::new(config.clone());
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("name", &self.name)
            .field("breaker", &self.breaker.state())
            .field("bulkhead", &self.bulkhead)
            .finish_non_exhaustive()
    }
}

/// 584 years at the most.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
