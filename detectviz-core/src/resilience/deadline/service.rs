//! The middleware itself.
use super::{AskTimeout, Deadlines, ResponseFuture, scope::Scope};
use crate::{clock, error::BoxError, resilience::timer::Timer, telemetry::context::current};
use std::task::{Context, Poll};
use tower_service::Service;

/// Refuses a request whose deadline has passed, before any work, and gives one up when it passes, both with
/// [`DeadlineExceeded`](super::DeadlineExceeded).
///
/// The request is taken to have arrived when its slot was begun; where it has no slot, when it comes here.
///
/// # Clone
/// Clones share settings, counts and timer; each request has a deadline of its own.
#[derive(Clone, Debug)]
pub struct Deadline<S, A> {
    inner: S,
    deadlines: Deadlines,
    timer: Timer,
    ask: A,
}

// === impl Deadline ===

impl<S, A> Deadline<S, A> {
    pub(super) fn new(inner: S, deadlines: Deadlines, timer: Timer, ask: A) -> Self {
        Self {
            inner,
            deadlines,
            timer,
            ask,
        }
    }
}

impl<S, A, Req> Service<Req> for Deadline<S, A>
where
    S: Service<Req>,
    S::Error: Into<BoxError>,
    A: AskTimeout<Req>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, req: Req) -> Self::Future {
        let asked = self.ask.asked(&req);
        let slot = current(|slot| slot.map(|slot| (slot.started, slot.deadline)));
        let (started, now, outer) = match slot {
            // Nobody gave it a deadline, so it has just arrived.
            Some((started, None)) => (started, started, None),
            Some((started, outer)) => (started, clock::now(), outer),
            None => {
                let now = clock::now();
                (now, now, None)
            }
        };
        match self.deadlines.admit(asked, started, now, outer) {
            Err(refused) => ResponseFuture::refused(refused),
            Ok(None) => ResponseFuture::unbounded(self.inner.call(req)),
            Ok(Some(deadline)) => {
                let _scope = Scope::enter(Some(deadline));
                let inner = self.inner.call(req);
                ResponseFuture::bounded(inner, deadline, self.timer.entry(), self.deadlines.clone())
            }
        }
    }
}
