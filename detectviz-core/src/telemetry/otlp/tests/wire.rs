//! What a Collector on a real socket receives.
use super::*;
use crate::{
    secret::{
        Secret, SecretBundle, SecretError, SecretErrorKind, SecretPublisher, SecretRef,
        SecretVersion, SecretWatch, SecretsProvider,
    },
    telemetry::{
        context::{SpanId, TraceId},
        metrics::Registry,
        span::{Event, SpanStatus},
    },
};
use async_trait::async_trait;
use bytes::Bytes;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::any_value::Value,
    trace::v1::{Status, span as proto},
};
use prost::Message;
use tokio::net::TcpListener;

/// A provider whose secret is another each time that it is told to rotate.
pub(super) struct Rotating(SecretPublisher);

impl Rotating {
    pub(super) fn new() -> Self {
        Self(SecretPublisher::new(bearer(1)))
    }

    fn rotate(&self) {
        let sequence = self.0.latest().version().sequence + 1;
        assert!(self.0.publish(bearer(sequence)));
    }
}

fn bearer(sequence: u64) -> SecretBundle {
    let version = SecretVersion {
        sequence,
        label: None,
    };
    SecretBundle::single(Secret::from(format!("Bearer {sequence}")), version)
}

#[async_trait]
impl SecretsProvider for Rotating {
    fn name(&self) -> &str {
        "rotating"
    }
    async fn get(&self, reference: &SecretRef) -> Result<SecretBundle, SecretError> {
        Ok(self.watch(reference).await?.latest())
    }
    async fn refresh(&self, reference: &SecretRef) -> Result<SecretBundle, SecretError> {
        self.get(reference).await
    }
    async fn watch(&self, reference: &SecretRef) -> Result<SecretWatch, SecretError> {
        if reference.path() == "TOKEN" {
            return Ok(self.0.subscribe());
        }
        let kind = SecretErrorKind::NotFound;
        Err(SecretError::new(kind, reference, "write it"))
    }
}

/// A receiver on a real socket, and the configuration that leads to it.
pub(super) async fn listening(
    protocol: Protocol,
    replies: Vec<Reply>,
    tasks: &Tasks,
) -> (Arc<Receiver>, OtlpConfig) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = traces(protocol);
    config.endpoint = Some(format!("http://{}", listener.local_addr().unwrap()));
    let receiver = Receiver::new(replies);
    let (serving, on) = (Arc::clone(&receiver), tasks.clone());
    tasks.spawn("listener", async move {
        while let Ok((stream, _)) = listener.accept().await {
            let h2 = protocol == Protocol::Grpc;
            on.spawn(
                "receiver",
                Arc::clone(&serving).serve(stream, h2, on.clone()),
            );
        }
    });
    (receiver, config)
}

pub(super) fn build(
    config: OtlpConfig,
    registry: &Registry,
    tasks: &Tasks,
) -> (OtlpExporter, Spans) {
    build_with(config, registry, tasks, Arc::new(Rotating::new()))
}

fn build_with(
    config: OtlpConfig,
    registry: &Registry,
    tasks: &Tasks,
    secrets: Arc<dyn SecretsProvider>,
) -> (OtlpExporter, Spans) {
    let resource = Resource::new("orders")
        .version("1.2.3")
        .instance("orders-0")
        .environment("staging")
        .attribute("team", "shop");
    let spans = config.spans();
    let exporter = OtlpExporter::build(
        config,
        resource,
        spans.clone(),
        registry,
        tasks,
        Some(secrets),
    )
    .unwrap();
    (exporter, spans)
}

/// A span with everything.
fn rich() -> SpanRecord {
    let trace = TraceId::from_bytes([1; 16]).unwrap();
    let context = TraceContext::new(trace, SpanId::from_bytes([2; 8]).unwrap(), 3);
    let mut span = SpanRecord::new(context, SpanKind::Client, "GET /orders/{id}", 1_000, 2_500);
    span.parent = SpanId::from_bytes([3; 8]);
    span.parent_is_remote = true;
    span.tracestate = Bytes::from_static(b"a=1,b=2");
    span.attributes.push("http.request.method", "GET");
    span.attributes.push_str("url.path", "/orders/7");
    span.attributes.push("http.response.status_code", 503);
    span.attributes.push("share", 0.5);
    span.attributes.push("retried", true);
    span.attributes.drop_more(4);
    let event = Event::new(1_200, "exception").attribute("exception.type", "Elapsed");
    span.events.push(event);
    span.status = SpanStatus::Error("too slow".into());
    span
}

