//! What is repeated, refused and counted.
use super::*;
use crate::{
    resilience::{
        breaker::{OpenConfig, State},
        retry::budget::BudgetConfig,
    },
    telemetry::context::{Slot, TraceContext, current},
};
use std::{
    cell::Cell,
    pin::pin,
    task::{Context, Waker},
};

#[tokio::test(start_paused = true)]
async fn only_what_is_idempotent_or_was_not_sent_is_repeated() {
    let failure = Verdict::failure(Reason::Other);
    let unsent = Verdict::unsent(Reason::Connect);
    for (idempotent, verdict, attempts, counted) in [
        (false, failure, 1, 1),
        (true, failure, 3, 3),
        (false, unsent, 3, 3),
        (true, Verdict::Rejected, 1, 0),
        (true, Verdict::Fatal, 1, 1),
        (true, Verdict::Refused, 1, 0),
        (true, Verdict::Success, 1, 0),
    ] {
        let guarded = Guarded::new(&steady(10));
        let call = guarded
            .policy
            .call(|about| guarded.attempt(about, 0, Err::<(), _>(Broken(about.number))));
        let call = call.classify(|_| verdict);
        let result = match idempotent {
            true => call.idempotent().await,
            false => call.await,
        };
        let last = result.unwrap_err().into_inner();
        assert_eq!(last, Some(Broken(attempts)), "{verdict:?}");
        let expected: Vec<u32> = (1..=attempts).collect();
        let made: Vec<u32> = guarded
            .attempts()
            .iter()
            .map(|(number, ..)| *number)
            .collect();
        assert_eq!(made, expected, "{verdict:?}");
        assert_eq!(
            guarded.policy.handle().breaker().counts().failures,
            counted,
            "{verdict:?}"
        );
        assert_eq!(
            guarded.count(names::RETRY_ATTEMPTS, &["db"]),
            u64::from(attempts)
        );
        let ok = u64::from(verdict == Verdict::Success);
        assert_eq!(guarded.outcomes(), [ok, 1 - ok, 0, 0, 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_a_failure_is_the_callers() {
    let guarded = Guarded::new(&steady(10));
    let call = guarded
        .policy
        .call(|about| guarded.attempt(about, 0, Ok::<_, Broken>(about.number)));
    let call = call
        .idempotent()
        .classify(|_| Verdict::failure(Reason::Unavailable));
    assert_eq!(call.await.unwrap(), 3);
    assert_eq!(guarded.outcomes(), [0, 1, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_opened_makes_no_attempts_and_probes_later() {
    let open = OpenConfig::constant(ms(5000));
    let config = steady(10).breaker(after_failures(2).open(open).half_open_calls(1));
    let guarded = Guarded::new(&config);
    let fails = |about: Attempt| guarded.attempt(about, 0, Err::<(), _>(Broken(about.number)));
    // The second failure opens it, so that the third attempt is refused.
    let err = guarded.policy.call(fails).idempotent().await.unwrap_err();
    assert!(matches!(err, PolicyError::Open(_)), "{err:?}");
    assert!(guarded.policy.call(fails).await.unwrap_err().is_refusal());
    assert_eq!(guarded.attempts().len(), 2);
    assert_eq!(
        guarded.count(names::RETRY_ATTEMPTS, &["db"]),
        2,
        "what was refused is no attempt"
    );
    assert_eq!(guarded.outcomes(), [0, 0, 2, 0, 0]);
    sleep(ms(5000)).await;
    let works = guarded
        .policy
        .call(|about| guarded.attempt(about, 0, Ok::<_, Broken>(())));
    works.await.unwrap();
    assert_eq!(guarded.policy.handle().state(), State::Closed);
    guarded.assert_idle();
}

#[tokio::test(start_paused = true)]
async fn too_many_calls_are_refused_at_once() {
    let mut config = PolicyConfig::default();
    config.bulkhead = config.bulkhead.max_concurrent(1).max_queue(0);
    let guarded = Guarded::new(&config);
    let call = || {
        guarded
            .policy
            .call(|about| guarded.attempt(about, 100, Ok::<_, Broken>(())))
    };
    let (first, second) = tokio::join!(call(), call());
    assert!(first.is_ok());
    assert!(matches!(second, Err(PolicyError::Overloaded(_))));
    assert_eq!(guarded.outcomes(), [1, 0, 1, 0, 0]);
    guarded.assert_idle();
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_the_budget_denies_is_said() {
    let budget = BudgetConfig::default().ratio(0.0).min_per_second(0);
    let mut config = steady(10);
    config.retry = config.retry.budget(budget);
    let guarded = Guarded::new(&config);
    for takes in [0, 5000] {
        let call = guarded
            .policy
            .call(|about| guarded.attempt(about, takes, Err::<(), _>(Broken(1))));
        let err = call.idempotent().await.unwrap_err();
        assert!(matches!(err, PolicyError::BudgetExhausted(_)), "{err:?}");
    }
    assert_eq!(guarded.attempts().len(), 2);
    assert_eq!(guarded.outcomes(), [0, 1, 0, 1, 0]);
    assert_eq!(guarded.count(names::RETRY_REFUSED, &["db", "budget"]), 2);
}

#[tokio::test(start_paused = true)]
async fn what_happens_is_noted_on_the_span() {
    let config = steady(10)
        .breaker(after_failures(2))
        .attempt_timeout(ms(50));
    let guarded = Guarded::new(&config);
    let call = guarded
        .policy
        .call(|about| guarded.attempt(about, 500, Err::<(), _>(Broken(1))));
    let slot = Slot::new(TraceContext::root(true));
    let names = slot.scope(async {
        assert!(call.idempotent().await.is_err());
        current(|slot| slot.map(|slot| slot.notes.iter().map(|n| n.name).collect::<Vec<_>>()))
    });
    let names = names.await.unwrap();
    assert_eq!(
        names,
        [
            "policy.timeout",
            "retry",
            "policy.timeout",
            "retry",
            "breaker.open"
        ]
    );
}

/// A call with a wait for its turn, an attempt that fails, a wait, an attempt that takes too long, a wait and a third one,
/// given up at any moment.
#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_at_any_moment_leaves_nothing_behind() {
    let mut config = steady(20).attempt_timeout(ms(30)).total_timeout(ms(500));
    config.bulkhead = config.bulkhead.max_concurrent(1);
    config.hedge = Some(
        crate::resilience::hedge::HedgeConfig::default()
            .delay(ms(10))
            .min_per_second(9),
    );
    for after in 0..150 {
        let guarded = Guarded::new(&config);
        let holder = guarded
            .policy
            .call(|about| guarded.attempt(about, 15, Ok::<_, Broken>(())));
        let failures = Cell::new(0);
        let dropped = guarded.policy.call(|about| {
            let takes = [5, 50, 50, 5][failures.replace(failures.get() + 1).min(3)];
            guarded.attempt(about, takes, Err::<(), _>(Broken(1)))
        });
        let retries = guarded.policy.handle().limits().retries_left;
        let both = async {
            tokio::join!(holder, async {
                let _ = tokio::time::timeout(ms(after), dropped.idempotent()).await;
            })
        };
        assert!(both.await.0.is_ok());
        guarded.assert_idle();
        let [ok, failed, refused, timed_out, cancelled] = guarded.outcomes();
        assert_eq!((ok, refused), (1, 0));
        assert_eq!(failed + timed_out + cancelled, 1, "after {after} ms");
        let limits = guarded.policy.handle().limits();
        let attempts = guarded.attempts();
        let first = attempts.iter().filter(|(number, ..)| *number == 1).count() as u64;
        let sent = guarded.count(names::RETRY_ATTEMPTS, &["db"]) - first;
        assert_eq!(limits.retries_left, retries - sent, "after {after} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_dropped_makes_room_for_another() {
    let open = OpenConfig::constant(ms(10));
    let config = steady(10).breaker(after_failures(1).open(open).half_open_calls(1));
    let guarded = Guarded::new(&config);
    let fails = |about: Attempt| guarded.attempt(about, 0, Err::<(), _>(Broken(1)));
    assert!(guarded.policy.call(fails).await.is_err());
    sleep(ms(20)).await;
    for _ in 0..100 {
        let probe = guarded
            .policy
            .call(|about| guarded.attempt(about, 100, Ok::<_, Broken>(())));
        let mut probe = Box::pin(probe);
        assert!(Future::poll(probe.as_mut(), &mut Context::from_waker(Waker::noop())).is_pending());
    }
    let probe = guarded
        .policy
        .call(|about| guarded.attempt(about, 100, Ok::<_, Broken>(())));
    assert!(probe.await.is_ok());
    assert_eq!(guarded.policy.handle().state(), State::Closed);
    assert_eq!(guarded.outcomes(), [1, 1, 0, 0, 100]);
    guarded.assert_idle();
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_never_polled_does_not_count() {
    let guarded = Guarded::new(&PolicyConfig::default());
    drop(
        guarded
            .policy
            .call(|about| guarded.attempt(about, 0, Ok::<_, Broken>(()))),
    );
    assert_eq!(guarded.outcomes(), [0; 5]);
    assert_eq!(guarded.attempts(), []);
}

#[tokio::test(start_paused = true)]
async fn settings_change_without_losing_count() {
    let guarded = Guarded::new(&steady(10).breaker(after_failures(3)));
    let handle = guarded.policy.handle();
    let fails = |about: Attempt| guarded.attempt(about, 0, Err::<(), _>(Broken(1)));
    let mut running = pin!(guarded.policy.call(|about| guarded.attempt(
        about,
        100,
        Ok::<_, Broken>(())
    )));
    assert!(Future::poll(running.as_mut(), &mut Context::from_waker(Waker::noop())).is_pending());
    assert!(guarded.policy.call(fails).await.is_err());
    let mut config = steady(10)
        .breaker(after_failures(2))
        .attempt_timeout(ms(50));
    config.bulkhead = config.bulkhead.max_concurrent(7);
    config.retry = config.retry.attempts(1);
    guarded.policy.reconfigure(&config);
    assert_eq!(*handle.config(), config);
    let limits = handle.limits();
    assert_eq!((limits.in_flight, limits.max_concurrent), (1, 7));
    assert!(running.await.is_ok(), "it keeps the time that it was given");
    // The success in between ended the row.
    for expected in [State::Closed, State::Open] {
        assert!(guarded.policy.call(fails).idempotent().await.is_err());
        assert_eq!(handle.state(), expected);
    }
    handle.force_close();
    let slow = guarded
        .policy
        .call(|about| guarded.attempt(about, 60, Ok::<_, Broken>(())));
    assert!(slow.await.unwrap_err().is_timeout());
    handle.force_open();
    assert!(guarded.policy.call(fails).await.unwrap_err().is_refusal());
    assert_eq!((handle.name(), handle.state()), ("db", State::ForcedOpen));
}
