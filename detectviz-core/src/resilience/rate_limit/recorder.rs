//! The metrics of rate limits.
use super::table::Place;
use crate::{
    names,
    telemetry::metrics::{Collected, Counter, Desc, Kind, Registry, Unit},
};
use std::sync::Arc;

static ALLOWED: Desc = Desc {
    name: names::RATE_LIMIT_ALLOWED,
    help: "Requests that a rate limit let pass.",
    unit: Unit::Of("{request}"),
    kind: Kind::Counter,
    labels: &["policy"],
    buckets: &[],
};
static LIMITED: Desc = Desc {
    name: names::RATE_LIMIT_LIMITED,
    help: "Requests that a rate limit refused.",
    ..ALLOWED
};
static EVICTIONS: Desc = Desc {
    name: names::RATE_LIMIT_EVICTIONS,
    help: "Requests whose key took the bucket of an active key, because there was no room.",
    ..ALLOWED
};
static UNTRACKED: Desc = Desc {
    name: names::RATE_LIMIT_UNTRACKED,
    help: "Requests that passed without being counted, because there was no room for their key.",
    ..ALLOWED
};
static KEYS: Desc = Desc {
    name: names::RATE_LIMIT_KEYS,
    help: "Keys whose bucket is not full.",
    unit: Unit::Of("{key}"),
    kind: Kind::Gauge,
    ..ALLOWED
};

/// The series of one limiter.
#[derive(Debug)]
pub(super) struct Recorder {
    allowed: Arc<Counter>,
    limited: Arc<Counter>,
    evictions: Arc<Counter>,
    untracked: Arc<Counter>,
}

/// Gives the metrics of rate limits their place in `metrics`, whether or not there are any.
///
/// # Panics
/// When the names are taken by other descriptions.
pub fn register(metrics: &Registry) {
    for counter in [&ALLOWED, &LIMITED, &EVICTIONS, &UNTRACKED] {
        metrics.counter(counter);
    }
    metrics.declare(&[&KEYS]);
}

// === impl Recorder ===

impl Recorder {
    pub(super) fn new(policy: &str, metrics: &Registry) -> Self {
        let counter = |desc| metrics.counter(desc).with(&[policy]);
        Self {
            allowed: counter(&ALLOWED),
            limited: counter(&LIMITED),
            evictions: counter(&EVICTIONS),
            untracked: counter(&UNTRACKED),
        }
    }

    /// Gives how many keys are in use, which nobody records.
    pub(super) fn collect(policy: &str, keys: usize, out: &mut Collected) {
        out.gauge(&KEYS, &[policy], keys as f64);
    }

    /// A request took its unit from a bucket of its own.
    #[inline]
    pub(super) fn allowed(&self) {
        self.allowed.inc();
    }

    pub(super) fn decided(&self, allowed: bool, place: Place) {
        if !allowed {
            return self.limited.inc();
        }
        self.allowed.inc();
        match place {
            Place::Own => {}
            Place::Taken => self.evictions.inc(),
            Place::None => self.untracked.inc(),
        }
    }
}
