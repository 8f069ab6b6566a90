//! A call that is given up leaves nothing behind, wherever it was.
use super::{support::Upstream, *};
use crate::names::CLIENT_ACTIVE_REQUESTS;
use detectviz_core::{
    names::BULKHEAD_IN_FLIGHT,
    resilience::{
        bulkhead::BulkheadConfig,
        hedge::HedgeConfig,
        retry::{BackoffConfig, RetryConfig},
    },
    telemetry::metrics::{Registry, Value},
};
use http::Response;
use std::{
    future::{pending, poll_fn},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::Poll,
};

/// Polls `call` so many times; whether it has ended.
async fn polled(call: impl Future, times: usize) -> bool {
    let (mut call, mut left) = (pin!(call), times);
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        call.as_mut().poll(cx).map(|_| true)
    })
    .await
}

#[tokio::test]
async fn a_call_dropped_at_any_time_gives_all_back() {
    // A retry, and a hedge.
    for hangs in [false, true] {
        for times in 0.. {
            assert!(times < 100, "it ends");
            let came = Arc::new(AtomicUsize::new(0));
            let upstream = Upstream::serve(move |_| {
                let is_first = came.fetch_add(1, SeqCst) == 0;
                async move {
                    let mut response = Response::new(Full::new(Bytes::from_static(b"hello")));
                    if is_first && hangs {
                        pending::<()>().await;
                    }
                    if is_first {
                        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                    }
                    response
                }
            })
            .await;
            let backoff = BackoffConfig::default().base(Duration::from_millis(1));
            let policy = PolicyConfig::default()
                .retry(RetryConfig::default().backoff(backoff))
                .hedge(HedgeConfig::default().delay(Duration::from_millis(2)))
                .bulkhead(BulkheadConfig::default().max_concurrent(1).max_queue(0));
            let metrics = Registry::new();
            let config = ClientConfig::default().policy(policy);
            let builder = ClientBuilder::new(config).with_metrics(&metrics);
            let client = builder.build(&Tasks::new()).unwrap();
            let call = async {
                let answer = client.get(upstream.uri("/")).await.unwrap();
                assert_eq!(text(answer).await, "hello");
            };
            let ended = polled(call, times).await;
            assert_eq!(client.in_flight(), 0, "{times}");
            let snapshot = metrics.snapshot();
            let (port, authority) = (upstream.addr().port().to_string(), upstream.authority());
            for (name, labels) in [
                (CLIENT_ACTIVE_REQUESTS, &["127.0.0.1", &port][..]),
                (BULKHEAD_IN_FLIGHT, &[&authority]),
            ] {
                match snapshot.value(name, labels) {
                    None => assert_eq!(times, 0, "{name}"),
                    Some(Value::Gauge(count)) => assert_eq!(*count, 0.0, "{name} after {times}"),
                    other => panic!("{name}: {other:?}"),
                }
            }
            if ended {
                break;
            }
        }
    }
}
