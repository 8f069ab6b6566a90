//! The adaptive limit around a service, and by hand.
use super::*;
use crate::{
    error::BoxError,
    resilience::{
        bulkhead::{Admission, Bulkhead, BulkheadMetrics, Overloaded, Priority, Reason},
        contract,
        timeout::Elapsed,
    },
    telemetry::metrics::{Registry, Value},
};
use std::{convert::Infallible, future::pending, sync::Arc, thread};
use tower::{Layer, ServiceExt, service_fn};

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

fn limit(initial: u32) -> Adaptive {
    Adaptive::new(&AdaptiveConfig::default().initial_limit(initial))
}

/// Keeps `limit` full for so many rounds of so many milliseconds.
async fn rounds(limit: &Adaptive, rounds: u32, millis: u64, outcome: Outcome) {
    for _ in 0..rounds {
        let mut calls = Vec::new();
        while let Admission::Permit(permit) =
            Bulkhead::admit_by(limit.clone(), Priority::Normal, now())
        {
            calls.push(Adaptive::measure(permit, now()));
            if calls.len() as u32 == limit.bulkhead().limit() {
                break;
            }
        }
        tokio::time::advance(Duration::from_millis(millis)).await;
        for call in calls {
            call.finish(now(), outcome);
        }
        assert_eq!(limit.bulkhead().in_flight(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn the_limit_follows_the_calls() {
    for (millis, outcome, grows) in [
        (50, Outcome::Answered, Some(true)),
        (900, Outcome::Answered, Some(false)),
        (50, Outcome::Dropped, Some(false)),
        (900, Outcome::Ignored, None),
    ] {
        let limit = limit(40);
        rounds(&limit, 25, 50, Outcome::Answered).await;
        let before = limit.bulkhead().limit();
        assert!(before > 40);
        assert_eq!(limit.baseline(), Duration::from_millis(50));
        rounds(&limit, 5, millis, outcome).await;
        let after = limit.bulkhead().limit();
        let found = (after != before).then_some(after > before);
        assert_eq!(found, grows, "{millis} ms {outcome:?}: {before} to {after}");
    }
}

#[tokio::test(start_paused = true)]
async fn new_settings_bound_the_limit_at_once() {
    let limit = limit(100);
    let mut config = AdaptiveConfig::default().max_limit(30);
    config.queue.max_queue = 0;
    limit.reconfigure(&config);
    assert_eq!(limit.bulkhead().limit(), 30);
    let all: Vec<_> = (0..30)
        .map_while(|_| limit.bulkhead().try_acquire().ok())
        .collect();
    assert_eq!(all.len(), 30);
    let refused = limit.bulkhead().acquire(Priority::Normal, now()).await;
    assert_eq!(refused.unwrap_err().reason(), Reason::LimitReached);
    limit.reconfigure(&config.max_limit(60).min_limit(50));
    assert_eq!(limit.bulkhead().limit(), 50);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_gives_its_permit_back() {
    let layer = AdaptiveLayer::new(&AdaptiveConfig::default());
    let service = layer.layer(service_fn(|()| pending::<Result<(), Infallible>>()));
    let call = tokio::time::timeout(Duration::from_millis(5), service.oneshot(()));
    assert!(call.await.is_err());
    assert_eq!(layer.limit().bulkhead().in_flight(), 0);
    let limit = layer.limit();
    let permit = Bulkhead::admit_by(limit.clone(), Priority::Normal, now()).await;
    drop(permit.map(|permit| Adaptive::measure(permit, now())));
    assert_eq!(limit.bulkhead().in_flight(), 0);
    assert_eq!(limit.baseline(), Duration::ZERO);
}

#[test]
fn what_an_answer_says_can_be_told() {
    let failed = |err: BoxError| DefaultClassify.outcome(&Err::<(), _>(err));
    let elapsed = Elapsed::new(Duration::from_secs(1));
    let overloaded = Overloaded::new(Reason::QueueFull, 1, Duration::ZERO);
    assert_eq!(DefaultClassify.outcome(&Ok(())), Outcome::Answered);
    assert_eq!(failed(elapsed.into()), Outcome::Dropped);
    assert_eq!(failed(overloaded.into()), Outcome::Dropped);
    assert_eq!(failed("else".into()), Outcome::Ignored);
    let all = |_: &Result<(), BoxError>| Outcome::Answered;
    assert_eq!(all.outcome(&Err("else".into())), Outcome::Answered);
}

#[tokio::test(start_paused = true)]
async fn the_service_contract_holds() {
    let layer = AdaptiveLayer::new(&AdaptiveConfig::default().initial_limit(3));
    contract::check(&layer).await;
    let all = [(); 3].map(|()| layer.limit().bulkhead().try_acquire().unwrap());
    let refusing = layer.layer(service_fn(|()| async { Ok::<_, Infallible>(()) }));
    contract::check_refusal(refusing, ()).await;
    drop(all);
    assert_eq!(layer.limit().bulkhead().in_flight(), 0);
}

#[test]
fn two_threads_sample_at_once_and_neither_waits() {
    let limit = Arc::new(limit(20));
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for n in 0..20_000 {
                    let at = begun + Duration::from_millis(n);
                    let limit = Adaptive::clone(&limit);
                    let Admission::Permit(permit) = Bulkhead::admit_by(limit, Priority::Normal, at)
                    else {
                        panic!("two run at most, and three may");
                    };
                    let call = Adaptive::measure(permit, at);
                    call.finish(at + Duration::from_millis(7), Outcome::Answered);
                }
            });
        }
    });
    assert_eq!(limit.bulkhead().in_flight(), 0);
    assert_eq!(limit.baseline(), Duration::from_millis(7));
}

#[test]
fn the_limit_and_the_baseline_are_shown() {
    let registry = Registry::new();
    let metrics = AdaptiveMetrics::new(&registry, &BulkheadMetrics::new(&registry));
    let limit = Adaptive::with_metrics(&AdaptiveConfig::default(), "http", &metrics);
    let shown = registry.snapshot();
    for (name, value) in [
        ("detectviz_bulkhead_limit", 20.0),
        ("detectviz_adaptive_baseline_seconds", 0.0),
    ] {
        assert_eq!(shown.value(name, &["http"]), Some(&Value::Gauge(value)));
    }
    drop(limit);
    assert_eq!(
        registry
            .snapshot()
            .value("detectviz_bulkhead_limit", &["http"]),
        None
    );
}
