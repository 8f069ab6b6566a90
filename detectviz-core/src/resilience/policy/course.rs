//! What a call holds and decides, apart from the futures of its attempts.
use super::{
    Attempt, Classify, PolicyError, Verdict,
    attempt::Running,
    handle::Inner,
    recorder::{Begun, tell_timeout},
    state::{Bounds, Outcome},
};
use crate::{
    clock,
    error::BoxError,
    resilience::{
        breaker::{self, Open},
        bulkhead::{Admission, Bulkhead, Overloaded, Permit, Priority},
        deadline::scope::Scope,
        hedge::{Hedge, HedgeCall},
        retry::{self, BudgetExhausted, Decision, Reason, Retry, RetryCall, Stop},
        timeout::Elapsed,
        timer::Entry,
    },
    telemetry::context::current,
};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

/// One call, from its first poll to its end.
pub(super) struct Course<'a, Op, C> {
    policy: &'a Inner,
    op: Op,
    classify: C,
    pub(super) idempotent: bool,
    pub(super) priority: Priority,
    /// Attempts that were made.
    attempts: u32,
    /// None until it is polled.
    bounds: Option<Bounds>,
    retry: Option<RetryCall<&'a Retry>>,
    /// Of the attempt that is under way.
    hedge: Option<HedgeCall<&'a Hedge>>,
    timer: Option<Entry>,
    /// What the timer is armed for.
    armed: Option<Instant>,
    turn: Option<Permit<&'a Bulkhead>>,
    begun: Begun<'a>,
}

/// How a call goes on.
pub(super) enum Next<T, E> {
    /// What is under way is polled again.
    Poll,
    /// Until something wakes it.
    Wait,
    /// With an attempt, now, which is that time.
    Attempt(Instant),
    /// With an attempt at that time.
    Pause(Instant),
    /// Not at all.
    End(Result<T, PolicyError<E>>, Outcome),
}

// === impl Course ===

impl<'a, Op, C> Course<'a, Op, C> {
    pub(super) fn new(policy: &'a Inner, op: Op, classify: C) -> Self {
        Self {
            policy,
            op,
            classify,
            idempotent: false,
            priority: Priority::Normal,
            attempts: 0,
            bounds: None,
            retry: None,
            hedge: None,
            timer: None,
            armed: None,
            turn: None,
            begun: Begun::not_yet(),
        }
    }

