//! The future of one call.
use super::{
    Body, ResponseBody,
    attempt::{Answer, Attempt, NoAnswer},
    call::Call,
    upstream::Upstream,
};
use detectviz_core::{
    error::BoxError,
    resilience::{
        bulkhead::{Admission, Permit, Waiting},
        retry::{BudgetExhausted, Decision, Stop},
        timeout::Elapsed,
        timer::Entry,
    },
};
use http::{Request, Response};
use std::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

/// Future of [`Client`](super::Client). Dropping it cancels the call.
pub struct ResponseFuture {
    step: Step,
    timer: Entry,
    /// What the timer is armed for.
    armed: Option<Instant>,
    deadline: Instant,
    call: Option<Call>,
}

type Lookup = Pin<Box<dyn Future<Output = Result<Arc<Upstream>, BoxError>> + Send>>;

/// How far a call is.
pub(super) enum Step {
    /// It cannot be made.
    Failed { err: BoxError },
    /// Discovery is asked: the first call to a host, so that boxing costs nothing that counts.
    Asking {
        lookup: Lookup,
        request: Request<Body>,
    },
    /// It can be sent.
    Found { request: Request<Body> },
    /// It waits for its turn: there is too much to do, and a box more costs nothing that counts.
    Queued {
        waiting: Pin<Box<Waiting>>,
        request: Request<Body>,
    },
    /// It was sent.
    Sending { attempt: Attempt },
    /// It will be sent again.
    Pausing {
        until: Instant,
        request: Request<Body>,
    },
    /// It has ended.
    Done,
}

/// What a step brought.
enum Next {
    Step(Step),
    /// It waits, until that time at the latest.
    Pending(Option<Instant>),
    Answer(Answer),
}

// === impl ResponseFuture ===

impl ResponseFuture {
    pub(super) fn new(step: Step, call: Call, deadline: Instant) -> Self {
        Self {
            step,
            timer: call.shared().timer.entry(),
            armed: None,
            deadline,
            call: Some(call),
        }
    }

    /// Has the task woken at `at`.
    fn arm(&mut self, at: Instant, cx: &Context<'_>) {
        if self.armed != Some(at) {
            self.armed = Some(at);
            self.timer.arm(at, cx);
        }
    }

    /// Ends with an error.
    fn fail(&mut self, err: BoxError) -> Poll<Result<Response<ResponseBody>, BoxError>> {
        self.step = Step::Done;
        let err = match self.call.take() {
            Some(mut call) => call.failed(err),
            None => err,
        };
        Poll::Ready(Err(err))
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
            let until = match call.step(mem::replace(&mut this.step, Step::Done), this.deadline, cx)
            {
                (Step::Failed { err }, _) => return this.fail(err),
                (step, Next::Pending(until)) => {
                    this.step = step;
                    until
                }
                (_, Next::Step(step)) => {
                    this.step = step;
                    this.deadline = call.deadline();
                    continue;
                }
                (_, Next::Answer(answer)) => {
                    let call = this.call.take().expect("it was there");
                    let timer = mem::replace(&mut this.timer, call.shared().timer.entry());
                    return Poll::Ready(Ok(ResponseBody::answer(
                        answer,
                        (timer, this.deadline),
                        call,
                    )));
                }
            };
            let at = until.map_or(this.deadline, |until| until.min(this.deadline));
            this.arm(at, cx);
            if this.timer.poll_passed(cx).is_pending() {
                return Poll::Pending;
            }
            this.armed = None;
            let now = Instant::now();
            let call = this.call.as_mut().expect("it was there");
            if now >= this.deadline {
                let err = call.elapsed(this.deadline);
                this.call = None;
                this.step = Step::Done;
                return Poll::Ready(Err(err));
            }
            this.step = match mem::replace(&mut this.step, Step::Done) {
                Step::Sending { attempt } => call.attempt_timed_out(attempt, this.deadline, now),
                Step::Pausing { request, .. } => call.again(request, this.deadline),
                step => step,
            };
        }
    }
}

impl fmt::Debug for ResponseFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = match self.step {
            Step::Failed { .. } => "Failed",
            Step::Asking { .. } => "Asking",
            Step::Found { .. } => "Found",
            Step::Queued { .. } => "Queued",
            Step::Sending { .. } => "Sending",
            Step::Pausing { .. } => "Pausing",
            Step::Done => "Done",
        };
        f.debug_struct("ResponseFuture")
            .field("step", &step)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

// === impl Step ===

impl Step {
    pub(super) fn failed(err: impl Into<BoxError>) -> Self {
        Self::Failed { err: err.into() }
    }

    pub(super) fn asking(
        lookup: impl Future<Output = Result<Arc<Upstream>, BoxError>> + Send + 'static,
        request: Request<Body>,
    ) -> Self {
        Self::Asking {
            lookup: Box::pin(lookup),
            request,
        }
    }
}

// === impl Call ===

