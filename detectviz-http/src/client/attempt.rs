//! One attempt of a call.
use super::{
    Body, aim::Aim, pool::Lease, pool::SendError, sending::Sending, service::Shared,
    upstream::Upstream, verdict::Verdict,
};
use detectviz_core::{
    balance::Tried,
    error::BoxError,
    resilience::{breaker::OwnedPermit, retry},
    telemetry::context::Slot,
};
use http::{Request, Response};
use hyper::body::Incoming;
use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

/// One attempt. Dropped before its end, it is cancelled, and counts for nothing.
pub(super) struct Attempt {
    sending: Sending,
    aim: Aim,
    permit: OwnedPermit,
    /// When its time is up.
    pub(super) ends: Instant,
    repeatable: bool,
}

/// An answer, and what must be told when it has been read.
pub(super) struct Answer {
    pub(super) response: Response<Incoming>,
    pub(super) lease: Lease,
    pub(super) aim: Aim,
    pub(super) verdict: Verdict,
}

/// Why an attempt brought no answer.
pub(super) struct NoAnswer {
    pub(super) source: BoxError,
    /// The request, when nothing of it was sent.
    pub(super) unsent: Option<Box<Request<Body>>>,
    pub(super) retry: retry::Outcome,
}

// === impl Attempt ===

impl Attempt {
    /// Sends `request` to one of the upstream's endpoints, from the first poll on.
    ///
    /// # Errors
    /// `Open` when the upstream is left alone, `NoEndpoints` when there is nobody to send it to; and the request.
    pub(super) fn start(
        shared: &Arc<Shared>,
        upstream: &Upstream,
        mut request: Request<Body>,
        (slot, tried, tls): (&Slot, &mut Tried, bool),
        (deadline, limit, repeatable): (Instant, Duration, bool),
    ) -> Result<Self, BoxError> {
        let now = Instant::now();
        let policies = upstream.policies();
        let permit = policies.breaker.try_acquire_owned(now)?;
        let aim = upstream.pick(&request, tried, now)?;
        if let Some(id) = aim.id() {
            tried.push(id);
        }
        shared.inject(slot, request.headers_mut(), deadline, now);
        let sending = {
            let (name, limits) = (upstream.server_name(), &policies.limits);
            let make = |target| shared.pools.pool(target, name, limits);
            Sending::new(aim.endpoint().pool(tls, make).clone(), request)
        };
        let ends = deadline.min(now + limit);
        Ok(Self {
            sending,
            aim,
            permit,
            ends,
            repeatable,
        })
    }

    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(Response<Incoming>, Lease), SendError>> {
        self.sending.poll(cx)
    }

    /// It brought an answer.
    pub(super) fn answered(
        self,
        response: Response<Incoming>,
        lease: Lease,
        now: Instant,
    ) -> Answer {
        let verdict = Verdict::of_answer(response.status(), response.headers(), self.repeatable);
        self.permit.record(verdict.breaker, now);
        Answer {
            response,
            lease,
            aim: self.aim,
            verdict,
        }
    }

    /// It brought none.
    pub(super) fn failed(self, err: SendError, now: Instant) -> NoAnswer {
        let verdict = Verdict::of_error(&err, self.repeatable);
        self.end(verdict, now);
        NoAnswer {
            source: err.source,
            unsent: err.unsent,
            retry: verdict.retry,
        }
    }

    /// Its time is up.
    pub(super) fn timed_out(self, source: BoxError, now: Instant) -> NoAnswer {
        let verdict = Verdict::of_timeout(self.repeatable);
        self.end(verdict, now);
        NoAnswer {
            source,
            unsent: None,
            retry: verdict.retry,
        }
    }

    fn end(self, verdict: Verdict, now: Instant) {
        self.permit.record(verdict.breaker, now);
        self.aim.finish(verdict.balance, now);
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("aim", &self.aim)
            .field("ends", &self.ends)
            .finish_non_exhaustive()
    }
}
