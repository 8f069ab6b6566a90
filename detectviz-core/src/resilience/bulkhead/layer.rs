//! Wraps services in [`BulkheadService`].
use super::{Bulkhead, BulkheadConfig, BulkheadService, Priority};
use tower_layer::Layer;

/// Applies a [`Bulkhead`] to services. All services that it wraps share the one limit.
///
/// # Clone
/// Clones share it too.
#[derive(Clone, Debug)]
pub struct BulkheadLayer<P = Priority> {
    bulkhead: Bulkhead,
    priority: P,
}

impl BulkheadLayer {
    /// Creates the layer with a limit of its own, for requests of normal priority.
    #[must_use]
    pub fn new(config: &BulkheadConfig) -> Self {
        Self::of(Bulkhead::new(config))
    }

    /// Creates the layer with a limit that may be shared with others, for requests of normal priority.
    #[must_use]
    pub fn of(bulkhead: Bulkhead) -> Self {
        Self {
            bulkhead,
            priority: Priority::Normal,
        }
    }
}

impl<P> BulkheadLayer<P> {
    /// Sets how much requests matter: a [`Priority`], or a function that tells it.
    #[must_use]
    pub fn priority<Q>(self, priority: Q) -> BulkheadLayer<Q> {
        BulkheadLayer {
            bulkhead: self.bulkhead,
            priority,
        }
    }

    /// The limit.
    #[must_use]
    pub fn bulkhead(&self) -> &Bulkhead {
        &self.bulkhead
    }
}

impl<S, P: Clone> Layer<S> for BulkheadLayer<P> {
    type Service = BulkheadService<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        BulkheadService::new(inner, self.bulkhead.clone(), self.priority.clone())
    }
}
