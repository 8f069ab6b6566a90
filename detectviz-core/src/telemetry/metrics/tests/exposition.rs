//! What a scraper reads.
use super::*;
use crate::telemetry::context::{SpanId, TraceContext, TraceId};
use proptest::prelude::*;
use std::time::Duration;

static ODD: Desc = Desc {
    name: "odd",
    help: "A \\ and a \n line feed.",
    unit: Unit::None,
    kind: Kind::Gauge,
    labels: &["value"],
    buckets: &[],
};

fn sample() -> Registry {
    let registry = Registry::new();
    let requests = registry.counter(&REQUESTS);
    requests.with(&["POST", "/orders", "500"]).add(3);
    requests
        .with(&["GET", "/orders/{id}", "200"])
        .add(1234567890);
    let duration = registry.histogram(&DURATION).with(&["GET"]);
    let trace = TraceId::from_bytes([0x4b; 16]).unwrap();
    let span = SpanId::from_bytes([0x0a; 8]).unwrap();
    let trace = TraceContext::new(trace, span, 1);
    duration.observe(Duration::from_millis(2));
    duration.observe_traced_at(Duration::from_millis(43), &trace, 1_700_000_000_123_999_999);
    duration.observe(Duration::from_secs(5));
    registry.histogram(&BODY).with(&[]).record(2048);
    registry.gauge(&ACTIVE).with(&[]).set(2.5);
    registry
}

#[test]
fn m1_open_metrics_ends_with_eof_and_shows_exemplars() {
    let expected = r##"# TYPE http_requests counter
# HELP http_requests Requests by method, route and status.
http_requests_total{method="GET",route="/orders/{id}",status="200"} 1234567890
http_requests_total{method="POST",route="/orders",status="500"} 3
# TYPE http_server_request_duration_seconds histogram
# UNIT http_server_request_duration_seconds seconds
# HELP http_server_request_duration_seconds Duration of \"requests\".
http_server_request_duration_seconds_bucket{http_request_method="GET",le="0.005"} 1
http_server_request_duration_seconds_bucket{http_request_method="GET",le="0.1"} 2 # {trace_id="4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b",span_id="0a0a0a0a0a0a0a0a"} 0.043 1700000000.123
http_server_request_duration_seconds_bucket{http_request_method="GET",le="1.0"} 2
http_server_request_duration_seconds_bucket{http_request_method="GET",le="+Inf"} 3
http_server_request_duration_seconds_sum{http_request_method="GET"} 5.045
http_server_request_duration_seconds_count{http_request_method="GET"} 3
# TYPE http_server_request_body_size_bytes histogram
# UNIT http_server_request_body_size_bytes bytes
# HELP http_server_request_body_size_bytes Size of bodies.
http_server_request_body_size_bytes_bucket{le="1024.0"} 0
http_server_request_body_size_bytes_bucket{le="1.048576e+06"} 1
http_server_request_body_size_bytes_bucket{le="+Inf"} 1
http_server_request_body_size_bytes_sum 2048
http_server_request_body_size_bytes_count 1
# TYPE http_server_active_requests gauge
# HELP http_server_active_requests Requests under way.
http_server_active_requests 2.5
# EOF
"##;
    assert_eq!(page(&sample(), Format::OpenMetrics100), expected);
}

#[test]
fn m1_the_text_format_has_neither_eof_nor_exemplars() {
    let expected = r##"# HELP http_requests_total Requests by method, route and status.
# TYPE http_requests_total counter
http_requests_total{method="GET",route="/orders/{id}",status="200"} 1234567890
http_requests_total{method="POST",route="/orders",status="500"} 3
# HELP http_server_request_duration_seconds Duration of "requests".
# TYPE http_server_request_duration_seconds histogram
http_server_request_duration_seconds_bucket{http_request_method="GET",le="0.005"} 1
http_server_request_duration_seconds_bucket{http_request_method="GET",le="0.1"} 2
http_server_request_duration_seconds_bucket{http_request_method="GET",le="1.0"} 2
http_server_request_duration_seconds_bucket{http_request_method="GET",le="+Inf"} 3
http_server_request_duration_seconds_sum{http_request_method="GET"} 5.045
http_server_request_duration_seconds_count{http_request_method="GET"} 3
# HELP http_server_request_body_size_bytes Size of bodies.
# TYPE http_server_request_body_size_bytes histogram
http_server_request_body_size_bytes_bucket{le="1024.0"} 0
http_server_request_body_size_bytes_bucket{le="1.048576e+06"} 1
http_server_request_body_size_bytes_bucket{le="+Inf"} 1
http_server_request_body_size_bytes_sum 2048
http_server_request_body_size_bytes_count 1
# HELP http_server_active_requests Requests under way.
# TYPE http_server_active_requests gauge
http_server_active_requests 2.5
"##;
    assert_eq!(page(&sample(), Format::Prometheus004), expected);
}

#[test]
fn an_empty_registry_shows_nothing() {
    let registry = Registry::new();
    registry.counter(&REQUESTS);
    registry.declare(&[&ODD]);
    assert_eq!(page(&registry, Format::Prometheus004), "");
    assert_eq!(page(&registry, Format::OpenMetrics100), "# EOF\n");
    assert!(registry.snapshot().metrics.is_empty());
}

