//! Calls are counted, under OpenTelemetry's names.
use super::{support::Upstream, *};
use crate::names::{CLIENT_ACTIVE_REQUESTS, CLIENT_REQUEST_DURATION};
use detectviz_core::telemetry::{
    context::{Slot, TraceContext},
    metrics::{Format, Registry, Value},
};

fn counted(metrics: &Registry) -> Client {
    let builder = ClientBuilder::new(ClientConfig::default()).with_metrics(metrics);
    builder.build(&Tasks::new()).unwrap()
}

/// How many calls were counted under `[method, address, port, status, error]`.
fn count(metrics: &Registry, labels: &[&str]) -> u64 {
    match metrics.snapshot().value(CLIENT_REQUEST_DURATION, labels) {
        Some(Value::Histogram(histogram)) => histogram.count,
        _ => 0,
    }
}

#[tokio::test]
async fn calls_are_counted_by_how_they_ended() {
    let upstream = Upstream::echo().await;
    let port = upstream.addr().port().to_string();
    let metrics = Registry::new();
    let client = counted(&metrics);
    let wanting = |status: &str| {
        let request = Request::post(upstream.uri("/")).header("x-want-status", status);
        request.body(Body::empty()).unwrap()
    };
    for status in ["200", "200", "404", "503"] {
        text(client.request(wanting(status)).await.unwrap()).await;
    }
    let mut odd = wanting("200");
    *odd.method_mut() = "BREW".parse().unwrap();
    text(client.request(odd).await.unwrap()).await;
    drop(client.get(upstream.uri("/")));
    let refused = client.get("http://127.0.0.1:1/".parse().unwrap());
    assert!(refused.await.is_err());
    for (labels, expected) in [
        (["POST", "127.0.0.1", &port, "200", ""], 2),
        (["POST", "127.0.0.1", &port, "404", "404"], 1),
        (["POST", "127.0.0.1", &port, "503", "503"], 1),
        (["_OTHER", "127.0.0.1", &port, "200", ""], 1),
        (["GET", "127.0.0.1", &port, "", "cancelled"], 1),
        (["GET", "127.0.0.1", "1", "", "connect_failed"], 1),
        (["GET", "127.0.0.1", &port, "200", ""], 0),
    ] {
        assert_eq!(count(&metrics, &labels), expected, "{labels:?}");
    }
}

#[tokio::test]
async fn a_call_is_active_until_its_body_has_ended() {
    let upstream = Upstream::echo().await;
    let port = upstream.addr().port().to_string();
    let metrics = Registry::new();
    let client = counted(&metrics);
    let active = || {
        let snapshot = metrics.snapshot();
        snapshot
            .value(CLIENT_ACTIVE_REQUESTS, &["127.0.0.1", &port])
            .cloned()
    };
    let answer = client
        .request(upstream.post("hello".to_owned()))
        .await
        .unwrap();
    assert_eq!(active(), Some(Value::Gauge(1.0)));
    text(answer).await;
    assert_eq!(active(), Some(Value::Gauge(0.0)));
}

#[tokio::test]
async fn a_sampled_call_leaves_its_trace_as_an_exemplar() {
    let upstream = Upstream::echo().await;
    let metrics = Registry::new();
    let client = counted(&metrics);
    let slot = Slot::new(TraceContext::root(true));
    let trace = slot.context.trace_id().to_string();
    slot.scope(async { text(client.get(upstream.uri("/")).await.unwrap()).await })
        .await;
    let mut page = Vec::new();
    metrics.encode(Format::OpenMetrics100, &mut page);
    let page = String::from_utf8(page).unwrap();
    assert!(
        page.contains("http_client_request_duration_seconds_bucket"),
        "{page}"
    );
    assert!(page.contains(&trace), "{page}");
}
