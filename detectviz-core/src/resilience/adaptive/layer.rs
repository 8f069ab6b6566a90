//! Wraps services in [`AdaptiveService`].
use super::{Adaptive, AdaptiveConfig, AdaptiveService, DefaultClassify};
use crate::resilience::bulkhead::Priority;
use tower_layer::Layer;

/// Applies an [`Adaptive`] limit to services. All services that it wraps share the one limit.
///
/// # Clone
/// Clones share it too.
#[derive(Clone, Debug)]
pub struct AdaptiveLayer<P = Priority, C = DefaultClassify> {
    limit: Adaptive,
    priority: P,
    classify: C,
}

impl AdaptiveLayer {
    /// Creates the layer with a limit of its own, for requests of normal priority.
    #[must_use]
    pub fn new(config: &AdaptiveConfig) -> Self {
        Self::of(Adaptive::new(config))
    }

    /// Creates the layer with a limit that may be shared with others, for requests of normal priority.
    #[must_use]
    pub fn of(limit: Adaptive) -> Self {
        Self {
            limit,
            priority: Priority::Normal,
            classify: DefaultClassify,
        }
    }
}

impl<P, C> AdaptiveLayer<P, C> {
    /// Sets how much requests matter: a [`Priority`], or a function that tells it.
    #[must_use]
    pub fn priority<Q>(self, priority: Q) -> AdaptiveLayer<Q, C> {
        AdaptiveLayer {
            limit: self.limit,
            priority,
            classify: self.classify,
        }
    }

    /// Sets what an answer or an error says about the load.
    #[must_use]
    pub fn classify<D>(self, classify: D) -> AdaptiveLayer<P, D> {
        AdaptiveLayer {
            limit: self.limit,
            priority: self.priority,
            classify,
        }
    }

    /// The limit.
    #[must_use]
    pub fn limit(&self) -> &Adaptive {
        &self.limit
    }
}

impl<S, P: Clone, C: Clone> Layer<S> for AdaptiveLayer<P, C> {
    type Service = AdaptiveService<S, P, C>;

    fn layer(&self, inner: S) -> Self::Service {
        AdaptiveService::new(
            inner,
            self.limit.clone(),
            self.priority.clone(),
            self.classify.clone(),
        )
    }
}
