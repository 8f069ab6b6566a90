//! A counter that a histogram keeps.
use super::*;
use std::panic::{AssertUnwindSafe, catch_unwind};

static BY_ROUTE: Desc = Desc {
    name: "http.server.request.duration",
    help: "Duration of requests.",
    unit: Unit::Seconds,
    kind: Kind::Histogram,
    labels: &[
        "scheme",
        "http.route",
        "error.type",
        "http.request.method",
        "status",
    ],
    buckets: &[0.005],
};

const LABELS: [&str; 3] = ["http.request.method", "http.route", "status"];

fn registry(limit: usize) -> (Registry, Family<Histogram>) {
    let registry = Registry::with_limit(limit);
    let durations = registry.histogram(&BY_ROUTE);
    registry.counter_of(&REQUESTS, &durations, &LABELS);
    (registry, durations)
}

#[test]
fn a_series_is_the_sum_of_those_with_its_labels() {
    let (registry, durations) = registry(10);
    assert!(!page(&registry, Format::OpenMetrics100).contains("http_requests"));
    for (scheme, route, error, status, times) in [
        ("http", "/b", "", "200", 1),
        ("https", "/b", "", "200", 2),
        ("http", "/a", "", "200", 4),
        ("http", "/a", "cancelled", "", 8),
        ("https", "/a", "cancelled", "", 16),
    ] {
        let series = durations.with(&[scheme, route, error, "GET", status]);
        (0..times).for_each(|n| series.record(n));
        // The series that are there are found again, those that are new are found too.
        let _ = page(&registry, Format::OpenMetrics100);
    }
    let page = page(&registry, Format::OpenMetrics100);
    let lines = page.lines().filter(|line| line.contains("http_requests"));
    assert_eq!(
        lines.collect::<Vec<_>>(),
        [
            "# TYPE http_requests counter",
            "# HELP http_requests Requests by method, route and status.",
            "http_requests_total{method=\"GET\",route=\"/a\",status=\"\"} 24",
            "http_requests_total{method=\"GET\",route=\"/a\",status=\"200\"} 4",
            "http_requests_total{method=\"GET\",route=\"/b\",status=\"200\"} 3",
        ]
    );
    let snapshot = registry.snapshot();
    let read = snapshot.value(REQUESTS.name, &["GET", "/a", ""]);
    assert_eq!(read, Some(&Value::Counter(24)));
    let metric = snapshot
        .metrics
        .iter()
        .find(|m| m.desc.name == REQUESTS.name);
    let series = &metric.unwrap().series;
    assert!(
        series
            .iter()
            .all(|s| s.start_unix_nanos >= snapshot.start_unix_nanos)
    );
}

#[test]
fn what_exceeds_the_limit_is_counted_apart() {
    let (registry, durations) = registry(1);
    for route in ["/a", "/b", "/c"] {
        durations.with(&["http", route, "", "GET", "200"]).record(1);
    }
    let page = page(&registry, Format::Prometheus004);
    for line in [
        "http_requests_total{method=\"GET\",route=\"/a\",status=\"200\"} 1\n",
        "http_requests_total{otel_metric_overflow=\"true\"} 2\n",
    ] {
        assert!(page.contains(line), "{line} in {page}");
    }
}

#[test]
fn a_series_that_is_removed_is_gone_from_the_sum() {
    let (registry, durations) = registry(10);
    for scheme in ["http", "https"] {
        durations.with(&[scheme, "/", "", "GET", "200"]).record(1);
    }
    let read = || {
        registry
            .snapshot()
            .value(REQUESTS.name, &["GET", "/", "200"])
            .cloned()
    };
    assert_eq!(read(), Some(Value::Counter(2)));
    durations.remove(&["http", "/", "", "GET", "200"]);
    assert_eq!(read(), Some(Value::Counter(1)));
}

#[test]
fn what_cannot_be_counted_is_said_when_it_is_registered() {
    let cases: [(&[&'static str], bool, &str); 4] = [
        (&["http.request.method", "http.route"], false, "name one of"),
        (&["method", "http.route", "status"], false, "name one of"),
        (&LABELS, true, "recorded with handles"),
        (&LABELS, false, "comes from a collector or a histogram"),
    ];
    for (labels, handles, expected) in cases {
        let registry = Registry::new();
        let durations = registry.histogram(&BY_ROUTE);
        if handles {
            registry.counter(&REQUESTS);
        }
        let work = || {
            registry.counter_of(&REQUESTS, &durations, labels);
            registry.counter(&REQUESTS);
        };
        let panicked = catch_unwind(AssertUnwindSafe(work)).unwrap_err();
        let message = panicked.downcast::<String>().unwrap();
        assert!(message.contains(expected), "{message}");
    }
}

static BY_OUTCOME: Desc = Desc {
    name: "outcomes_total",
    help: "Requests by outcome.",
    unit: Unit::None,
    kind: Kind::Counter,
    labels: &["outcome"],
    buckets: &[],
};

fn outcome(labels: &Labels) -> &'static str {
    match labels.iter().find(|(name, _)| *name == "error.type") {
        Some((_, error)) if error.is_empty() => "ok",
        _ => "failed",
    }
}

#[test]
fn classes_are_exact_beyond_the_limit_and_for_all_who_register_them() {
    let registry = Registry::with_limit(3);
    let durations = registry.histogram(&BY_ROUTE);
    let beyond = registry.counter_by(&BY_OUTCOME, &durations, outcome);
    let again = registry.counter_by(&BY_OUTCOME, &durations, outcome);
    beyond.with(&["shed"]);
    for (route, error, expected) in [
        ("/a", "", [0, 1, 0]),
        ("/a", "", [0, 2, 0]),
        ("/a", "body", [1, 2, 0]),
        ("/b", "", [1, 3, 0]),
        ("/c", "", [1, 4, 0]),
        ("/d", "", [1, 5, 0]),
        ("/d", "panic", [2, 5, 0]),
    ] {
        let series = durations.with(&["http", route, error, "GET", "200"]);
        series.record(1);
        if durations.is_overflow(&series) {
            let class = if error.is_empty() { "ok" } else { "failed" };
            again.with(&[class]).inc();
        }
        let snapshot = registry.snapshot();
        let [failed, ok, shed] = expected;
        for (class, expected) in [("failed", failed), ("ok", ok), ("shed", shed)] {
            let read = snapshot.value(BY_OUTCOME.name, &[class]);
            let known = expected > 0 || class == "shed";
            let expected = known.then_some(Value::Counter(expected));
            assert_eq!(read.cloned(), expected, "{class} after {route} {error}");
        }
    }
    let page = page(&registry, Format::Prometheus004);
    assert!(
        page.contains("outcomes_total{outcome=\"ok\"} 5\n"),
        "{page}"
    );
    let mut seen = 0;
    durations.visit(|_, histogram| seen += histogram.count());
    assert_eq!(seen, 7);
}
