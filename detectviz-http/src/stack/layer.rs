//! Wraps services in the stack.
use super::{StackConfig, StackDeps, Stacked, call::Shared};
use crate::{admission::Admission, catch_panic, observe, trace};
use detectviz_core::error::Error;
use std::{sync::Arc, time::Instant};
use tower_layer::Layer;

/// The stack of a server, to be put around its handler.
///
/// # Clone
/// Clones share metrics, logs, spans and routes.
#[derive(Clone, Debug)]
pub struct Stack {
    shared: Arc<Shared>,
}

impl Stack {
    /// Builds every part.
    ///
    /// # Errors
    /// `Config` when `config.admission` names a route that the table does not know.
    pub fn new(config: &StackConfig, deps: StackDeps) -> Result<Self, Error> {
        let StackDeps {
            metrics,
            logs,
            spans,
            routes,
            propagators,
            probes,
            metrics_page,
            timer,
        } = deps;
        let admission = Admission::new(&config.admission, &routes, &metrics, Instant::now())?;
        let shared = Shared {
            panics: catch_panic::Recorder::new(&metrics, logs.clone()),
            trace: trace::Recorder::new(&config.trace, &metrics, spans, propagators),
            observe: observe::Recorder::new(&config.observe, &metrics, logs, routes),
            admission,
            probes,
            metrics_page: metrics_page.then_some(metrics),
            timer,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// The limits, live.
    #[must_use]
    pub fn admission(&self) -> &Admission {
        &self.shared.admission
    }

    /// Wraps `handler`.
    pub fn service<S>(&self, handler: S) -> Stacked<S> {
        Stacked::new(handler, self.shared.clone())
    }
}

impl<S> Layer<S> for Stack {
    type Service = Stacked<S>;

    fn layer(&self, handler: S) -> Self::Service {
        self.service(handler)
    }
}
