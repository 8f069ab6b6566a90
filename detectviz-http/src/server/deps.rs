//! What a server is built from besides its settings and its service.
use super::DrainToken;
use detectviz_core::{lifecycle::PhaseWatch, task::Tasks, telemetry::metrics::Registry};

/// What a [`Server`](super::Server) needs of the runtime that it belongs to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerDeps {
    /// Runs the connections.
    pub tasks: Tasks,
    /// Says when the process is told to end.
    pub phase: PhaseWatch,
    /// Where connections are counted.
    pub metrics: Registry,
    /// Told when this server drains; a clone of it is what long-lived handlers hold.
    pub drain: DrainToken,
}

// === impl ServerDeps ===

impl ServerDeps {
    /// A drain token of its own; see [`with_drain`](Self::with_drain).
    #[must_use]
    pub fn new(tasks: Tasks, phase: PhaseWatch, metrics: Registry) -> Self {
        Self {
            tasks,
            phase,
            metrics,
            drain: DrainToken::new(),
        }
    }

    /// Uses a token that handlers hold already. One token may serve several servers, which are then all told by the
    /// first of them to drain.
    #[must_use]
    pub fn with_drain(mut self, drain: DrainToken) -> Self {
        self.drain = drain;
        self
    }
}
