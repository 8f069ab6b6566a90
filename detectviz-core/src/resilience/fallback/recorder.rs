//! The metrics of fallbacks.
use crate::{
    names,
    telemetry::metrics::{Counter, Desc, Kind, Registry, Unit},
};
use std::sync::Arc;

static CALLS: Desc = Desc {
    name: names::FALLBACK_CALLS,
    help: "Failed calls that were answered otherwise, by what had failed and whether that went well.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &["upstream", "reason", "result"],
    buckets: &[],
};

/// The series of one reason.
#[derive(Clone, Debug)]
pub(super) struct Recorder {
    pub(super) answered: Arc<Counter>,
    pub(super) failed: Arc<Counter>,
}

// === impl Recorder ===

impl Recorder {
    pub(super) fn new(upstream: &str, reason: &str, metrics: &Registry) -> Self {
        let calls = metrics.counter(&CALLS);
        Self {
            answered: calls.with(&[upstream, reason, "answered"]),
            failed: calls.with(&[upstream, reason, "failed"]),
        }
    }
}
