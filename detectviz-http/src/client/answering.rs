//! Who is answering a call, and what will be said of it.
use super::{
    aim::Aim,
    verdict::{Verdict, grpc_status},
};
use detectviz_core::{
    balance::{self, FailureKind},
    resilience::breaker::{self, OwnedPermit},
};
use http::HeaderMap;
use std::time::Instant;

/// Who is answering a call. Until the body has ended, the call is in flight there.
pub(super) struct Answering {
    /// There until it has been told how it went.
    aim: Option<Aim>,
    verdict: Verdict,
    /// When the head was there.
    at: Instant,
    grpc: Option<u16>,
    /// Of an answer of gRPC, whose end says how it went.
    open: Option<Open>,
}

/// What waits for the trailers.
struct Open {
    permit: OwnedPermit,
    /// When it has waited long enough: what flows that long is a stream, and answers well.
    until: Instant,
}

// === impl Answering ===

impl Answering {
    /// An answer whose head, at `at`, says all.
    pub(super) fn new(aim: Aim, verdict: Verdict, grpc: Option<u16>, at: Instant) -> Self {
        let mut answering = Self {
            aim: Some(aim),
            verdict,
            at,
            grpc,
            open: None,
        };
        answering.tell_probe();
        answering
    }

    /// An answer whose trailers will say how it went, unless they come later than `until`.
    pub(super) fn open(
        (aim, permit): (Aim, OwnedPermit),
        verdict: Verdict,
        (at, until): (Instant, Instant),
    ) -> Self {
        Self {
            aim: Some(aim),
            verdict,
            at,
            grpc: None,
            open: Some(Open { permit, until }),
        }
    }

    /// When the head was there.
    pub(super) fn at(&self) -> Instant {
        self.at
    }

    /// Whom the call went to.
    pub(super) fn aim(&self) -> Option<&Aim> {
        self.aim.as_ref()
    }

    /// The status of gRPC, once it is known.
    pub(super) fn grpc(&self) -> Option<u16> {
        self.grpc
    }

    /// When it no longer waits for trailers.
    pub(super) fn settles(&self) -> Option<Instant> {
        self.open.as_ref().map(|open| open.until)
    }

    /// It no longer waits for trailers. The right to probe must not be held as long as a stream is.
    pub(super) fn settle(&mut self) {
        if let Some(Open { permit, .. }) = self.open.take() {
            permit.record(self.verdict.breaker, self.at);
            self.tell_probe();
        }
    }

    /// The trailers are there.
    pub(super) fn trailers(&mut self, trailers: &HeaderMap) {
        self.grpc = grpc_status(trailers).or(self.grpc);
        if self.open.is_some() {
            self.verdict = Verdict::of_trailers(trailers);
        }
    }

    /// The body has ended, at `now`.
    pub(super) fn ended(mut self, now: Instant) {
        if let Some(Open { permit, .. }) = self.open.take() {
            if self.grpc.is_none() {
                self.verdict = Verdict::of_trailers(&HeaderMap::new());
            }
            permit.record(self.verdict.breaker, now);
        }
        self.tell(self.verdict.balance, self.at);
    }

    /// The body broke, or took too long, at `now`.
    pub(super) fn broken(mut self, now: Instant) {
        let Some(Open { permit, .. }) = self.open.take() else {
            return self.tell(self.verdict.balance, self.at);
        };
        permit.record(breaker::Outcome::Failure, now);
        self.tell(balance::Outcome::Failure(FailureKind::LocalOrigin), now);
    }

    /// The caller wants no more of it. Then what has not been said yet is not known.
    pub(super) fn cancelled(mut self) {
        if self.open.is_none() {
            self.tell(self.verdict.balance, self.at);
        }
    }

    /// Whom an ejected endpoint depends on, says at once how it went.
    fn tell_probe(&mut self) {
        if self.aim.as_ref().is_some_and(Aim::is_probe) {
            self.tell(self.verdict.balance, self.at);
        }
    }

    fn tell(&mut self, outcome: balance::Outcome, at: Instant) {
        if let Some(aim) = self.aim.take() {
            aim.finish(outcome, at);
        }
    }
}
