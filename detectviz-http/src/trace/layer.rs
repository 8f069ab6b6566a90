//! Wraps services in [`Trace`].
use super::{Trace, TraceConfig, recorder::Recorder};
use crate::{propagation::Propagators, route::RouteTable};
use detectviz_core::telemetry::{metrics::Registry, span::Spans};
use std::sync::Arc;
use tower_layer::Layer;

/// Applies [`Trace`] to a service.
#[derive(Clone, Debug)]
pub struct TraceLayer {
    recorder: Arc<Recorder>,
}

impl TraceLayer {
    /// Creates the layer; `spans` decides which traces are sampled and takes the spans, `metrics` counts malformed
    /// headers. It knows no routes but those that the service [tells](crate::route::matched).
    #[must_use]
    pub fn new(config: &TraceConfig, metrics: &Registry, spans: Spans) -> Self {
        let recorder = Recorder::new(config, metrics, spans, RouteTable::new());
        Self {
            recorder: Arc::new(recorder),
        }
    }

    /// Names spans after these routes. Give the same table to [`ObserveLayer`](crate::observe::ObserveLayer), so that a
    /// request is matched once.
    #[must_use]
    pub fn with_routes(self, routes: RouteTable) -> Self {
        Self {
            recorder: Arc::new(self.recorder.with_routes(routes)),
        }
    }

    /// Reads the caller's trace in these formats; W3C Trace Context and Baggage unless told.
    #[must_use]
    pub fn with_propagators(self, propagators: Propagators) -> Self {
        Self {
            recorder: Arc::new(self.recorder.with_propagators(propagators)),
        }
    }
}

impl<S> Layer<S> for TraceLayer {
    type Service = Trace<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Trace::new(inner, self.recorder.clone())
    }
}
