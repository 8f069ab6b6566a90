//! The metrics of hedges.
use crate::{
    names,
    telemetry::metrics::{Collected, Counter, Desc, Kind, Registry, Unit},
};
use std::{sync::Arc, time::Duration};

static SENT: Desc = Desc {
    name: names::HEDGE_SENT,
    help: "Hedges that were sent.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &["upstream"],
    buckets: &[],
};

static WON: Desc = Desc {
    name: names::HEDGE_WON,
    help: "Calls that a hedge answered before the first attempt did.",
    ..SENT
};

static DENIED: Desc = Desc {
    name: names::HEDGE_DENIED,
    help: "Hedges that the budget refused.",
    ..SENT
};

static DELAY: Desc = Desc {
    name: names::HEDGE_DELAY,
    help: "After which time a call is hedged.",
    unit: Unit::Seconds,
    kind: Kind::Gauge,
    ..SENT
};

/// The series of one upstream.
#[derive(Debug)]
pub(super) struct Recorder {
    pub(super) sent: Arc<Counter>,
    pub(super) won: Arc<Counter>,
    pub(super) denied: Arc<Counter>,
}

/// Gives the metrics of hedging their place in `metrics`, whether or not there are any.
///
/// # Panics
/// When the names are taken by other descriptions.
pub fn register(metrics: &Registry) {
    for counter in [&SENT, &WON, &DENIED] {
        metrics.counter(counter);
    }
    metrics.declare(&[&DELAY]);
}

// === impl Recorder ===

impl Recorder {
    pub(super) fn new(upstream: &str, metrics: &Registry) -> Self {
        metrics.declare(&[&DELAY]);
        Self {
            sent: metrics.counter(&SENT).with(&[upstream]),
            won: metrics.counter(&WON).with(&[upstream]),
            denied: metrics.counter(&DENIED).with(&[upstream]),
        }
    }

    /// Gives what nobody records: nothing while the delay is not known.
    pub(super) fn collect(upstream: &str, delay: Option<Duration>, out: &mut Collected) {
        if let Some(delay) = delay {
            out.gauge(&DELAY, &[upstream], delay.as_secs_f64());
        }
    }
}
