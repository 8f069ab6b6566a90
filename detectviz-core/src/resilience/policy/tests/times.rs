//! How long calls and attempts take.
use super::*;
use crate::telemetry::context::{Slot, TraceContext, current};
use std::future::pending;

/// The vector: deadline 1,000 ms, attempts of 400, backoff 50 and 100, no attempt of less than 100.
#[tokio::test(start_paused = true)]
async fn t1_two_attempts_are_made_and_the_third_is_not_started() {
    let mut config = steady(50).total_timeout(ms(1000)).attempt_timeout(ms(400));
    config.retry = config.retry.min_attempt(ms(100));
    let guarded = Guarded::new(&config);
    let call = guarded
        .policy
        .call(|about| guarded.attempt(about, 5000, Err::<(), _>(Broken(0))));
    let err = call.idempotent().await.unwrap_err();
    let took = guarded.begun.elapsed();
    assert!(err.is_timeout(), "{err:?}");
    assert!(took <= ms(870), "{took:?}");
    let attempts = guarded.attempts();
    assert_eq!(attempts.len(), 2, "{attempts:?}");
    for ((_, began, ended), (from, to)) in attempts.into_iter().zip([(0, 400), (450, 850)]) {
        assert_about(began, from);
        assert_about(ended, to);
    }
    assert_eq!(guarded.outcomes(), [0, 0, 0, 1, 0]);
    guarded.assert_idle();
}

#[tokio::test(start_paused = true)]
async fn a_call_takes_no_longer_than_its_total() {
    let config = steady(1).attempt_timeout(ms(400)).total_timeout(ms(1000));
    let guarded = Guarded::new(&config);
    let call = guarded
        .policy
        .call(|about| guarded.attempt(about, 5000, Err::<(), _>(Broken(0))));
    let err = call.idempotent().await.unwrap_err();
    let PolicyError::Elapsed(elapsed) = err else {
        panic!("{err:?}");
    };
    assert_eq!(elapsed.limit(), ms(1000));
    assert_about(guarded.begun.elapsed().as_millis() as u64, 1000);
    assert_eq!(guarded.attempts().len(), 3);
    guarded.assert_idle();
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_the_request_counts_when_it_is_nearer_and_shows_what_is_left() {
    let seen = || current(|slot| slot.and_then(|slot| slot.deadline)).unwrap();
    for (request, total, left) in [
        (Some(300), 300, 300),
        (Some(9000), 3000, 1000),
        (None, 3000, 1000),
    ] {
        let guarded = Guarded::new(&PolicyConfig::default());
        let begun = guarded.begun.into_std();
        let mut slot = Slot::started_at(TraceContext::root(false), begun);
        slot.deadline = request.map(|request| begun + ms(request));
        let call = guarded.policy.call(|about| async move {
            assert_eq!(about.deadline, begun + ms(left));
            // While it is made, polled, and polled again.
            assert_eq!(seen(), about.deadline);
            sleep(ms(10)).await;
            assert_eq!(seen(), about.deadline);
            assert_eq!(about.remaining(begun + ms(10)), Some(ms(left - 10)));
            pending::<Result<(), Broken>>().await
        });
        let (err, after) = slot
            .scope(async {
                (
                    call.await.unwrap_err(),
                    current(|slot| slot.and_then(|s| s.deadline)),
                )
            })
            .await;
        assert_eq!(
            after,
            request.map(|request| begun + ms(request)),
            "as it was"
        );
        // Nothing is repeated here: the attempt's end is the call's.
        assert_about(guarded.begun.elapsed().as_millis() as u64, total.min(left));
        let of_request = matches!(err, PolicyError::DeadlineExceeded(_));
        assert_eq!(of_request, request == Some(300), "{err:?}");
        guarded.assert_idle();
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_whose_deadline_has_passed_calls_nothing() {
    let guarded = Guarded::new(&PolicyConfig::default());
    let mut slot = Slot::new(TraceContext::root(false));
    slot.deadline = Some(guarded.begun.into_std());
    let call = guarded
        .policy
        .call(|about| guarded.attempt(about, 0, Ok::<_, Broken>(())));
    let err = slot.scope(call).await.unwrap_err();
    assert!(matches!(err, PolicyError::DeadlineExceeded(_)), "{err:?}");
    assert_eq!(guarded.attempts(), []);
    assert_eq!(guarded.outcomes(), [0, 0, 0, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_a_turn_is_part_of_the_total() {
    let mut config = PolicyConfig::default()
        .total_timeout(ms(500))
        .attempt_timeout(ms(400));
    config.bulkhead = config.bulkhead.max_concurrent(1).max_wait(ms(5000));
    let guarded = Guarded::new(&config);
    let attempt = |about| guarded.attempt(about, 350, Ok::<_, Broken>(()));
    let call = || guarded.policy.call(attempt);
    let (first, second, third) = tokio::join!(call(), call(), call());
    assert!(first.is_ok());
    for late in [second, third] {
        let err = late.unwrap_err();
        assert!(matches!(err, PolicyError::Elapsed(_)), "{err:?}");
    }
    assert_about(guarded.begun.elapsed().as_millis() as u64, 500);
    assert_eq!(guarded.outcomes(), [1, 0, 0, 2, 0]);
    guarded.assert_idle();
}

#[test]
fn a_call_that_is_answered_at_once_needs_no_runtime() {
    let policy = Policy::new("db", &PolicyConfig::default(), &Registry::new());
    let mut call = std::pin::pin!(policy.call(|_| async { Ok::<_, Broken>(7) }));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(answer) = Future::poll(call.as_mut(), &mut cx) else {
        panic!("the answer is there");
    };
    assert_eq!(answer.unwrap(), 7);
}
