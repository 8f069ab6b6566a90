//! The metrics of deadlines.
use crate::{
    names,
    telemetry::{
        context::{NoteValue, note},
        metrics::{Counter, Desc, Kind, Registry, Unit},
    },
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

static EXCEEDED: Desc = Desc {
    name: names::DEADLINE_EXCEEDED,
    help: "Requests that were refused or given up because their deadline had passed, by when that was noticed.",
    unit: Unit::Of("{request}"),
    kind: Kind::Counter,
    labels: &["name", "noticed"],
    buckets: &[],
};

static MALFORMED: Desc = Desc {
    name: names::DEADLINE_MALFORMED,
    help: "Requests whose timeout could not be read, and was ignored.",
    labels: &["name"],
    ..EXCEEDED
};

/// The series of one name.
#[derive(Debug)]
pub(super) struct Recorder {
    arrival: Arc<Counter>,
    waiting: Arc<Counter>,
    malformed: Arc<Counter>,
}

// === impl Recorder ===

impl Recorder {
    pub(super) fn new(metrics: &Registry, name: &str) -> Self {
        let exceeded = metrics.counter(&EXCEEDED);
        Self {
            arrival: exceeded.with(&[name, "arrival"]),
            waiting: exceeded.with(&[name, "waiting"]),
            malformed: metrics.counter(&MALFORMED).with(&[name]),
        }
    }

    /// A request was refused before any work.
    pub(super) fn refused(&self) {
        self.arrival.inc();
    }

    /// A request was given up.
    pub(super) fn given_up(&self) {
        self.waiting.inc();
    }

    pub(super) fn malformed(&self) {
        self.malformed.inc();
    }
}

/// Tells the request's span.
pub(super) fn tell(now: Instant, by: Duration) {
    let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
    let by = ("deadline.exceeded_by_ms", NoteValue::U64(by));
    note(now, "deadline.exceeded", Some(by));
}
