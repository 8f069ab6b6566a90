//! A second attempt beside a slow one.
use super::*;
use crate::resilience::hedge::HedgeConfig;

fn hedged() -> PolicyConfig {
    let hedge = HedgeConfig::default().delay(ms(100)).min_per_second(10);
    steady(10).hedge(hedge)
}

#[tokio::test(start_paused = true)]
async fn the_faster_of_two_attempts_answers_and_the_other_is_dropped() {
    let guarded = Guarded::new(&hedged());
    let takes = [900, 50];
    let call = guarded.policy.call(|about| {
        let takes = takes[about.number as usize - 1];
        guarded.attempt(about, takes, Ok::<_, Broken>(about.number))
    });
    assert_eq!(call.idempotent().await.unwrap(), 2);
    let attempts = guarded.attempts();
    assert_eq!(attempts.len(), 2, "{attempts:?}");
    assert_about(attempts[1].1, 100);
    assert_eq!(attempts[0].2, attempts[1].2, "dropped with the answer");
    assert_eq!(guarded.count(names::HEDGE_WON, &["db"]), 1);
    let counts = guarded.policy.handle().breaker().counts();
    assert_eq!(
        (counts.calls, counts.failures),
        (1, 0),
        "what was dropped says nothing"
    );
    guarded.assert_idle();
}

#[tokio::test(start_paused = true)]
async fn only_an_idempotent_call_is_hedged() {
    let guarded = Guarded::new(&hedged());
    let call = guarded
        .policy
        .call(|about| guarded.attempt(about, 300, Ok::<_, Broken>(about.number)));
    assert_eq!(call.await.unwrap(), 1);
    assert_eq!(guarded.attempts().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_hedge_mends_what_the_first_attempt_could_not_do() {
    let failed = Err(Broken(1));
    for (first, second, expected) in [
        // The first fails after the hedge was sent; so does the hedge.
        ((150, failed), (200, Ok(2)), 2),
        ((250, Ok(1)), (50, failed), 1),
        // The first takes too long.
        ((5000, Ok(1)), (950, Ok(2)), 2),
        // Both fail: the third attempt is a retry.
        ((150, failed), (100, failed), 3),
    ] {
        let guarded = Guarded::new(&hedged());
        let call = guarded.policy.call(|about| {
            let (takes, result) = [first, second, (10, Ok(3))][about.number as usize - 1];
            guarded.attempt(about, takes, result)
        });
        assert_eq!(call.idempotent().await.unwrap(), expected);
        assert_eq!(guarded.outcomes(), [1, 0, 0, 0, 0]);
        guarded.assert_idle();
    }
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_opened_meanwhile_lets_no_hedge_through() {
    let guarded = Guarded::new(&hedged());
    let handle = guarded.policy.handle();
    let call = guarded
        .policy
        .call(|about| guarded.attempt(about, 300, Ok::<_, Broken>(about.number)));
    let (answer, ()) = tokio::join!(call.idempotent(), async {
        sleep(ms(50)).await;
        handle.force_open();
    });
    assert_eq!(answer.unwrap(), 1);
    assert_eq!(guarded.attempts().len(), 1);
    assert_eq!(guarded.count(names::HEDGE_SENT, &["db"]), 0);
}

#[tokio::test(start_paused = true)]
async fn hedging_is_switched_on_and_off_while_calls_are_made() {
    let guarded = Guarded::new(&steady(10));
    for (config, attempts) in [(steady(10), 1), (hedged(), 2), (steady(10), 1)] {
        guarded.policy.reconfigure(&config);
        let before = guarded.attempts().len();
        let call = guarded
            .policy
            .call(|about| guarded.attempt(about, 300, Ok::<_, Broken>(())));
        assert!(call.idempotent().await.is_ok());
        assert_eq!(guarded.attempts().len() - before, attempts);
    }
}
