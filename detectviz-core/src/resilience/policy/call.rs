//! The future of a guarded call.
use super::{
    Attempt, Classify, DefaultClassify, PolicyError, Verdict,
    attempt::Running,
    course::{Course, Next},
    handle::Inner,
    state::Outcome,
};
use crate::{
    clock,
    error::BoxError,
    resilience::{
        breaker,
        bulkhead::{Admission, Bulkhead, Priority, Waiting},
    },
};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

pin_project_lite::pin_project! {
    /// A call that a [`Policy`](super::Policy) guards; made by [`Policy::call`](super::Policy::call).
    ///
    /// It allocates nothing unless it is hedged. Its timer is touched when it is first pending.
    ///
    /// # Errors
    /// [`PolicyError`]. A result that is a failure without being an error is the caller's, as it is.
    ///
    /// # Cancel safety
    /// Dropped, it gives back all that it holds, and is counted as cancelled; see the [module](super#cancel-safety).
    ///
    /// # Panics
    /// When it is polled after it has ended, and when it first has to wait outside a tokio runtime with timers.
    #[must_use = "futures do nothing unless they are polled"]
    pub struct Call<'a, Op, F, C = DefaultClassify> {
        // In this order: attempts are dropped before what lets them run is given back.
        #[pin]
        step: Step<'a, F>,
        hedges: Vec<Pin<Box<Running<'a, F>>>>,
        course: Course<'a, Op, C>,
    }
}

pin_project_lite::pin_project! {
    #[project = StepProj]
    enum Step<'a, F> {
        New,
        // It waits for its turn.
        Queued { #[pin] waiting: Waiting<&'a Bulkhead> },
        // An attempt is under way, and hedges may be.
        Running { #[pin] attempt: Running<'a, F> },
        // Only hedges are.
        Hedged,
        // It waits for the next attempt.
        Pausing { until: Instant },
        Ended,
    }
}

// === impl Call ===

impl<'a, Op, F> Call<'a, Op, F> {
    #[inline]
    pub(super) fn new(policy: &'a Inner, op: Op) -> Self {
        Self {
            step: Step::New,
            hedges: Vec::new(),
            course: Course::new(policy, op, DefaultClassify),
        }
    }
}

impl<'a, Op, F, C> Call<'a, Op, F, C> {
    /// Says that the call may take effect twice: any failure of it may be repeated, and a slow attempt hedged.
    pub fn idempotent(mut self) -> Self {
        self.course.idempotent = true;
        self
    }

    /// Sets how important the call is where calls wait for their turn.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.course.priority = priority;
        self
    }

    /// Sets what results mean.
    pub fn classify<T, E, D>(self, classify: D) -> Call<'a, Op, F, D>
    where
        F: Future<Output = Result<T, E>>,
        D: Fn(&Result<T, E>) -> Verdict,
    {
        Call {
            step: Step::New,
            hedges: Vec::new(),
            course: self.course.classify(classify),
        }
    }

    /// Polls what is under way.
    #[inline]
    fn poll_step<T, E>(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Next<T, E>
    where
        F: Future<Output = Result<T, E>>,
        C: Classify<T, E>,
        E: Into<BoxError>,
    {
        let mut this = self.project();
        let course = this.course;
        match this.step.as_mut().project() {
            StepProj::New => {
                let now = clock::now();
                match course.begin(now) {
                    Some(Admission::Permit(turn)) => course.turned(turn, now),
                    Some(Admission::Queued(waiting)) => {
                        this.step.set(Step::Queued { waiting });
                        Next::Poll
                    }
                    Some(Admission::Refused(overloaded)) => Next::overloaded(overloaded),
                    None => course.overdue(now).unwrap_or(Next::Poll),
                }
            }
            StepProj::Queued { waiting } => match waiting.poll(cx) {
                Poll::Pending => Next::Wait,
                Poll::Ready(Ok(turn)) => course.turned(turn, clock::now()),
                Poll::Ready(Err(overloaded)) => Next::overloaded(overloaded),
            },
            StepProj::Running { attempt } => match course.poll(attempt, cx) {
                Poll::Pending if this.hedges.is_empty() => Next::Wait,
                Poll::Pending => poll_hedges(this.hedges, course, true, cx),
                Poll::Ready((_, verdict))
                    if !this.hedges.is_empty() && course.may_be_mended(verdict) =>
                {
                    this.step.set(Step::Hedged);
                    Next::Poll
                }
                Poll::Ready((result, verdict)) => course.ended(result, verdict, false),
            },
            StepProj::Hedged => poll_hedges(this.hedges, course, false, cx),
            StepProj::Pausing { .. } => Next::Wait,
            StepProj::Ended => panic!("polled after it has ended"),
        }
    }

    /// Ready when something is due: the end of the call or of an attempt, a hedge, the next attempt.
    #[inline]
    fn poll_due(self: Pin<&mut Self>, cx: &Context<'_>) -> Poll<()> {
        let this = self.project();
        let own = match this.step.project() {
            StepProj::Running { attempt } => Some(attempt.about.deadline),
            StepProj::Pausing { until } => Some(*until),
            _ => None,
        };
        let hedges = this.hedges.iter().map(|hedge| hedge.about.deadline);
        let all = hedges.chain(own).chain(this.course.hedge_due());
        match all.chain(this.course.deadline()).min() {
            Some(at) => this.course.poll_passed(at, cx),
            None => Poll::Pending,
        }
    }

    /// What follows from what is due.
    #[cold]
    fn due<T, E>(self: Pin<&mut Self>) -> Next<T, E>
    where
        Op: FnMut(Attempt) -> F,
    {
        let mut this = self.project();
        let (course, now) = (this.course, clock::now());
        if let Some(overdue) = course.overdue(now) {
            return overdue;
        }
        let runs = match this.step.as_mut().project() {
            StepProj::Pausing { until } if *until <= now => return Next::Attempt(now),
            StepProj::Running { attempt } => {
                let overdue = expired(attempt.about.deadline, attempt.project().permit, now);
                if overdue {
                    this.step.set(Step::Hedged);
                }
                !overdue
            }
            StepProj::Hedged => false,
            _ => return Next::Poll,
        };
        this.hedges.retain_mut(|hedge| {
            let deadline = hedge.about.deadline;
            !expired(deadline, hedge.as_mut().project().permit, now)
        });
        if !runs && this.hedges.is_empty() {
            return course.timed_out(now);
        }
        if course.hedge_due().is_some_and(|due| due <= now)
            && let Some(hedge) = course.join(now)
        {
            this.hedges.push(Box::pin(hedge));
        }
        Next::Poll
    }
}

impl<Op, F, C, T, E> Future for Call<'_, Op, F, C>
where
    Op: FnMut(Attempt) -> F,
    F: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
    E: Into<BoxError>,
{
    type Output = Result<T, PolicyError<E>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let next = match self.as_mut().poll_step(cx) {
                Next::Wait => {
                    ready!(self.as_mut().poll_due(cx));
                    self.as_mut().due()
                }
                next => next,
            };
            let mut this = self.as_mut().project();
            let (result, outcome) = match next {
                Next::Wait | Next::Poll => continue,
                Next::Pause(until) => {
                    this.step.set(Step::Pausing { until });
                    continue;
                }
                Next::Attempt(now) => match this.course.attempt(now) {
                    Ok(attempt) => {
                        this.step.set(Step::Running { attempt });
                        continue;
                    }
                    Err(open) => (Err(PolicyError::Open(open)), Outcome::Refused),
                },
                Next::End(result, outcome) => (result, outcome),
            };
            this.step.set(Step::Ended);
            this.hedges.clear();
            this.course.end(outcome);
            return Poll::Ready(result);
        }
    }
}

