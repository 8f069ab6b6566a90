//! What is told of a panic, and which trace it was in.
use crate::names;
use detectviz_core::telemetry::{
    context::{TraceContext, current},
    logs::{Caller, Logs},
    metrics::{Counter, Desc, Kind, Registry, Unit},
};
use std::{any::Any, cell::Cell, fmt, sync::Arc, thread};
use tracing::Level;

/// What a panic carries.
pub(super) type Panic = Box<dyn Any + Send>;

static PANICS: Desc = Desc {
    name: names::PANICS,
    help: "Panics in handlers that were caught and answered with 500.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &[],
    buckets: &[],
};

/// The target of the lines, for levels.
const TARGET: &str = "http.panic";

thread_local! {
    static NOTED: Cell<Option<TraceContext>> = const { Cell::new(None) };
}

/// Counts and logs panics.
pub(super) struct Recorder {
    panics: Arc<Counter>,
    logs: Logs,
}

/// Notes the trace for the layer that catches the panic, which stands outside of the request's slot. Held while the inner
/// service runs.
#[derive(Debug)]
pub(crate) struct NoteOnUnwind(pub(crate) Option<TraceContext>);

// === impl Recorder ===

impl Recorder {
    pub(super) fn new(metrics: &Registry, logs: Logs) -> Self {
        Self {
            panics: metrics.counter(&PANICS).with(&[]),
            logs,
        }
    }

    pub(super) fn panicked(&self, panic: &(dyn Any + Send), context: Option<&TraceContext>) {
        self.panics.inc();
        if !self.logs.enabled(Level::ERROR, TARGET) {
            return;
        }
        let caller = Caller::here();
        let message = "a handler panicked: answered with 500";
        self.logs
            .event(Level::ERROR, TARGET, caller, context, message, |fields| {
                fields.str("panic", text(panic));
            });
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("panics", &self.panics.value())
            .finish_non_exhaustive()
    }
}

// === impl NoteOnUnwind ===

impl Drop for NoteOnUnwind {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = NOTED.try_with(|noted| noted.set(self.0));
        }
    }
}

/// The trace that the caught panic was in: noted by the inner layer that left its slot, or the one still in place.
pub(super) fn noted() -> Option<TraceContext> {
    NOTED
        .take()
        .or_else(|| current(|slot| slot.map(|slot| slot.context)))
}

/// Forgets what a panic left that nobody caught here.
pub(super) fn forget_note() {
    NOTED.set(None);
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
