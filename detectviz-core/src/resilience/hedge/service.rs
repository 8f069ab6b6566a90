//! The middleware itself.
use super::{Hedge, ResponseFuture};
use crate::{clock, error::BoxError, resilience::retry::Policy};
use std::{
    mem,
    task::{Context, Poll},
};
use tower_service::Service;

/// Sends a slow call once more, if its policy keeps what is needed for that, and takes the answer that comes first.
///
/// # Clone
/// Clones share the budget, the counts and what is known of latencies. The wrapped service and the policy are cloned for
/// each call that may be hedged.
#[derive(Clone, Debug)]
pub struct HedgeService<S, P> {
    inner: S,
    hedge: Hedge,
    policy: P,
}

impl<S, P> HedgeService<S, P> {
    /// Wraps `inner`.
    pub fn new(inner: S, hedge: Hedge, policy: P) -> Self {
        Self {
            inner,
            hedge,
            policy,
        }
    }
}

impl<S, P, Req> Service<Req> for HedgeService<S, P>
where
    S: Service<Req> + Clone,
    S::Error: Into<BoxError>,
    P: Policy<Req, S::Response, S::Error> + Clone,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = ResponseFuture<S, P, Req>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    #[inline]
    fn call(&mut self, req: Req) -> Self::Future {
        // Only what may be sent twice tells how long that takes.
        let saved = self.policy.save(&req);
        let Some(saved) = saved.filter(|saved| self.policy.idempotent(saved)) else {
            return ResponseFuture::new(self.inner.call(req), self.policy.clone(), None, None);
        };
        let call = self.hedge.clone().begin_owned(clock::now());
        if call.due().is_none() {
            let first = self.inner.call(req);
            return ResponseFuture::new(first, self.policy.clone(), Some(call), None);
        }
        // The future takes the service that was readied.
        let clone = self.inner.clone();
        let mut service = mem::replace(&mut self.inner, clone);
        let first = service.call(req);
        let repeat = Some((service, saved));
        ResponseFuture::new(first, self.policy.clone(), Some(call), repeat)
    }
}
