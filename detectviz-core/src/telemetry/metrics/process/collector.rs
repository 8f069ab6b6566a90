//! The metrics, and what fills them.
use super::{
    source::{self, Readings},
    state,
};
use crate::{
    names,
    telemetry::metrics::{Collected, Desc, Kind, Registry, Unit},
};
use std::path::Path;

static CPU: Desc = Desc {
    name: names::PROCESS_CPU,
    help: "Total user and system CPU time spent in seconds.",
    unit: Unit::Seconds,
    kind: Kind::Counter,
    labels: &[],
    buckets: &[],
};
static RESIDENT_MEMORY: Desc = Desc {
    name: names::PROCESS_RESIDENT_MEMORY,
    help: "Resident memory size in bytes.",
    unit: Unit::Bytes,
    kind: Kind::Gauge,
    labels: &[],
    buckets: &[],
};
static VIRTUAL_MEMORY: Desc = Desc {
    name: names::PROCESS_VIRTUAL_MEMORY,
    help: "Virtual memory size in bytes.",
    ..RESIDENT_MEMORY
};
static START_TIME: Desc = Desc {
    name: names::PROCESS_START_TIME,
    help: "Start time of the process since the Unix epoch in seconds.",
    unit: Unit::Seconds,
    ..RESIDENT_MEMORY
};
static OPEN_FDS: Desc = Desc {
    name: names::PROCESS_OPEN_FDS,
    help: "Number of open file descriptors.",
    unit: Unit::None,
    ..RESIDENT_MEMORY
};
static MAX_FDS: Desc = Desc {
    name: names::PROCESS_MAX_FDS,
    help: "Maximum number of open file descriptors.",
    ..OPEN_FDS
};
static THREADS: Desc = Desc {
    name: names::PROCESS_THREADS,
    help: "Number of threads.",
    ..OPEN_FDS
};

/// Adds the process to `registry`. `root` is `/`, or what stands for it in a test.
///
/// # Panics
/// When the names are taken by other descriptions.
pub fn register(registry: &Registry, root: &Path) {
    registry.declare(&[
        &CPU,
        &RESIDENT_MEMORY,
        &VIRTUAL_MEMORY,
        &START_TIME,
        &OPEN_FDS,
        &MAX_FDS,
        &THREADS,
    ]);
    let root = root.to_owned();
    registry.collect(move |collected| collect(&source::read(&root), collected));
}

fn collect(readings: &Readings, out: &mut Collected) {
    let ticks = readings.ticks_per_second as f64;
    if let Some(stat) = readings.stat.as_deref().and_then(state::stat) {
        out.counter_f64(&CPU, &[], stat.cpu_ticks as f64 / ticks);
        let resident = stat.resident_pages.saturating_mul(readings.page_size);
        out.gauge(&RESIDENT_MEMORY, &[], resident as f64);
        out.gauge(&VIRTUAL_MEMORY, &[], stat.virtual_bytes as f64);
        out.gauge(&THREADS, &[], stat.threads as f64);
        let system = readings.system_stat.as_deref();
        if let Some(booted) = system.and_then(state::boot_time) {
            let start = booted as f64 + stat.start_ticks as f64 / ticks;
            out.gauge(&START_TIME, &[], start);
        }
    }
    if let Some(open) = readings.open_fds {
        out.gauge(&OPEN_FDS, &[], open as f64);
    }
    if let Some(most) = readings.limits.as_deref().and_then(state::max_open_files) {
        out.gauge(&MAX_FDS, &[], most);
    }
}
