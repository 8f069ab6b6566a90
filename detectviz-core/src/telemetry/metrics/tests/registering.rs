//! What may be registered, and under which names.
use super::*;
use serde_json::json;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// The message that `register` panics with.
fn refusal(register: impl FnOnce(&Registry)) -> String {
    let registry = Registry::new();
    let result = catch_unwind(AssertUnwindSafe(|| register(&registry)));
    let panic = result.expect_err("it is refused");
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()))
        .unwrap_or_default()
}

#[test]
fn the_name_of_a_scrape_follows_from_the_name_the_unit_and_the_kind() {
    use Kind::{Counter, Gauge, Histogram};
    for (name, unit, kind, exposition, open_metrics) in [
        (
            "http.server.request.duration",
            Unit::Seconds,
            Histogram,
            "http_server_request_duration_seconds",
            "http_server_request_duration_seconds",
        ),
        (
            "http.server.active_requests",
            Unit::Of("{request}"),
            Gauge,
            "http_server_active_requests",
            "http_server_active_requests",
        ),
        (
            "http_requests_total",
            Unit::None,
            Counter,
            "http_requests_total",
            "http_requests",
        ),
        (
            "http_requests",
            Unit::None,
            Counter,
            "http_requests_total",
            "http_requests",
        ),
        (
            "process_cpu_seconds_total",
            Unit::Seconds,
            Counter,
            "process_cpu_seconds_total",
            "process_cpu_seconds",
        ),
        (
            "a.io",
            Unit::Bytes,
            Counter,
            "a_io_bytes_total",
            "a_io_bytes",
        ),
        ("a.io_bytes", Unit::Bytes, Gauge, "a_io_bytes", "a_io_bytes"),
        ("a.used", Unit::Ratio, Gauge, "a_used_ratio", "a_used_ratio"),
        ("a-b:c.d/é", Unit::None, Gauge, "a_b:c_d__", "a_b:c_d__"),
    ] {
        let desc = Desc {
            name,
            unit,
            kind,
            ..ACTIVE
        };
        assert_eq!(desc.exposition_name(), exposition, "{name}");
        assert_eq!(desc.family_name(), open_metrics, "{name}");
    }
}

#[test]
fn the_same_description_gives_the_same_series() {
    static AGAIN: Desc = REQUESTS;
    let registry = Registry::new();
    registry.counter(&REQUESTS).with(&["GET", "/", "200"]).inc();
    let again = registry.clone().counter(&AGAIN);
    assert_eq!(again.with(&["GET", "/", "200"]).value(), 1);
    assert_eq!(registry.describe().len(), 2);
}

#[test]
fn two_registries_stay_apart() {
    let (one, two) = (Registry::new(), Registry::new());
    one.counter(&REQUESTS).with(&["GET", "/", "200"]).inc();
    let in_two = two.counter(&REQUESTS).with(&["GET", "/", "200"]);
    assert_eq!(in_two.value(), 0);
}