    /// The same call that judges results by `classify`; it has not begun.
    pub(super) fn classify<D>(self, classify: D) -> Course<'a, Op, D> {
        Course {
            idempotent: self.idempotent,
            priority: self.priority,
            ..Course::new(self.policy, self.op, classify)
        }
    }

    /// Begins the call at `now`, and asks for its turn; `None` when its request has no time left.
    #[inline]
    pub(super) fn begin(&mut self, now: Instant) -> Option<Admission<&'a Bulkhead>> {
        let policy = self.policy;
        let request = current(|slot| slot.and_then(|slot| slot.deadline));
        let bounds = Bounds::new(now, policy.total_timeout(), request);
        self.bounds = Some(bounds);
        self.begun.begin(&policy.recorder);
        let admit = || policy.bulkhead.admit_ref(self.priority, now);
        (!bounds.has_passed(now)).then(admit)
    }

    /// Its turn has come at `now`.
    #[inline]
    pub(super) fn turned<T, E>(&mut self, turn: Permit<&'a Bulkhead>, now: Instant) -> Next<T, E> {
        self.turn = Some(turn);
        Next::Attempt(now)
    }

    /// When it ends at the latest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.bounds.map(Bounds::deadline)
    }

    /// When a further attempt joins the one under way.
    pub(super) fn hedge_due(&self) -> Option<Instant> {
        self.hedge.as_ref().and_then(HedgeCall::due)
    }

    /// Makes the first attempt, or the next, at `now`.
    #[inline]
    pub(super) fn attempt<F>(&mut self, now: Instant) -> Result<Running<'a, F>, Open>
    where
        Op: FnMut(Attempt) -> F,
    {
        let policy = self.policy;
        let permit = policy.breaker.try_acquire(now)?;
        match &mut self.retry {
            None => self.retry = Some(policy.retry.begin(now)),
            Some(retry) => retry.again(),
        }
        if self.idempotent {
            self.hedge = policy.hedge().map(|hedge| hedge.begin(now));
        }
        Ok(self.run(permit, now))
    }

    /// Makes the hedge that is due at `now`, unless breaker or budget refuse it: then the call goes on as it is.
    #[cold]
    pub(super) fn join<F>(&mut self, now: Instant) -> Option<Running<'a, F>>
    where
        Op: FnMut(Attempt) -> F,
    {
        let Ok(permit) = self.policy.breaker.try_acquire(now) else {
            self.hedge = None;
            return None;
        };
        let sent = self.hedge.as_mut().is_some_and(|hedge| hedge.send(now));
        sent.then(|| self.run(permit, now))
    }

    /// Polls an attempt, and judges its result.
    #[inline]
    pub(super) fn poll<F, T, E>(
        &self,
        attempt: Pin<&mut Running<'a, F>>,
        cx: &mut Context<'_>,
    ) -> Poll<(Result<T, E>, Verdict)>
    where
        F: Future<Output = Result<T, E>>,
        C: Classify<T, E>,
    {
        let attempt = attempt.project();
        let scope = Scope::enter(Some(attempt.about.deadline));
        let polled = attempt.future.poll(cx);
        drop(scope);
        let result = ready!(polled);
        let verdict = self.classify.classify(&result);
        if let Some(permit) = attempt.permit.take() {
            permit.record_now(verdict.breaker());
        }
        Poll::Ready((result, verdict))
    }

    /// Whether another attempt under way is waited for, when one ended so.
    pub(super) fn may_be_mended(&self, verdict: Verdict) -> bool {
        let outcome = verdict.retry(self.idempotent);
        matches!(outcome, retry::Outcome::Retryable { .. })
    }

    /// What follows the result of the last attempt under way, which was the first of them or a hedge.
    #[inline]
    pub(super) fn ended<T, E: Into<BoxError>>(
        &mut self,
        result: Result<T, E>,
        verdict: Verdict,
        hedge: bool,
    ) -> Next<T, E> {
        if verdict == Verdict::Success {
            if let Some(call) = &self.hedge {
                call.answered(hedge.into(), clock::now());
            }
            return Next::End(result.map_err(PolicyError::Inner), Outcome::Ok);
        }
        let now = clock::now();
        let stop = match self.decide(verdict, now) {
            Decision::Wait(wait) => return Next::Pause(now + wait),
            Decision::Stop(stop) => stop,
        };
        let failed = |err: E| match stop {
            Stop::Budget => PolicyError::BudgetExhausted(BudgetExhausted::new(err)),
            _ => PolicyError::Inner(err),
        };
        Next::End(result.map_err(failed), Outcome::Failed)
    }

    /// What follows when the last attempt under way has taken too long at `now`.
    #[cold]
    pub(super) fn timed_out<T, E>(&mut self, now: Instant) -> Next<T, E> {
        tell_timeout("attempt", now);
        let elapsed = Elapsed::new(self.policy.attempt_timeout());
        let err = match self.decide(Verdict::failure(Reason::Timeout), now) {
            Decision::Wait(wait) => return Next::Pause(now + wait),
            Decision::Stop(Stop::Budget) => {
                PolicyError::BudgetExhausted(BudgetExhausted::new(elapsed))
            }
            Decision::Stop(_) => PolicyError::Elapsed(elapsed),
        };
        Next::End(Err(err), Outcome::TimedOut)
    }

    /// The end of a call whose deadline has passed at `now`, if it has.
    pub(super) fn overdue<T, E>(&self, now: Instant) -> Option<Next<T, E>> {
        let bounds = self.bounds.filter(|bounds| bounds.has_passed(now))?;
        tell_timeout("call", now);
        let total = self.policy.total_timeout();
        let err = match bounds.exceeded(now) {
            Some(exceeded) => PolicyError::DeadlineExceeded(exceeded),
            None => PolicyError::Elapsed(Elapsed::new(total)),
        };
        Some(Next::End(Err(err), Outcome::TimedOut))
    }

    /// Ready when `at` has passed; until then the task is woken by it.
    #[inline]
    pub(super) fn poll_passed(&mut self, at: Instant, cx: &Context<'_>) -> Poll<()> {
        let timer = &self.policy.timer;
        let timer = self.timer.get_or_insert_with(|| timer.entry());
        if self.armed != Some(at) {
            self.armed = Some(at);
            timer.arm(at, cx);
            return Poll::Pending;
        }
        ready!(timer.poll_passed(cx));
        self.armed = None;
        Poll::Ready(())
    }

    /// Gives back all that the call holds, and counts it.
    #[inline]
    pub(super) fn end(&mut self, outcome: Outcome) {
        self.hedge = None;
        self.retry = None;
        self.timer = None;
        self.turn = None;
        self.begun.end(outcome);
    }

    #[inline]
    fn run<F>(&mut self, permit: breaker::Permit<'a>, now: Instant) -> Running<'a, F>
    where
        Op: FnMut(Attempt) -> F,
    {
        let limit = self.policy.attempt_timeout();
        self.attempts += 1;
        let about = Attempt {
            number: self.attempts,
            deadline: self.bounds.map_or(now, |bounds| bounds.attempt(now, limit)),
        };
        let _scope = Scope::enter(Some(about.deadline));
        Running {
            future: (self.op)(about),
            permit: Some(permit),
            about,
        }
    }

    fn decide(&mut self, verdict: Verdict, now: Instant) -> Decision {
        let outcome = verdict.retry(self.idempotent);
        let left = self.bounds.map(|bounds| bounds.left(now));
        // Nothing is under way that a hedge could join.
        self.hedge = None;
        match &mut self.retry {
            Some(retry) => retry.after(outcome, left, now),
            None => Decision::Stop(Stop::Fatal),
        }
    }
}

// === impl Next ===

impl<T, E> Next<T, E> {
    #[cold]
    pub(super) fn overloaded(overloaded: Overloaded) -> Self {
        let err = PolicyError::Overloaded(overloaded);
        Self::End(Err(err), Outcome::Refused)
    }
}
