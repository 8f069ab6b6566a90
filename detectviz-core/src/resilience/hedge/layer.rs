//! Wraps services in [`HedgeService`].
use super::{Hedge, HedgeService};
use tower_layer::Layer;

/// Applies [`HedgeService`] to a service.
///
/// # Clone
/// Clones of the layer, and all services that it wraps, share one [`Hedge`].
#[derive(Clone, Debug)]
pub struct HedgeLayer<P> {
    hedge: Hedge,
    policy: P,
}

impl<P> HedgeLayer<P> {
    /// Creates the layer; `policy` is a [`retry::Policy`](crate::resilience::retry::Policy).
    #[must_use]
    pub fn new(hedge: Hedge, policy: P) -> Self {
        Self { hedge, policy }
    }
}

impl<S, P: Clone> Layer<S> for HedgeLayer<P> {
    type Service = HedgeService<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        HedgeService::new(inner, self.hedge.clone(), self.policy.clone())
    }
}
