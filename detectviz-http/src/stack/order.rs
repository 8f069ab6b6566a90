//! The layers, one around the other.
use super::{StackConfig, StackDeps};
use crate::{
    catch_panic::{CatchPanic, CatchPanicLayer},
    error::{Responder, ResponderLayer},
    observe::{Observe, ObserveLayer},
    trace::{Trace, TraceLayer},
};
use tower_layer::Layer;

/// The layers of a server in their order.
///
/// # Clone
/// Clones share metrics, logs, spans and routes.
#[derive(Clone, Debug)]
pub struct Stack {
    catch_panic: CatchPanicLayer,
    trace: TraceLayer,
    observe: ObserveLayer,
    responder: ResponderLayer,
}

/// A handler within the [`Stack`].
pub type Stacked<S> = CatchPanic<Trace<Observe<Responder<S>>>>;

impl Stack {
    /// Builds every layer.
    #[must_use]
    pub fn new(config: &StackConfig, deps: StackDeps) -> Self {
        let StackDeps {
            metrics,
            logs,
            spans,
            routes,
            propagators,
        } = deps;
        Self {
            catch_panic: CatchPanicLayer::new(&metrics, logs.clone()),
            trace: TraceLayer::new(&config.trace, &metrics, spans)
                .with_propagators(propagators)
                .with_routes(routes.clone()),
            observe: ObserveLayer::new(&config.observe, &metrics, logs).with_routes(routes),
            responder: ResponderLayer::new(),
        }
    }

    /// Wraps `handler`.
    pub fn service<S>(&self, handler: S) -> Stacked<S> {
        let handler = self.responder.layer(handler);
        let handler = self.observe.layer(handler);
        let handler = self.trace.layer(handler);
        self.catch_panic.layer(handler)
    }
}

impl<S> Layer<S> for Stack {
    type Service = Stacked<S>;

    fn layer(&self, handler: S) -> Self::Service {
        self.service(handler)
    }
}
