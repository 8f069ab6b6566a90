//! The metrics of circuits, and the log lines of what happens to them.
use super::{Cause, State, Transition};
use crate::{
    names,
    telemetry::{
        context::{NoteValue, note},
        metrics::{Counter, Desc, Gauge, Kind, Registry, Unit},
    },
};
use std::{sync::Arc, time::Instant};

static STATE: Desc = Desc {
    name: names::BREAKER_STATE,
    help: "Circuits of this name that are in this state.",
    unit: Unit::Of("{circuit}"),
    kind: Kind::Gauge,
    labels: &["breaker", "state"],
    buckets: &[],
};

static TRANSITIONS: Desc = Desc {
    name: names::BREAKER_TRANSITIONS,
    help: "Changes of a circuit to this state.",
    unit: Unit::Of("{transition}"),
    kind: Kind::Counter,
    labels: &["breaker", "state"],
    buckets: &[],
};

static REFUSED: Desc = Desc {
    name: names::BREAKER_REFUSED,
    help: "Calls that a circuit refused.",
    unit: Unit::Of("{call}"),
    kind: Kind::Counter,
    labels: &["breaker"],
    buckets: &[],
};

static EXCEEDED: Desc = Desc {
    name: names::BREAKER_EXCEEDED,
    help: "How often a threshold was reached that opens a circuit, or would in one that only measures.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &["breaker", "threshold"],
    buckets: &[],
};

const THRESHOLDS: [Cause; 3] = [Cause::FailureRate, Cause::SlowRate, Cause::Consecutive];

/// The series of all circuits that share a name, such as those of the endpoints of one upstream.
///
/// # Clone
/// Clones record into the same series.
#[derive(Clone, Debug)]
pub struct BreakerMetrics {
    series: Arc<Series>,
}

#[derive(Debug)]
struct Series {
    /// As [`State::ALL`].
    states: [Arc<Gauge>; 6],
    transitions: [Arc<Counter>; 6],
    /// As [`THRESHOLDS`].
    exceeded: [Arc<Counter>; 3],
    refused: Arc<Counter>,
}

/// Gives the metrics of circuit breakers their place in `metrics`, whether or not there are any.
///
/// # Panics
/// When the names are taken by other descriptions.
pub fn register(metrics: &Registry) {
    metrics.gauge(&STATE);
    for counter in [&TRANSITIONS, &REFUSED, &EXCEEDED] {
        metrics.counter(counter);
    }
}

// === impl BreakerMetrics ===

impl BreakerMetrics {
    /// Registers the series, with `name` as the label `breaker`.
    ///
    /// # Panics
    /// When one of the names of the metrics is taken by another description.
    #[must_use]
    pub fn new(metrics: &Registry, name: &str) -> Self {
        let (states, transitions) = (metrics.gauge(&STATE), metrics.counter(&TRANSITIONS));
        let exceeded = metrics.counter(&EXCEEDED);
        let series = Series {
            states: State::ALL.map(|state| states.with(&[name, state.as_str()])),
            transitions: State::ALL.map(|state| transitions.with(&[name, state.as_str()])),
            exceeded: THRESHOLDS.map(|cause| exceeded.with(&[name, cause.as_str()])),
            refused: metrics.counter(&REFUSED).with(&[name]),
        };
        Self {
            series: Arc::new(series),
        }
    }

    /// A circuit in `state` came to be.
    pub(super) fn began(&self, state: State) {
        self.series.states[place(state)].add(1);
    }

    /// A circuit in `state` is gone.
    pub(super) fn ended(&self, state: State) {
        self.series.states[place(state)].add(-1);
    }

    pub(super) fn refused(&self, state: State, now: Instant) {
        self.series.refused.inc();
        let state = NoteValue::Str(state.as_str());
        note(now, "breaker.open", Some(("state", state)));
    }

    #[cold]
    pub(super) fn changed(&self, name: &str, transition: &Transition) {
        let (from, to) = (transition.from, transition.to);
        if from != to || transition.cause == Cause::ByHand {
            self.series.transitions[place(to)].inc();
            // Two additions, so that it does not matter which of two transitions is recorded first.
            self.ended(from);
            self.began(to);
        }
        let threshold = THRESHOLDS.iter().position(|t| *t == transition.cause);
        if let Some(at) = threshold {
            self.series.exceeded[at].inc();
        }
        log(name, transition);
    }
}

fn place(state: State) -> usize {
    State::ALL.iter().position(|s| *s == state).unwrap_or(0)
}

fn log(name: &str, transition: &Transition) {
    let Transition {
        from, to, counts, ..
    } = transition;
    let (from, to, cause) = (from.as_str(), to.as_str(), transition.cause.as_str());
    match transition.to {
        State::Open => tracing::warn!(
            breaker = name,
            from,
            cause,
            calls = counts.calls,
            failures = counts.failures,
            slow = counts.slow,
            open_for = transition.open_for.unwrap_or_default().as_secs_f64(),
            "circuit opened"
        ),
        State::ForcedOpen => tracing::warn!(breaker = name, from, cause, "circuit forced open"),
        State::MetricsOnly if transition.is_exceeded() => tracing::warn!(
            breaker = name,
            cause,
            calls = counts.calls,
            failures = counts.failures,
            slow = counts.slow,
            "circuit would open, and only measures"
        ),
        State::Closed => tracing::info!(breaker = name, from, cause, "circuit closed"),
        _ => tracing::info!(breaker = name, from, to, cause, "circuit changed its state"),
    }
}
