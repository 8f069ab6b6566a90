//! The future of one call.
use super::{BudgetExhausted, Decision, Outcome, Policy, RetryCall, Stop};
use crate::{clock, error::BoxError, telemetry::context::current};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};
use tokio::time::{Sleep, sleep};
use tower_service::Service;

pin_project_lite::pin_project! {
    /// Future of [`RetryService`](super::RetryService).
    pub struct ResponseFuture<S, P, Req>
    where
        S: Service<Req>,
        P: Policy<Req, S::Response, S::Error>,
    {
        #[pin]
        state: State<S::Future>,
        call: RetryCall,
        policy: P,
        // What sends the request again, and from what.
        repeat: Option<(S, P::Saved)>,
    }
}

pin_project_lite::pin_project! {
    #[project = StateProj]
    enum State<F> {
        /// An attempt is under way.
        Calling { #[pin] attempt: F },
        /// The next one is granted; not yet.
        Waiting { #[pin] sleep: Sleep },
        /// Its time has come, the service is not ready.
        Readying,
    }
}

// === impl ResponseFuture ===

impl<S, P, Req> ResponseFuture<S, P, Req>
where
    S: Service<Req>,
    P: Policy<Req, S::Response, S::Error>,
{
    #[inline]
    pub(super) fn new(
        attempt: S::Future,
        call: RetryCall,
        policy: P,
        repeat: Option<(S, P::Saved)>,
    ) -> Self {
        Self {
            state: State::Calling { attempt },
            call,
            policy,
            repeat,
        }
    }
}

impl<S, P, Req> Future for ResponseFuture<S, P, Req>
where
    S: Service<Req>,
    S::Error: Into<BoxError>,
    P: Policy<Req, S::Response, S::Error>,
{
    type Output = Result<S::Response, BoxError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProj::Calling { attempt } => {
                    let answer = ready!(attempt.poll(cx));
                    let saved = this.repeat.as_ref().map(|(_, saved)| saved);
                    let mut outcome = this.policy.classify(saved, &answer);
                    if outcome == Outcome::Success {
                        return Poll::Ready(answer.map_err(Into::into));
                    }
                    // The policy kept nothing to send again.
                    let kept = this.repeat.is_some() || !this.call.repeats();
                    if !kept && matches!(outcome, Outcome::Retryable { .. }) {
                        outcome = Outcome::NotSafe;
                    }
                    let deadline = earlier(
                        saved.and_then(|saved| this.policy.deadline(saved)),
                        current(|slot| slot.and_then(|slot| slot.deadline)),
                    );
                    let now = clock::now();
                    let left = deadline.map(|deadline| deadline.saturating_duration_since(now));
                    match (this.call.after(outcome, left, now), answer) {
                        (Decision::Wait(wait), _) => {
                            let sleep = sleep(wait);
                            this.state.set(State::Waiting { sleep });
                        }
                        (Decision::Stop(Stop::Budget), Err(err)) => {
                            return Poll::Ready(Err(BudgetExhausted::new(err).into()));
                        }
                        (Decision::Stop(_), answer) => {
                            return Poll::Ready(answer.map_err(Into::into));
                        }
                    }
                }
                StateProj::Waiting { sleep } => {
                    ready!(sleep.poll(cx));
                    this.state.set(State::Readying);
                }
                StateProj::Readying => {
                    let Some((service, saved)) = this.repeat.as_mut() else {
                        // Without it the outcome was not retryable.
                        return Poll::Pending;
                    };
                    ready!(service.poll_ready(cx)).map_err(Into::into)?;
                    this.call.again();
                    let request = this.policy.restore(saved, this.call.attempt());
                    let attempt = service.call(request);
                    this.state.set(State::Calling { attempt });
                }
            }
        }
    }
}

impl<S, P, Req> fmt::Debug for ResponseFuture<S, P, Req>
where
    S: Service<Req>,
    P: Policy<Req, S::Response, S::Error>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field("call", &self.call)
            .finish_non_exhaustive()
    }
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
