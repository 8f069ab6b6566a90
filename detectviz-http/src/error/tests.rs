use super::*;
use bytes::Bytes;
use detectviz_core::{
    discovery::{DiscoveryError, DiscoveryErrorKind},
    error::{BoxError, Error, ErrorKind},
    telemetry::context::{Slot, TraceContext},
};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use std::{convert::Infallible, io};
use tower::{ServiceBuilder, ServiceExt, service_fn};

#[tokio::test(start_paused = true)]
async fn each_cause_has_its_status_through_any_wrapping() {
    let elapsed = tokio::time::timeout(std::time::Duration::ZERO, std::future::pending::<()>())
        .await
        .unwrap_err();
    let unknown = DiscoveryError::new(DiscoveryErrorKind::UnknownService, "orders", "declare it");
    let causes: [(BoxError, u16); 7] = [
        (elapsed.into(), 504),
        (unknown.into(), 503),
        (
            io::Error::from(io::ErrorKind::ConnectionRefused).into(),
            502,
        ),
        (io::Error::from(io::ErrorKind::TimedOut).into(), 504),
        (io::Error::from(io::ErrorKind::NotFound).into(), 500),
        (Refusal::new(StatusCode::CONFLICT, "it is sold").into(), 409),
        ("a text".into(), 500),
    ];
    for (cause, status) in causes {
        let shown = cause.to_string();
        assert_eq!(status_of(&*cause), status, "{shown}");
        let wrapped = Error::new(ErrorKind::Internal, "outer").with_source(cause);
        assert_eq!(status_of(&wrapped), status, "wrapped: {shown}");
    }
}

#[tokio::test]
async fn an_error_is_answered_without_its_text_and_with_the_trace() {
    let svc = ServiceBuilder::new()
        .layer(ResponderLayer::new())
        .service(service_fn(|_: Request<()>| async {
            Err::<Response<Full<Bytes>>, _>(io::Error::other("password=hunter2"))
        }));
    let context = TraceContext::root(true);
    let response = Slot::new(context)
        .scope(svc.oneshot(Request::new(())))
        .await
        .unwrap();
    assert_eq!(response.status(), 500);
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    assert_eq!(response.headers()["cache-control"], "no-store");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let trace_id = context.trace_id().to_string();
    assert_eq!(
        body,
        serde_json::json!({
            "type": "about:blank",
            "title": "Internal Server Error",
            "status": 500,
            "trace_id": trace_id,
        })
    );
}

#[tokio::test]
async fn a_refusal_is_answered_with_its_own_words() {
    let refusal = Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "at most 1MiB");
    let wrapped = Error::new(ErrorKind::Internal, "secret").with_source(refusal);
    let body = Problem::of(&wrapped).into_response().into_body();
    let body = body.collect().await.unwrap().to_bytes();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["status"], 413);
    assert_eq!(body["detail"], "at most 1MiB");
    assert!(!body.to_string().contains("secret"));
}

#[tokio::test]
async fn a_service_that_fails_to_become_ready_is_answered_too() {
    struct Broken;
    impl tower_service::Service<Request<()>> for Broken {
        type Response = Response<Full<Bytes>>;
        type Error = io::Error;
        type Future = std::future::Ready<Result<Self::Response, io::Error>>;

        fn poll_ready(
            &mut self,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Result<(), io::Error>> {
            std::task::Poll::Ready(Err(io::ErrorKind::ConnectionRefused.into()))
        }

        fn call(&mut self, _: Request<()>) -> Self::Future {
            panic!("called without being ready")
        }
    }
    let response = Responder::new(Broken).oneshot(Request::new(())).await;
    assert_eq!(response.unwrap().status(), 502);
}

#[tokio::test]
async fn an_answer_passes_untouched() {
    let svc = Responder::new(service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"hello"))))
    }));
    let response = svc.oneshot(Request::new(())).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "hello");
}
