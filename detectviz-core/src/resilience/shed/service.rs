//! The middleware itself.
use super::{PriorityFn, ResponseFuture, Shedder};
use crate::error::BoxError;
use std::task::{Context, Poll};
use tower_service::Service;

/// Fails a call with [`Shedding`](super::Shedding) when the process has more to do than it can.
///
/// # Clone
/// Clones share the shedder.
#[derive(Clone, Debug)]
pub struct Shed<S, P> {
    inner: S,
    shedder: Shedder,
    priority: P,
}

impl<S, P> Shed<S, P> {
    /// Wraps `inner`.
    pub fn new(inner: S, shedder: Shedder, priority: P) -> Self {
        Self {
            inner,
            shedder,
            priority,
        }
    }
}

impl<S, P, Req> Service<Req> for Shed<S, P>
where
    S: Service<Req>,
    S::Error: Into<BoxError>,
    P: PriorityFn<Req>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, req: Req) -> Self::Future {
        if self.shedder.is_shedding() {
            let priority = self.priority.priority(&req);
            if let Err(shedding) = self.shedder.admit(priority, fastrand::u64(..)) {
                return ResponseFuture::refused(shedding);
            }
        }
        ResponseFuture::made(self.inner.call(req))
    }
}
