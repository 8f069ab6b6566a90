use crate::stack::{Stack, StackConfig, StackDeps};
use bytes::Bytes;
use detectviz_core::telemetry::span::{Sampler, Spans, ValueRef};
use http::{Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use std::convert::Infallible;
use tower::{Service, ServiceExt, service_fn};

type Answer = Result<Response<Full<Bytes>>, Infallible>;

async fn handler(req: Request<Empty<Bytes>>) -> Answer {
    match req.uri().path() {
        "/poll" => panic!("while polled"),
        "/later" => {
            tokio::task::yield_now().await;
            panic!("after a while")
        }
        _ => Ok(Response::new(Full::new(Bytes::from_static(b"fine")))),
    }
}

fn get(path: &str) -> Request<Empty<Bytes>> {
    Request::get(path)
        .header(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        )
        .body(Empty::new())
        .unwrap()
}

#[tokio::test]
async fn a_panic_is_answered_with_its_trace_and_the_service_lives_on() {
    let spans = Spans::new(Sampler::always_on());
    let handler = service_fn(|req: Request<Empty<Bytes>>| {
        assert_ne!(req.uri().path(), "/call", "while called");
        handler(req)
    });
    let deps = StackDeps::default().with_spans(spans.clone());
    let mut svc = Stack::new(&StackConfig::default(), deps)
        .unwrap()
        .service(handler);
    for path in ["/call", "/poll", "/later"] {
        let response = svc.ready().await.unwrap().call(get(path)).await.unwrap();
        assert_eq!(response.status(), 500, "{path}");
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            body["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736",
            "{path}"
        );
        assert!(!body.to_string().contains("while"), "the text stays inside");
        let batch = spans.take(9).unwrap();
        let span = &batch.spans()[0];
        assert_eq!(
            span.attributes.value("error.type"),
            Some(ValueRef::Text("panic"))
        );
        assert_eq!(
            span.attributes.value("http.response.status_code"),
            Some(ValueRef::I64(500))
        );
    }
    let response = svc.ready().await.unwrap().call(get("/")).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "fine");
}
