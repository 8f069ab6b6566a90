//! The metrics of policies, and what a request's span is told.
use super::state::Outcome;
use crate::{
    names,
    telemetry::{
        context::{NoteValue, note},
        metrics::{Counter, Desc, Kind, Registry, Unit},
    },
};
use std::{sync::Arc, time::Instant};

static CALLS: Desc = Desc {
    name: names::POLICY_CALLS,
    help: "Calls that were guarded by a policy and have ended, by how.",
    unit: Unit::Of("{call}"),
    kind: Kind::Counter,
    labels: &["policy", "outcome"],
    buckets: &[],
};

/// The series of one policy.
#[derive(Debug)]
pub(super) struct Recorder {
    /// As [`Outcome::ALL`].
    calls: [Arc<Counter>; Outcome::ALL.len()],
}

/// A call that has begun: it ends in one way, by being dropped if in no other.
#[derive(Debug)]
pub(super) struct Begun<'a> {
    recorder: Option<&'a Recorder>,
}

/// Gives the metrics of policies their place in `metrics`, whether or not there are any.
///
/// # Panics
/// When the names are taken by other descriptions.
pub fn register(metrics: &Registry) {
    metrics.counter(&CALLS);
}

/// Tells the request's span that a call, or an attempt, took too long.
pub(super) fn tell_timeout(of: &'static str, now: Instant) {
    note(now, "policy.timeout", Some(("of", NoteValue::Str(of))));
}

// === impl Recorder ===

impl Recorder {
    pub(super) fn new(name: &str, metrics: &Registry) -> Self {
        let calls = metrics.counter(&CALLS);
        Self {
            calls: Outcome::ALL.map(|outcome| calls.with(&[name, outcome.as_str()])),
        }
    }

    fn ended(&self, outcome: Outcome) {
        self.calls[outcome as usize].inc();
    }
}

// === impl Begun ===

impl<'a> Begun<'a> {
    /// Of a call that nobody has polled yet: it does not count.
    pub(super) fn not_yet() -> Self {
        Self { recorder: None }
    }

    pub(super) fn begin(&mut self, recorder: &'a Recorder) {
        self.recorder = Some(recorder);
    }

    pub(super) fn end(&mut self, outcome: Outcome) {
        if let Some(recorder) = self.recorder.take() {
            recorder.ended(outcome);
        }
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.end(Outcome::Cancelled);
    }
}
