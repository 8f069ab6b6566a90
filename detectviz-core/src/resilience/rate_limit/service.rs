//! The middleware itself.
use super::{KeyFn, RateLimiter, ResponseFuture};
use crate::{clock, error::BoxError};
use std::task::{Context, Poll};
use tower_service::Service;

/// Fails a call beyond the limit with [`RateLimited`](super::RateLimited).
///
/// It reads the clock itself: the beginning of a request's slot may be long ago where it stands deep in a stack, and a bucket
/// that is judged at an earlier time refuses too much.
///
/// # Clone
/// Clones share the limiter.
#[derive(Clone, Debug)]
pub struct RateLimit<S, K> {
    inner: S,
    limiter: RateLimiter,
    key: K,
}

impl<S, K> RateLimit<S, K> {
    /// Wraps `inner`.
    pub fn new(inner: S, limiter: RateLimiter, key: K) -> Self {
        Self {
            inner,
            limiter,
            key,
        }
    }
}

impl<S, K, Req> Service<Req> for RateLimit<S, K>
where
    S: Service<Req>,
    S::Error: Into<BoxError>,
    K: KeyFn<Req>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, req: Req) -> Self::Future {
        let key = self.key.key(&req);
        match self.limiter.admit(key, clock::now()) {
            Ok(_) => ResponseFuture::made(self.inner.call(req)),
            Err(limited) => ResponseFuture::refused(limited),
        }
    }
}
