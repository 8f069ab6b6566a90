//! Retries without tower: what the layer, a fused client and a guarded closure are made of.
use super::{
    Decision, Outcome, RetryConfig, Stop,
    budget::{Budget, Withdrawal},
    recorder::Recorder,
    state::decide_within,
};
use crate::{
    clock,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    telemetry::{
        context::{NoteValue, note},
        metrics::Registry,
    },
};
use arc_swap::ArcSwap;
use std::{
    borrow::Borrow,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

/// Decides whether and when the calls to one upstream are tried again.
///
/// ```
/// use detectviz_core::resilience::retry::{Decision, Outcome, Reason, Retry, RetryConfig, Stop};
/// use std::time::Instant;
///
/// let retry = Retry::new(&RetryConfig::default());
/// let mut call = retry.begin(Instant::now());
/// // The first attempt fails.
/// let Decision::Wait(_) = call.after(Outcome::retryable(Reason::Connect), None, Instant::now()) else {
///     panic!("two attempts are left")
/// };
/// // After that time:
/// call.again();
/// let decision = call.after(Outcome::Success, None, Instant::now());
/// assert_eq!(decision, Decision::Stop(Stop::Success));
/// ```
///
/// # Clone
/// Clones share the settings, the budget and the counts.
#[derive(Clone)]
pub struct Retry {
    shared: Arc<Shared>,
}

/// One call, between its first attempt and its end; made by [`Retry::begin`].
///
/// # Cancel safety
/// A call that is dropped while it waits gives its token back to the budget.
#[derive(Debug)]
pub struct RetryCall<R: Borrow<Retry> = Retry> {
    retry: R,
    attempt: u16,
    /// Attempts in all; 0 for as many as the settings say.
    attempts: u8,
    /// As [`Retry::repeats`] was when the call began: what was not kept cannot be sent again.
    repeats: bool,
    /// What the next attempt has been granted, until it is sent.
    token: Option<Withdrawal>,
}

struct Shared {
    config: ArcSwap<RetryConfig>,
    /// Whether there is ever a second attempt.
    repeats: AtomicBool,
    budget: Budget,
    recorder: Recorder,
}

// === impl Retry ===

impl Retry {
    /// Retries whose metrics nobody reads.
    #[must_use]
    pub fn new(config: &RetryConfig) -> Self {
        Self::with_metrics(config, "", &Registry::new())
    }

    /// Retries of the calls to `upstream`, a label of their metrics.
    ///
    /// # Panics
    /// When the names of the metrics are taken by other descriptions.
    #[must_use]
    pub fn with_metrics(config: &RetryConfig, upstream: &str, metrics: &Registry) -> Self {
        let shared = Arc::new(Shared {
            config: ArcSwap::from_pointee(config.clone()),
            repeats: AtomicBool::new(config.attempts > 1),
            budget: Budget::new(&config.budget, clock::now()),
            recorder: Recorder::new(upstream, metrics),
        });
        let upstream = upstream.to_owned();
        metrics.collect_from(&shared, move |shared, collected| {
            let Shared {
                recorder, budget, ..
            } = shared;
            recorder.collect(&upstream, budget, clock::now(), collected);
        });
        Self { shared }
    }

    /// Begins a call, and its first attempt, and deposits for it in the budget, which is how it is counted. `now` is good to a second.
    #[inline]
    pub fn begin(&self, now: Instant) -> RetryCall<&Self> {
        RetryCall::new(self, now)
    }

    /// As [`begin`](Self::begin), for a future that outlives the borrow.
    #[inline]
    pub fn begin_owned(self, now: Instant) -> RetryCall {
        RetryCall::new(self, now)
    }

    #[inline]
    fn repeats(&self) -> bool {
        self.shared.repeats.load(Relaxed)
    }

    /// Changes the settings, also for calls under way; the budget keeps its counts.
    pub fn reconfigure(&self, config: &RetryConfig) {
        self.shared.budget.reconfigure(&config.budget);
        self.shared.repeats.store(config.attempts > 1, Relaxed);
        self.shared.config.store(Arc::new(config.clone()));
    }

    /// The settings now.
    #[must_use]
    pub fn config(&self) -> Arc<RetryConfig> {
        self.shared.config.load_full()
    }

    /// The budget, which all clones share.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.shared.budget
    }
}

