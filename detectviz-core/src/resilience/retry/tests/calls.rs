//! Whole calls through the layer.
use super::{super::*, Status, Statuses, Upstream, ms, no_budget, steady};
use crate::{
    error::cause_ref,
    names,
    resilience::{
        contract,
        timeout::{Elapsed, TimeoutConfig, TimeoutLayer},
    },
    telemetry::{
        context::{NoteValue, Slot, TraceContext, current},
        metrics::{Registry, Value},
    },
};
use budget::BudgetConfig;
use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::{Context, Poll, Waker},
};
use tokio::time::Instant;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

async fn call(config: &RetryConfig, upstream: &Upstream) -> Result<Status, crate::error::BoxError> {
    let inner = upstream.clone();
    let svc = service_fn(move |_: i32| inner.clone().call());
    let layer = RetryLayer::new(Retry::new(config), Statuses);
    layer.layer(svc).oneshot(1).await
}

fn now() -> std::time::Instant {
    Instant::now().into_std()
}

#[tokio::test(start_paused = true)]
async fn r0_a_call_is_tried_three_times() {
    for (script, answer, calls) in [
        (&[200][..], Ok(200), &[0][..]),
        (&[500, 500, 200], Ok(200), &[0, 50, 150]),
        (&[500, 500, 500], Err(500), &[0, 50, 150]),
        (&[500, 404], Err(404), &[0, 50]),
        (&[400], Err(400), &[0]),
    ] {
        let upstream = Upstream::new(script);
        let result = call(&steady(50), &upstream).await;
        let result = result.map_err(|err| err.downcast_ref::<Status>().copied().unwrap());
        assert_eq!(result, answer.map(Status).map_err(Status), "{script:?}");
        assert_eq!(upstream.calls(), calls, "{script:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn t1_a_third_attempt_is_not_started_shortly_before_the_deadline() {
    let upstream = Upstream::new(&[200]).takes(ms(5_000));
    let begun = Instant::now();
    let inner = upstream.clone();

    #[derive(Clone)]
    struct Timeouts;
    impl Policy<i32, Status, crate::error::BoxError> for Timeouts {
        type Saved = ();
        fn save(&self, _: &i32) -> Option<()> {
            Some(())
        }
        fn restore(&self, (): &(), _: u32) -> i32 {
            1
        }
        fn classify(
            &self,
            _: Option<&Self::Saved>,
            answer: &Result<Status, crate::error::BoxError>,
        ) -> Outcome {
            match answer {
                Ok(_) => Outcome::Success,
                Err(_) => Outcome::retryable(Reason::Timeout),
            }
        }
    }

    let config = steady(50).min_attempt(ms(100));
    let svc = ServiceBuilder::new()
        .layer(RetryLayer::new(Retry::new(&config), Timeouts))
        .layer(TimeoutLayer::new(TimeoutConfig::default().limit(ms(400))))
        .service(service_fn(move |_: i32| inner.clone().call()));
    let mut slot = Slot::new(TraceContext::root(false));
    slot.deadline = Some(now() + ms(1_000));
    let err = slot.scope(svc.oneshot(1)).await.unwrap_err();
    assert!(cause_ref::<Elapsed>(&*err).is_some());
    assert_eq!(upstream.calls(), [0, 450]);
    assert_eq!(begun.elapsed(), ms(850));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_must_not_be_repeated_is_not() {
    let upstream = Upstream::new(&[500]);
    let inner = upstream.clone();
    let metrics = Registry::new();
    let retry = Retry::with_metrics(&steady(50), "orders", &metrics);
    let svc = RetryLayer::new(retry, Statuses).layer(service_fn(move |_| inner.clone().call()));
    let err = svc.oneshot(-1).await.unwrap_err();
    assert!(err.is::<Status>());
    assert_eq!(upstream.calls(), [0]);
    let refused = metrics.snapshot();
    let refused = refused.value(names::RETRY_REFUSED, &["orders", "not_safe"]);
    assert_eq!(refused, Some(&Value::Counter(1)));
}

#[tokio::test(start_paused = true)]
async fn a_request_of_which_nothing_was_sent_is_always_safe() {
    for (script, calls) in [
        (&[500, 200][..], 1),
        (&[599, 200], 2),
        (&[599, 500, 200], 2),
    ] {
        let upstream = Upstream::new(script);
        let inner = upstream.clone();
        let layer = RetryLayer::new(Retry::new(&steady(50)), Statuses);
        let svc = layer.layer(service_fn(move |_| inner.clone().call()));
        let _ = svc.oneshot(0).await;
        assert_eq!(upstream.calls().len(), calls, "{script:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_denied_retry_says_so_in_the_error_the_metric_and_the_span() {
    let upstream = Upstream::new(&[500]);
    let inner = upstream.clone();
    let metrics = Registry::new();
    let config = steady(50).budget(no_budget());
    let retry = Retry::with_metrics(&config, "orders", &metrics);
    let svc = RetryLayer::new(retry.clone(), Statuses);
    let svc = svc.layer(service_fn(move |_| inner.clone().call()));
    let slot = Slot::new(TraceContext::root(true));
    let (err, notes) = slot
        .scope(async {
            let err = svc.oneshot(1).await.unwrap_err();
            (err, current(|slot| slot.map(|s| s.notes.clone()).unwrap()))
        })
        .await;
    assert!(err.is::<BudgetExhausted>());
    assert_eq!(cause_ref::<Status>(&*err), Some(&Status(500)));
    assert_eq!(upstream.calls(), [0]);
    let values = metrics.snapshot();
    for (name, labels, expected) in [
        (
            names::RETRY_REFUSED,
            &["orders", "budget"][..],
            Value::Counter(1),
        ),
        (names::RETRY_ATTEMPTS, &["orders"], Value::Counter(1)),
        (
            names::RETRY_RETRIES,
            &["orders", "server_error"],
            Value::Counter(0),
        ),
        (names::RETRY_BUDGET_BALANCE, &["orders"], Value::Gauge(0.0)),
    ] {
        assert_eq!(values.value(name, labels), Some(&expected), "{name}");
    }
    let note = &notes[0];
    assert_eq!(note.name, "retry.refused");
    assert_eq!(note.attribute, Some(("reason", NoteValue::Str("budget"))));
}

#[tokio::test(start_paused = true)]
async fn a_response_that_may_not_be_retried_is_the_callers() {
    // A 503 that came as a response, not as an error.
    let svc = service_fn(|_: i32| async { Ok::<_, Status>(Status(503)) });
    for config in [steady(50), steady(50).budget(no_budget())] {
        let layer = RetryLayer::new(Retry::new(&config), Statuses);
        assert_eq!(layer.layer(svc).oneshot(1).await.unwrap(), Status(503));
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_and_retries_are_counted_and_noted() {
    let upstream = Upstream::new(&[500, 500, 200]);
    let inner = upstream.clone();
    let metrics = Registry::new();
    let retry = Retry::with_metrics(&steady(50), "orders", &metrics);
    let layer = RetryLayer::new(retry, Statuses);
    let svc = layer.layer(service_fn(move |_| inner.clone().call()));
    let notes = Slot::new(TraceContext::root(true))
        .scope(async {
            svc.oneshot(1).await.unwrap();
            current(|slot| slot.map(|s| s.notes.len()))
        })
        .await;
    assert_eq!(notes, Some(2));
    let values = metrics.snapshot();
    for (name, labels, expected) in [
        (names::RETRY_ATTEMPTS, &["orders"][..], Value::Counter(3)),
        (
            names::RETRY_RETRIES,
            &["orders", "server_error"],
            Value::Counter(2),
        ),
        (names::RETRY_BUDGET_BALANCE, &["orders"], Value::Gauge(98.0)),
    ] {
        assert_eq!(values.value(name, labels), Some(&expected), "{name}");
    }
    drop(layer);
    let values = metrics.snapshot();
    let gone = values.value(names::RETRY_BUDGET_BALANCE, &["orders"]);
    assert_eq!(gone, None, "the registry keeps no budget alive");
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_at_any_await_leaks_no_token() {
    /// Ready for the first call only, until it is told otherwise.
    #[derive(Clone)]
    struct Busy(bool);
    impl Service<i32> for Busy {
        type Response = Status;
        type Error = Status;
        type Future = std::future::Ready<Result<Status, Status>>;
        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
            if self.0 {
                Poll::Pending
            } else {
                Poll::Ready(Ok(()))
            }
        }
        fn call(&mut self, _: i32) -> Self::Future {
            self.0 = true;
            std::future::ready(Err(Status(500)))
        }
    }

    let budget = BudgetConfig::default().ratio(0.0).min_per_second(1);
    for waits in [0, 49, 51] {
        let retry = Retry::new(&steady(50).budget(budget.clone()));
        let full = retry.budget().balance(now());
        let mut svc = RetryLayer::new(retry.clone(), Statuses).layer(Busy(false));
        poll_fn(|cx| Service::<i32>::poll_ready(&mut svc, cx))
            .await
            .unwrap();
        {
            let mut call = pin!(svc.call(1));
            let mut cx = Context::from_waker(Waker::noop());
            assert!(call.as_mut().poll(&mut cx).is_pending());
            assert_eq!(retry.budget().balance(now()), full - 1, "the token is held");
            tokio::time::advance(ms(waits)).await;
            assert!(call.as_mut().poll(&mut cx).is_pending());
        }
        assert_eq!(
            retry.budget().balance(now()),
            full,
            "dropped after {waits} ms"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_was_sent_costs_its_token_however_it_ends() {
    let retry = Retry::new(&steady(50));
    let full = retry.budget().balance(now());
    let mut call = retry.begin(now());
    let failed = Outcome::retryable(Reason::Reset);
    assert_eq!(call.after(failed, None, now()), Decision::Wait(ms(50)));
    call.again();
    drop(call);
    assert_eq!(retry.budget().balance(now()), full - 1);
}

#[tokio::test(start_paused = true)]
async fn new_settings_hold_for_calls_under_way_and_keep_the_budget() {
    let retry = Retry::new(&steady(50));
    let mut call = retry.begin(now());
    let failed = Outcome::retryable(Reason::Reset);
    assert_eq!(call.after(failed, None, now()), Decision::Wait(ms(50)));
    call.again();
    let balance = retry.budget().balance(now());
    retry.clone().reconfigure(&steady(70));
    assert_eq!(retry.budget().balance(now()), balance);
    assert_eq!(call.after(failed, None, now()), Decision::Wait(ms(140)));
    retry.reconfigure(&steady(70).attempts(1));
    let mut single = retry.begin(now());
    assert!(!single.repeats());
    retry.reconfigure(&steady(70));
    let decision = single.after(failed, None, now());
    assert_eq!(
        decision,
        Decision::Stop(Stop::Attempts),
        "nothing of it was kept"
    );
}

#[test]
fn a_call_may_be_tried_more_or_less_often_than_the_settings_say() {
    let failed = Outcome::retryable(Reason::Unavailable);
    for (settings, own, expected) in [
        (3, None, 3),
        (3, Some(1), 1),
        (1, Some(4), 4),
        (3, Some(99), 10),
    ] {
        let retry = Retry::new(&steady(50).attempts(settings));
        let mut call = retry.begin(now());
        if let Some(own) = own {
            call.set_attempts(own);
        }
        assert_eq!(call.repeats(), expected > 1);
        let mut attempts = 1;
        while let Decision::Wait(_) = call.after(failed, None, now()) {
            call.again();
            attempts += 1;
        }
        assert_eq!(attempts, expected, "{settings} {own:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn clones_share_one_budget() {
    let layer = RetryLayer::new(Retry::new(&steady(1)), Statuses);
    let mut sent = 0;
    for _ in 0..40 {
        let upstream = Upstream::new(&[500]);
        let inner = upstream.clone();
        let svc = layer
            .clone()
            .layer(service_fn(move |_| inner.clone().call()));
        svc.oneshot(1).await.unwrap_err();
        sent += upstream.calls().len();
    }
    assert_eq!(sent, 120);
    for _ in 0..40 {
        let upstream = Upstream::new(&[500]);
        let svc = layer.layer(service_fn(move |_| upstream.clone().call()));
        svc.oneshot(1).await.unwrap_err();
    }
}

#[tokio::test(start_paused = true)]
async fn the_service_contract_holds() {
    contract::check(&RetryLayer::new(Retry::new(&steady(50)), Statuses)).await;
    let single = Retry::new(&steady(50).attempts(1));
    contract::check(&RetryLayer::new(single, Statuses)).await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_an_error_of_the_call() {
    let config = steady(50).budget(no_budget());
    let svc = service_fn(|_: i32| async { Err::<Status, _>(Status(500)) });
    let svc = RetryLayer::new(Retry::new(&config), Statuses).layer(svc);
    let err = contract::check_refusal(svc, 1).await;
    assert!(cause_ref::<BudgetExhausted>(&*err).is_some());
}

#[test]
fn a_call_needs_little_room() {
    assert_eq!(size_of::<RetryCall>(), 16);
    assert_eq!(size_of::<RetryCall<&Retry>>(), 16);
}
