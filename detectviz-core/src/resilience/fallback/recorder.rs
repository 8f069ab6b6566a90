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

/// Gives the metrics of fallbacks their place in `metrics`, whether or not there are any.
///
/// # Panics
/// When the names are taken by other descriptions.
pub fn register(metrics: &Registry) {
    metrics.counter(&CALLS);
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
