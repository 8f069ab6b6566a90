//! Wraps services in [`Breaker`].
use super::{Breaker, Circuit, DefaultClassify};
use tower_layer::Layer;

/// Applies [`Breaker`] to a service.
///
/// All services of one layer, and all layers of one circuit, share the circuit.
#[derive(Clone, Debug)]
pub struct BreakerLayer<C = DefaultClassify> {
    circuit: Circuit,
    classify: C,
}

impl BreakerLayer {
    /// Creates the layer from its circuit.
    #[must_use]
    pub fn new(circuit: Circuit) -> Self {
        Self {
            circuit,
            classify: DefaultClassify,
        }
    }
}

impl<C> BreakerLayer<C> {
    /// Decides by `classify` what a result says.
    #[must_use]
    pub fn with_classify<D>(self, classify: D) -> BreakerLayer<D> {
        BreakerLayer {
            circuit: self.circuit,
            classify,
        }
    }
}

impl<S, C: Clone> Layer<S> for BreakerLayer<C> {
    type Service = Breaker<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        Breaker::new(inner, self.circuit.clone(), self.classify.clone())
    }
}
