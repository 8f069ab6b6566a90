//! The middleware itself.
use super::{Circuit, Classify, DefaultClassify, Judged, ResponseFuture};
use crate::{clock, error::BoxError};
use std::task::{Context, Poll, ready};
use tower_service::Service;

/// Refuses calls with [`Open`](super::Open) while their circuit is open, and tells it how the others ended.
///
/// The clock is read only where the settings need it: not for a success in a window of calls that are not timed.
///
/// # Clone
/// Clones share the circuit, and are readied each for itself.
#[derive(Debug)]
pub struct Breaker<S, C = DefaultClassify> {
    inner: S,
    circuit: Circuit,
    classify: C,
    /// The service inside was not asked whether it is ready: the next call is refused.
    refusing: bool,
}

impl<S, C> Breaker<S, C> {
    /// Wraps `inner`.
    pub fn new(inner: S, circuit: Circuit, classify: C) -> Self {
        Self {
            inner,
            circuit,
            classify,
            refusing: false,
        }
    }
}

impl<S: Clone, C: Clone> Clone for Breaker<S, C> {
    fn clone(&self) -> Self {
        Self::new(
            self.inner.clone(),
            self.circuit.clone(),
            self.classify.clone(),
        )
    }
}

impl<S, C, Req> Service<Req> for Breaker<S, C>
where
    S: Service<Req>,
    S::Error: Into<BoxError>,
    C: Classify<S::Response> + Clone,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future, C>;

    /// Ready at once while calls are refused, so that nobody waits for a service that is down only to be told so.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.refusing = self.circuit.refuses();
        if !self.refusing {
            ready!(self.inner.poll_ready(cx)).map_err(Into::into)?;
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, req: Req) -> Self::Future {
        if self.refusing {
            return ResponseFuture::refused(self.circuit.refuse());
        }
        match self.circuit.acquire_by(clock::now) {
            Ok(permit) => {
                let call = self.inner.call(req);
                ResponseFuture::made(Judged::new(call, permit, self.classify.clone()))
            }
            Err(open) => ResponseFuture::refused(open),
        }
    }
}