#[test]
fn help_is_escaped_as_each_format_wants_it() {
    let registry = Registry::new();
    registry.gauge(&ODD).with(&["x"]);
    for format in [Format::Prometheus004, Format::OpenMetrics100] {
        let text = page(&registry, format);
        assert!(
            text.contains("# HELP odd A \\\\ and a \\n line feed.\n"),
            "{text}"
        );
    }
}

#[test]
fn collected_values_stand_where_their_metric_was_declared() {
    static COLLECTED: Desc = Desc {
        name: "collected",
        ..ODD
    };
    static TOTAL: Desc = Desc {
        name: "seen",
        kind: Kind::Counter,
        ..ODD
    };
    let registry = Registry::new();
    registry.declare(&[&COLLECTED]);
    let odd = registry.gauge(&ODD);
    registry.collect(move |collected| {
        collected.counter(&TOTAL, &["x"], 7);
        collected.counter_f64(&TOTAL, &["w"], 0.25);
        collected.gauge(&COLLECTED, &["b"], f64::INFINITY);
        collected.gauge(&COLLECTED, &["a"], -1.0);
        collected.gauge(&COLLECTED, &["a"], 5.0);
        // A gauge that the collector holds is set before it is shown.
        odd.with(&["set"]).set(f64::NAN);
    });
    let expected = "# TYPE collected gauge\n# HELP collected A \\\\ and a \\n line feed.\n\
        collected{value=\"a\"} -1\ncollected{value=\"b\"} +Inf\n\
        # TYPE odd gauge\n# HELP odd A \\\\ and a \\n line feed.\n\
        odd{value=\"set\"} NaN\n\
        # TYPE seen counter\n# HELP seen A \\\\ and a \\n line feed.\n\
        seen_total{value=\"w\"} 0.25\nseen_total{value=\"x\"} 7\n# EOF\n";
    assert_eq!(page(&registry, Format::OpenMetrics100), expected);
    let names: Vec<_> = registry.describe().iter().map(|d| d.name).collect();
    assert_eq!(names[1..], ["collected", "odd", "seen"]);
    let seen = registry.snapshot();
    assert_eq!(seen.value("seen", &["w"]), Some(&Value::CounterF64(0.25)));
    assert_eq!(seen.value("collected", &["a"]), Some(&Value::Gauge(-1.0)));
}

/// Reads a label value as the formats define it; `None` where they do not.
fn unescape(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.push(match chars.next()? {
                'n' => '\n',
                c @ ('\\' | '"') => c,
                _ => return None,
            }),
            '"' | '\n' => return None,
            c => out.push(c),
        }
    }
    Some(out)
}

proptest! {
    #[test]
    fn any_label_value_is_escaped_and_reads_back(value in "(?s)(.|[\\\\\"\n\r]){0,20}") {
        let registry = Registry::new();
        registry.gauge(&ODD).with(&[&value]).set(1.0);
        for format in [Format::Prometheus004, Format::OpenMetrics100] {
            let text = page(&registry, format);
            let line = text.split('\n').find(|line| line.starts_with("odd{")).unwrap();
            let escaped = line.strip_prefix("odd{value=\"").unwrap().strip_suffix("\"} 1").unwrap();
            prop_assert_eq!(unescape(escaped), Some(value.clone()));
        }
    }

    #[test]
    fn numbers_read_back_the_same(whole: u64, shift in 0_u32..64, float: f64) {
        let whole = whole >> shift;
        let mut out = Vec::new();
        text::integer(&mut out, whole);
        prop_assert_eq!(std::str::from_utf8(&out).unwrap(), whole.to_string());

        out.clear();
        text::nanos_as_seconds(&mut out, whole);
        let shown = std::str::from_utf8(&out).unwrap();
        let (seconds, fraction) = shown.split_once('.').unwrap_or((shown, "0"));
        prop_assert!(fraction == "0" || !fraction.ends_with('0'));
        let nanos: u64 = format!("{fraction:0<9}").parse().unwrap();
        prop_assert_eq!(seconds.parse::<u64>().unwrap() * 1_000_000_000 + nanos, whole);

        out.clear();
        text::float(&mut out, float);
        let shown = std::str::from_utf8(&out).unwrap().replace("Inf", "inf");
        let read: f64 = shown.parse().unwrap();
        prop_assert!(read == float || (read.is_nan() && float.is_nan()));
    }
}

#[test]
fn bounds_are_canonical() {
    for (bound, shown) in [
        (0.0, "0.0"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (0.005, "0.005"),
        (1.0, "1.0"),
        (2.5, "2.5"),
        (10.0, "10.0"),
        (100_000.0, "100000.0"),
        (1_000_000.0, "1e+06"),
        (16_777_216.0, "1.6777216e+07"),
        (1e100, "1e+100"),
    ] {
        assert_eq!(text::canonical(bound), shown);
    }
}

#[test]
fn long_numbers_are_shown_with_an_exponent() {
    for (number, shown) in [
        (0.0, "0"),
        (-0.5, "-0.5"),
        (1_700_000_000.25, "1700000000.25"),
        (1e17, "100000000000000000"),
        (1e300, "1e300"),
        (-1.5e-9, "-1.5e-9"),
    ] {
        let mut out = Vec::new();
        text::float(&mut out, number);
        assert_eq!(std::str::from_utf8(&out).unwrap(), shown);
    }
}
