//! Wraps services in [`CatchPanic`].
use super::{CatchPanic, recorder::Recorder};
use detectviz_core::telemetry::{logs::Logs, metrics::Registry};
use std::sync::Arc;
use tower_layer::Layer;

/// Applies [`CatchPanic`] to a service.
#[derive(Clone, Debug)]
pub struct CatchPanicLayer {
    recorder: Arc<Recorder>,
}

impl CatchPanicLayer {
    /// Creates the layer; panics are counted in `metrics` and logged to `logs`.
    #[must_use]
    pub fn new(metrics: &Registry, logs: Logs) -> Self {
        Self {
            recorder: Arc::new(Recorder::new(metrics, logs)),
        }
    }
}

impl<S> Layer<S> for CatchPanicLayer {
    type Service = CatchPanic<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CatchPanic::new(inner, self.recorder.clone())
    }
}
