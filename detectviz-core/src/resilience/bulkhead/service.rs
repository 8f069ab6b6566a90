//! The middleware itself.
use super::{Admission, Bulkhead, Prioritize, Priority, ResponseFuture};
use crate::{clock, error::BoxError};
use std::{
    mem,
    task::{Context, Poll},
};
use tower_service::Service;

/// Lets only so many calls run at once; the others wait, or fail with [`Overloaded`](super::Overloaded).
///
/// The permit is held until the response is there, or the call is dropped. The service does not wait in `poll_ready`, where a
/// permit could be taken by a caller that never calls: a call that has to wait keeps the service that was readied for it.
///
/// # Clone
/// Clones share the limit.
#[derive(Clone, Debug)]
pub struct BulkheadService<S, P = Priority> {
    inner: S,
    bulkhead: Bulkhead,
    priority: P,
}

impl<S, P> BulkheadService<S, P> {
    /// Wraps `inner`. How much a request matters says `priority`.
    pub fn new(inner: S, bulkhead: Bulkhead, priority: P) -> Self {
        Self {
            inner,
            bulkhead,
            priority,
        }
    }
}

impl<S, P, Req> Service<Req> for BulkheadService<S, P>
where
    S: Service<Req> + Clone,
    S::Error: Into<BoxError>,
    P: Prioritize<Req>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = ResponseFuture<S, Req>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, req: Req) -> Self::Future {
        let priority = self.priority.priority(&req);
        match self.bulkhead.admit_at(priority, clock::now) {
            Admission::Permit(permit) => ResponseFuture::called(self.inner.call(req), permit),
            Admission::Queued(waiting) => {
                let clone = self.inner.clone();
                let readied = mem::replace(&mut self.inner, clone);
                ResponseFuture::queued(waiting, readied, req)
            }
            Admission::Refused(overloaded) => ResponseFuture::refused(overloaded),
        }
    }
}
