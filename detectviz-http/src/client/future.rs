//! The future of one call.
use super::{
    InvalidTarget, NoTrustRoots, ResponseBody,
    attempt::{Answer, Attempt, NoAnswer},
    call::Call,
    service::authority_of,
    upstream::Upstream,
};
use detectviz_core::{
    clock,
    error::BoxError,
    resilience::{
        bulkhead::{Admission, Permit, Waiting},
        retry::{BudgetExhausted, Decision, Stop},
        timeout::Elapsed,
    },
};
use http::{Response, uri::Scheme};
use std::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

/// Future of [`Client`](super::Client). Dropping it cancels the call.
pub struct ResponseFuture {
    step: Step,
    call: Option<Call>,
}

type Lookup = Pin<Box<dyn Future<Output = Result<Arc<Upstream>, BoxError>> + Send>>;

/// How far a call is.
pub(super) enum Step {
    /// Nothing has been done.
    Fresh,
    /// It cannot be made, or has failed.
    Failed { err: BoxError },
    /// Discovery is asked: the first call to a host, so that boxing costs nothing that counts.
    Asking { lookup: Lookup },
    /// It waits for its turn: there is too much to do, and a box more costs nothing that counts.
    Queued { waiting: Pin<Box<Waiting>> },
    /// It was sent.
    Sending { attempt: Attempt },
    /// It was sent more than once, and the first answer counts.
    Racing { attempts: Vec<Attempt> },
    /// It will be sent again.
    Pausing { until: Instant },
    /// It has ended.
    Done,
}

/// What a step brought.
#[expect(
    clippy::large_enum_variant,
    reason = "a box for the answer would be an allocation"
)]
pub(super) enum Next {
    Step(Step),
    /// It waits, until that time at the latest.
    Pending(Step, Option<Instant>),
    Answer(Answer),
}

// === impl ResponseFuture ===

impl ResponseFuture {
    pub(super) fn new(call: Call) -> Self {
        Self {
            step: Step::Fresh,
            call: Some(call),
        }
    }
}

impl Future for ResponseFuture {
    type Output = Result<Response<ResponseBody>, BoxError>;

    /// # Panics
    /// When it is polled after it has ended.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            let call = this.call.as_mut().expect("not polled after its end");
            let until = match call.step(mem::replace(&mut this.step, Step::Done), cx) {
                Next::Step(Step::Failed { err }) => {
                    let err = call.failed(err);
                    this.call = None;
                    return Poll::Ready(Err(err));
                }
                Next::Step(step) => {
                    this.step = step;
                    continue;
                }
                Next::Answer(answer) => {
                    let call = this.call.take().expect("it was there");
                    return Poll::Ready(Ok(ResponseBody::answer(answer, call)));
                }
                Next::Pending(step, until) => {
                    this.step = step;
                    until
                }
            };
            let now = ready!(call.poll_time(until, cx));
            if now >= call.deadline {
                let err = call.elapsed(now);
                this.call = None;
                this.step = Step::Done;
                return Poll::Ready(Err(err));
            }
            this.step = call.woken(mem::replace(&mut this.step, Step::Done), now);
        }
    }
}

impl fmt::Debug for ResponseFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = match self.step {
            Step::Fresh => "Fresh",
            Step::Failed { .. } => "Failed",
            Step::Asking { .. } => "Asking",
            Step::Queued { .. } => "Queued",
            Step::Sending { .. } => "Sending",
            Step::Racing { .. } => "Racing",
            Step::Pausing { .. } => "Pausing",
            Step::Done => "Done",
        };
        f.debug_struct("ResponseFuture")
            .field("step", &step)
            .finish_non_exhaustive()
    }
}

// === impl Step ===

impl Step {
    fn failed(err: impl Into<BoxError>) -> Self {
        Self::Failed { err: err.into() }
    }
}

// === impl Call ===

impl Call {
    /// Goes on with a step as far as it can.
    fn step(&mut self, step: Step, cx: &mut Context<'_>) -> Next {
        Next::Step(match step {
            Step::Fresh => self.aim(),
            Step::Asking { mut lookup } => match lookup.as_mut().poll(cx) {
                Poll::Pending => return Next::Pending(Step::Asking { lookup }, None),
                Poll::Ready(Err(err)) => Step::Failed { err },
                Poll::Ready(Ok(upstream)) => self.queue(upstream, clock::now()),
            },
            Step::Queued { mut waiting } => match self.enter(|_| waiting.as_mut().poll(cx)) {
                Poll::Pending => return Next::Pending(Step::Queued { waiting }, None),
                Poll::Ready(Err(err)) => Step::failed(err),
                Poll::Ready(Ok(permit)) => self.first(permit, clock::now()),
            },
            Step::Sending { mut attempt } => match attempt.poll(cx) {
                Poll::Pending => {
                    let ends = self.or_hedge(attempt.ends);
                    return Next::Pending(Step::Sending { attempt }, Some(ends));
                }
                Poll::Ready(Ok((response, lease))) => {
                    let now = clock::now();
                    return self.answered_by(attempt.answered(response, lease, now), now);
                }
                Poll::Ready(Err(err)) => {
                    let now = clock::now();
                    self.unanswered(attempt.failed(err, now), now)
                }
            },
            Step::Racing { attempts } => return self.race(attempts, cx),
            Step::Pausing { until } => return Next::Pending(step, Some(until)),
            Step::Failed { .. } | Step::Done => step,
        })
    }

