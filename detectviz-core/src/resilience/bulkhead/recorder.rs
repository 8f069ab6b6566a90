//! The metrics of bulkheads.
use super::{Reason, handle::Inner};
use crate::{
    names,
    telemetry::metrics::{
        Collected, Counter, DURATION_BUCKETS, Desc, Family, Histogram, Kind, Registry, Unit,
    },
};
use std::{fmt, sync::Arc, time::Duration};

static IN_FLIGHT: Desc = Desc {
    name: names::BULKHEAD_IN_FLIGHT,
    help: "Calls that a bulkhead lets run now.",
    unit: Unit::Of("{call}"),
    kind: Kind::Gauge,
    labels: &["bulkhead"],
    buckets: &[],
};

static QUEUED: Desc = Desc {
    name: names::BULKHEAD_QUEUED,
    help: "Calls that wait in front of a bulkhead now.",
    unit: Unit::Of("{call}"),
    kind: Kind::Gauge,
    labels: &["bulkhead"],
    buckets: &[],
};

static LIMIT: Desc = Desc {
    name: names::BULKHEAD_LIMIT,
    help: "Calls that a bulkhead lets run at once.",
    unit: Unit::Of("{call}"),
    kind: Kind::Gauge,
    labels: &["bulkhead"],
    buckets: &[],
};

static REFUSED: Desc = Desc {
    name: names::BULKHEAD_REFUSED,
    help: "Calls that a bulkhead refused, by reason.",
    unit: Unit::Of("{call}"),
    kind: Kind::Counter,
    labels: &["bulkhead", "reason"],
    buckets: &[],
};

static WAIT: Desc = Desc {
    name: names::BULKHEAD_WAIT,
    help: "How long calls waited in front of a bulkhead, of those that did, until they ran or were refused.",
    unit: Unit::Seconds,
    kind: Kind::Histogram,
    labels: &["bulkhead"],
    buckets: DURATION_BUCKETS,
};

/// The metrics of all bulkheads of a runtime; make it once.
///
/// # Clone
/// Clones are the same metrics.
#[derive(Clone)]
pub struct BulkheadMetrics {
    refused: Family<Counter>,
    wait: Family<Histogram>,
    registry: Registry,
}

/// The series of one bulkhead.
pub(super) struct Recorder {
    refused: [Arc<Counter>; Reason::ALL.len()],
    wait: Arc<Histogram>,
}

// === impl BulkheadMetrics ===

impl BulkheadMetrics {
    /// Registers the metrics.
    #[must_use]
    pub fn new(registry: &Registry) -> Self {
        registry.declare(&[&IN_FLIGHT, &QUEUED, &LIMIT]);
        Self {
            refused: registry.counter(&REFUSED),
            wait: registry.histogram(&WAIT),
            registry: registry.clone(),
        }
    }

    pub(super) fn of(&self, name: &str) -> Recorder {
        Recorder {
            refused: Reason::ALL.map(|reason| self.refused.with(&[name, reason.as_str()])),
            wait: self.wait.with(&[name]),
        }
    }

    /// Shows the gauges of a bulkhead for as long as it lives. Of several with one name, the oldest is shown.
    pub(super) fn watch(&self, name: &str, bulkhead: &Arc<Inner>) {
        let name: Box<str> = name.into();
        self.registry
            .collect_from(bulkhead, move |bulkhead, out| collect(&name, bulkhead, out));
    }
}

impl fmt::Debug for BulkheadMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkheadMetrics").finish_non_exhaustive()
    }
}

// === impl Recorder ===

impl Recorder {
    pub(super) fn refused(&self, reason: Reason) {
        self.refused[reason as usize].inc();
    }

    pub(super) fn waited(&self, took: Duration) {
        self.wait.observe(took);
    }
}

fn collect(name: &str, bulkhead: &Inner, out: &mut Collected) {
    for (desc, value) in [
        (&IN_FLIGHT, bulkhead.shared.gate.in_flight()),
        (&QUEUED, bulkhead.shared.queued()),
        (&LIMIT, bulkhead.shared.gate.limit()),
    ] {
        out.gauge(desc, &[name], f64::from(value));
    }
}
