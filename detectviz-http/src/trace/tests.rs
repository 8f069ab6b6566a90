use crate::{
    propagation::{Format, PropagationConfig, Propagators},
    route::{self, RouteTable},
    stack::{Stack, StackConfig, StackDeps},
};
use bytes::Bytes;
use detectviz_core::telemetry::{
    context::{Slot, TraceContext, current},
    span::{Sampler, SpanKind, SpanRecord, SpanStatus, Spans, ValueRef},
};
use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use std::{
    convert::Infallible,
    future::{pending, poll_fn},
    io,
    pin::pin,
    task::Poll,
    time::Duration,
};
use tower::{Layer, Service, ServiceExt, service_fn};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn slot() -> Option<Slot> {
    current(|slot| slot.cloned())
}

fn deps(spans: &Spans) -> StackDeps {
    StackDeps::default().with_spans(spans.clone())
}

fn layer(spans: &Spans) -> Stack {
    Stack::new(&StackConfig::default(), deps(spans)).unwrap()
}

fn get(headers: &[(&str, &str)]) -> Request<Empty<Bytes>> {
    let mut req = Request::get("/orders/7?token=secret");
    for (name, value) in headers {
        req = req.header(*name, *value);
    }
    req.body(Empty::new()).unwrap()
}

/// A service that answers with the slot it runs in.
async fn echo(_: Request<Empty<Bytes>>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let mut response = Response::new(Empty::new());
    response.extensions_mut().insert(slot().unwrap());
    Ok(response)
}

async fn slot_of(layer: &Stack, headers: &[(&str, &str)]) -> Slot {
    let response = layer.layer(service_fn(echo)).oneshot(get(headers)).await;
    response.unwrap().extensions_mut().remove().unwrap()
}

fn recorded(spans: &Spans) -> Vec<SpanRecord> {
    let batch = spans.take(100);
    batch.map_or_else(Vec::new, |batch| batch.spans().to_vec())
}

fn text(span: &SpanRecord, key: &str) -> Option<String> {
    span.attributes.value(key).map(|value| match value {
        ValueRef::Text(text) => text.to_owned(),
        ValueRef::I64(number) => number.to_string(),
        other => panic!("{other:?}"),
    })
}

#[tokio::test]
async fn a_trace_of_a_caller_is_continued_and_its_sampling_followed() {
    let spans = Spans::new(Sampler::always_off());
    let layer = layer(&spans);
    let parent = TraceContext::parse(PARENT.as_bytes()).unwrap();
    let headers = [
        ("traceparent", PARENT),
        ("tracestate", "a=1"),
        ("baggage", "b=2"),
    ];
    let slot = slot_of(&layer, &headers).await;
    assert_eq!(slot.context.trace_id(), parent.trace_id());
    assert_ne!(slot.context.span_id(), parent.span_id());
    assert_eq!(slot.parent, Some(parent.span_id()));
    assert!(slot.context.is_sampled());
    assert_eq!(
        (&*slot.tracestate, &*slot.baggage),
        (&b"a=1"[..], &b"b=2"[..])
    );
    let unsampled = PARENT.replace("-01", "-00");
    let slot = slot_of(&layer, &[("traceparent", &unsampled)]).await;
    assert!(!slot.context.is_sampled());
    let spans = recorded(&spans);
    assert_eq!(spans.len(), 1);
    assert_eq!(spans[0].parent, Some(parent.span_id()));
    assert!(spans[0].parent_is_remote);
    assert_eq!(spans[0].tracestate, "a=1");
}

#[tokio::test]
async fn without_a_caller_the_sampler_decides() {
    for (sampler, sampled) in [(Sampler::always_on(), true), (Sampler::always_off(), false)] {
        let spans = Spans::new(sampler);
        let slot = slot_of(&layer(&spans), &[]).await;
        assert_eq!(slot.context.is_sampled(), sampled);
        assert_eq!(slot.context.flags() & 2, 2, "the id is random");
        assert_eq!(slot.parent, None);
        assert_eq!(recorded(&spans).len(), usize::from(sampled));
    }
}

#[tokio::test]
async fn b3_can_ask_for_a_trace_that_starts_here() {
    let formats = PropagationConfig::default().formats([Format::B3]);
    let spans = Spans::new(Sampler::always_off());
    let deps = deps(&spans).with_propagators(Propagators::new(&formats));
    let layer = Stack::new(&StackConfig::default(), deps).unwrap();
    assert!(slot_of(&layer, &[("b3", "1")]).await.context.is_sampled());
    assert!(!slot_of(&layer, &[("b3", "0")]).await.context.is_sampled());
}