#[test]
fn a_mistake_is_refused_where_it_is_made() {
    static OTHER_HELP: Desc = Desc {
        help: "Else.",
        ..REQUESTS
    };
    static SAME_SAMPLES: Desc = Desc {
        name: "http_server_request_duration_seconds_count",
        ..ACTIVE
    };
    static DIGIT: Desc = Desc {
        name: "5xx",
        ..ACTIVE
    };
    static SILENT: Desc = Desc { help: "", ..ACTIVE };
    static TOTAL: Desc = Desc {
        name: "a_total",
        ..ACTIVE
    };
    static LE: Desc = Desc {
        labels: &["le"],
        ..ACTIVE
    };
    static TWICE: Desc = Desc {
        labels: &["a.b", "a_b"],
        ..ACTIVE
    };
    static BUCKETS: Desc = Desc {
        buckets: &[1.0],
        ..ACTIVE
    };
    static UNSORTED: Desc = Desc {
        buckets: &[1.0, 1.0],
        ..DURATION
    };
    static NOT_FINITE: Desc = Desc {
        buckets: &[1.0, f64::INFINITY],
        ..DURATION
    };
    static MANY: Desc = Desc {
        buckets: &[0.0; 255],
        ..DURATION
    };
    let gauge = |desc: &'static Desc| {
        refusal(move |registry| {
            registry.gauge(desc);
        })
    };
    let histogram = |desc: &'static Desc| {
        refusal(move |registry| {
            registry.histogram(desc);
        })
    };
    for (message, expected) in [
        (gauge(&REQUESTS), "described as a counter"),
        (gauge(&DIGIT), "starts with a letter"),
        (gauge(&SILENT), "`help`"),
        (gauge(&TOTAL), "only a counter"),
        (gauge(&LE), "named once, and neither `le`"),
        (gauge(&TWICE), "named once"),
        (gauge(&BUCKETS), "only a histogram has buckets"),
        (histogram(&UNSORTED), "ascending"),
        (histogram(&NOT_FINITE), "finite"),
        (histogram(&MANY), "ascending"),
        (
            refusal(|registry| {
                registry.counter(&REQUESTS);
                registry.counter(&OTHER_HELP);
            }),
            "is taken by `http_requests_total`",
        ),
        (
            refusal(|registry| {
                registry.histogram(&DURATION);
                registry.gauge(&SAME_SAMPLES);
            }),
            "is taken by `http.server.request.duration`",
        ),
        (
            refusal(|registry| {
                registry.counter(&REQUESTS).with(&["GET"]);
            }),
            "give each one a value",
        ),
        (
            refusal(|registry| registry.declare(&[&DURATION])),
            "is a histogram",
        ),
        (
            refusal(|registry| {
                registry.gauge(&ACTIVE);
                registry.declare(&[&ACTIVE]);
            }),
            "recorded with handles",
        ),
        (
            refusal(|registry| {
                registry.declare(&[&ACTIVE]);
                registry.gauge(&ACTIVE);
            }),
            "comes from a collector",
        ),
        (
            refusal(|registry| {
                registry.collect(|collected| collected.counter(&ACTIVE, &[], 1));
                let _ = registry.snapshot();
            }),
            "not a counter",
        ),
    ] {
        assert!(
            message.contains(expected),
            "`{expected}` is not in `{message}`"
        );
    }
}

#[test]
fn everything_of_our_own_fits_in_one_registry() {
    let registry = Registry::new();
    let nowhere = std::path::Path::new("/does/not/exist");
    process::register(&registry, nowhere);
    cgroup::register(&registry, nowhere);
    build_info::register(&registry, "orders", "1.2.3");
    assert!(registry.describe().len() > 14);
    let seen = registry.snapshot();
    let names: Vec<_> = seen.metrics.iter().map(|m| m.desc.name).collect();
    assert_eq!(names, ["detectviz_build_info"], "the rest is absent");
}

#[test]
fn the_catalog_lists_names_and_labels() {
    let registry = Registry::new();
    registry.declare(&[&ACTIVE]);
    registry.histogram(&DURATION);
    let catalog = catalog(&registry.describe());
    let names: Vec<_> = catalog
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["name"])
        .collect();
    assert_eq!(
        names,
        [
            "detectviz_metrics_overflow_total",
            "http.server.active_requests",
            "http.server.request.duration",
        ]
    );
    assert_eq!(
        catalog[2],
        json!({
            "name": "http.server.request.duration",
            "exposition_name": "http_server_request_duration_seconds",
            "kind": "histogram",
            "unit": "s",
            "help": "Duration of \"requests\".",
            "attributes": ["http.request.method"],
            "labels": ["http_request_method"],
            "buckets": [0.005, 0.1, 1.0],
        })
    );
}

#[test]
fn a_collector_goes_with_its_source() {
    static THINGS: Desc = Desc {
        name: "things",
        help: "Things.",
        unit: Unit::None,
        kind: Kind::Gauge,
        labels: &["name"],
        buckets: &[],
    };
    let registry = Registry::new();
    let first = Arc::new(String::from("first"));
    let read = |name: &String, out: &mut Collected| out.gauge(&THINGS, &[name], 1.0);
    registry.collect_from(&first, read);
    for n in 0..10_000 {
        registry.collect_from(&Arc::new(n.to_string()), read);
    }
    let shown = |name: &str| registry.snapshot().value("things", &[name]).is_some();
    assert!(shown("first") && !shown("9999"));
    assert!(
        registry.collectors() < 100,
        "those whose source is gone are forgotten"
    );
    drop(first);
    assert!(!shown("first"));
}
