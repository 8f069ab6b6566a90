//! The metrics, and what fills them.
use super::source;
use crate::{
    names,
    telemetry::metrics::{Desc, Kind, Registry, Unit},
};
use std::path::Path;

static MEMORY_USAGE: Desc = Desc {
    name: names::CGROUP_MEMORY_USAGE,
    help: "Memory that the control group uses, caches included.",
    unit: Unit::Bytes,
    kind: Kind::Gauge,
    labels: &[],
    buckets: &[],
};
static MEMORY_LIMIT: Desc = Desc {
    name: names::CGROUP_MEMORY_LIMIT,
    help: "Memory that the control group may use; absent without a limit.",
    ..MEMORY_USAGE
};
static CPU_LIMIT: Desc = Desc {
    name: names::CGROUP_CPU_LIMIT,
    help: "CPUs that the control group may use; absent without a limit.",
    unit: Unit::Of("{cpu}"),
    ..MEMORY_USAGE
};
static CPU_PERIODS: Desc = Desc {
    name: names::CGROUP_CPU_PERIODS,
    help: "Periods in which the control group's CPU time was limited.",
    unit: Unit::Of("{period}"),
    kind: Kind::Counter,
    ..MEMORY_USAGE
};
static CPU_THROTTLED_PERIODS: Desc = Desc {
    name: names::CGROUP_CPU_THROTTLED_PERIODS,
    help: "Periods in which the control group used up its CPU time and had to wait.",
    ..CPU_PERIODS
};
static CPU_THROTTLED: Desc = Desc {
    name: names::CGROUP_CPU_THROTTLED,
    help: "How long the control group had to wait for CPU time.",
    unit: Unit::Seconds,
    ..CPU_PERIODS
};

/// Adds the control group of the process to `registry`. `root` is `/`, or what stands for it in a test.
///
/// # Panics
/// When the names are taken by other descriptions.
pub fn register(registry: &Registry, root: &Path) {
    registry.declare(&[
        &MEMORY_USAGE,
        &MEMORY_LIMIT,
        &CPU_LIMIT,
        &CPU_PERIODS,
        &CPU_THROTTLED_PERIODS,
        &CPU_THROTTLED,
    ]);
    let root = root.to_owned();
    registry.collect(move |collected| {
        let memory = source::memory(&root);
        let cpu = source::cpu(&root);
        for (desc, value) in [
            (&MEMORY_USAGE, memory.usage.map(|bytes| bytes as f64)),
            (&MEMORY_LIMIT, memory.limit.map(|bytes| bytes as f64)),
            (&CPU_LIMIT, cpu.limit),
        ] {
            if let Some(value) = value {
                collected.gauge(desc, &[], value);
            }
        }
        if let Some(throttling) = cpu.throttling {
            collected.counter(&CPU_PERIODS, &[], throttling.periods);
            collected.counter(&CPU_THROTTLED_PERIODS, &[], throttling.throttled_periods);
            let waited = throttling.throttled.as_secs_f64();
            collected.counter_f64(&CPU_THROTTLED, &[], waited);
        }
    });
}
