//! The future of one call.
use super::HedgeCall;
use crate::{
    clock,
    error::BoxError,
    resilience::retry::{Outcome, Policy},
};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::time::{Sleep, sleep_until};
use tower_service::Service;

pin_project_lite::pin_project! {
    /// Future of [`HedgeService`](super::HedgeService).
    pub struct ResponseFuture<S, P, Req>
    where
        S: Service<Req>,
        P: Policy<Req, S::Response, S::Error>,
    {
        // Until it has failed while a hedge was under way.
        #[pin]
        first: Option<S::Future>,
        // With their numbers. A call that needs none allocates none.
        hedges: Vec<(u32, Pin<Box<S::Future>>)>,
        #[pin]
        sleep: Option<Sleep>,
        policy: P,
        call: Option<HedgeCall>,
        // What sends the request again, and from what.
        repeat: Option<(S, P::Saved)>,
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
        first: S::Future,
        policy: P,
        call: Option<HedgeCall>,
        repeat: Option<(S, P::Saved)>,
    ) -> Self {
        Self {
            first: Some(first),
            hedges: Vec::new(),
            sleep: None,
            policy,
            call,
            repeat,
        }
    }

    /// Sends the hedge that is due, when the service is ready and the budget allows it. Whether there is one to poll.
    fn hedge(self: Pin<&mut Self>, cx: &mut Context<'_>) -> bool {
        let mut this = self.project();
        let (Some(call), Some((service, saved))) = (this.call, this.repeat.as_mut()) else {
            return false;
        };
        let Some(due) = call.due() else {
            return false;
        };
        if this.sleep.is_none() {
            this.sleep.set(Some(sleep_until(due.into())));
        }
        let slept = this.sleep.as_mut().as_pin_mut();
        if slept.is_some_and(|sleep| sleep.poll(cx).is_pending()) {
            return false;
        }
        match service.poll_ready(cx) {
            Poll::Pending => return false,
            Poll::Ready(Ok(())) if call.send(clock::now()) => {
                let request = this.policy.restore(saved, call.sent() + 1);
                let attempt = Box::pin(service.call(request));
                this.hedges.push((call.sent(), attempt));
            }
            // Without a hedge the call goes on as it is.
            Poll::Ready(_) => {
                *this.repeat = None;
            }
        }
        this.sleep.set(None);
        true
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
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let mut this = self.as_mut().project();
            let polled = match this.first.as_mut().as_pin_mut() {
                Some(first) => first.poll(cx),
                None => Poll::Pending,
            };
            if let Poll::Ready(answer) = polled {
                let saved = this.repeat.as_ref().map(|(_, saved)| saved);
                let outcome = this.policy.classify(saved, &answer);
                if outcome == Outcome::Success
                    && let Some(call) = this.call
                {
                    call.answered(0, clock::now());
                }
                // Of several attempts one may mend what another could not do.
                let waits = matches!(outcome, Outcome::Retryable { .. });
                if !waits || this.hedges.is_empty() {
                    return Poll::Ready(answer.map_err(Into::into));
                }
                this.first.set(None);
            }
            let mut at = 0;
            while at < this.hedges.len() {
                let (number, hedge) = &mut this.hedges[at];
                let Poll::Ready(answer) = hedge.as_mut().poll(cx) else {
                    at += 1;
                    continue;
                };
                let saved = this.repeat.as_ref().map(|(_, saved)| saved);
                let outcome = this.policy.classify(saved, &answer);
                if outcome == Outcome::Success
                    && let Some(call) = this.call
                {
                    call.answered(*number, clock::now());
                }
                let waits = matches!(outcome, Outcome::Retryable { .. });
                let others = this.hedges.len() > 1 || this.first.is_some();
                if !waits || !others {
                    return Poll::Ready(answer.map_err(Into::into));
                }
                drop(this.hedges.swap_remove(at));
            }
            if !self.as_mut().hedge(cx) {
                return Poll::Pending;
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
            .field("hedges", &self.hedges.len())
            .finish_non_exhaustive()
    }
}
