//! The metrics of adaptive limits.
use super::handle::Inner;
use crate::{
    names,
    resilience::bulkhead::BulkheadMetrics,
    telemetry::metrics::{Collected, Desc, Kind, Registry, Unit},
};
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
};

static BASELINE: Desc = Desc {
    name: names::ADAPTIVE_BASELINE,
    help: "Latency that calls are taken to have without a queue, which an adaptive limit compares theirs with.",
    unit: Unit::Seconds,
    kind: Kind::Gauge,
    labels: &["bulkhead"],
    buckets: &[],
};

/// The metrics of all adaptive limits of a runtime; make it once.
///
/// # Clone
/// Clones are the same metrics.
#[derive(Clone)]
pub struct AdaptiveMetrics {
    bulkheads: BulkheadMetrics,
    watched: Watched,
}

/// The limits whose gauges are read at a scrape, with their names.
type Watched = Arc<Mutex<Vec<(Box<str>, Weak<Inner>)>>>;

// === impl AdaptiveMetrics ===

impl AdaptiveMetrics {
    /// Registers the metrics that are not those of bulkheads.
    #[must_use]
    pub fn new(registry: &Registry, bulkheads: &BulkheadMetrics) -> Self {
        let watched = Watched::default();
        registry.declare(&[&BASELINE]);
        let read = Arc::clone(&watched);
        registry.collect(move |out| collect(&read, out));
        Self {
            bulkheads: bulkheads.clone(),
            watched,
        }
    }

    pub(super) fn bulkheads(&self) -> &BulkheadMetrics {
        &self.bulkheads
    }

    pub(super) fn watch(&self, name: &str, limit: &Arc<Inner>) {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.push((name.into(), Arc::downgrade(limit)));
    }
}

impl fmt::Debug for AdaptiveMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdaptiveMetrics").finish_non_exhaustive()
    }
}

fn collect(watched: &Watched, out: &mut Collected) {
    let mut watched = watched.lock().unwrap_or_else(PoisonError::into_inner);
    watched.retain(|(name, limit)| {
        let Some(limit) = limit.upgrade() else {
            return false;
        };
        out.gauge(&BASELINE, &[name], limit.baseline().as_secs_f64());
        true
    });
}
