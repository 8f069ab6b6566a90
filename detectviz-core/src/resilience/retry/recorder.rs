//! The metrics of retries.
use super::{Reason, Stop, budget::Budget};
use crate::{
    names,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    telemetry::metrics::{Collected, Counter, Desc, Kind, Registry, Unit},
};
use std::{sync::Arc, time::Instant};

static ATTEMPTS: Desc = Desc {
    name: names::RETRY_ATTEMPTS,
    help: "Attempts of calls, the first ones included.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &["upstream"],
    buckets: &[],
};

static RETRIES: Desc = Desc {
    name: names::RETRY_RETRIES,
    help: "Attempts that were to be repeated, by what failed.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &["upstream", "reason"],
    buckets: &[],
};

static REFUSED: Desc = Desc {
    name: names::RETRY_REFUSED,
    help: "Failed calls that were not retried (again), by why.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &["upstream", "reason"],
    buckets: &[],
};

static BALANCE: Desc = Desc {
    name: names::RETRY_BUDGET_BALANCE,
    help: "How many retries the budget allows now.",
    unit: Unit::None,
    kind: Kind::Gauge,
    labels: &["upstream"],
    buckets: &[],
};

/// The series of one upstream.
#[derive(Debug)]
pub(super) struct Recorder {
    /// Retries that were sent. First attempts are what the budget counts anyway.
    sent: AtomicU64,
    retries: [Arc<Counter>; Reason::ALL.len()],
    refused: [Arc<Counter>; Stop::REFUSED.len()],
}

/// Gives the metrics of retries their place in `metrics`, whether or not there are any.
///
/// # Panics
/// When the names are taken by other descriptions.
pub fn register(metrics: &Registry) {
    metrics.counter(&RETRIES);
    metrics.counter(&REFUSED);
    metrics.declare(&[&ATTEMPTS, &BALANCE]);
}

// === impl Recorder ===

impl Recorder {
    pub(super) fn new(upstream: &str, metrics: &Registry) -> Self {
        let retries = metrics.counter(&RETRIES);
        let refused = metrics.counter(&REFUSED);
        metrics.declare(&[&ATTEMPTS, &BALANCE]);
        Self {
            sent: AtomicU64::new(0),
            retries: Reason::ALL.map(|reason| retries.with(&[upstream, reason.as_str()])),
            refused: Stop::REFUSED.map(|stop| refused.with(&[upstream, stop.as_str()])),
        }
    }

    pub(super) fn sent(&self) {
        self.sent.fetch_add(1, Relaxed);
    }

    /// Gives what nobody records.
    pub(super) fn collect(
        &self,
        upstream: &str,
        budget: &Budget,
        now: Instant,
        out: &mut Collected,
    ) {
        let attempts = budget.deposits() + self.sent.load(Relaxed);
        out.counter(&ATTEMPTS, &[upstream], attempts);
        out.gauge(&BALANCE, &[upstream], budget.balance(now) as f64);
    }

    pub(super) fn retry(&self, reason: Reason) {
        self.retries[reason as usize].inc();
    }

    /// Success and fatal failures are no refusals.
    pub(super) fn refused(&self, stop: Stop) {
        if let Some(at) = Stop::REFUSED.iter().position(|known| *known == stop) {
            self.refused[at].inc();
        }
    }
}