impl<Op, F, C> fmt::Debug for Call<'_, Op, F, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = match self.step {
            Step::New => "New",
            Step::Queued { .. } => "Queued",
            Step::Running { .. } => "Running",
            Step::Hedged => "Hedged",
            Step::Pausing { .. } => "Pausing",
            Step::Ended => "Ended",
        };
        f.debug_struct("Call")
            .field("step", &step)
            .field("hedges", &self.hedges.len())
            .field("deadline", &self.course.deadline())
            .finish_non_exhaustive()
    }
}

/// Polls the hedges; `first` says that the first attempt is under way as well.
fn poll_hedges<'a, Op, F, C, T, E>(
    hedges: &mut Vec<Pin<Box<Running<'a, F>>>>,
    course: &mut Course<'a, Op, C>,
    first: bool,
    cx: &mut Context<'_>,
) -> Next<T, E>
where
    F: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
    E: Into<BoxError>,
{
    let mut at = 0;
    while at < hedges.len() {
        let Poll::Ready((result, verdict)) = course.poll(hedges[at].as_mut(), cx) else {
            at += 1;
            continue;
        };
        // Of several attempts one may mend what another could not do.
        let others = first || hedges.len() > 1;
        drop(hedges.swap_remove(at));
        if !others || !course.may_be_mended(verdict) {
            return course.ended(result, verdict, true);
        }
    }
    Next::Wait
}

/// Whether an attempt has had its time; that is a failure of the other side.
fn expired(deadline: Instant, permit: &mut Option<breaker::Permit<'_>>, now: Instant) -> bool {
    let expired = deadline <= now;
    if expired && let Some(permit) = permit.take() {
        permit.record(breaker::Outcome::Failure, now);
    }
    expired
}
