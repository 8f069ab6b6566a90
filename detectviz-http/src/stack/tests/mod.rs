//! The layers together.
mod wire;

use super::*;
use crate::{names, route::RouteTable};
use bytes::Bytes;
use detectviz_core::{
    config::check,
    telemetry::{
        metrics::{Registry, Value},
        span::{Sampler, Spans, ValueRef},
    },
};
use http::{Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use std::io;
use tower::{Service, ServiceExt, service_fn};

async fn handler(req: Request<Empty<Bytes>>) -> Result<Response<Full<Bytes>>, io::Error> {
    match req.uri().path() {
        "/panic" => panic!("on purpose"),
        "/refused" => Err(io::ErrorKind::ConnectionRefused.into()),
        _ => Ok(Response::new(Full::new(Bytes::from_static(b"hello")))),
    }
}

#[tokio::test]
async fn every_layer_sees_the_same_request() {
    let (metrics, spans) = (Registry::new(), Spans::new(Sampler::always_on()));
    let routes = RouteTable::builder().route("/{what}").build().unwrap();
    let deps = StackDeps::default()
        .with_metrics(metrics.clone())
        .with_spans(spans.clone())
        .with_routes(routes);
    let mut svc = Stack::new(&StackConfig::default(), deps)
        .unwrap()
        .service(service_fn(handler));
    for (path, status, error) in [
        ("/hello", "200", ""),
        ("/panic", "500", "panic"),
        ("/refused", "502", "502"),
    ] {
        let req = Request::get(path).body(Empty::new()).unwrap();
        let response = svc.ready().await.unwrap().call(req).await.unwrap();
        assert_eq!(response.status().as_str(), status, "{path}");
        response.into_body().collect().await.unwrap();
        let batch = spans.take(9).unwrap();
        let [span] = batch.spans() else {
            panic!("{} spans", batch.len())
        };
        assert_eq!(span.name.as_str(), "GET /{what}");
        let read = span.attributes.value("error.type");
        assert_eq!(read.unwrap_or(ValueRef::Text("")), ValueRef::Text(error));
        let labels = ["GET", "http", "/{what}", status, error, "1.1"];
        let snapshot = metrics.snapshot();
        let Some(Value::Histogram(durations)) =
            snapshot.value(names::SERVER_REQUEST_DURATION, &labels)
        else {
            panic!("{path} was not measured")
        };
        assert_eq!(durations.count, 1);
        assert_eq!(durations.exemplars[0].trace_id, span.context.trace_id());
        let counted = snapshot.value(names::REQUESTS, &["GET", "/{what}", status]);
        assert_eq!(counted, Some(&Value::Counter(1)));
    }
    let panics = metrics.snapshot().value(names::PANICS, &[]).cloned();
    assert_eq!(panics, Some(Value::Counter(1)));
}

#[tokio::test]
async fn a_malformed_traceparent_starts_a_trace_and_is_counted() {
    let metrics = Registry::new();
    let deps = StackDeps::default().with_metrics(metrics.clone());
    let stack = Stack::new(&StackConfig::default(), deps).unwrap();
    let svc = stack.service(service_fn(handler));
    let req = Request::get("/").header("traceparent", "00-zero");
    svc.oneshot(req.body(Empty::new()).unwrap()).await.unwrap();
    for (header, count) in [("traceparent", 1), ("tracestate", 0), ("b3", 0)] {
        let counted = metrics
            .snapshot()
            .value(names::PROPAGATION_MALFORMED, &[header])
            .cloned();
        assert_eq!(counted, Some(Value::Counter(count)), "{header}");
    }
}

#[tokio::test]
async fn it_fits_around_an_axum_router() {
    let stack = Stack::new(&StackConfig::default(), StackDeps::default()).unwrap();
    let app: axum::Router = axum::Router::new()
        .route("/", axum::routing::get(|| async { "hello" }))
        .layer(stack);
    let req = Request::get("/").body(axum::body::Body::empty()).unwrap();
    let body = app.oneshot(req).await.unwrap().into_body();
    assert_eq!(body.collect().await.unwrap().to_bytes(), "hello");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_answered_and_counted_as_413() {
    use crate::body::{BodyError, RequestBody};
    let metrics = Registry::new();
    let deps = StackDeps::default().with_metrics(metrics.clone());
    let handler = service_fn(|req: Request<RequestBody>| async {
        let body = req.into_body().collect().await?.to_bytes();
        Ok::<_, BodyError>(Response::new(Full::new(body)))
    });
    let svc = Stack::new(&StackConfig::default(), deps)
        .unwrap()
        .service(handler);
    let req = Request::post("/")
        .body(RequestBody::from("hello").limit(3))
        .unwrap();
    let response = svc.oneshot(req).await.unwrap();
    assert_eq!(response.status(), 413);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&body).contains("larger than this service takes"));
    let counted = metrics
        .snapshot()
        .value(names::REQUESTS, &["POST", "", "413"])
        .cloned();
    assert_eq!(counted, Some(Value::Counter(1)));
}

#[test]
fn settings_are_plain_data_and_strict() {
    let text = r#"{"trace":{"trust_remote":false},"observe":{"access_log":false}}"#;
    let config: StackConfig = serde_json::from_str(text).unwrap();
    assert!(!config.trace.trust_remote && !config.observe.access_log);
    assert!(check(&config).is_ok());
    assert_eq!(
        serde_json::from_str::<StackConfig>("{}").unwrap(),
        StackConfig::default()
    );
    assert!(serde_json::from_str::<StackConfig>(r#"{"tracing":{}}"#).is_err());
}

#[tokio::test]
async fn the_page_of_metrics_is_answered_whatever_is_refused() {
    use crate::admission::AdmissionConfig;
    use detectviz_core::resilience::bulkhead::BulkheadConfig;
    let limit = BulkheadConfig::default().max_concurrent(1).max_queue(0);
    let config = StackConfig {
        admission: AdmissionConfig::default().concurrency(limit),
        ..StackConfig::default()
    };
    for wanted in [true, false] {
        let deps = StackDeps::default().with_metrics_page(wanted);
        let stack = Stack::new(&config, deps).unwrap();
        let mut svc = stack.service(service_fn(handler));
        let taken = stack.admission().concurrency().clone();
        let permit = taken.try_acquire().unwrap();
        for (method, path, page) in [
            ("GET", "/metrics", wanted),
            ("HEAD", "/metrics", wanted),
            ("POST", "/metrics", false),
            ("GET", "/metrics/", false),
        ] {
            let req = Request::builder().method(method).uri(path);
            let req = req.body(Empty::new()).unwrap();
            let response = svc.ready().await.unwrap().call(req).await.unwrap();
            let expected = if page { 200 } else { 503 };
            assert_eq!(response.status(), expected, "{method} {path}");
            assert_eq!(response.headers().contains_key("vary"), page);
        }
        drop(permit);
    }
}
