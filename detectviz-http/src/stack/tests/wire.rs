//! The stack under a real hyper connection.
use super::super::*;
use crate::names;
use bytes::Bytes;
use detectviz_core::telemetry::metrics::{Registry, Value};
use http::{Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    service::TowerToHyperService,
};
use std::{convert::Infallible, task::Poll};
use tower::service_fn;

type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, Infallible>;

async fn handler(req: Request<hyper::body::Incoming>) -> Result<Response<Body>, Infallible> {
    assert_ne!(req.uri().path(), "/panic", "on purpose");
    // hyper leaves out the body that follows HEAD on HTTP/1 only.
    let none = req.method() == http::Method::HEAD && req.version() == Version::HTTP_2;
    let body = match req.uri().path() {
        _ if none => Empty::new().boxed_unsync(),
        "/empty" => Empty::new().boxed_unsync(),
        "/stream" => {
            let mut left = 3;
            StreamBody::new(futures_util::stream::poll_fn(move |_| {
                left -= 1;
                let frame = http_body::Frame::data(Bytes::from_static(b"part"));
                Poll::Ready((left >= 0).then_some(Ok(frame)))
            }))
            .boxed_unsync()
        }
        _ => Full::new(Bytes::from_static(b"hello")).boxed_unsync(),
    };
    Ok(Response::new(body))
}

/// Sends the requests one after the other on one connection; gives the statuses and what was counted.
async fn exchange(version: Version, requests: &[(&str, &str)]) -> (Vec<StatusCode>, Registry) {
    let metrics = Registry::new();
    let deps = StackDeps::default().with_metrics(metrics.clone());
    let stack = Stack::new(&StackConfig::default(), deps).unwrap();
    let svc = TowerToHyperService::new(stack.service(service_fn(handler)));
    let (client, server) = tokio::io::duplex(4096);
    let (client, server) = (TokioIo::new(client), TokioIo::new(server));
    let mut statuses = Vec::new();
    let request = |method: &str, path: &str| {
        let uri = format!("http://shop.example{path}");
        let req = Request::builder()
            .method(method)
            .uri(uri)
            .header("host", "shop.example");
        req.body(Empty::<Bytes>::new()).unwrap()
    };
    macro_rules! drive {
        ($server:expr, $handshake:expr) => {{
            let mut served = std::pin::pin!($server);
            let client = async {
                let (mut sender, conn) = $handshake.await.unwrap();
                let calls = async {
                    for (method, path) in requests {
                        sender.ready().await.unwrap();
                        let response = sender.send_request(request(method, path)).await.unwrap();
                        statuses.push(response.status());
                        response.into_body().collect().await.unwrap();
                    }
                };
                tokio::select! {
                    () = calls => {}
                    _ = conn => panic!("the connection ended early"),
                }
            };
            let mut client = std::pin::pin!(client);
            tokio::select! {
                () = &mut client => {}
                _ = &mut served => panic!("the server ended early"),
            }
        }};
    }
    if version == Version::HTTP_2 {
        drive!(
            hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .serve_connection(server, svc),
            hyper::client::conn::http2::handshake(TokioExecutor::new(), client)
        );
    } else {
        drive!(
            hyper::server::conn::http1::Builder::new().serve_connection(server, svc),
            hyper::client::conn::http1::handshake(client)
        );
    }
    (statuses, metrics)
}

#[tokio::test]
async fn a_connection_outlives_a_panic_and_what_it_carries_is_whole() {
    let requests = [
        ("GET", "/hello"),
        ("GET", "/panic"),
        ("HEAD", "/hello"),
        ("GET", "/empty"),
        ("GET", "/stream"),
    ];
    for (version, shown) in [(Version::HTTP_11, "1.1"), (Version::HTTP_2, "2")] {
        let (statuses, metrics) = exchange(version, &requests).await;
        assert_eq!(statuses, [200, 500, 200, 200, 200]);
        let snapshot = metrics.snapshot();
        for (method, status, error, count) in [
            ("GET", "200", "", 3),
            ("HEAD", "200", "", 1),
            ("GET", "500", "panic", 1),
        ] {
            let labels = [method, "http", "", status, error, shown];
            let value = snapshot.value(names::SERVER_REQUEST_DURATION, &labels);
            let Some(Value::Histogram(histogram)) = value else {
                panic!("{labels:?} in {snapshot:?}")
            };
            assert_eq!(histogram.count, count, "{labels:?}");
        }
        let series = snapshot
            .metrics
            .iter()
            .find(|m| m.desc.name == names::SERVER_REQUEST_DURATION);
        assert_eq!(
            series.unwrap().series.len(),
            3,
            "nothing is taken for cancelled"
        );
    }
}
