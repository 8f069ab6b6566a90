//! What holds of any calls: each ends in one way, and nothing is held when all have ended.
use super::*;
use crate::resilience::{breaker::OpenConfig, hedge::HedgeConfig};
use proptest::prelude::*;

/// One call: when it begins, whether it may be repeated, how long its attempts take and whether they fail, and when its
/// caller gives it up.
#[derive(Clone, Debug)]
struct Made {
    begins: u64,
    idempotent: bool,
    attempts: Vec<(u64, bool)>,
    given_up: Option<u64>,
}

fn made() -> impl Strategy<Value = Made> {
    let attempts = prop::collection::vec((0_u64..150, any::<bool>()), 1..4);
    (
        0_u64..300,
        any::<bool>(),
        attempts,
        prop::option::of(0_u64..200),
    )
        .prop_map(|(begins, idempotent, attempts, given_up)| Made {
            begins,
            idempotent,
            attempts,
            given_up,
        })
}

/// What its caller saw, in the order of the outcomes.
async fn make(guarded: &Guarded, made: &Made) -> usize {
    sleep(ms(made.begins)).await;
    let last = made.attempts.len() - 1;
    let call = guarded.policy.call(|about| {
        let (takes, fails) = made.attempts[last.min(about.number as usize - 1)];
        let result = if fails {
            Err(Broken(about.number))
        } else {
            Ok(())
        };
        guarded.attempt(about, takes, result)
    });
    let call = async {
        match made.idempotent {
            true => call.idempotent().await,
            false => call.await,
        }
    };
    let result = match made.given_up {
        Some(after) => match tokio::time::timeout(ms(after), call).await {
            Ok(result) => result,
            Err(_) => return 4,
        },
        None => call.await,
    };
    match result {
        Ok(()) => 0,
        Err(err) if err.is_refusal() => 2,
        Err(err) if err.is_timeout() => 3,
        Err(_) => 1,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn outcomes_are_exclusive_and_add_up(
        calls in prop::collection::vec(made(), 1..24),
        hedges in any::<bool>(),
        concurrent in 1_u32..6,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let breaker = after_failures(3).open(OpenConfig::constant(ms(50)));
            let mut config = steady(10).attempt_timeout(ms(100)).total_timeout(ms(250)).breaker(breaker);
            config.bulkhead = config.bulkhead.max_concurrent(concurrent).max_queue(4);
            config.hedge = hedges.then(|| HedgeConfig::default().delay(ms(30)));
            let guarded = Guarded::new(&config);
            let seen = futures_util::future::join_all(calls.iter().map(|made| make(&guarded, made))).await;
            let mut expected = [0; 5];
            seen.into_iter().for_each(|outcome| expected[outcome] += 1);
            let counted = guarded.outcomes();
            // A timeout that the budget kept from being repeated looks like a failure to its caller.
            prop_assert_eq!(counted.iter().sum::<u64>(), calls.len() as u64);
            prop_assert_eq!([counted[0], counted[2], counted[4]], [expected[0], expected[2], expected[4]]);
            prop_assert_eq!(counted[1] + counted[3], expected[1] + expected[3]);
            guarded.assert_idle();
            prop_assert!(guarded.attempts().iter().all(|(_, began, ended)| ended - began <= 105));
            Ok(())
        })?;
    }
}
