//! Behaviour of the client, over real sockets.
mod cancelled;
mod discovery;
mod failures;
mod fallback;
mod grpc;
mod hedging;
mod leaving;
mod lines;
mod live;
mod metrics;
mod overflow;
mod policies;
mod pool;
mod routes;
mod support;
#[cfg(feature = "tls")]
mod tls;
mod told;
mod traces;

use super::*;
use bytes::Bytes;
use detectviz_core::{
    config::check,
    resilience::contract,
    task::{Component, Tasks},
};
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use std::{future::Future, time::Duration};
use support::{Upstream, client, text};
use told::Told;
use tower::ServiceExt;

#[tokio::test]
async fn every_kind_of_body_arrives() {
    let upstream = Upstream::echo().await;
    let client = client();
    let frame = |text: &'static str| {
        Ok::<_, std::io::Error>(http_body::Frame::data(Bytes::from_static(text.as_bytes())))
    };
    let stream = futures_util::stream::iter([frame("he"), frame("llo")]);
    let answers = [
        client.request(upstream.post(Body::from("hello"))).await,
        client
            .request(upstream.post(Full::new(Bytes::from("hello"))))
            .await,
        client.request(upstream.post(String::from("hello"))).await,
        client.request(upstream.post(StreamBody::new(stream))).await,
        client.request(upstream.post(Empty::<Bytes>::new())).await,
        client.get(upstream.uri("/")).await,
    ];
    let expected = ["hello", "hello", "hello", "hello", "", ""];
    for (answer, expected) in answers.into_iter().zip(expected) {
        let answer = answer.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(text(answer).await, expected);
    }
    assert_eq!(client.in_flight(), 0);
}

#[tokio::test]
async fn headers_of_the_caller_are_kept_and_missing_ones_are_set() {
    let upstream = Upstream::echo().await;
    let client = client();
    let answer = client.get(upstream.uri("/")).await.unwrap();
    assert_eq!(answer.headers()["x-host"], upstream.authority());
    assert!(
        answer.headers()["x-user-agent"]
            .to_str()
            .unwrap()
            .starts_with("detectviz/")
    );
    let request = Request::get(upstream.uri("/"))
        .header(header::HOST, "shop.example")
        .header(header::USER_AGENT, "mine")
        .body(Body::empty());
    let answer = client.oneshot(request.unwrap()).await.unwrap();
    assert_eq!(answer.headers()["x-host"], "shop.example");
    assert_eq!(answer.headers()["x-user-agent"], "mine");
}

#[tokio::test]
async fn http2_is_spoken_when_told() {
    let upstream = Upstream::echo().await;
    let config = ClientConfig::default().h2(true);
    let client = ClientBuilder::new(config).build(&Tasks::new()).unwrap();
    let answer = client
        .request(upstream.post("hello".to_owned()))
        .await
        .unwrap();
    assert_eq!(answer.version(), http::Version::HTTP_2);
    // RFC 9113, 8.3.1: `:authority` says it, and a `Host` that differs is not allowed.
    assert!(!answer.headers().contains_key("x-host"));
    assert_eq!(text(answer).await, "hello");
}

#[tokio::test]
async fn connections_are_kept_and_used_again() {
    let upstream = Upstream::echo().await;
    let client = client();
    for _ in 0..5 {
        text(client.get(upstream.uri("/")).await.unwrap()).await;
    }
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn a_drain_waits_for_the_body_and_a_stop_closes_every_connection() {
    let upstream = Upstream::echo().await;
    let tasks = Tasks::new();
    let client = ClientBuilder::new(ClientConfig::default())
        .build(&tasks)
        .unwrap();
    let answer = client
        .request(upstream.post("hello".to_owned()))
        .await
        .unwrap();
    assert_eq!(client.in_flight(), 1);
    let mut drain = std::pin::pin!(client.drain());
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(drain.as_mut().poll(&mut cx).is_pending());
    drop(answer);
    drain.await.unwrap();
    client.stop().await.unwrap();
    tasks.join(Duration::from_secs(5)).await.unwrap();
    upstream.all_closed().await;
}

#[tokio::test]
async fn the_service_contract_holds() {
    // Nothing is wrapped: what is left to check is that a dropped call is let go.
    let client = client();
    let uri: http::Uri = "http://127.0.0.1:1/".parse().unwrap();
    drop(client.get(uri.clone()));
    assert_eq!(client.in_flight(), 0);
    let request = Request::get(uri).body(Body::empty()).unwrap();
    contract::check_refusal(client.clone(), request).await;
    assert_eq!(client.in_flight(), 0);
}

#[test]
fn settings_that_cannot_work_are_named() {
    assert!(check(&ClientConfig::default()).is_ok());
    let base = ClientConfig::default();
    for (config, key) in [
        (base.clone().total_timeout(Duration::ZERO), "total_timeout"),
        (
            base.clone().connect_timeout(Duration::from_secs(4)),
            "connect_timeout",
        ),
        (base.clone().max_upstreams(0), "max_upstreams"),
        (base.user_agent("a\nb"), "user_agent"),
    ] {
        let problems = check(&config).unwrap_err().to_string();
        assert!(problems.contains(key), "{problems}");
        let err = ClientBuilder::new(config).build(&Tasks::new()).unwrap_err();
        assert_eq!(err.kind().exit_code(), 64);
    }
}
