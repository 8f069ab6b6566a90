//! What is recorded of a request, and when.
mod access;
mod outcomes;

use crate::{
    names,
    route::{self, RouteTable},
    stack::{ResponseBody, Stack, StackConfig, StackDeps},
};
use bytes::Bytes;
use detectviz_core::telemetry::{
    context::TraceContext,
    metrics::{HistogramSnapshot, Registry, Value},
};
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, StreamBody};
use std::{convert::Infallible, future::pending, io, panic::AssertUnwindSafe, pin::pin};
use tower::{Layer, Service, ServiceExt, service_fn};

fn routes() -> RouteTable {
    let table = RouteTable::builder().route("/orders/{id}").route("/gone");
    table.probe("/livez").build().unwrap()
}

fn layer(metrics: &Registry) -> Stack {
    let deps = StackDeps::default().with_metrics(metrics.clone());
    Stack::new(&StackConfig::default(), deps.with_routes(routes())).unwrap()
}

fn request(method: &str, path: &str) -> Request<Full<Bytes>> {
    let body = Full::new(Bytes::from_static(b"in"));
    Request::builder()
        .method(method)
        .uri(path)
        .body(body)
        .unwrap()
}

/// Answers with the status that the header `answer` asks for, and five bytes.
async fn answer(req: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::new(Bytes::from_static(b"hello")));
    if let Some(status) = req.headers().get("answer") {
        *response.status_mut() = status.to_str().unwrap().parse().unwrap();
    }
    Ok(response)
}

fn count(metrics: &Registry, labels: [&str; 3]) -> u64 {
    match metrics.snapshot().value(names::REQUESTS, &labels) {
        Some(Value::Counter(count)) => *count,
        None => 0,
        other => panic!("{other:?}"),
    }
}

fn active(metrics: &Registry) -> f64 {
    match metrics
        .snapshot()
        .value(names::SERVER_ACTIVE_REQUESTS, &["GET", "http"])
    {
        Some(Value::Gauge(value)) => *value,
        None => 0.0,
        other => panic!("{other:?}"),
    }
}

