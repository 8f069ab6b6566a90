//! The metrics of adaptive limits.
use super::handle::Inner;
use crate::{
    names,
    resilience::bulkhead::BulkheadMetrics,
    telemetry::metrics::{Desc, Kind, Registry, Unit},
};
use std::{fmt, sync::Arc};

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
    registry: Registry,
}

// === impl AdaptiveMetrics ===

impl AdaptiveMetrics {
    /// Registers the metrics that are not those of bulkheads.
    #[must_use]
    pub fn new(registry: &Registry, bulkheads: &BulkheadMetrics) -> Self {
        registry.declare(&[&BASELINE]);
        Self {
            bulkheads: bulkheads.clone(),
            registry: registry.clone(),
        }
    }

    pub(super) fn bulkheads(&self) -> &BulkheadMetrics {
        &self.bulkheads
    }

    pub(super) fn watch(&self, name: &str, limit: &Arc<Inner>) {
        let name: Box<str> = name.into();
        self.registry
            .collect_from(limit, move |limit: &Inner, out| {
                out.gauge(&BASELINE, &[&name], limit.baseline().as_secs_f64());
            });
    }
}

impl fmt::Debug for AdaptiveMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdaptiveMetrics").finish_non_exhaustive()
    }
}
