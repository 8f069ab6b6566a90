//! The trace goes along, and spans say what was called.
use super::{support::Upstream, *};
use detectviz_core::telemetry::{
    context::{Slot, TraceContext},
    hub::{self, TelemetrySubscriber},
    logs::{LogsConfig, Output},
    span::{Sampler, SpanKind, SpanRecord, SpanStatus, Spans, ValueRef},
};
use tower::ServiceExt;
use tracing::{Instrument, instrument::WithSubscriber};

fn traced(spans: &Spans) -> Client {
    let builder = ClientBuilder::new(ClientConfig::default()).with_spans(spans.clone());
    builder.build(&Tasks::new()).unwrap()
}

fn taken(spans: &Spans) -> SpanRecord {
    let batch = spans.take(10).expect("a span was recorded");
    assert_eq!(batch.spans().len(), 1);
    let span = batch.spans()[0].clone();
    batch.exported(0);
    span
}

fn string(span: &SpanRecord, key: &str) -> String {
    match span.attributes.value(key) {
        Some(ValueRef::Text(text)) => text.to_owned(),
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn a_call_is_a_child_of_the_request_that_is_served() {
    let upstream = Upstream::echo().await;
    let spans = Spans::new(Sampler::default());
    let client = traced(&spans);
    let mut slot = Slot::new(TraceContext::root(true));
    slot.tracestate = Bytes::from_static(b"vendor=1");
    slot.baggage = Bytes::from_static(b"user=7");
    let outer = slot.context;
    let call = async {
        let uri = upstream.uri("/v1?token=hush");
        client
            .clone()
            .oneshot(Request::get(uri).body(Body::empty()).unwrap())
            .await
            .unwrap()
    };
    let answer = slot.scope(call).await;
    let header = answer.headers()["x-traceparent"].clone();
    let sent = TraceContext::parse(header.as_bytes()).unwrap();
    assert_eq!(sent.trace_id(), outer.trace_id());
    assert_ne!(sent.span_id(), outer.span_id());
    assert_eq!(answer.headers()["x-tracestate"], "vendor=1");
    assert_eq!(answer.headers()["x-baggage"], "user=7");
    text(answer).await;

    let span = taken(&spans);
    assert_eq!(span.context, sent);
    assert_eq!(span.parent, Some(outer.span_id()));
    assert_eq!(span.kind, SpanKind::Client);
    assert!(span.end_unix_nanos >= span.start_unix_nanos);
    let port = i64::from(upstream.addr().port());
    for (key, expected) in [
        ("http.request.method", ValueRef::Text("GET")),
        ("server.address", ValueRef::Text("127.0.0.1")),
        ("server.port", ValueRef::I64(port)),
        ("http.response.status_code", ValueRef::I64(200)),
    ] {
        assert_eq!(span.attributes.value(key), Some(expected), "{key}");
    }
    let url = string(&span, "url.full");
    assert!(url.ends_with("/v1?token=REDACTED"), "{url}");
    assert_eq!(span.status, SpanStatus::Unset);
}

#[tokio::test]
async fn a_call_is_a_child_of_the_span_that_a_user_is_in() {
    // With one subscriber alone, tracing caches the interest of the thread that asks first.
    let _second = tracing::Dispatch::new(TelemetrySubscriber::new());
    let subscriber = tracing::Dispatch::new(TelemetrySubscriber::new());
    let tasks = Tasks::new();
    let output = Output::new(std::io::sink());
    let logs = LogsConfig::default().build("test", output, &tasks).unwrap();
    let spans = Spans::new(Sampler::default());
    let _registered = hub::register(tasks.runtime(), hub::Outputs::new(logs, spans.clone()));
    let upstream = Upstream::echo().await;
    let client = traced(&spans);
    let work = async {
        let around = hub::current_context().unwrap();
        (around, client.get(upstream.uri("/")).await.unwrap())
    };
    let request = Slot::new(TraceContext::root(true));
    let trace = request.context.trace_id();
    let handler = async move { work.instrument(tracing::info_span!("work")).await };
    let handler = tasks.runtime().scope(request.scope(handler));
    let (around, answer) = handler.with_subscriber(subscriber).await;
    let sent = TraceContext::parse(answer.headers()["x-traceparent"].as_bytes()).unwrap();
    text(answer).await;
    assert_eq!((sent.trace_id(), around.trace_id()), (trace, trace));
    let batch = spans.take(10).unwrap();
    let call = batch
        .spans()
        .iter()
        .find(|span| span.kind == SpanKind::Client);
    assert_eq!(call.unwrap().parent, Some(around.span_id()));
    batch.exported(0);
}

#[tokio::test]
async fn a_call_outside_of_any_request_starts_a_trace() {
    let upstream = Upstream::echo().await;
    let spans = Spans::new(Sampler::default());
    let client = traced(&spans);
    let answer = client.get(upstream.uri("/")).await.unwrap();
    let header = answer.headers()["x-traceparent"].clone();
    text(answer).await;
    let span = taken(&spans);
    assert_eq!(header, &span.context.to_header()[..]);
    assert_eq!(span.parent, None);
}

#[tokio::test]
async fn failures_are_named_in_the_span() {
    let upstream = Upstream::echo().await;
    let spans = Spans::new(Sampler::default());
    let client = traced(&spans);
    let request = Request::get(upstream.uri("/")).header("x-want-status", "503");
    let answer = client
        .request(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    drop(answer);
    let span = taken(&spans);
    assert_eq!(string(&span, "error.type"), "503");
    assert!(matches!(span.status, SpanStatus::Error(_)));

    let nobody = client.get("http://127.0.0.1:1/".parse().unwrap());
    assert!(nobody.await.is_err());
    assert_eq!(string(&taken(&spans), "error.type"), "connect_failed");

    drop(client.get(upstream.uri("/")));
    assert_eq!(string(&taken(&spans), "error.type"), "cancelled");
}

#[tokio::test]
async fn an_unsampled_call_records_no_span_and_passes_the_decision_on() {
    let upstream = Upstream::echo().await;
    let spans = Spans::new(Sampler::default());
    let client = traced(&spans);
    let slot = Slot::new(TraceContext::root(false));
    let answer = slot
        .scope(async { client.get(upstream.uri("/")).await.unwrap() })
        .await;
    assert!(
        answer.headers()["x-traceparent"]
            .to_str()
            .unwrap()
            .ends_with("-02")
    );
    text(answer).await;
    assert!(spans.take(1).is_none());
}

#[tokio::test]
async fn each_attempt_is_told_with_its_endpoint_and_what_it_brought() {
    let upstream = Upstream::echo().await;
    let spans = Spans::new(Sampler::always_on());
    let client = traced(&spans);
    text(client.get(upstream.uri("/")).await.unwrap()).await;
    let only = taken(&spans);
    assert!(
        only.events.as_slice().is_empty(),
        "the span is that of the attempt"
    );
    assert_eq!(string(&only, "network.peer.address"), "127.0.0.1");

    let request = Request::get(upstream.uri("/")).header("x-want-status", "503");
    let answer = client.request(request.body(Body::empty()).unwrap()).await;
    text(answer.unwrap()).await;
    let span = taken(&spans);
    let resent = span.attributes.value("http.request.resend_count");
    assert_eq!(resent, Some(ValueRef::I64(2)));
    let authority = upstream.authority();
    let attempts = span.events.as_slice().iter();
    let attempts: Vec<_> = attempts
        .filter(|event| event.name.as_str() == "attempt")
        .map(|event| {
            assert!((span.start_unix_nanos..=span.end_unix_nanos).contains(&event.time_unix_nanos));
            event
                .attributes()
                .iter()
                .map(|(key, value)| (*key, value.as_ref()))
                .collect::<Vec<_>>()
        })
        .collect();
    let expected = [1, 2, 3].map(|number| {
        vec![
            ("attempt", ValueRef::I64(number)),
            ("endpoint", ValueRef::Text(&authority)),
            ("http.response.status_code", ValueRef::I64(503)),
        ]
    });
    assert_eq!(attempts, expected);

    let nobody = client.get("http://127.0.0.1:1/".parse().unwrap());
    assert!(nobody.await.is_err());
    let span = taken(&spans);
    let first = span
        .events
        .as_slice()
        .iter()
        .find(|event| event.name.as_str() == "attempt");
    let why = first.unwrap().attributes().last().unwrap();
    assert_eq!(
        (why.0, why.1.as_ref()),
        ("error.type", ValueRef::Text("connect_failed"))
    );
}
