//! The metrics of load shedding.
use super::{Chances, Readings, ShedReason};
use crate::{
    names,
    resilience::priority::Priority,
    telemetry::metrics::{Counter, Desc, Gauge, Kind, Registry, Unit},
};
use std::sync::Arc;

static REQUESTS: Desc = Desc {
    name: names::SHED_REQUESTS,
    help: "Requests that were refused because the process was overloaded.",
    unit: Unit::Of("{request}"),
    kind: Kind::Counter,
    labels: &["reason", "priority"],
    buckets: &[],
};
static CHANCE: Desc = Desc {
    name: names::SHED_CHANCE,
    help: "The share of the requests of a priority that is refused at the moment.",
    unit: Unit::Ratio,
    kind: Kind::Gauge,
    labels: &["priority"],
    buckets: &[],
};
static CPU: Desc = Desc {
    name: names::SHED_CPU,
    help: "CPU time of the process, as a share of what it may use.",
    unit: Unit::Ratio,
    kind: Kind::Gauge,
    labels: &[],
    buckets: &[],
};
static MEMORY: Desc = Desc {
    name: names::SHED_MEMORY,
    help: "Memory of the control group, as a share of its limit; 0 without one.",
    ..CPU
};
static QUEUE_DELAY: Desc = Desc {
    name: names::SHED_QUEUE_DELAY,
    help: "The least time within the last interval that work waited before it was begun.",
    unit: Unit::Seconds,
    ..CPU
};

/// Owns the names and the series.
#[derive(Debug)]
pub(super) struct Recorder {
    /// By reason, then by priority; critical ones are never refused.
    requests: [[Arc<Counter>; 2]; ShedReason::ALL.len()],
    chances: [Arc<Gauge>; 2],
    cpu: Arc<Gauge>,
    memory: Arc<Gauge>,
    queue_delay: Arc<Gauge>,
}

const REFUSABLE: [Priority; 2] = [Priority::Sheddable, Priority::Normal];

/// Gives the metrics of load shedding their place in `metrics`, whether or not anything is ever shed.
///
/// # Panics
/// When the names are taken by other descriptions.
pub fn register(metrics: &Registry) {
    metrics.counter(&REQUESTS);
    for gauge in [&CHANCE, &CPU, &MEMORY, &QUEUE_DELAY] {
        metrics.gauge(gauge);
    }
}

// === impl Recorder ===

impl Recorder {
    pub(super) fn new(metrics: &Registry) -> Self {
        let requests = metrics.counter(&REQUESTS);
        let chances = metrics.gauge(&CHANCE);
        let of = |reason: ShedReason| {
            REFUSABLE.map(|priority| requests.with(&[reason.as_str(), priority.as_str()]))
        };
        Self {
            requests: ShedReason::ALL.map(of),
            chances: REFUSABLE.map(|priority| chances.with(&[priority.as_str()])),
            cpu: metrics.gauge(&CPU).with(&[]),
            memory: metrics.gauge(&MEMORY).with(&[]),
            queue_delay: metrics.gauge(&QUEUE_DELAY).with(&[]),
        }
    }

    pub(super) fn shed(&self, reason: ShedReason, priority: Priority) {
        if let Some(counter) = self.requests[reason as usize].get(priority as usize) {
            counter.inc();
        }
    }

    pub(super) fn readings(&self, readings: &Readings, chances: Chances) {
        let delay = readings.queue_delay.unwrap_or_default();
        self.cpu.set(readings.cpu.unwrap_or(0.0));
        self.memory.set(readings.memory.unwrap_or(0.0));
        self.queue_delay.set(delay.as_secs_f64());
        let [sheddable, normal] = &self.chances;
        sheddable.set(chances.sheddable);
        normal.set(chances.normal);
    }
}
