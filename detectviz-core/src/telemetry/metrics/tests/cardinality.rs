//! What happens beyond the limit of series.
use super::*;
use crate::names::METRICS_OVERFLOW;
use std::{sync::Arc, thread};

/// The label sets of a metric, as text.
fn labels(snapshot: &Snapshot, name: &str) -> Vec<String> {
    let metric = snapshot.metrics.iter().find(|m| m.desc.name == name);
    let text = |s: &SeriesSnapshot| {
        let pairs = s
            .labels
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join(",")
    };
    metric.map_or(Vec::new(), |m| m.series.iter().map(text).collect())
}

#[test]
fn what_exceeds_the_limit_goes_to_one_series() {
    let registry = Registry::with_limit(2);
    let duration = registry.histogram(&DURATION);
    let get = duration.with(&["GET"]);
    duration.with(&["POST"]);
    assert!(Arc::ptr_eq(&get, &duration.with(&["GET"])));
    let folded = duration.with(&["PUT"]);
    assert!(Arc::ptr_eq(&folded, &duration.with(&["DELETE"])));
    folded.record(1);
    // A series that exists is found at the limit too.
    assert!(Arc::ptr_eq(&get, &duration.with(&["GET"])));

    let snapshot = registry.snapshot();
    assert_eq!(
        labels(&snapshot, DURATION.name),
        [
            "http.request.method=GET",
            "http.request.method=POST",
            "otel.metric.overflow=true",
        ]
    );
    assert_eq!(
        snapshot.value(METRICS_OVERFLOW, &["http_server_request_duration_seconds"]),
        Some(&Value::Counter(2))
    );
    let text = page(&registry, Format::Prometheus004);
    for line in [
        "http_server_request_duration_seconds_bucket{otel_metric_overflow=\"true\",le=\"+Inf\"} 1\n",
        "http_server_request_duration_seconds_count{otel_metric_overflow=\"true\"} 1\n",
        "detectviz_metrics_overflow_total{metric=\"http_server_request_duration_seconds\"} 2\n",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
}

#[test]
fn a_metric_within_its_limit_has_no_overflow() {
    let registry = Registry::with_limit(2);
    let duration = registry.histogram(&DURATION);
    duration.with(&["GET"]);
    duration.with(&["POST"]);
    assert!(!page(&registry, Format::Prometheus004).contains("overflow"));
}

#[test]
fn a_series_that_is_removed_makes_room() {
    let registry = Registry::with_limit(1);
    let duration = registry.histogram(&DURATION);
    let get = duration.with(&["GET"]);
    get.record(1);
    duration.remove(&["PUT"]);
    duration.remove(&["GET"]);
    assert!(labels(&registry.snapshot(), DURATION.name).is_empty());
    // Who still holds it does no harm.
    get.record(1);
    assert_eq!(duration.with(&["POST"]).count(), 0);
    assert_eq!(
        labels(&registry.snapshot(), DURATION.name),
        ["http.request.method=POST"]
    );
}

#[test]
fn the_default_limit_is_that_of_opentelemetry() {
    let registry = Registry::new();
    let requests = registry.counter(&REQUESTS);
    for route in 0..2_010 {
        requests.with(&["GET", &route.to_string(), "200"]).inc();
    }
    let snapshot = registry.snapshot();
    assert_eq!(labels(&snapshot, REQUESTS.name).len(), 2_001);
    assert_eq!(
        snapshot.value(REQUESTS.name, &["true"]),
        Some(&Value::Counter(10))
    );
}

#[test]
fn threads_that_ask_for_the_same_series_get_the_same() {
    let registry = Registry::with_limit(50);
    let requests = registry.counter(&REQUESTS);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 0..100 {
                    requests.with(&["GET", &n.to_string(), "200"]).inc();
                }
            });
        }
    });
    let snapshot = registry.snapshot();
    let metric = snapshot
        .metrics
        .iter()
        .find(|m| m.desc.name == REQUESTS.name);
    let series = &metric.unwrap().series;
    assert_eq!(series.len(), 51);
    for series in &series[..50] {
        assert_eq!(series.value, Value::Counter(4));
    }
    assert_eq!(series[50].value, Value::Counter(200));
}

#[test]
fn collectors_are_limited_too() {
    let registry = Registry::with_limit(2);
    registry.collect(|collected| {
        for n in ["a", "b", "c", "d"] {
            collected.counter(&REQUESTS, &["GET", n, "200"], 1);
        }
    });
    assert_eq!(labels(&registry.snapshot(), REQUESTS.name).len(), 2);
    let seen = registry.snapshot();
    let lost = seen.value(METRICS_OVERFLOW, &["http_requests_total"]);
    assert_eq!(lost, Some(&Value::Counter(4)));
}
