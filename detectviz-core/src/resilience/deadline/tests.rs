//! Behaviour of deadlines, on a paused clock.
use super::*;
use crate::{
    config::check,
    error::cause_ref,
    names,
    resilience::{contract, timer::Timer},
    telemetry::{
        context::{Slot, TraceContext, current},
        metrics::{Registry, Value},
    },
};
use std::{
    convert::Infallible,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};
use tokio::time::sleep;
use tower::{Layer, Service, ServiceExt, service_fn};

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

fn slot() -> Slot {
    Slot::started_at(TraceContext::root(true), now())
}

/// Requests are what a `grpc-timeout` header says, and nothing when it is empty.
fn asked(header: &&str) -> Asked {
    match *header {
        "" => Asked::Nothing,
        header => Asked::read(parse_grpc_timeout(header.as_bytes())),
    }
}

/// What is left for an outgoing call of the request that is worked on.
fn outgoing() -> Option<TimeoutText> {
    let deadline = current(|slot| slot.and_then(|slot| slot.deadline))?;
    remaining(deadline, now()).map(TimeoutText::grpc)
}

/// The part of the vector that is not the retry's: each attempt ends at its own limit or at the deadline, and what is left
/// tells that a third is not worth starting.
#[tokio::test(start_paused = true)]
async fn t1_attempts_end_within_the_deadline_and_the_last_one_is_not_started() {
    let timer = Timer::new();
    let begun = now();
    let deadline = begun + ms(1000);
    let mut attempts = Vec::new();
    for backoff in [50, 100, 200] {
        let start = now() - begun;
        let until = nearest(Some(now() + ms(400)), Some(deadline)).unwrap();
        let ended = timer.timeout_at(until, pending::<()>()).await;
        assert!(ended.is_err());
        attempts.push((start, now() - begun));
        let left = remaining(deadline, now() + ms(backoff));
        if left.is_none_or(|left| left < ms(100)) {
            break;
        }
        sleep(ms(backoff)).await;
    }
    assert_eq!(attempts, [(ms(0), ms(400)), (ms(450), ms(850))]);
    assert!(now() - begun <= ms(870));
}

