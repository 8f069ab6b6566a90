//! The metrics of health.
use crate::{
    names,
    telemetry::metrics::{DURATION_BUCKETS, Desc, Family, Gauge, Histogram, Kind, Registry, Unit},
};
use std::{sync::Arc, time::Duration};

static CHECK_STATUS: Desc = Desc {
    name: names::HEALTH_CHECK_STATUS,
    help: "Whether a health check passes: 1, or 0 when it fails or has no result yet.",
    unit: Unit::None,
    kind: Kind::Gauge,
    labels: &["check"],
    buckets: &[],
};

static CHECK_DURATION: Desc = Desc {
    name: names::HEALTH_CHECK_DURATION,
    help: "How long the runs of a health check took.",
    unit: Unit::Seconds,
    kind: Kind::Histogram,
    labels: &["check"],
    buckets: DURATION_BUCKETS,
};

static READY: Desc = Desc {
    name: names::HEALTH_READY,
    help: "Whether the service is ready: 1, or 0.",
    unit: Unit::None,
    kind: Kind::Gauge,
    labels: &[],
    buckets: &[],
};

/// Owns the names and the families.
pub(super) struct Recorder {
    statuses: Family<Gauge>,
    durations: Family<Histogram>,
    ready: Arc<Gauge>,
}

/// The series of one check.
pub(super) struct CheckRecorder {
    status: Arc<Gauge>,
    duration: Arc<Histogram>,
}

// === impl Recorder ===

impl Recorder {
    pub(super) fn new(metrics: &Registry) -> Self {
        Self {
            statuses: metrics.gauge(&CHECK_STATUS),
            durations: metrics.histogram(&CHECK_DURATION),
            ready: metrics.gauge(&READY).with(&[]),
        }
    }

    pub(super) fn ready(&self, ready: bool) {
        self.ready.set(f64::from(u8::from(ready)));
    }

    /// The series of `check`, which begin with a failure.
    pub(super) fn check(&self, check: &str) -> CheckRecorder {
        let recorder = CheckRecorder {
            status: self.statuses.with(&[check]),
            duration: self.durations.with(&[check]),
        };
        recorder.status.set(0.0);
        recorder
    }

    /// Takes the series of `check` out; a run that ends later records into the void.
    pub(super) fn removed(&self, check: &str) {
        self.statuses.remove(&[check]);
        self.durations.remove(&[check]);
    }
}

// === impl CheckRecorder ===

impl CheckRecorder {
    pub(super) fn result(&self, passing: bool, took: Duration) {
        self.status.set(f64::from(u8::from(passing)));
        self.duration.observe(took);
    }
}