/// The durations of GET under that route, status and `error.type`.
fn duration(
    metrics: &Registry,
    route: &str,
    status: &str,
    error: &str,
) -> Option<HistogramSnapshot> {
    let labels = ["GET", "http", route, status, error, "1.1"];
    match metrics
        .snapshot()
        .value(names::SERVER_REQUEST_DURATION, &labels)
    {
        Some(Value::Histogram(histogram)) => Some(histogram.clone()),
        None => None,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_request_is_recorded_when_its_body_ends_and_once() {
    let metrics = Registry::new();
    let mut svc = layer(&metrics).layer(service_fn(answer));
    let call = svc.call(request("GET", "/orders/7"));
    assert_eq!(active(&metrics), 1.0);
    let response = call.await.unwrap();
    assert_eq!(
        (
            active(&metrics),
            count(&metrics, ["GET", "/orders/{id}", "200"])
        ),
        (1.0, 0)
    );
    let mut body = response.into_body();
    while body.frame().await.is_some() {}
    assert_eq!(
        (
            active(&metrics),
            count(&metrics, ["GET", "/orders/{id}", "200"])
        ),
        (0.0, 1)
    );
    drop(body);
    assert_eq!(
        (
            active(&metrics),
            count(&metrics, ["GET", "/orders/{id}", "200"])
        ),
        (0.0, 1)
    );
    assert_eq!(
        duration(&metrics, "/orders/{id}", "200", "").unwrap().count,
        1
    );
}

#[tokio::test]
async fn labels_are_of_low_cardinality() {
    let metrics = Registry::new();
    let svc = layer(&metrics).layer(service_fn(answer));
    for (method, path, answer, labels) in [
        (
            "GET",
            "/orders/7?x=1",
            "200",
            ["GET", "/orders/{id}", "200"],
        ),
        (
            "BREW",
            "/orders/8",
            "201",
            ["_OTHER", "/orders/{id}", "201"],
        ),
        ("POST", "/wp-login.php", "404", ["POST", "", "404"]),
        ("PUT", "/orders/8", "503", ["PUT", "/orders/{id}", "503"]),
        ("GET", "/livez", "200", ["GET", "/livez", "200"]),
        ("PUT", "/orders/8", "599", ["PUT", "/orders/{id}", "599"]),
    ] {
        let mut req = request(method, path);
        req.headers_mut().insert("answer", answer.parse().unwrap());
        let response = svc.clone().oneshot(req).await.unwrap();
        response.into_body().collect().await.unwrap();
        assert_eq!(count(&metrics, labels), 1, "{method} {path}");
    }
}

#[tokio::test]
async fn how_a_request_ended_is_in_its_error_type() {
    let metrics = Registry::new();
    let svc = layer(&metrics).layer(service_fn(answer));
    let mut req = request("GET", "/orders/1");
    req.headers_mut().insert("answer", "500".parse().unwrap());
    let response = svc.clone().oneshot(req).await.unwrap();
    response.into_body().collect().await.unwrap();
    assert_eq!(
        duration(&metrics, "/orders/{id}", "500", "500")
            .unwrap()
            .count,
        1
    );

    drop(
        svc.clone()
            .oneshot(request("GET", "/orders/1"))
            .await
            .unwrap(),
    );
    let gone = duration(&metrics, "/orders/{id}", "200", "cancelled").unwrap();
    assert_eq!(gone.count, 1);

    let mut stuck = layer(&metrics).layer(service_fn(|_: Request<Full<Bytes>>| {
        pending::<Result<Response<Full<Bytes>>, Infallible>>()
    }));
    drop(stuck.call(request("GET", "/gone")));
    assert_eq!(
        duration(&metrics, "/gone", "", "cancelled").unwrap().count,
        1
    );
    assert_eq!(count(&metrics, ["GET", "/gone", ""]), 1);

    let failing = layer(&metrics).layer(service_fn(|_: Request<Full<Bytes>>| async {
        Err::<Response<Full<Bytes>>, _>(io::Error::other("x"))
    }));
    let response = failing.oneshot(request("GET", "/gone")).await.unwrap();
    response.into_body().collect().await.unwrap();
    let failed = duration(&metrics, "/gone", "500", "500").unwrap();
    assert_eq!(failed.count, 1);

    let broken = layer(&metrics).layer(service_fn(|_: Request<Full<Bytes>>| async {
        let frame =
            futures_util::stream::once(async { Err::<Frame<Bytes>, _>(io::Error::other("x")) });
        Ok::<_, Infallible>(Response::new(StreamBody::new(frame)))
    }));
    let body = broken
        .oneshot(request("GET", "/gone"))
        .await
        .unwrap()
        .into_body();
    body.collect().await.unwrap_err();
    assert_eq!(duration(&metrics, "/gone", "200", "body").unwrap().count, 1);
    assert_eq!(active(&metrics), 0.0);
}

#[tokio::test]
async fn a_panic_counts_as_500() {
    type Answer = Result<Response<Full<Bytes>>, Infallible>;
    async fn panics(_: Request<Full<Bytes>>) -> Answer {
        panic!("on purpose")
    }
    let metrics = Registry::new();
    let while_called = layer(&metrics).layer(service_fn(
        |_: Request<Full<Bytes>>| -> std::future::Ready<Answer> { panic!("on purpose") },
    ));
    let called = while_called.oneshot(request("GET", "/gone")).await;
    let while_polled = layer(&metrics).layer(service_fn(panics));
    let polled = while_polled.oneshot(request("GET", "/gone")).await;
    for response in [called, polled] {
        response.unwrap().into_body().collect().await.unwrap();
    }
    let panicked = duration(&metrics, "/gone", "500", "panic").unwrap();
    assert_eq!(panicked.count, 2);
    assert_eq!(count(&metrics, ["GET", "/gone", "500"]), 2);
}

#[test]
fn a_panic_in_a_body_is_no_success() {
    let metrics = Registry::new();
    let mut svc = layer(&metrics).layer(service_fn(|_: Request<Full<Bytes>>| async {
        let frames = futures_util::stream::poll_fn(
            |_| -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
                panic!("on purpose")
            },
        );
        Ok::<_, Infallible>(Response::new(StreamBody::new(frames)))
    }));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let mut call = pin!(svc.call(request("GET", "/gone")));
    let std::task::Poll::Ready(Ok(response)) = Future::poll(call.as_mut(), &mut cx) else {
        panic!("it answers at once")
    };
    let caught = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let mut body = pin!(response.into_body());
        let _ = body.as_mut().poll_frame(&mut cx).is_ready();
    }));
    assert!(caught.is_err());
    let panicked = duration(&metrics, "/gone", "200", "panic").unwrap();
    assert_eq!(panicked.count, 1);
}

