//! How busy a tokio runtime is.
use super::{Desc, Kind, Registry, Unit};
use crate::names;
use std::time::Duration;
use tokio::runtime::{Handle, RuntimeMetrics};

static WORKERS: Desc = Desc {
    name: names::TOKIO_WORKERS,
    help: "Worker threads of the tokio runtime.",
    unit: Unit::Of("{thread}"),
    kind: Kind::Gauge,
    labels: &["runtime"],
    buckets: &[],
};
static ALIVE_TASKS: Desc = Desc {
    name: names::TOKIO_ALIVE_TASKS,
    help: "Tasks of the tokio runtime that have not ended.",
    unit: Unit::Of("{task}"),
    ..WORKERS
};
static GLOBAL_QUEUE_DEPTH: Desc = Desc {
    name: names::TOKIO_GLOBAL_QUEUE_DEPTH,
    help: "Tasks that wait in the global queue of the tokio runtime.",
    ..ALIVE_TASKS
};
static BUSY: Desc = Desc {
    name: names::TOKIO_BUSY,
    help: "How long the workers of the tokio runtime were at work, all together.",
    unit: Unit::Seconds,
    kind: Kind::Counter,
    ..WORKERS
};

/// Adds the tokio runtime of `handle` to `registry`, with `runtime` as the value of the label of that name. A process may add
/// several.
///
/// # Panics
/// When the names are taken by other descriptions.
pub fn register(registry: &Registry, runtime: &'static str, handle: Handle) {
    registry.declare(&[&WORKERS, &ALIVE_TASKS, &GLOBAL_QUEUE_DEPTH, &BUSY]);
    registry.collect(move |collected| {
        let metrics = handle.metrics();
        for (desc, value) in [
            (&WORKERS, metrics.num_workers()),
            (&ALIVE_TASKS, metrics.num_alive_tasks()),
            (&GLOBAL_QUEUE_DEPTH, metrics.global_queue_depth()),
        ] {
            collected.gauge(desc, &[runtime], value as f64);
        }
        if let Some(busy) = busy(&metrics) {
            collected.counter_f64(&BUSY, &[runtime], busy.as_secs_f64());
        }
    });
}

/// Tokio counts it where the processor has 64-bit atomics.
fn busy(metrics: &RuntimeMetrics) -> Option<Duration> {
    #[cfg(target_has_atomic = "64")]
    let busy = Some(
        (0..metrics.num_workers())
            .map(|worker| metrics.worker_total_busy_duration(worker))
            .sum(),
    );
    #[cfg(not(target_has_atomic = "64"))]
    let busy = None;
    busy
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::metrics::Value;

    #[tokio::test]
    async fn runtimes_are_told_apart_by_their_label() {
        let registry = Registry::new();
        register(&registry, "app", Handle::current());
        register(&registry, "admin", Handle::current());
        let seen = registry.snapshot();
        for runtime in ["app", "admin"] {
            let value = |name| seen.value(name, &[runtime]).cloned();
            assert_eq!(value(names::TOKIO_WORKERS), Some(Value::Gauge(1.0)));
            assert_eq!(value(names::TOKIO_ALIVE_TASKS), Some(Value::Gauge(0.0)));
            assert_eq!(
                value(names::TOKIO_GLOBAL_QUEUE_DEPTH),
                Some(Value::Gauge(0.0))
            );
            assert!(matches!(
                value(names::TOKIO_BUSY),
                Some(Value::CounterF64(busy)) if busy >= 0.0
            ));
        }
    }
}
