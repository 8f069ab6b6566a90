//! What a keeper shows of itself: never a value.
use super::{
    entry::State,
    recorder::{AGE, FAILING, LEASE_REMAINING},
    shared::Shared,
    state::Serve,
};
use detectviz_core::{clock, secret::SecretPublisher, telemetry::metrics::Collected};
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};

/// What is kept: an object by reference.
pub(super) fn view(shared: &Shared) -> Value {
    let now = clock::now();
    let mut shown = Map::new();
    for entry in shared.all() {
        let state = entry.lock();
        shown.insert(entry.reference.to_string(), one(shared, &state, now));
    }
    Value::Object(shown)
}

fn one(shared: &Shared, state: &State, now: Instant) -> Value {
    let latest = state.latest();
    let version = latest.as_ref().map(|bundle| bundle.version());
    let serve = match state.timeline.serve(now, &shared.config) {
        _ if latest.is_none() => "missing",
        Serve::Fresh => "fresh",
        // Nobody has needed it since: whoever asks next has it read again.
        Serve::FetchOrStale if state.error.is_none() => "idle",
        Serve::Stale | Serve::FetchOrStale => "stale",
        Serve::Fetch => "ended",
    };
    let lease = state.timeline.lease().map(|(grant, end)| {
        json!({
            "id": grant.id,
            "remaining_seconds": seconds(end.saturating_duration_since(now)),
            "renewable": grant.renewable,
        })
    });
    json!({
        "state": serve,
        "version": version.map(|version| version.sequence),
        "label": version.and_then(|version| version.label.clone()),
        "age_seconds": state.timeline.age(now).map(seconds),
        "lease": lease,
        "watchers": state.publisher.as_ref().map_or(0, SecretPublisher::watchers),
        "failures": state.timeline.failures(),
        "error": state.error.as_ref().map(ToString::to_string),
    })
}

/// The secrets that were had and cannot be had again, in words; empty when there is none.
pub(super) fn failing(shared: &Shared) -> String {
    let mut failing = Vec::new();
    for entry in shared.all() {
        let state = entry.lock();
        if let (Some(err), Some(_)) = (&state.error, &state.publisher) {
            failing.push(err.to_string());
        }
    }
    failing.sort();
    failing.join("; ")
}

/// The gauges by secret.
pub(super) fn collect(shared: &Shared, out: &mut Collected) {
    let now = clock::now();
    for entry in shared.all() {
        let state = entry.lock();
        let reference = entry.reference.to_string();
        let labels = [shared.store.name(), reference.as_str()];
        if let Some((_, end)) = state.timeline.lease() {
            let remaining = end.saturating_duration_since(now);
            out.gauge(&LEASE_REMAINING, &labels, remaining.as_secs_f64());
        }
        if let Some(age) = state.timeline.age(now) {
            out.gauge(&AGE, &labels, age.as_secs_f64());
            let failing = f64::from(u8::from(state.error.is_some()));
            out.gauge(&FAILING, &labels, failing);
        }
    }
}

fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}
