//! Behaviour of fallbacks, on a paused clock, and the Service contract.
use super::*;
use crate::{
    error::{BoxError, cause_ref},
    names,
    resilience::{contract, timeout::Elapsed},
    telemetry::{
        context::{NoteValue, Slot, TraceContext, current},
        metrics::{Registry, Value},
    },
};
use std::{
    future::{Future, pending, ready},
    io,
    pin::pin,
    task::{Context, Waker},
    time::Duration,
};
use tower::{Layer, Service, ServiceExt, service_fn};

/// What a call is to do.
#[derive(Clone, Copy, Debug)]
enum Does {
    Answer,
    TimeOut,
    Break,
    Fail,
}

async fn upstream(does: Does) -> Result<&'static str, BoxError> {
    match does {
        Does::Answer => Ok("fresh"),
        Does::TimeOut => Err(Elapsed::new(Duration::from_secs(1)).into()),
        Does::Break => Err(io::Error::from(io::ErrorKind::ConnectionReset).into()),
        Does::Fail => Err("a bug".into()),
    }
}

fn rules(metrics: &Registry) -> Fallback {
    let fallback = Fallback::with_metrics("prices", metrics);
    let broken = |err: &BoxError| cause_ref::<io::Error>(&**err).is_some();
    fallback.on::<Elapsed>("timeout").when("io", broken)
}

fn counted(metrics: &Registry, reason: &str, result: &str) -> Option<u64> {
    let snapshot = metrics.snapshot();
    match snapshot.value(names::FALLBACK_CALLS, &["prices", reason, result])? {
        Value::Counter(count) => Some(*count),
        _ => None,
    }
}

#[tokio::test]
async fn what_a_rule_selects_is_answered_counted_and_noted() {
    for (does, answer, reason) in [
        (Does::Answer, Ok("fresh"), None),
        (Does::TimeOut, Ok("stale"), Some("timeout")),
        (Does::Break, Ok("stale"), Some("io")),
        (Does::Fail, Err("a bug"), None),
    ] {
        let metrics = Registry::new();
        let layer = FallbackLayer::new(rules(&metrics), |_| ready(Ok("stale")));
        let svc = layer.layer(service_fn(upstream));
        let (given, notes) = Slot::new(TraceContext::root(true))
            .scope(async {
                let given = svc.oneshot(does).await;
                (
                    given,
                    current(|slot| slot.map(|s| s.notes.clone()).unwrap()),
                )
            })
            .await;
        assert_eq!(
            given.map_err(|e| e.to_string()),
            answer.map_err(str::to_owned)
        );
        let attributes: Vec<_> = notes.iter().map(|note| note.attribute).collect();
        let expected = reason.map(|reason| Some(("reason", NoteValue::Str(reason))));
        assert_eq!(attributes, Vec::from_iter(expected), "{does:?}");
        for known in ["timeout", "io"] {
            let expected = u64::from(reason == Some(known));
            assert_eq!(counted(&metrics, known, "answered"), Some(expected));
            assert_eq!(counted(&metrics, known, "failed"), Some(0));
        }
    }
}

#[tokio::test]
async fn a_fallback_that_fails_too_gives_its_error() {
    let metrics = Registry::new();
    let layer = FallbackLayer::new(rules(&metrics), |err: BoxError| async move { Err(err) });
    let err = layer
        .layer(service_fn(upstream))
        .oneshot(Does::TimeOut)
        .await
        .unwrap_err();
    assert!(cause_ref::<Elapsed>(&*err).is_some());
    assert_eq!(counted(&metrics, "timeout", "failed"), Some(1));
    assert_eq!(counted(&metrics, "timeout", "answered"), Some(0));
}

#[tokio::test]
async fn of_two_rules_the_first_counts() {
    let metrics = Registry::new();
    let fallback = rules(&metrics).when("any", |_| true);
    let err: BoxError = Elapsed::new(Duration::from_secs(1)).into();
    let now = std::time::Instant::now();
    let selected = fallback.select(&err, now).unwrap();
    assert_eq!(selected.reason(), "timeout");
    let other = fallback.select(&"another".into(), now).unwrap();
    assert_eq!(other.reason(), "any");
}

#[tokio::test]
async fn a_call_that_is_dropped_while_it_is_answered_counts_as_neither() {
    let metrics = Registry::new();
    let answer = |_| pending::<Result<&'static str, BoxError>>();
    let mut svc = FallbackLayer::new(rules(&metrics), answer).layer(service_fn(upstream));
    {
        let mut call = pin!(svc.ready().await.unwrap().call(Does::Break));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(call.as_mut().poll(&mut cx).is_pending());
    }
    assert_eq!(counted(&metrics, "io", "answered"), Some(0));
    assert_eq!(counted(&metrics, "io", "failed"), Some(0));
}

#[tokio::test]
async fn the_service_contract_holds() {
    let answer = |err| ready(Err::<(), _>(err));
    contract::check(&FallbackLayer::new(Fallback::new(), answer)).await;
}