#[tokio::test]
async fn a_body_that_a_server_need_not_poll_is_whole() {
    let metrics = Registry::new();
    let svc = layer(&metrics).layer(service_fn(answer));
    drop(svc.clone().oneshot(request("HEAD", "/gone")).await.unwrap());
    let mut req = request("GET", "/gone");
    req.headers_mut().insert("answer", "304".parse().unwrap());
    drop(svc.clone().oneshot(req).await.unwrap());
    let mut body = svc
        .oneshot(request("GET", "/gone"))
        .await
        .unwrap()
        .into_body();
    body.frame().await.unwrap().unwrap();
    drop(body);
    let labels = ["HEAD", "http", "/gone", "200", "", "1.1"];
    assert!(
        metrics
            .snapshot()
            .value(names::SERVER_REQUEST_DURATION, &labels)
            .is_some()
    );
    for status in ["304", "200"] {
        assert_eq!(
            duration(&metrics, "/gone", status, "").unwrap().count,
            1,
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_sampled_request_leaves_an_exemplar() {
    let metrics = Registry::new();
    let svc = layer(&metrics).layer(service_fn(answer));
    for sampled in [false, true] {
        let context = TraceContext::root(sampled);
        let mut req = request("GET", "/gone");
        let header = context.to_header();
        let header = http::HeaderValue::from_bytes(&header).unwrap();
        req.headers_mut().insert("traceparent", header);
        let response = svc.clone().oneshot(req).await.unwrap();
        response.into_body().collect().await.unwrap();
        let histogram = duration(&metrics, "/gone", "200", "").unwrap();
        let ids: Vec<_> = histogram.exemplars.iter().map(|e| e.trace_id).collect();
        assert_eq!(
            ids,
            if sampled {
                vec![context.trace_id()]
            } else {
                vec![]
            }
        );
    }
}

#[tokio::test]
async fn more_series_than_are_kept_are_counted_all_the_same() {
    let metrics = Registry::new();
    let svc = layer(&metrics).layer(service_fn(answer));
    for _ in 0..2 {
        for status in 400..440 {
            let mut req = request("GET", "/gone");
            req.headers_mut().insert("answer", status.into());
            svc.clone()
                .oneshot(req)
                .await
                .unwrap()
                .into_body()
                .collect()
                .await
                .unwrap();
        }
    }
    for status in 400..440 {
        assert_eq!(count(&metrics, ["GET", "/gone", &status.to_string()]), 2);
    }
}

#[tokio::test]
async fn axum_tells_its_routes() {
    use axum::{Router, extract::MatchedPath, middleware::from_fn, routing::get};
    let metrics = Registry::new();
    let tell = from_fn(
        |path: MatchedPath, req: axum::extract::Request, next: axum::middleware::Next| {
            route::matched(path.as_str());
            next.run(req)
        },
    );
    let deps = StackDeps::default().with_metrics(metrics.clone());
    let stack = Stack::new(&StackConfig::default(), deps).unwrap();
    let app: Router = Router::new()
        .route("/users/{id}", get(|| async { "a user" }))
        .route_layer(tell)
        .layer(stack);
    for path in ["/users/1", "/users/2", "/nobody"] {
        let req = Request::get(path).body(axum::body::Body::empty()).unwrap();
        let response = app.clone().oneshot(req).await.unwrap();
        response.into_body().collect().await.unwrap();
    }
    assert_eq!(count(&metrics, ["GET", "/users/{id}", "200"]), 2);
    assert_eq!(count(&metrics, ["GET", "", "404"]), 1);
}

fn assert_bounds<T: Send + Sync + 'static>(_: &T) {}

#[test]
fn bodies_and_futures_can_be_sent() {
    let mut svc = layer(&Registry::new()).layer(service_fn(answer));
    assert_bounds(&svc);
    assert_bounds(&svc.call(request("GET", "/")));
    fn body<B: Body + Send>() {}
    body::<ResponseBody<Full<Bytes>>>();
}
