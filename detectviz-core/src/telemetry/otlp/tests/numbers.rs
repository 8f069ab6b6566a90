//! That the Collector gets the numbers of the registry, and the registry those of the exporter.
use super::{
    wire::{build, listening},
    *,
};
use crate::telemetry::{
    context::{SpanId, TraceId},
    metrics::{Desc, Kind, Registry, Unit, Value},
};
use opentelemetry_proto::tonic::{
    common::v1::any_value,
    metrics::v1::{exemplar, metric::Data},
};
use prost::Message;

static REQUESTS: Desc = Desc {
    name: "shop.requests",
    help: "Requests.",
    unit: Unit::Of("{request}"),
    kind: Kind::Counter,
    labels: &["route", "http.response.status_code"],
    buckets: &[],
};
static STOCK: Desc = Desc {
    name: "shop.stock",
    help: "What is left.",
    unit: Unit::None,
    kind: Kind::Gauge,
    labels: &[],
    buckets: &[],
};
static DURATION: Desc = Desc {
    name: "shop.request.duration",
    help: "How long a request takes.",
    unit: Unit::Seconds,
    kind: Kind::Histogram,
    labels: &[],
    buckets: &[0.1, 1.0],
};

fn filled() -> Registry {
    let registry = Registry::with_limit(2);
    let requests = registry.counter(&REQUESTS);
    requests.with(&["/a", "200"]).add(5);
    requests.with(&["", "other"]).inc();
    requests.with(&["/b", "200"]).add(7);
    registry.gauge(&STOCK).with(&[]).set(2.5);
    let trace = TraceContext::new(
        TraceId::from_bytes([1; 16]).unwrap(),
        SpanId::from_bytes([2; 8]).unwrap(),
        1,
    );
    let duration = registry.histogram(&DURATION).with(&[]);
    duration.observe(Duration::from_millis(50));
    duration.observe_traced(Duration::from_millis(500), &trace);
    duration.observe(Duration::from_secs(5));
    registry
}

#[tokio::test]
async fn the_collector_gets_the_numbers_of_the_registry() {
    for protocol in BOTH {
        let tasks = Tasks::new();
        let (receiver, mut config) = listening(protocol, Vec::new(), &tasks).await;
        config.metrics.enabled = true;
        config.traces.enabled = false;
        let registry = filled();
        let (exporter, _) = build(config, &registry, &tasks);
        exporter.start().await.unwrap();
        exporter.flush(10 * SECOND).await;
        let points = exporter.points();
        assert_eq!((points.exported, points.dropped()), (points.produced, 0));
        let seen = receiver.seen();
        let path = seen[0].uri.path();
        assert!(path.ends_with("/v1/metrics") || path.ends_with("v1.MetricsService/Export"));
        check_request(&seen[0].message);
        tasks.cancel();
    }
}

fn check_request(message: &[u8]) {
    let request = ExportMetricsServiceRequest::decode(message).unwrap();
    let metrics = &request.resource_metrics[0].scope_metrics[0].metrics;
    let metric = |name| metrics.iter().find(|m| m.name == name).unwrap();

    let requests = metric("shop.requests");
    assert_eq!(
        (requests.description.as_str(), requests.unit.as_str()),
        ("Requests.", "{request}")
    );
    let Some(Data::Sum(sum)) = &requests.data else {
        panic!("a sum")
    };
    assert!(sum.is_monotonic && sum.aggregation_temporality == 2);
    let mut points = Vec::new();
    for point in &sum.data_points {
        assert!(point.start_time_unix_nano > 0);
        assert!(point.start_time_unix_nano <= point.time_unix_nano);
        let attributes = point.attributes.iter().map(|kv| {
            let value = match kv.value.clone().unwrap().value.unwrap() {
                any_value::Value::StringValue(text) => text,
                any_value::Value::IntValue(number) => format!("int {number}"),
                any_value::Value::BoolValue(value) => format!("bool {value}"),
                other => panic!("{other:?}"),
            };
            format!("{}={value}", kv.key)
        });
        let Some(number_data_point::Value::AsInt(value)) = point.value else {
            panic!("a whole number")
        };
        points.push((attributes.collect::<Vec<_>>().join(","), value));
    }
    points.sort();
    let expected = [
        // No route, so no attribute.
        ("http.response.status_code=other", 1),
        ("otel.metric.overflow=bool true", 7),
        ("route=/a,http.response.status_code=int 200", 5),
    ];
    assert_eq!(
        points,
        expected.map(|(name, value)| (name.to_owned(), value))
    );

    let Some(Data::Gauge(gauge)) = &metric("shop.stock").data else {
        panic!("a gauge")
    };
    let value = Some(number_data_point::Value::AsDouble(2.5));
    assert_eq!(gauge.data_points[0].value, value);

    let Some(Data::Histogram(histogram)) = &metric("shop.request.duration").data else {
        panic!("a histogram")
    };
    assert_eq!(histogram.aggregation_temporality, 2);
    let point = &histogram.data_points[0];
    assert_eq!(point.explicit_bounds, [0.1, 1.0]);
    assert_eq!(
        (point.bucket_counts.as_slice(), point.count),
        (&[1, 1, 1][..], 3)
    );
    assert!((point.sum.unwrap() - 5.55).abs() < 1e-6);
    let [exemplar] = point.exemplars.as_slice() else {
        panic!("one exemplar")
    };
    assert_eq!(
        (&exemplar.trace_id[..], &exemplar.span_id[..]),
        (&[1; 16][..], &[2; 8][..])
    );
    let Some(exemplar::Value::AsDouble(value)) = exemplar.value else {
        panic!("a number")
    };
    assert!((value - 0.5).abs() < 1e-6);
}

#[tokio::test]
async fn the_exporter_shows_its_own_account() {
    let tasks = Tasks::new();
    let replies = vec![Reply::Partial(1, ""), Reply::Status(400, None)];
    let (_receiver, mut config) = listening(Protocol::HttpProtobuf, replies, &tasks).await;
    (config.traces.queue, config.traces.batch) = (8, 4);
    let registry = Registry::new();
    let (exporter, spans) = build(config, &registry, &tasks);
    for _ in 0..10 {
        spans.record(span());
    }
    let queue = "otel.sdk.processor.span.queue.size";
    let value = |name: &str, labels: &[&str]| match registry.snapshot().value(name, labels) {
        Some(Value::Counter(total)) => *total,
        Some(Value::Gauge(value)) => *value as u64,
        other => panic!("{name} {labels:?}: {other:?}"),
    };
    assert_eq!(
        (
            value(queue, &[]),
            value("otel.sdk.processor.span.queue.capacity", &[])
        ),
        (8, 8)
    );
    exporter.start().await.unwrap();
    exporter.flush(10 * SECOND).await;
    spans.record(span());
    for (name, error, expected) in [
        ("otel.sdk.processor.span.processed", "", 8),
        ("otel.sdk.processor.span.processed", "queue_full", 2),
        ("otel.sdk.processor.span.processed", "already_shutdown", 1),
        ("otel.sdk.exporter.span.exported", "", 3),
        ("otel.sdk.exporter.span.exported", "rejected", 1),
        ("otel.sdk.exporter.span.exported", "export_failed", 4),
        ("otel.sdk.exporter.span.exported", "shutdown", 0),
        ("otel.sdk.exporter.metric_data_point.exported", "", 0),
    ] {
        assert_eq!(value(name, &[error]), expected, "{name} {error}");
    }
    assert_eq!(value(queue, &[]), 0);
    tasks.cancel();
}