#[tokio::test]
async fn strangers_are_not_believed_when_so_configured() {
    let mut config = StackConfig::default();
    config.trace.trust_remote = false;
    let layer = Stack::new(&config, deps(&Spans::new(Sampler::always_off()))).unwrap();
    let slot = slot_of(&layer, &[("traceparent", PARENT), ("baggage", "b=2")]).await;
    assert!(!PARENT.contains(&slot.context.trace_id().to_string()));
    assert!(slot.parent.is_none() && slot.baggage.is_empty() && !slot.context.is_sampled());
}

#[tokio::test]
async fn a_span_has_the_attributes_of_the_conventions() {
    let spans = Spans::new(Sampler::always_on());
    let routes = RouteTable::builder().route("/orders/{id}").build().unwrap();
    let svc = service_fn(|_: Request<Empty<Bytes>>| async {
        let mut response = Response::new(Full::new(Bytes::from_static(b"late")));
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        Ok::<_, Infallible>(response)
    });
    let layer = Stack::new(&StackConfig::default(), deps(&spans).with_routes(routes)).unwrap();
    let long = "x".repeat(300);
    let headers = [("host", "shop.example:8080"), ("user-agent", &*long)];
    let response = layer.layer(svc).oneshot(get(&headers)).await.unwrap();
    assert!(recorded(&spans).is_empty(), "the body is still to come");
    response.into_body().collect().await.unwrap();
    let spans = recorded(&spans);
    let span = &spans[0];
    assert_eq!(
        (span.name.as_str(), span.kind),
        ("GET /orders/{id}", SpanKind::Server)
    );
    for (key, value) in [
        ("http.request.method", "GET"),
        ("url.scheme", "http"),
        ("url.path", "/orders/7"),
        ("http.route", "/orders/{id}"),
        ("network.protocol.version", "1.1"),
        ("server.address", "shop.example"),
        ("server.port", "8080"),
        ("user_agent.original", &long[..128]),
        ("http.response.status_code", "503"),
        ("error.type", "503"),
    ] {
        assert_eq!(text(span, key).as_deref(), Some(value), "{key}");
    }
    assert_eq!(span.attributes.dropped(), 0);
    assert!(matches!(span.status, SpanStatus::Error(_)));
    assert!(span.end_unix_nanos >= span.start_unix_nanos && span.start_unix_nanos > 1 << 60);
}

#[tokio::test]
async fn a_request_that_is_given_up_ends_its_span_as_cancelled() {
    let spans = Spans::new(Sampler::always_on());
    let mut svc = layer(&spans).layer(service_fn(|_: Request<Empty<Bytes>>| {
        pending::<Result<Response<Empty<Bytes>>, Infallible>>()
    }));
    let call = svc.call(get(&[]));
    assert!(tokio::time::timeout(Duration::ZERO, call).await.is_err());
    let spans = recorded(&spans);
    assert_eq!(text(&spans[0], "error.type").as_deref(), Some("cancelled"));
    assert_eq!(text(&spans[0], "http.response.status_code"), None);
}

#[tokio::test]
async fn the_slot_is_in_place_for_the_body_and_for_destructors() {
    struct SeesSlot;
    impl Drop for SeesSlot {
        fn drop(&mut self) {
            assert!(slot().is_some(), "dropped outside of the slot");
        }
    }
    let spans = Spans::new(Sampler::always_on());
    let svc = layer(&spans).layer(service_fn(|_: Request<Empty<Bytes>>| async {
        let held = SeesSlot;
        let frames = futures_util::stream::poll_fn(move |_| {
            let _ = &held;
            let id = slot().expect("polled in the slot").context.trace_id();
            Poll::Ready(Some(Ok::<_, io::Error>(http_body::Frame::data(
                Bytes::from(id.to_string()),
            ))))
        });
        let _local = SeesSlot;
        Ok::<_, Infallible>(Response::new(StreamBody::new(frames)))
    }));
    let mut body = pin!(
        svc.oneshot(get(&[("traceparent", PARENT)]))
            .await
            .unwrap()
            .into_body()
    );
    let frame = poll_fn(|cx| body.as_mut().poll_frame(cx))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(frame.into_data().unwrap(), &PARENT.as_bytes()[3..35]);
    assert!(slot().is_none());
}

#[tokio::test]
async fn a_service_says_its_route_itself() {
    let spans = Spans::new(Sampler::always_on());
    let svc = layer(&spans).layer(service_fn(|req| {
        route::matched("/users/{id}");
        echo(req)
    }));
    svc.oneshot(get(&[])).await.unwrap();
    assert_eq!(recorded(&spans)[0].name.as_str(), "GET /users/{id}");
}