    /// Goes on with a step whose time has come, at `now`.
    fn woken(&mut self, step: Step, now: Instant) -> Step {
        match step {
            Step::Sending { attempt } if attempt.ends <= now => {
                let failed = self.time_out(attempt, now);
                self.unanswered(failed, now)
            }
            Step::Sending { attempt } => self.hedge(attempt, now),
            Step::Racing { attempts } => self.race_on(attempts, now),
            Step::Pausing { until } if until <= now => self.again(now),
            step => step,
        }
    }

    /// Finds whom the request goes to, or what finds it.
    fn aim(&mut self) -> Step {
        let now = clock::now();
        self.begin(now);
        if self.deadline <= now {
            return Step::failed(Elapsed::new(Duration::ZERO));
        }
        let shared = self.shared();
        let Some(authority) = authority_of(&self.target) else {
            let problem = "has no host";
            return Step::failed(InvalidTarget { problem });
        };
        match self.target.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => {}
            Some(scheme) if *scheme == Scheme::HTTPS => {
                if !shared.pools.has_trust_roots() {
                    let host = authority.into_owned();
                    return Step::failed(NoTrustRoots { host });
                }
            }
            _ => {
                let problem = "is neither http nor https";
                return Step::failed(InvalidTarget { problem });
            }
        }
        if let Some(upstream) = shared.upstreams.at_once(&authority, now) {
            return self.queue(upstream, now);
        }
        let (shared, authority) = (Arc::clone(shared), authority.into_owned());
        let lookup = Box::pin(async move { shared.upstreams.ask(&authority).await });
        Step::Asking { lookup }
    }

    /// Asks the bulkhead.
    fn queue(&mut self, upstream: Arc<Upstream>, now: Instant) -> Step {
        self.aimed(Arc::clone(&upstream));
        let (bulkhead, priority) = (&upstream.policies().bulkhead, self.rule.priority);
        match self.enter(|_| bulkhead.admit(priority, now)) {
            Admission::Permit(permit) => self.first(permit, now),
            Admission::Queued(waiting) => Step::Queued {
                waiting: Box::pin(waiting),
            },
            Admission::Refused(err) => Step::failed(err),
        }
    }

    /// The first attempt.
    fn first(&mut self, permit: Permit, now: Instant) -> Step {
        self.admitted(permit, now);
        self.attempt(now)
    }

    /// The next attempt.
    fn again(&mut self, now: Instant) -> Step {
        self.retried();
        self.attempt(now)
    }

    fn attempt(&mut self, now: Instant) -> Step {
        match self.start(now) {
            Ok(attempt) => {
                self.may_hedge(now);
                Step::Sending { attempt }
            }
            Err(err) => Step::Failed { err },
        }
    }

    /// An answer: it is the call's, unless another attempt may bring a better one.
    pub(super) fn answered_by(&mut self, answer: Answer, now: Instant) -> Next {
        self.hedged(&answer, now);
        if let Decision::Wait(wait) = self.decide(answer.retry, false, now)
            && self.repeat()
        {
            self.tell(answer.leave(now));
            let until = now + wait;
            return Next::Step(Step::Pausing { until });
        }
        if self.attempts > 1 {
            self.tell(answer.end(now));
        }
        Next::Answer(answer)
    }

    /// No answer: the call fails, unless another attempt may bring one.
    pub(super) fn unanswered(&mut self, failed: NoAnswer, now: Instant) -> Step {
        let NoAnswer {
            source,
            unsent,
            retry,
            end,
        } = failed;
        self.tell(end);
        self.hedge = None;
        match self.decide(retry, unsent.is_some(), now) {
            Decision::Wait(wait) => {
                let repeats = match unsent {
                    Some(request) => {
                        self.request = Some(*request);
                        true
                    }
                    None => self.repeat(),
                };
                if repeats {
                    let until = now + wait;
                    return Step::Pausing { until };
                }
                Step::Failed { err: source }
            }
            Decision::Stop(Stop::Budget) => Step::failed(BudgetExhausted::new(source)),
            _ => Step::Failed { err: source },
        }
    }

    /// The time of an attempt is up.
    pub(super) fn time_out(&mut self, attempt: Attempt, now: Instant) -> NoAnswer {
        let limit = self.rule.attempt_timeout;
        attempt.timed_out(Elapsed::new(limit).into(), now)
    }
}
