//! Behaviour of the timeout, on a paused clock.
use super::*;
use crate::{config::check, error::cause_ref, resilience::contract};
use std::{
    convert::Infallible,
    future::{Future, pending, ready},
    time::Duration,
};
use tokio::time::Instant;
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};

fn seconds(limit: u64) -> TimeoutLayer {
    TimeoutLayer::new(TimeoutConfig::default().limit(Duration::from_secs(limit)))
}

#[tokio::test(start_paused = true)]
async fn slow_call_fails_with_elapsed() {
    let begun = Instant::now();
    let svc = ServiceBuilder::new()
        .layer(seconds(1))
        .service(service_fn(|()| async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            Ok::<_, Infallible>(())
        }));
    let err = svc.oneshot(()).await.unwrap_err();
    let elapsed = cause_ref::<Elapsed>(&*err).unwrap();
    assert_eq!(elapsed.limit(), Duration::from_secs(1));
    assert_eq!(begun.elapsed(), Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_call_within_its_limit_gives_its_own_answer() {
    let svc = seconds(3).layer(service_fn(|wait: u64| async move {
        tokio::time::sleep(Duration::from_secs(wait)).await;
        if wait == 1 { Ok("one") } else { Err("two") }
    }));
    assert_eq!(svc.clone().oneshot(1).await.unwrap(), "one");
    assert_eq!(svc.oneshot(2).await.unwrap_err().to_string(), "two");
}

#[test]
fn a_call_that_is_answered_at_once_needs_no_timer() {
    // Without a tokio runtime, making a timer panics.
    let svc = seconds(1).layer(service_fn(|()| ready(Ok::<_, Infallible>(7))));
    let mut call = std::pin::pin!(svc.oneshot(()));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(answer) = call.as_mut().poll(&mut cx) else {
        panic!("the answer is there");
    };
    assert_eq!(answer.unwrap(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_bounds_a_call_whenever_it_starts() {
    let begun = Instant::now();
    let deadline = begun + Duration::from_millis(300);
    let call = before(deadline, pending::<Result<(), Infallible>>());
    tokio::time::sleep(Duration::from_millis(120)).await;
    let err = call.await.unwrap_err();
    assert_eq!(begun.elapsed(), Duration::from_millis(300));
    let elapsed = cause_ref::<Elapsed>(&*err).unwrap();
    assert_eq!(elapsed.limit(), Duration::from_millis(180));
    let late = before(begun, ready(Ok::<_, Infallible>(1)));
    assert_eq!(late.await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_service_contract_holds() {
    contract::check(&seconds(1)).await;
}

#[test]
fn a_limit_of_nothing_is_refused() {
    let zero = TimeoutConfig::default().limit(Duration::ZERO);
    let problems = check(&zero).unwrap_err().to_string();
    assert!(problems.contains("limit"), "{problems}");
    assert!(check(&TimeoutConfig::default()).is_ok());
}
