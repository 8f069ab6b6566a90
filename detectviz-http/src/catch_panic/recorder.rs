//! What is told of a panic.
use crate::names;
use detectviz_core::telemetry::{
    context::TraceContext,
    hub::{Caught, panic_was_logged},
    logs::{Caller, Logs},
    metrics::{Counter, Desc, Kind, Registry, Unit},
};
use std::{any::Any, fmt, sync::Arc};
use tracing::Level;

static PANICS: Desc = Desc {
    name: names::PANICS,
    help: "Panics in handlers that were caught and answered with 500.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &[],
    buckets: &[],
};

/// What is said of a panic, by whoever says it.
pub(crate) static CAUGHT: Caught = Caught {
    target: "http.panic",
    message: "a handler panicked: answered with 500",
};

/// Counts and logs panics.
pub(crate) struct Recorder {
    panics: Arc<Counter>,
    logs: Logs,
}

// === impl Recorder ===

impl Recorder {
    pub(crate) fn new(metrics: &Registry, logs: Logs) -> Self {
        Self {
            panics: metrics.counter(&PANICS).with(&[]),
            logs,
        }
    }

    #[cold]
    pub(crate) fn panicked(&self, panic: &(dyn Any + Send), context: &TraceContext) {
        self.panics.inc();
        // The hook knows where it happened; without one, or without a line of it, this is the line.
        if panic_was_logged() || !self.logs.enabled(Level::ERROR, CAUGHT.target) {
            return;
        }
        let caller = Caller::here();
        self.logs.event(
            Level::ERROR,
            CAUGHT.target,
            caller,
            Some(context),
            CAUGHT.message,
            |fields| {
                fields.str("panic", text(panic));
            },
        );
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("panics", &self.panics.value())
            .finish_non_exhaustive()
    }
}

fn text(panic: &(dyn Any + Send)) -> &str {
    if let Some(text) = panic.downcast_ref::<&str>() {
        text
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text
    } else {
        "not a text"
    }
}
