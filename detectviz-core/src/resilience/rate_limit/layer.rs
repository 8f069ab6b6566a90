//! Wraps services in [`RateLimit`].
use super::{OneBucket, RateLimit, RateLimiter};
use tower_layer::Layer;

/// Applies [`RateLimit`] to a service.
///
/// # Clone
/// Clones, and all services that they wrap, share the limiter.
#[derive(Clone, Debug)]
pub struct RateLimitLayer<K = OneBucket> {
    limiter: RateLimiter,
    key: K,
}

impl RateLimitLayer {
    /// A layer that takes all requests for those of one caller.
    #[must_use]
    pub fn new(limiter: RateLimiter) -> Self {
        let key = OneBucket;
        Self { limiter, key }
    }
}

impl<K> RateLimitLayer<K> {
    /// Tells callers apart by `key`, a [`KeyFn`](super::KeyFn).
    #[must_use]
    pub fn key<F>(self, key: F) -> RateLimitLayer<F> {
        let limiter = self.limiter;
        RateLimitLayer { limiter, key }
    }
}

impl<S, K: Clone> Layer<S> for RateLimitLayer<K> {
    type Service = RateLimit<S, K>;

    fn layer(&self, inner: S) -> Self::Service {
        RateLimit::new(inner, self.limiter.clone(), self.key.clone())
    }
}
