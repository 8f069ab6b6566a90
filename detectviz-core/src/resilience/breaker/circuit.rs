//! A circuit that everybody shares who calls the same service.
use super::{
    BreakerConfig, BreakerHandle, BreakerMetrics, Open, Outcome, OwnedPermit, Permit, State,
    Ticket, Transition,
    state::{Core, Passed, Report},
};
use crate::{clock, origin::Origin, shard, telemetry::metrics::Registry};
use std::{
    fmt,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// More than a window has buckets, and a power of two.
const SLOTS: usize = 64;

/// A circuit breaker without a service around it: for stacks of one future, and for calls that are not requests.
///
/// Asking and recording are lock-free and allocate nothing; a success of a closed circuit writes to no line of memory that
/// another busy thread writes to. The time is an argument, so that all layers of a request share one reading; it need not
/// be exact between threads.
///
/// ```
/// use detectviz_core::{
///     resilience::breaker::{BreakerConfig, Circuit, Outcome, State},
///     telemetry::metrics::Registry,
/// };
/// use std::time::Instant;
///
/// let config = BreakerConfig::default().consecutive_failures(2);
/// let circuit = Circuit::new("orders", &config, &Registry::new());
/// for _ in 0..2 {
///     let permit = circuit.try_acquire(Instant::now()).expect("it is closed");
///     permit.record(Outcome::Failure, Instant::now());
/// }
/// let open = circuit.try_acquire(Instant::now()).expect_err("two calls in a row failed");
/// assert_eq!((open.name(), open.state()), ("orders", State::Open));
/// assert!(open.retry_after().is_some());
/// ```
///
/// # Clone
/// Clones are the same circuit.
#[derive(Clone)]
pub struct Circuit {
    pub(super) shared: Arc<Shared>,
    /// One for each shard: their reference counts are what owned permits count on.
    holds: Arc<[Arc<Hold>]>,
}

/// What keeps a circuit alive for the owned permits of a thread, without a counter that all threads write to.
#[repr(align(128))]
pub(super) struct Hold {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) core: Core,
    /// The moment that times are counted from.
    pub(super) base: Origin,
    pub(super) name: Arc<str>,
    metrics: BreakerMetrics,
    /// What it was built or last changed with; held by those who change it.
    pub(super) config: Mutex<BreakerConfig>,
}

// === impl Circuit ===

impl Circuit {
    /// A circuit in the state that its mode says, with an empty window. `name` is the label of its metrics.
    ///
    /// # Panics
    /// As [`BreakerMetrics::new`].
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, config: &BreakerConfig, metrics: &Registry) -> Self {
        let name = name.into();
        let metrics = BreakerMetrics::new(metrics, &name);
        Self::with_metrics(name, config, metrics)
    }

    /// The same with series that several circuits share; `name` is then only in errors and logs.
    #[must_use]
    pub fn with_metrics(
        name: impl Into<Arc<str>>,
        config: &BreakerConfig,
        metrics: BreakerMetrics,
    ) -> Self {
        let shards = shard::of_machine();
        let (state, limits) = (config.state(), config.limits());
        let (slow_after, geometry) = (config.slow_after(), config.geometry());
        metrics.began(state);
        let shared = Arc::new(Shared {
            core: Core::new(state, &limits, slow_after, geometry, shards, SLOTS),
            base: Origin::new(clock::now()),
            name: name.into(),
            metrics,
            config: Mutex::new(config.clone()),
        });
        let hold = |_| {
            let shared = Arc::clone(&shared);
            Arc::new(Hold { shared })
        };
        let holds = (0..shards).map(hold).collect();
        Self { shared, holds }
    }

    /// Asks for leave to make one call.
    ///
    /// # Errors
    /// [`Open`], when the call must not be made.
    ///
    /// # Cancel safety
    /// A permit that is dropped is as if it had never been asked for.
    #[inline]
    pub fn try_acquire(&self, now: Instant) -> Result<Permit<'_>, Open> {
        self.enter(now).map(|ticket| Permit::new(self, ticket))
    }

    /// The same with a permit that borrows nothing, for a future that must be `'static`.
    ///
    /// # Errors
    /// As [`try_acquire`](Self::try_acquire).
    #[inline]
    pub fn try_acquire_owned(&self, now: Instant) -> Result<OwnedPermit, Open> {
        self.acquire_by(|| now)
    }

    /// The same with plain data. Whoever holds it must [`record`](Self::record) or [`cancel`](Self::cancel) it: a probe for
    /// which neither happens occupies its place until somebody forces the circuit.
    ///
    /// # Errors
    /// As [`try_acquire`](Self::try_acquire).
    #[inline]
    pub fn enter(&self, now: Instant) -> Result<Ticket, Open> {
        self.shared.enter(|| now)
    }

    /// Records the result of a call. That of a call that began before the circuit changed its state is late, and ignored.
    #[inline]
    pub fn record(&self, ticket: Ticket, outcome: Outcome, now: Instant) {
        self.shared.record(ticket, outcome, || now);
    }

    /// Gives back a ticket for a call without a result.
    #[inline]
    pub fn cancel(&self, ticket: Ticket) {
        self.shared.core.cancel(ticket);
    }

    /// Its state; an open circuit stays so until a call asks after its duration.
    #[must_use]
    pub fn state(&self) -> State {
        self.shared.core.state()
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// What operators see and do.
    #[must_use]
    pub fn handle(&self) -> BreakerHandle {
        BreakerHandle::new(Arc::clone(&self.shared))
    }

    #[inline]
    pub(super) fn acquire_by(&self, clock: impl Fn() -> Instant) -> Result<OwnedPermit, Open> {
        let ticket = self.shared.enter(clock)?;
        let hold = &self.holds[shard::current() & (self.holds.len() - 1)];
        Ok(OwnedPermit::new(Arc::clone(hold), ticket))
    }

    /// Whether a call would be refused.
    pub(super) fn refuses(&self) -> bool {
        let shared = &self.shared;
        shared.core.refuses(|| shared.nanos(clock::now()))
    }

    /// Refuses a call that was not asked for.
    pub(super) fn refuse(&self) -> Open {
        self.shared.refuse(clock::now())
    }
}

