//! Wraps services in [`RetryService`].
use super::{Retry, RetryService};
use tower_layer::Layer;

/// Applies [`RetryService`] to a service.
///
/// # Clone
/// Clones of the layer, and all services that it wraps, share one [`Retry`] with its budget.
#[derive(Clone, Debug)]
pub struct RetryLayer<P> {
    retry: Retry,
    policy: P,
}

impl<P> RetryLayer<P> {
    /// Creates the layer.
    #[must_use]
    pub fn new(retry: Retry, policy: P) -> Self {
        Self { retry, policy }
    }
}

impl<S, P: Clone> Layer<S> for RetryLayer<P> {
    type Service = RetryService<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        RetryService::new(inner, self.retry.clone(), self.policy.clone())
    }
}
