//! A slow attempt gets company: the hedges of a call.
use super::{
    attempt::{Answer, Attempt},
    call::Call,
    future::{Next, Step},
};
use detectviz_core::{
    clock,
    resilience::{
        hedge::{Hedge, HedgeCall, HedgeConfig},
        retry::Outcome,
    },
    telemetry::metrics::Registry,
};
use std::{
    fmt,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Instant,
};

/// The hedges of the calls to one upstream, from when somebody first wants them on.
pub(super) struct Hedging {
    is_on: AtomicBool,
    hedge: OnceLock<Hedge>,
    upstream: Box<str>,
    metrics: Registry,
}

// === impl Hedging ===

impl Hedging {
    /// None yet.
    pub(super) fn new(upstream: &str, metrics: &Registry) -> Self {
        Self {
            is_on: AtomicBool::new(false),
            hedge: OnceLock::new(),
            upstream: upstream.into(),
            metrics: metrics.clone(),
        }
    }

    /// Changes the settings for calls that begin later; what is known of latencies, and all counts, stay.
    pub(super) fn set(&self, config: Option<&HedgeConfig>) {
        if let Some(config) = config {
            let made = || Hedge::with_metrics(config, &self.upstream, &self.metrics);
            self.hedge.get_or_init(made).reconfigure(config);
        }
        self.is_on.store(config.is_some(), Relaxed);
    }

    pub(super) fn get(&self) -> Option<&Hedge> {
        let is_on = self.is_on.load(Relaxed);
        is_on.then(|| self.hedge.get()).flatten()
    }
}

impl fmt::Debug for Hedging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hedging").field(&self.get()).finish()
    }
}

// === impl Call ===

impl Call {
    /// An attempt begins that may get company: one that may take effect twice, and whose body is at hand, unless its route
    /// has none.
    pub(super) fn may_hedge(&mut self, now: Instant) {
        let upstream = self.upstream.as_ref().filter(|_| self.rule.hedges);
        let hedge = upstream.and_then(|known| known.policies().hedging.get());
        if let Some(hedge) = hedge
            && self.may_race()
        {
            self.hedge = Some(hedge.clone().begin_owned(now));
        }
    }

    /// `ends`, or when the attempt gets company, if that is earlier.
    pub(super) fn or_hedge(&self, ends: Instant) -> Instant {
        let due = self.hedge.as_ref().and_then(|hedge| hedge.due());
        due.map_or(ends, |due| due.min(ends))
    }

    /// Sends the request beside `attempt`, if the time has come and the budgets allow it.
    pub(super) fn hedge(&mut self, attempt: Attempt, now: Instant) -> Step {
        match self.joined(now) {
            Some(joined) => Step::Racing {
                attempts: vec![attempt, joined],
            },
            None => Step::Sending { attempt },
        }
    }

    /// Asks all attempts for an answer.
    pub(super) fn race(&mut self, mut attempts: Vec<Attempt>, cx: &mut Context<'_>) -> Next {
        let mut at = 0;
        while at < attempts.len() {
            let Poll::Ready(sent) = attempts[at].poll(cx) else {
                at += 1;
                continue;
            };
            let now = clock::now();
            let attempt = attempts.swap_remove(at);
            let (retry, ended) = match sent {
                Ok((response, lease)) => {
                    let answer = attempt.answered(response, lease, now);
                    (answer.retry, Ok(answer))
                }
                Err(err) => {
                    let failed = attempt.failed(err, now);
                    (failed.retry, Err(failed))
                }
            };
            // Of several attempts one may mend what another could not do.
            if matches!(retry, Outcome::Retryable { .. }) && !attempts.is_empty() {
                let end = ended.map_or_else(|failed| failed.end, |answer| answer.leave(now));
                self.tell(end);
                continue;
            }
            for attempt in attempts {
                self.tell(attempt.outrun(now));
            }
            return match ended {
                Ok(answer) => self.answered_by(answer, now),
                Err(failed) => Next::Step(self.unanswered(failed, now)),
            };
        }
        let ends = attempts.iter().map(|attempt| attempt.ends).min();
        let ends = ends.map(|ends| self.or_hedge(ends));
        Next::Pending(Step::Racing { attempts }, ends)
    }

    /// Goes on without those whose time is up, and with another, if it is time for it.
    pub(super) fn race_on(&mut self, attempts: Vec<Attempt>, now: Instant) -> Step {
        let (ended, mut attempts): (Vec<_>, Vec<_>) = attempts
            .into_iter()
            .partition(|attempt| attempt.ends <= now);
        for attempt in ended {
            let failed = self.time_out(attempt, now);
            if attempts.is_empty() {
                return self.unanswered(failed, now);
            }
            self.tell(failed.end);
        }
        attempts.extend(self.joined(now));
        Step::Racing { attempts }
    }

    /// The try that `answer` belongs to has ended.
    pub(super) fn hedged(&mut self, answer: &Answer, now: Instant) {
        if let Some(hedge) = self.hedge.take()
            && answer.retry == Outcome::Success
        {
            let first = self.attempts - hedge.sent();
            hedge.answered(answer.number.saturating_sub(first), now);
        }
    }

    /// Another attempt, if it is time for it. It costs a token of the retries as well: to the upstream it is one.
    fn joined(&mut self, now: Instant) -> Option<Attempt> {
        self.hedge.as_ref()?.due().filter(|due| *due <= now)?;
        let upstream = self.upstream.clone()?;
        let budget = upstream.policies().retry.budget();
        let Some(token) = budget.withdraw(now) else {
            self.enter(|call| call.hedge.as_mut().map(|hedge| hedge.deny(now)));
            return None;
        };
        let send = |hedge: &mut HedgeCall| hedge.send(now);
        if self.repeat()
            && let Ok(attempt) = self.start(now)
        {
            if self.enter(|call| call.hedge.as_mut().is_some_and(send)) {
                return Some(attempt);
            }
            self.attempts -= 1;
        }
        // Without company the call goes on as it is.
        self.request = None;
        self.hedge = None;
        budget.refund(token);
        None
    }
}
