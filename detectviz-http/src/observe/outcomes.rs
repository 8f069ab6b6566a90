//! How many requests there were, and what came of each, from what is recorded of them anyway.
use crate::{call::Outcome, names};
use detectviz_core::telemetry::metrics::{
    Counter, Desc, Family, Gauge, Histogram, Kind, Labels, Registry, Unit,
};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

static STARTED: Desc = Desc {
    name: names::SERVER_REQUESTS_STARTED,
    help: "Requests that were begun, whatever came of them.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &[],
    buckets: &[],
};

static OUTCOMES: Desc = Desc {
    name: names::SERVER_REQUESTS,
    help: "Requests that ended, by what came of them: ok, failed, shed, timed_out or cancelled.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &["outcome"],
    buckets: &[],
};

/// Adds up what became of requests, when somebody asks.
pub(super) struct Outcomes {
    /// For requests whose series the histogram has no room for.
    beyond: Family<Counter>,
    _begun: Arc<Begun>,
}

/// What has begun: what has ended, and what is under way.
struct Begun {
    ended: Family<Histogram>,
    active: Family<Gauge>,
    /// What was said before, below which it never goes.
    most: AtomicU64,
}

// === impl Outcomes ===

impl Outcomes {
    /// `durations` has each request that ended, `active` each that is under way.
    pub(super) fn new(
        metrics: &Registry,
        durations: &Family<Histogram>,
        active: &Family<Gauge>,
    ) -> Self {
        let begun = Arc::new(Begun {
            ended: durations.clone(),
            active: active.clone(),
            most: AtomicU64::new(0),
        });
        metrics.declare(&[&STARTED]);
        metrics.collect_from(&begun, |begun, collected| {
            collected.counter(&STARTED, &[], begun.count());
        });
        let beyond = metrics.counter_by(&OUTCOMES, durations, class);
        for outcome in Outcome::ALL {
            beyond.with(&[outcome.as_str()]);
        }
        Self {
            beyond,
            _begun: begun,
        }
    }

    /// Where a request is counted whose series the histogram has no room for.
    pub(super) fn beyond(&self, outcome: Outcome) -> Arc<Counter> {
        self.beyond.with(&[outcome.as_str()])
    }
}

impl fmt::Debug for Outcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Outcomes").field(&self.beyond).finish()
    }
}

// === impl Begun ===

impl Begun {
    /// Never more than have begun, since what has ended is read first: whoever ends in between is left out, and comes with the
    /// next reading.
    fn count(&self) -> u64 {
        let mut ended = 0;
        self.ended.visit(|_, histogram| ended += histogram.count());
        let mut active = 0.0;
        self.active.visit(|_, gauge| active += gauge.value());
        let begun = ended.saturating_add_signed(active as i64);
        self.most.fetch_max(begun, Relaxed).max(begun)
    }
}

/// The labels are those of the histogram.
fn class(labels: &Labels) -> &'static str {
    let label = |wanted| {
        let found = labels.iter().find(|(name, _)| *name == wanted);
        found.map_or("", |(_, value)| value)
    };
    let outcome = Outcome::of_labels(label("http.response.status_code"), label("error.type"));
    outcome.as_str()
}
