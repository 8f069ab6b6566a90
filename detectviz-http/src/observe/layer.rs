//! Wraps services in [`Observe`].
use super::{Observe, ObserveConfig, recorder::Recorder};
use crate::route::RouteTable;
use detectviz_core::telemetry::{logs::Logs, metrics::Registry};
use std::sync::Arc;
use tower_layer::Layer;

/// Applies [`Observe`] to a service.
#[derive(Clone, Debug)]
pub struct ObserveLayer {
    recorder: Arc<Recorder>,
}

impl ObserveLayer {
    /// Creates the layer; metrics go to `metrics`, the access log to `logs`. It knows no routes but those that the service
    /// [tells](crate::route::matched).
    #[must_use]
    pub fn new(config: &ObserveConfig, metrics: &Registry, logs: Logs) -> Self {
        Self {
            recorder: Arc::new(Recorder::new(config, metrics, logs)),
        }
    }

    /// Labels requests with these routes. Where an outer layer has matched them by the same table, its answer is taken.
    #[must_use]
    pub fn with_routes(self, routes: RouteTable) -> Self {
        Self {
            recorder: Arc::new(self.recorder.with_routes(routes)),
        }
    }
}

impl<S> Layer<S> for ObserveLayer {
    type Service = Observe<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Observe::new(inner, self.recorder.clone())
    }
}
