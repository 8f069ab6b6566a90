//! What an upstream sees when everything fails.
use super::{super::*, Status, Statuses, ms};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::Instant;
use tower::{Layer, ServiceExt, service_fn};

/// 1,000 calls a second for 30 s, all failing, begun `idle` ms after the client.
async fn storm(idle: u64) -> u64 {
    let seen = Arc::new(AtomicU64::new(0));
    let count = seen.clone();
    let upstream = service_fn(move |_: i32| {
        count.fetch_add(1, Relaxed);
        async { Err::<Status, _>(Status(503)) }
    });
    let svc = RetryLayer::new(Retry::new(&RetryConfig::default()), Statuses).layer(upstream);
    tokio::time::sleep(ms(idle)).await;
    let begun = Instant::now();
    let calls = futures_util::stream::FuturesUnordered::new();
    for call in 0..30_000 {
        let svc = svc.clone();
        calls.push(async move {
            tokio::time::sleep_until(begun + ms(call)).await;
            svc.oneshot(1).await
        });
    }
    let answers: Vec<_> = futures_util::StreamExt::collect(calls).await;
    assert!(answers.iter().all(Result::is_err));
    assert!(begun.elapsed() < Duration::from_secs(31));
    seen.load(Relaxed)
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_fails_every_call_sees_a_fifth_more() {
    for idle in [0, 700, 25_300] {
        let seen = storm(idle).await;
        assert!(seen <= 30_000 * 12 / 10 + 10 * 30, "{seen}");
        assert!(seen >= 35_900, "the budget is used: {seen}");
    }
}