impl fmt::Debug for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry")
            .field("config", &*self.shared.config.load())
            .finish_non_exhaustive()
    }
}

// === impl RetryCall ===

impl<R: Borrow<Retry>> RetryCall<R> {
    #[inline]
    fn new(retry: R, now: Instant) -> Self {
        let shared = &retry.borrow().shared;
        shared.budget.deposit(now);
        Self {
            repeats: retry.borrow().repeats(),
            retry,
            attempt: 1,
            attempts: 0,
            token: None,
        }
    }

    /// The number of the attempt that was begun last, from 1.
    #[inline]
    #[must_use]
    pub fn attempt(&self) -> u32 {
        u32::from(self.attempt)
    }

    /// Whether the call may have more than one attempt: if not, nothing of the request needs to be kept.
    #[inline]
    #[must_use]
    pub fn repeats(&self) -> bool {
        self.repeats
    }

    /// Has this call tried `attempts` times in all, 1 to 10, whatever the settings say; what is beyond is taken for the
    /// nearest. To be called before the first attempt has ended.
    pub fn set_attempts(&mut self, attempts: u32) {
        self.attempts = attempts.clamp(1, 10) as u8;
        self.repeats = self.attempts > 1;
    }

    /// What follows the attempt, which ended with `outcome` at `now`; `left` is the time until the deadline, if there is
    /// one. A wait has its token from the budget. What is decided is counted, and noted on the span of the current request.
    #[inline]
    pub fn after(&mut self, outcome: Outcome, left: Option<Duration>, now: Instant) -> Decision {
        match outcome {
            Outcome::Success => Decision::Stop(Stop::Success),
            outcome => self.failed(outcome, left, now),
        }
    }

    /// Begins the attempt that [`after`](Self::after) granted, when its time has come.
    pub fn again(&mut self) {
        self.token = None;
        self.attempt = self.attempt.saturating_add(1);
        self.retry.borrow().shared.recorder.sent();
    }

    #[cold]
    fn failed(&mut self, outcome: Outcome, left: Option<Duration>, now: Instant) -> Decision {
        let shared = &self.retry.borrow().shared;
        let random = fastrand::u64(..);
        let config = shared.config.load();
        let attempts = match self.attempts {
            0 => config.attempts,
            own => u32::from(own),
        };
        let decision = decide_within(attempts, &config, self.attempt(), outcome, left, random);
        let stop = match (decision, outcome) {
            (Decision::Wait(_), _) if !self.repeats => Stop::Attempts,
            (Decision::Wait(wait), Outcome::Retryable { reason, .. }) => {
                if let Some(token) = shared.budget.withdraw(now) {
                    let before = self.token.replace(token);
                    before.into_iter().for_each(|t| shared.budget.refund(t));
                    shared.recorder.retry(reason);
                    let why = Some(("reason", NoteValue::Str(reason.as_str())));
                    note(now, "retry", why);
                    return Decision::Wait(wait);
                }
                Stop::Budget
            }
            (Decision::Stop(stop), _) => stop,
            // Only what is retryable has to wait.
            (Decision::Wait(_), _) => Stop::Fatal,
        };
        shared.recorder.refused(stop);
        if Stop::REFUSED.contains(&stop) {
            let why = Some(("reason", NoteValue::Str(stop.as_str())));
            note(now, "retry.refused", why);
        }
        Decision::Stop(stop)
    }
}

impl<R: Borrow<Retry>> Drop for RetryCall<R> {
    #[inline]
    fn drop(&mut self) {
        if let Some(token) = self.token.take() {
            self.retry.borrow().shared.budget.refund(token);
        }
    }
}
