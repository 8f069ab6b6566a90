//! Wraps services in [`FallbackService`].
use super::{Fallback, FallbackService};
use std::sync::Arc;
use tower_layer::Layer;

/// Applies [`FallbackService`] to a service.
///
/// # Clone
/// Clones of the layer, and all services that it wraps, share their counts.
#[derive(Debug)]
pub struct FallbackLayer<A> {
    // One reference a call, whatever the closure holds.
    shared: Arc<(Fallback, A)>,
}

impl<A> FallbackLayer<A> {
    /// Creates the layer. `answer` is given the error and returns a future of another result:
    /// `|err| std::future::ready(Ok(…))`, or one that asks a cache.
    #[must_use]
    pub fn new(fallback: Fallback, answer: A) -> Self {
        let shared = Arc::new((fallback, answer));
        Self { shared }
    }
}

impl<S, A> Layer<S> for FallbackLayer<A> {
    type Service = FallbackService<S, A>;

    fn layer(&self, inner: S) -> Self::Service {
        FallbackService::new(inner, Arc::clone(&self.shared))
    }
}

impl<A> Clone for FallbackLayer<A> {
    fn clone(&self) -> Self {
        let shared = Arc::clone(&self.shared);
        Self { shared }
    }
}
