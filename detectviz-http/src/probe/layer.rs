//! Wraps services in [`Probe`].
use super::{Probe, ProbeConfig, Probes};
use detectviz_core::health::Health;
use tower_layer::Layer;

/// Applies [`Probe`] to a service.
#[derive(Clone, Debug)]
pub struct ProbeLayer {
    probes: Probes,
}

impl ProbeLayer {
    /// Creates the layer from its settings and the health that it shows.
    #[must_use]
    pub fn new(config: &ProbeConfig, health: Health) -> Self {
        Self {
            probes: Probes::new(config, health),
        }
    }
}

impl<S> Layer<S> for ProbeLayer {
    type Service = Probe<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Probe::new(inner, self.probes.clone())
    }
}
