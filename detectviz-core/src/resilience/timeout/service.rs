//! The middleware itself.
use super::{ResponseFuture, TimeoutConfig};
use crate::{error::BoxError, resilience::timer::Timer};
use std::task::{Context, Poll};
use tower_service::Service;

/// Fails a call that outlives its limit with [`Elapsed`](super::Elapsed).
///
/// # Clone
/// Clones share a timer and nothing else: each call has a limit of its own.
#[derive(Clone, Debug)]
pub struct Timeout<S> {
    inner: S,
    config: TimeoutConfig,
    timer: Timer,
}

impl<S> Timeout<S> {
    /// Wraps `inner`, with a timer of its own.
    pub fn new(inner: S, config: TimeoutConfig) -> Self {
        Self {
            inner,
            config,
            timer: Timer::new(),
        }
    }

    /// Uses `timer`.
    #[must_use]
    pub fn with_timer(mut self, timer: Timer) -> Self {
        self.timer = timer;
        self
    }
}

impl<S, Req> Service<Req> for Timeout<S>
where
    S: Service<Req>,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, req: Req) -> Self::Future {
        ResponseFuture::new(self.inner.call(req), self.config.limit, self.timer.entry())
    }
}