#[tokio::test]
async fn the_received_spans_equal_those_sent() {
    for protocol in BOTH {
        let tasks = Tasks::new();
        let (receiver, mut config) = listening(protocol, Vec::new(), &tasks).await;
        let plain = [
            ("x-tenant".to_owned(), "all".to_owned()),
            ("a".to_owned(), "1".to_owned()),
        ];
        config.headers = plain.into();
        config.traces.headers = [("X-Tenant".to_owned(), "shop".to_owned())].into();
        let token = "${secret:env:TOKEN}".parse().unwrap();
        config.secret_headers = [("authorization".to_owned(), token)].into();
        let rotating = Arc::new(Rotating::new());
        let (registry, secrets) = (Registry::new(), Arc::clone(&rotating));
        let (exporter, spans) = build_with(config, &registry, &tasks, secrets);
        exporter.start().await.unwrap();
        rotating.rotate();
        // What follows the secret does so without the provider, too.
        drop(rotating);
        spans.record(rich());
        let counts = exporter.flush(10 * SECOND).await;
        assert_eq!((counts.produced, counts.exported), (1, 1));

        let seen = receiver.seen();
        assert_eq!(seen.len(), 1);
        let headers = &seen[0].headers;
        for (name, value) in [
            ("a", "1"),
            ("x-tenant", "shop"),
            // The first was there at the start.
            ("authorization", "Bearer 2"),
        ] {
            assert_eq!(headers[name], value);
        }
        let (path, form) = match protocol {
            Protocol::Grpc => (
                "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
                "application/grpc",
            ),
            _ => ("/v1/traces", "application/x-protobuf"),
        };
        assert_eq!(
            (seen[0].uri.path(), &headers["content-type"]),
            (path, &form.parse().unwrap())
        );
        if protocol == Protocol::Grpc {
            assert_eq!(
                (&headers["te"], &headers["grpc-timeout"]),
                (&"trailers".parse().unwrap(), &"10000m".parse().unwrap())
            );
        }
        check_request(&seen[0].message);
        drop(exporter);
        tasks.cancel();
    }
}

fn check_request(message: &Bytes) {
    let mut request = ExportTraceServiceRequest::decode(message.clone()).unwrap();
    let mut resource = request.resource_spans.remove(0);
    assert!(request.resource_spans.is_empty());
    let attributes = &resource.resource.as_ref().unwrap().attributes;
    for (key, value) in [
        ("service.name", "orders"),
        ("service.version", "1.2.3"),
        ("service.instance.id", "orders-0"),
        ("deployment.environment.name", "staging"),
        ("team", "shop"),
        ("telemetry.sdk.language", "rust"),
    ] {
        let found = attributes.iter().find(|attribute| attribute.key == key);
        let found = found.and_then(|attribute| attribute.value.clone());
        let value = Value::StringValue(value.to_owned());
        assert_eq!(found.and_then(|any| any.value), Some(value), "{key}");
    }
    let mut scope = resource.scope_spans.remove(0);
    assert_eq!(scope.scope.unwrap().name, "detectviz");
    let span = scope.spans.remove(0);
    assert!(scope.spans.is_empty());
    assert_eq!((span.trace_id, span.span_id), (vec![1; 16], vec![2; 8]));
    assert_eq!((span.parent_span_id, span.flags), (vec![3; 8], 0x303));
    assert_eq!(
        (span.trace_state.as_str(), span.name.as_str()),
        ("a=1,b=2", "GET /orders/{id}")
    );
    assert_eq!(span.kind, i32::from(proto::SpanKind::Client));
    assert_eq!(
        (span.start_time_unix_nano, span.end_time_unix_nano),
        (1_000, 2_500)
    );
    assert_eq!(
        (span.dropped_attributes_count, span.dropped_events_count),
        (4, 0)
    );
    let attributes = span
        .attributes
        .into_iter()
        .map(|kv| (kv.key, kv.value.unwrap().value.unwrap()));
    let expected = [
        ("http.request.method", Value::StringValue("GET".to_owned())),
        ("url.path", Value::StringValue("/orders/7".to_owned())),
        ("http.response.status_code", Value::IntValue(503)),
        ("share", Value::DoubleValue(0.5)),
        ("retried", Value::BoolValue(true)),
    ];
    assert!(attributes.eq(expected.map(|(key, value)| (key.to_owned(), value))));
    let [event] = span.events.as_slice() else {
        panic!("one event")
    };
    assert_eq!(
        (event.time_unix_nano, event.name.as_str()),
        (1_200, "exception")
    );
    assert_eq!(event.attributes[0].key, "exception.type");
    let status = Status {
        message: "too slow".to_owned(),
        code: 2,
    };
    assert_eq!(span.status, Some(status));
}

#[tokio::test]
async fn a_missing_secret_is_found_at_the_start() {
    let tasks = Tasks::new();
    let mut config = traces(Protocol::HttpProtobuf);
    let missing = "${secret:env:MISSING}".parse().unwrap();
    config.traces.secret_headers = [("authorization".to_owned(), missing)].into();
    let (exporter, spans) = build(config, &Registry::new(), &tasks);
    spans.record(span());
    let err = exporter.start().await.unwrap_err();
    assert_eq!(err.kind(), crate::error::ErrorKind::Unavailable);
    assert!(err.to_string().contains("${secret:env:MISSING}"), "{err}");
    let counts = exporter.flush(SECOND).await;
    assert_eq!((counts.produced, counts.shutdown), (1, 1));
}

#[tokio::test]
async fn a_dead_port_and_a_hanging_server_delay_no_exit() {
    for protocol in BOTH {
        for hangs in [true, false] {
            let tasks = Tasks::new();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut config = traces(protocol);
            config.endpoint = Some(listener.local_addr().unwrap().to_string());
            // The backlog accepts, and nobody ever answers; or the port is closed again.
            let _listener = hangs.then_some(listener);
            let (exporter, spans) = build(config, &Registry::new(), &tasks);
            exporter.start().await.unwrap();
            for _ in 0..5_000 {
                spans.record(span());
            }
            let began = std::time::Instant::now();
            let counts = exporter.flush(SECOND / 4).await;
            assert!(began.elapsed() < SECOND, "{:?}", began.elapsed());
            assert_eq!((counts.produced, counts.exported), (5_000, 0));
            assert_eq!(counts.produced, counts.dropped());
            drop(exporter);
            // The connections end with the exporter.
            tasks.join(10 * SECOND).await.unwrap();
        }
    }
}