impl fmt::Debug for Circuit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.fmt(f)
    }
}

// === impl Hold ===

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.fmt(f)
    }
}

// === impl Shared ===

impl Shared {
    #[inline]
    pub(super) fn nanos(&self, now: Instant) -> u64 {
        self.base.nanos(now)
    }

    /// Makes known what the core says has happened.
    pub(super) fn tell(&self, transition: Option<Transition>) {
        if let Some(transition) = transition {
            self.metrics.changed(&self.name, &transition);
        }
    }

    #[inline]
    fn enter(&self, clock: impl Fn() -> Instant) -> Result<Ticket, Open> {
        match self.core.admit(|| self.nanos(clock())) {
            Some(ticket) => Ok(ticket),
            None => self.ask(clock()),
        }
    }

    #[inline]
    pub(super) fn record(&self, ticket: Ticket, outcome: Outcome, clock: impl Fn() -> Instant) {
        let nanos = || self.nanos(clock());
        let passed = match outcome {
            Outcome::Success => self.core.pass(ticket, shard::current(), nanos),
            Outcome::Failure => Passed::Unsettled,
            Outcome::Ignored => return self.core.cancel(ticket),
        };
        if passed != Passed::Done {
            self.settle(ticket, outcome, passed, nanos());
        }
    }

    #[cold]
    fn ask(&self, now: Instant) -> Result<Ticket, Open> {
        let nanos = self.nanos(now);
        let (asked, transition) = self.core.ask(shard::current(), nanos, fastrand::u64(..));
        self.tell(transition);
        asked.map_err(|refusal| self.open(refusal.state, refusal.left, now))
    }

    #[cold]
    fn refuse(&self, now: Instant) -> Open {
        let refusal = self.core.refuse(shard::current(), self.nanos(now));
        self.open(refusal.state, refusal.left, now)
    }

    fn open(&self, state: State, left: Option<u64>, now: Instant) -> Open {
        self.metrics.refused(state, now);
        let name = Arc::clone(&self.name);
        Open::new(name, state, left.map(Duration::from_nanos))
    }

    #[cold]
    fn settle(&self, ticket: Ticket, outcome: Outcome, passed: Passed, now: u64) {
        let report = Report {
            ticket,
            shard: shard::current(),
            failed: outcome == Outcome::Failure,
            now,
            random: fastrand::u64(..),
        };
        self.tell(match passed {
            Passed::Watched => self.core.judge(report, 0, false),
            _ => self.core.settle(report),
        });
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Circuit")
            .field("name", &self.name)
            .field("state", &self.core.state())
            .finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.metrics.ended(self.core.state());
    }
}
