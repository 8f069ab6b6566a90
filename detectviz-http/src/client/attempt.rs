//! One attempt of a call.
use super::{
    Body,
    aim::Aim,
    answering::Answering,
    failure::name_of,
    pool::{Lease, SendError},
    sending::Sending,
    service::Shared,
    span::{AttemptEnd, Outcome},
    upstream::Upstream,
    verdict::{Grpc, Verdict},
};
use detectviz_core::{
    balance::{self, Tried},
    error::BoxError,
    resilience::{breaker::OwnedPermit, retry},
};
use http::{Request, Response};
use http_body::Body as _;
use hyper::body::Incoming;
use std::{
    fmt,
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
    pub(super) number: u32,
    repeatable: bool,
    traced: bool,
}

/// What an attempt must know of its call.
#[derive(Clone, Copy, Debug)]
pub(super) struct About {
    /// The number of the attempt, from 1.
    pub(super) number: u32,
    pub(super) repeatable: bool,
    pub(super) tls: bool,
    /// Whether what it brings is told by the span of the call.
    pub(super) traced: bool,
    /// The longest that it may take until its response begins.
    pub(super) limit: Duration,
    pub(super) deadline: Instant,
}

/// An answer, and what must be told when it has been read.
pub(super) struct Answer {
    pub(super) response: Response<Incoming>,
    pub(super) lease: Lease,
    pub(super) answering: Answering,
    pub(super) retry: retry::Outcome,
    pub(super) number: u32,
    traced: bool,
}

/// Why an attempt brought no answer.
pub(super) struct NoAnswer {
    pub(super) source: BoxError,
    /// The request, when nothing of it was sent.
    pub(super) unsent: Option<Box<Request<Body>>>,
    pub(super) retry: retry::Outcome,
    /// What the span of the call tells of it.
    pub(super) end: Option<AttemptEnd>,
}

// === impl Attempt ===

impl Attempt {
    /// Takes `request` and sends it to one of the upstream's endpoints, from the first poll on.
    ///
    /// # Errors
    /// `Open` when the upstream is left alone, `NoEndpoints` when there is nobody to send it to.
    pub(super) fn start(
        (shared, upstream): (&Shared, &Upstream),
        request: &mut Option<Request<Body>>,
        tried: &mut Tried,
        about: About,
        now: Instant,
    ) -> Result<Self, BoxError> {
        let Some(sent) = request.as_ref() else {
            return Err("a call without a request is not sent".into());
        };
        let policies = upstream.policies();
        let permit = policies.breaker.try_acquire_owned(now)?;
        let aim = upstream.pick(sent, tried, now)?;
        if let Some(id) = aim.id() {
            tried.push(id);
        }
        let sending = {
            let (name, limits) = (upstream.server_name(), &policies.limits);
            let make = |target| shared.pools.pool(target, name, limits);
            Sending::new(aim.endpoint().pool(about.tls, make).clone(), request, now)
        };
        Ok(Self {
            sending,
            aim,
            permit,
            ends: about.deadline.min(now + about.limit),
            number: about.number,
            repeatable: about.repeatable,
            traced: about.traced,
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
        let (status, headers) = (response.status(), response.headers());
        let grpc = Grpc::of(headers);
        let verdict = Verdict::of_answer(status, (headers, grpc), self.repeatable);
        let open = grpc.awaits_trailers(status) && !response.body().is_end_stream();
        let answering = if open {
            Answering::open((self.aim, self.permit), verdict, (now, self.ends))
        } else {
            self.permit.record(verdict.breaker, now);
            Answering::new(self.aim, verdict, grpc.status, now)
        };
        Answer {
            response,
            lease,
            answering,
            retry: verdict.retry,
            number: self.number,
            traced: self.traced,
        }
    }

    /// It brought none.
    pub(super) fn failed(self, err: SendError, now: Instant) -> NoAnswer {
        let verdict = Verdict::of_error(&err, self.repeatable);
        self.end(verdict, err, now)
    }

    /// Its time is up.
    pub(super) fn timed_out(self, source: BoxError, now: Instant) -> NoAnswer {
        let verdict = Verdict::of_timeout(self.repeatable);
        let err = SendError {
            source,
            unsent: None,
        };
        self.end(verdict, err, now)
    }

    /// Another one was faster. That its endpoint takes at least so long is all that its end says of it.
    pub(super) fn outrun(self, now: Instant) -> Option<AttemptEnd> {
        let end = self.told(|| "cancelled", now);
        self.aim.finish(balance::Outcome::Cancelled, now);
        end
    }

    fn end(self, verdict: Verdict, err: SendError, now: Instant) -> NoAnswer {
        let end = self.told(|| name_of(&*err.source).0, now);
        self.permit.record(verdict.breaker, now);
        self.aim.finish(verdict.balance, now);
        NoAnswer {
            source: err.source,
            unsent: err.unsent,
            retry: verdict.retry,
            end,
        }
    }

    fn told(&self, name: impl FnOnce() -> &'static str, at: Instant) -> Option<AttemptEnd> {
        self.traced.then(|| AttemptEnd {
            at,
            attempt: self.number,
            endpoint: self.aim.shown(),
            result: Outcome::Error(name()),
        })
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

// === impl Answer ===

impl Answer {
    /// What the span of the call tells of the attempt.
    pub(super) fn end(&self, now: Instant) -> Option<AttemptEnd> {
        let aim = self.answering.aim().filter(|_| self.traced);
        aim.map(|aim| AttemptEnd {
            at: now,
            attempt: self.number,
            endpoint: aim.shown(),
            result: Outcome::Status(self.response.status()),
        })
    }

    /// Another attempt may bring a better one.
    pub(super) fn leave(self, now: Instant) -> Option<AttemptEnd> {
        let end = self.end(now);
        if self.response.body().is_end_stream() {
            self.lease.finish(now);
        }
        self.answering.ended(now);
        end
    }
}
