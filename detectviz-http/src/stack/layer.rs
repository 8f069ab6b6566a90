//! Wraps services in the stack.
use super::{StackConfig, StackDeps, Stacked, call::Shared};
use crate::{catch_panic, observe, trace};
use std::sync::Arc;
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
    #[must_use]
    pub fn new(config: &StackConfig, deps: StackDeps) -> Self {
        let StackDeps {
            metrics,
            logs,
            spans,
            routes,
            propagators,
        } = deps;
        let shared = Shared {
            panics: catch_panic::Recorder::new(&metrics, logs.clone()),
            trace: trace::Recorder::new(&config.trace, &metrics, spans, propagators),
            observe: observe::Recorder::new(&config.observe, &metrics, logs, routes),
        };
        Self {
            shared: Arc::new(shared),
        }
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
