//! The middleware itself.
use super::{Policy, ResponseFuture, Retry};
use crate::{clock, error::BoxError, telemetry::context::current};
use std::{
    mem,
    task::{Context, Poll},
};
use tower_service::Service;

/// Tries a call again when it failed, as far as its [`Policy`] and its [`Retry`] allow.
///
/// # Clone
/// Clones share the budget and the counts. The wrapped service and the policy are cloned for each call that may be repeated.
#[derive(Clone, Debug)]
pub struct RetryService<S, P> {
    inner: S,
    retry: Retry,
    policy: P,
}

impl<S, P> RetryService<S, P> {
    /// Wraps `inner`.
    pub fn new(inner: S, retry: Retry, policy: P) -> Self {
        Self {
            inner,
            retry,
            policy,
        }
    }
}

impl<S, P, Req> Service<Req> for RetryService<S, P>
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
        let started = current(|slot| slot.map(|slot| slot.started));
        let call = self.retry.clone();
        let call = call.begin_owned(started.unwrap_or_else(clock::now));
        let saved = match call.repeats() {
            true => self.policy.save(&req),
            false => None,
        };
        let repeat = saved.map(|saved| {
            // The future takes the service that was readied.
            let clone = self.inner.clone();
            (mem::replace(&mut self.inner, clone), saved)
        });
        match repeat {
            Some((mut service, saved)) => {
                let first = service.call(req);
                ResponseFuture::new(first, call, self.policy.clone(), Some((service, saved)))
            }
            None => {
                let first = self.inner.call(req);
                ResponseFuture::new(first, call, self.policy.clone(), None)
            }
        }
    }
}