impl Call {
    /// Goes on with a step as far as it can. The step comes back with what it brought, unless that replaces it.
    fn step(&mut self, step: Step, deadline: Instant, cx: &mut Context<'_>) -> (Step, Next) {
        let next = match step {
            Step::Failed { .. } | Step::Done => return (step, Next::Pending(None)),
            Step::Asking {
                mut lookup,
                request,
            } => match lookup.as_mut().poll(cx) {
                Poll::Pending => return (Step::Asking { lookup, request }, Next::Pending(None)),
                Poll::Ready(Err(err)) => Step::Failed { err },
                Poll::Ready(Ok(upstream)) => {
                    self.aimed(upstream);
                    Step::Found { request }
                }
            },
            Step::Found { request } => self.queue(request, deadline),
            Step::Queued {
                mut waiting,
                request,
            } => match waiting.as_mut().poll(cx) {
                Poll::Pending => return (Step::Queued { waiting, request }, Next::Pending(None)),
                Poll::Ready(Err(err)) => Step::failed(err),
                Poll::Ready(Ok(permit)) => self.begin(permit, request, deadline),
            },
            Step::Sending { mut attempt } => match attempt.poll(cx) {
                Poll::Pending => {
                    let ends = attempt.ends;
                    return (Step::Sending { attempt }, Next::Pending(Some(ends)));
                }
                Poll::Ready(Ok((response, lease))) => {
                    let now = Instant::now();
                    return self.answered_by(attempt.answered(response, lease, now), deadline, now);
                }
                Poll::Ready(Err(err)) => {
                    let now = Instant::now();
                    self.unanswered(attempt.failed(err, now), deadline, now)
                }
            },
            Step::Pausing { until, request } => {
                if Instant::now() < until {
                    let next = Next::Pending(Some(until));
                    return (Step::Pausing { until, request }, next);
                }
                self.again(request, deadline)
            }
        };
        (Step::Done, Next::Step(next))
    }

    /// Asks the bulkhead.
    fn queue(&mut self, request: Request<Body>, deadline: Instant) -> Step {
        let Some(upstream) = self.upstream() else {
            return Step::Done;
        };
        let started = self.slot().started;
        let priority = self.rule().priority;
        match upstream.policies().bulkhead.admit(priority, started) {
            Admission::Permit(permit) => self.begin(permit, request, deadline),
            Admission::Queued(waiting) => Step::Queued {
                waiting: Box::pin(waiting),
                request,
            },
            Admission::Refused(err) => Step::failed(err),
        }
    }

    /// The first attempt.
    fn begin(&mut self, permit: Permit, mut request: Request<Body>, deadline: Instant) -> Step {
        self.admitted(permit, &mut request);
        self.attempt(request, deadline)
    }

    /// The next attempt.
    fn again(&mut self, request: Request<Body>, deadline: Instant) -> Step {
        self.retried();
        self.attempt(request, deadline)
    }

    fn attempt(&mut self, request: Request<Body>, deadline: Instant) -> Step {
        match self.start(request, deadline) {
            Ok(attempt) => Step::Sending { attempt },
            Err(err) => Step::Failed { err },
        }
    }

    /// An answer: it is the call's, unless another attempt may bring a better one.
    fn answered_by(&mut self, answer: Answer, deadline: Instant, now: Instant) -> (Step, Next) {
        let left = deadline.saturating_duration_since(now);
        if let Decision::Wait(wait) = self.decide(answer.verdict.retry, left, now)
            && let Some(request) = self.saved()
        {
            let Answer {
                response,
                lease,
                aim,
                verdict,
            } = answer;
            aim.finish(verdict.balance, now);
            if http_body::Body::is_end_stream(response.body()) {
                lease.finish();
            }
            let until = now + wait;
            return (Step::Done, Next::Step(Step::Pausing { until, request }));
        }
        (Step::Done, Next::Answer(answer))
    }

    /// No answer: the call fails, unless another attempt may bring one.
    fn unanswered(&mut self, failed: NoAnswer, deadline: Instant, now: Instant) -> Step {
        let left = deadline.saturating_duration_since(now);
        let NoAnswer {
            source,
            unsent,
            retry,
        } = failed;
        match self.decide(retry, left, now) {
            Decision::Wait(wait) => match unsent.map(|request| *request).or_else(|| self.saved()) {
                Some(request) => Step::Pausing {
                    until: now + wait,
                    request,
                },
                None => Step::Failed { err: source },
            },
            Decision::Stop(Stop::Budget) => Step::failed(BudgetExhausted::new(source)),
            _ => Step::Failed { err: source },
        }
    }

    fn attempt_timed_out(&mut self, attempt: Attempt, deadline: Instant, now: Instant) -> Step {
        let limit = self.rule().attempt_timeout;
        let failed = attempt.timed_out(Elapsed::new(limit).into(), now);
        self.unanswered(failed, deadline, now)
    }
}
