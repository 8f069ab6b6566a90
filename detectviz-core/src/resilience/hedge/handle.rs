//! Hedges without tower: what the layer and a fused client are made of.
use super::{HedgeConfig, recorder::Recorder, state::Latencies};
use crate::{
    clock,
    origin::Origin,
    resilience::retry::budget::Budget,
    sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    telemetry::{context::note, metrics::Registry},
};
use std::{
    borrow::Borrow,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

/// Decides when a call to one upstream gets a second attempt beside its first.
///
/// ```
/// use detectviz_core::resilience::hedge::{Hedge, HedgeConfig};
/// use std::time::{Duration, Instant};
///
/// let delay = Duration::from_millis(20);
/// let hedge = Hedge::new(&HedgeConfig::default().delay(delay));
/// let now = Instant::now();
/// let mut call = hedge.begin(now);
/// assert!(call.due().is_some_and(|due| due >= now + delay));
/// // At that time, if there is no answer:
/// assert!(call.send(now + delay), "the budget allows it");
/// // The hedge answers first.
/// call.answered(1, now + delay * 2);
/// assert!(call.due().is_none(), "one hedge is the default");
/// ```
///
/// # Clone
/// Clones share the settings, the budget, the counts, and what is known of latencies.
#[derive(Clone)]
pub struct Hedge {
    shared: Arc<Shared>,
}

/// One call; made by [`Hedge::begin`].
///
/// # Cancel safety
/// A dropped call leaves nothing behind; a hedge that was sent has cost its token.
#[derive(Debug)]
pub struct HedgeCall<R: Borrow<Hedge> = Hedge> {
    hedge: R,
    /// In microseconds since the [`Hedge`] was made.
    started: u64,
    /// In microseconds between two attempts; 0 when there are no more.
    delay: u32,
    sent: u32,
}

struct Shared {
    origin: Origin,
    /// In microseconds; 0 when the quantile decides.
    fixed: AtomicU64,
    /// In microseconds.
    least: AtomicU64,
    per_million: AtomicU32,
    most: AtomicU32,
    latencies: Latencies,
    budget: Budget,
    recorder: Recorder,
}

// === impl Hedge ===

impl Hedge {
    /// Hedges whose metrics nobody reads.
    #[must_use]
    pub fn new(config: &HedgeConfig) -> Self {
        Self::with_metrics(config, "", &Registry::new())
    }

    /// Hedges of the calls to `upstream`, a label of their metrics.
    ///
    /// # Panics
    /// When the names of the metrics are taken by other descriptions.
    #[must_use]
    pub fn with_metrics(config: &HedgeConfig, upstream: &str, metrics: &Registry) -> Self {
        let origin = Origin::new(clock::now());
        let shared = Arc::new(Shared {
            origin,
            fixed: AtomicU64::new(0),
            least: AtomicU64::new(0),
            per_million: AtomicU32::new(0),
            most: AtomicU32::new(0),
            latencies: Latencies::new(),
            budget: Budget::new(&config.budget(), origin.at()),
            recorder: Recorder::new(upstream, metrics),
        });
        let upstream = upstream.to_owned();
        metrics.collect_from(&shared, move |shared: &Shared, collected| {
            let delay = shared.delay(micros(&shared.origin, clock::now()));
            let delay = delay.map(|micros| Duration::from_micros(u64::from(micros)));
            Recorder::collect(&upstream, delay, collected);
        });
        let hedge = Self { shared };
        hedge.reconfigure(config);
        hedge
    }

    /// Begins a call that may be hedged, and its first attempt, and deposits for it in the budget.
    #[inline]
    pub fn begin(&self, now: Instant) -> HedgeCall<&Self> {
        HedgeCall::new(self, now)
    }

    /// As [`begin`](Self::begin), for a future that outlives the borrow.
    #[inline]
    pub fn begin_owned(self, now: Instant) -> HedgeCall {
        HedgeCall::new(self, now)
    }

    /// Changes the settings for calls that begin later; the budget and what is known of latencies stay.
    pub fn reconfigure(&self, config: &HedgeConfig) {
        let shared = &*self.shared;
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        shared.fixed.store(micros(config.delay), Relaxed);
        shared.least.store(micros(config.min_delay), Relaxed);
        let share = config.quantile.clamp(0.0, 1.0) * 1e6;
        shared.per_million.store(share.round() as u32, Relaxed);
        shared.most.store(config.max_hedges, Relaxed);
        shared.budget.reconfigure(&config.budget());
        shared.latencies.forget();
    }

    /// After which time a call that begins now is hedged; `None` when it is not, as before a hundred calls were answered.
    #[must_use]
    pub fn delay(&self, now: Instant) -> Option<Duration> {
        let delay = self.shared.delay(micros(&self.shared.origin, now));
        delay.map(|micros| Duration::from_micros(u64::from(micros)))
    }

    /// The budget, which all clones share.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.shared.budget
    }
}