#[tokio::test(start_paused = true)]
async fn t2_an_outgoing_call_is_given_what_local_work_left() {
    for (inbound, work, most, least) in [
        ("300m", 120, 180, 160),
        ("1S", 0, 1000, 980),
        ("5000000u", 4999, 1, 0),
    ] {
        let handler = service_fn(move |_: &str| async move {
            sleep(ms(work)).await;
            Ok::<_, Infallible>(outgoing())
        });
        let layer = DeadlineLayer::new(&DeadlineConfig::default()).asking(asked);
        let call = slot().scope(layer.layer(handler).oneshot(inbound));
        let outbound = call.await.unwrap().unwrap();
        let outbound = parse_grpc_timeout(outbound.as_bytes()).unwrap();
        assert!(outbound <= ms(most), "{inbound}: {outbound:?}");
        assert!(outbound >= ms(least), "{inbound}: {outbound:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_expired_request_is_refused_before_any_work() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let handler = service_fn(move |_: &str| {
        counted.fetch_add(1, SeqCst);
        async { Ok::<_, Infallible>(()) }
    });
    let layer = DeadlineLayer::new(&DeadlineConfig::default()).asking(asked);
    let err = contract::check_refusal(layer.layer(handler.clone()), "0m").await;
    let late = cause_ref::<DeadlineExceeded>(&*err).unwrap();
    assert_eq!(late.by(), Duration::ZERO);
    // The deadline that the request came with passed while it waited in a queue.
    let mut slot = slot();
    slot.deadline = Some(slot.started + ms(100));
    sleep(ms(130)).await;
    let call = slot.scope(layer.layer(handler).oneshot("10S"));
    let err = call.await.unwrap_err();
    let late = cause_ref::<DeadlineExceeded>(&*err).unwrap();
    assert_eq!(late.by(), ms(30));
    assert_eq!(calls.load(SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn a_request_is_given_up_when_its_deadline_passes() {
    let begun = now();
    let layer = DeadlineLayer::new(&DeadlineConfig::default()).asking(asked);
    let stuck = service_fn(|_: &str| pending::<Result<(), Infallible>>());
    let err = layer.layer(stuck).oneshot("250m").await.unwrap_err();
    assert!(cause_ref::<DeadlineExceeded>(&*err).is_some());
    assert_eq!(now() - begun, ms(250));
}

#[tokio::test(start_paused = true)]
async fn a_nested_deadline_only_ever_shortens_and_ends_with_its_call() {
    let config = DeadlineConfig::default();
    let layer = DeadlineLayer::new(&config).asking(asked);
    for (outer, inner, seen) in [(200, "100m", 100), (200, "300m", 200), (200, "", 200)] {
        let see = service_fn(|_: &str| async {
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(current(|slot| slot.and_then(|slot| slot.deadline)))
        });
        let mut slot = slot();
        let started = slot.started;
        slot.deadline = Some(started + ms(outer));
        let service = layer.layer(see);
        let work = slot.scope(async move {
            let within = service.oneshot(inner).await.unwrap();
            (within, current(|slot| slot.and_then(|slot| slot.deadline)))
        });
        let (within, after) = work.await;
        assert_eq!(within, Some(started + ms(seen)), "{inner}");
        assert_eq!(after, Some(started + ms(outer)), "{inner}");
    }
}

#[tokio::test(start_paused = true)]
async fn settings_change_from_one_request_to_the_next() {
    let config = DeadlineConfig::default();
    let deadlines = Deadlines::new(&config);
    let now = now();
    let admit = |asked| deadlines.admit(asked, now, now, None).unwrap();
    assert_eq!(admit(Asked::Within(ms(900))), Some(now + ms(900)));
    assert_eq!(admit(Asked::Nothing), None);
    let shorter = config.max(ms(500)).default_limit(Some(ms(100)));
    deadlines.reconfigure(&shorter);
    assert_eq!(admit(Asked::Within(ms(900))), Some(now + ms(500)));
    assert_eq!(admit(Asked::Nothing), Some(now + ms(100)));
    deadlines.reconfigure(&shorter.trust_remote(false));
    assert_eq!(admit(Asked::Within(ms(900))), Some(now + ms(100)));
}

#[tokio::test(start_paused = true)]
async fn refusals_are_counted_and_told_to_the_span() {
    let metrics = Registry::new();
    let deadlines = Deadlines::with_metrics(&DeadlineConfig::default(), &metrics, "orders");
    let layer = DeadlineLayer::of(deadlines).asking(asked);
    let stuck = service_fn(|_: &str| pending::<Result<(), Infallible>>());
    let mut service = layer.layer(stuck);
    for header in ["0m", "5m", "7m"] {
        let mut call = Box::pin(slot().scope(service.call(header)));
        call.as_mut().await.unwrap_err();
        let notes = call.as_mut().slot().map(|slot| slot.notes.len());
        assert_eq!(notes, Some(usize::from(header != "0m")), "{header}");
    }
    let mut call = Box::pin(service.call("soon"));
    assert!(futures_util::poll!(call.as_mut()).is_pending());
    let seen = metrics.snapshot();
    for (name, labels, expected) in [
        (names::DEADLINE_EXCEEDED, &["orders", "arrival"][..], 1),
        (names::DEADLINE_EXCEEDED, &["orders", "waiting"], 2),
        (names::DEADLINE_MALFORMED, &["orders"], 1),
    ] {
        let value = seen.value(name, labels).cloned();
        assert_eq!(value, Some(Value::Counter(expected)), "{name} {labels:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_request_leaves_nothing_behind() {
    let timer = Timer::new();
    let layer = DeadlineLayer::new(&DeadlineConfig::default())
        .asking(asked)
        .with_timer(timer.clone());
    let mut service = layer.layer(service_fn(|_: &str| pending::<Result<(), Infallible>>()));
    let mut calls: Vec<_> = (0..100).map(|_| Box::pin(service.call("1S"))).collect();
    assert_eq!(timer.len(), 0);
    for call in &mut calls {
        assert!(futures_util::poll!(call.as_mut()).is_pending());
    }
    assert_eq!(timer.len(), 100);
    drop(calls);
    assert_eq!(timer.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_service_contract_holds() {
    contract::check(&DeadlineLayer::new(&DeadlineConfig::default())).await;
    let limited = DeadlineConfig::default().default_limit(Some(ms(100)));
    contract::check(&DeadlineLayer::new(&limited)).await;
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let config = DeadlineConfig::default;
    for (config, key) in [
        (config(), None),
        (config().default_limit(Some(ms(60_000))), None),
        (config().max(Duration::ZERO), Some("max")),
        (
            config().default_limit(Some(Duration::ZERO)),
            Some("default"),
        ),
        (config().default_limit(Some(ms(60_001))), Some("default")),
    ] {
        let problems = check(&config).err().map(|problems| problems.to_string());
        match (problems, key) {
            (None, None) => {}
            (Some(problems), Some(key)) => assert!(problems.contains(key), "{problems}"),
            (problems, key) => panic!("{problems:?} instead of {key:?}"),
        }
    }
}
