//! The middleware itself.
use super::{Adaptive, Classify, DefaultClassify, MeasuredFuture};
use crate::{
    error::BoxError,
    resilience::bulkhead::{BulkheadService, Prioritize, Priority, ResponseFuture},
};
use std::task::{Context, Poll};
use tower_service::Service;

/// Lets as many calls run at once as the latency of the calls allows; the others wait, or fail with
/// [`Overloaded`](crate::resilience::bulkhead::Overloaded).
///
/// A call is measured from when it runs to when its response is there. A timeout belongs inside: what a timeout outside of
/// this drops is not seen here.
///
/// # Clone
/// Clones share the limit.
#[derive(Clone, Debug)]
pub struct AdaptiveService<S, P = Priority, C = DefaultClassify> {
    inner: BulkheadService<Measure<S, C>, P>,
}

/// Measures the calls that run.
#[derive(Clone, Debug)]
pub struct Measure<S, C> {
    inner: S,
    limit: Adaptive,
    classify: C,
}

// === impl AdaptiveService ===

impl<S, P, C> AdaptiveService<S, P, C> {
    /// Wraps `inner`. How much a request matters says `priority`, what an answer means `classify`.
    pub fn new(inner: S, limit: Adaptive, priority: P, classify: C) -> Self {
        let bulkhead = limit.bulkhead().clone();
        let measure = Measure {
            inner,
            limit,
            classify,
        };
        Self {
            inner: BulkheadService::new(measure, bulkhead, priority),
        }
    }
}

impl<S, P, C, Req> Service<Req> for AdaptiveService<S, P, C>
where
    S: Service<Req> + Clone,
    S::Error: Into<BoxError>,
    P: Prioritize<Req>,
    C: Classify<S::Response> + Clone,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = ResponseFuture<Measure<S, C>, Req>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, req: Req) -> Self::Future {
        self.inner.call(req)
    }
}

// === impl Measure ===

impl<S, C, Req> Service<Req> for Measure<S, C>
where
    S: Service<Req>,
    S::Error: Into<BoxError>,
    C: Classify<S::Response> + Clone,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = MeasuredFuture<S::Future, C>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, req: Req) -> Self::Future {
        let (limit, classify) = (self.limit.clone(), self.classify.clone());
        MeasuredFuture::new(self.inner.call(req), limit, classify)
    }
}