impl fmt::Debug for Hedge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hedge").finish_non_exhaustive()
    }
}

// === impl HedgeCall ===

impl<R: Borrow<Hedge>> HedgeCall<R> {
    #[inline]
    fn new(hedge: R, now: Instant) -> Self {
        let shared = &*hedge.borrow().shared;
        shared.budget.deposit(now);
        // Rounded up, so that no hedge is early.
        let started = micros(&shared.origin, now + Duration::from_nanos(999));
        let delay = shared.delay(started).unwrap_or(0);
        Self {
            hedge,
            started,
            delay,
            sent: 0,
        }
    }

    /// When the next hedge is due; `None` when there is none to come.
    #[inline]
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        let delay = u64::from(self.delay) * u64::from(self.sent + 1);
        let due = Duration::from_micros(self.started + delay);
        (self.delay > 0).then(|| self.hedge.borrow().shared.origin.at() + due)
    }

    /// Whether the hedge that is due may be sent, as it must be then: its token is gone. After a refusal of the budget the
    /// call has no more hedges. Both are counted, and noted on the span of the current request.
    #[must_use]
    pub fn send(&mut self, now: Instant) -> bool {
        let shared = &*self.hedge.borrow().shared;
        if shared.budget.withdraw(now).is_none() {
            self.deny(now);
            return false;
        }
        shared.recorder.sent.inc();
        note(now, "hedge.sent", None);
        self.sent += 1;
        if self.sent >= shared.most.load(Relaxed) {
            self.delay = 0;
        }
        true
    }

    /// Says that the hedge that is due is refused for a reason of the caller's own, such as another budget. It counts, and is
    /// noted, as if it had been refused by this one.
    pub fn deny(&mut self, now: Instant) {
        self.hedge.borrow().shared.recorder.denied.inc();
        note(now, "hedge.denied", None);
        self.delay = 0;
    }

    /// How many hedges were sent.
    #[must_use]
    pub fn sent(&self) -> u32 {
        self.sent
    }

    /// Says that attempt number `by`, the first of which is 0, answered well at `now`, before all others. If it was not the
    /// first one, all that is known of that one is that it takes longer than this, and so it counts: being beyond the
    /// quantile already, it does not change it.
    #[inline]
    pub fn answered(&self, by: u32, now: Instant) {
        let shared = &*self.hedge.borrow().shared;
        let ended = micros(&shared.origin, now);
        let took = ended.saturating_sub(self.started);
        shared.latencies.record(took, second(ended));
        if by > 0 {
            shared.recorder.won.inc();
        }
    }
}

// === impl Shared ===

impl Shared {
    /// At most 71 minutes, and more than 0.
    #[inline]
    fn delay(&self, now: u64) -> Option<u32> {
        if self.most.load(Relaxed) == 0 {
            return None;
        }
        let delay = match self.fixed.load(Relaxed) {
            0 => {
                let per_million = self.per_million.load(Relaxed);
                self.latencies.quantile(per_million, second(now))?
            }
            fixed => fixed,
        };
        let delay = delay.max(self.least.load(Relaxed));
        Some(u32::try_from(delay).unwrap_or(u32::MAX).max(1))
    }
}

#[inline]
fn micros(origin: &Origin, now: Instant) -> u64 {
    origin.nanos(now) / 1_000
}

#[inline]
fn second(micros: u64) -> u32 {
    (micros / 1_000_000) as u32
}
