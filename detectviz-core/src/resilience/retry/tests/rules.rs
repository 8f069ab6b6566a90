//! What follows an attempt.
use super::{super::*, ms, steady};
use crate::config::{check, schema_of};
use budget::BudgetConfig;
use proptest::prelude::*;
use std::time::{Duration, SystemTime};

const FAILED: Outcome = Outcome::Retryable {
    reason: Reason::ServerError,
    hint: Hint::None,
};

#[test]
fn r0_waits_double_and_the_third_attempt_is_the_last() {
    for (attempt, expected) in [
        (1, Decision::Wait(ms(50))),
        (2, Decision::Wait(ms(100))),
        (3, Decision::Stop(Stop::Attempts)),
    ] {
        assert_eq!(decide(&steady(50), attempt, FAILED, None, 0), expected);
    }
}

#[test]
fn r7_a_hint_is_honoured_between_the_backoff_and_five_seconds_more() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770);
    for (hint, expected) in [
        (Hint::retry_after(b"3", now), 3_000),
        (Hint::After(ms(10)), 50),
        (Hint::retry_after(b"10", now), 5_050),
        (
            Hint::retry_after(b"Sun, 06 Nov 1994 08:49:33 GMT", now),
            3_000,
        ),
        (Hint::retry_after(b"Sun, 06 Nov 1994 08:49:00 GMT", now), 50),
        (
            Hint::retry_after(b"Sun, 06 Nov 1994 09:49:00 GMT", now),
            5_050,
        ),
        (Hint::retry_after(b"abc", now), 50),
        (Hint::grpc_pushback(b"700"), 700),
    ] {
        let outcome = FAILED.with_hint(hint);
        let decision = decide(&steady(50), 1, outcome, None, 0);
        assert_eq!(decision, Decision::Wait(ms(expected)), "{hint:?}");
    }
    let never = FAILED.with_hint(Hint::grpc_pushback(b"-1"));
    let decision = decide(&steady(50), 1, never, None, 0);
    assert_eq!(decision, Decision::Stop(Stop::PushBack));
    let deaf = steady(50).retry_after_cap(Duration::ZERO);
    let after = FAILED.with_hint(Hint::After(ms(400)));
    assert_eq!(decide(&deaf, 1, after, None, 0), Decision::Wait(ms(50)));
}

#[test]
fn t1_an_attempt_without_time_is_not_started() {
    let config = steady(50).min_attempt(ms(100));
    for (attempt, elapsed, expected) in [
        (1, 400, Decision::Wait(ms(50))),
        (2, 850, Decision::Stop(Stop::Deadline)),
        (1, 850, Decision::Wait(ms(50))),
        (1, 851, Decision::Stop(Stop::Deadline)),
        (1, 1_000, Decision::Stop(Stop::Deadline)),
    ] {
        let left = Some(ms(1_000 - elapsed));
        assert_eq!(
            decide(&config, attempt, FAILED, left, 0),
            expected,
            "{attempt} {elapsed}"
        );
    }
}

#[test]
fn what_is_not_worth_another_attempt_ends_the_call() {
    for (outcome, stop) in [
        (Outcome::Success, Stop::Success),
        (Outcome::Fatal, Stop::Fatal),
        (Outcome::NotSafe, Stop::NotSafe),
    ] {
        let decision = decide(&steady(50), 1, outcome.with_hint(Hint::Never), None, 0);
        assert_eq!(decision, Decision::Stop(stop));
    }
}

#[test]
fn the_lists_of_reasons_are_in_the_order_of_their_values() {
    for (at, reason) in Reason::ALL.into_iter().enumerate() {
        assert_eq!(reason as usize, at);
    }
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let ok = RetryConfig::default;
    let backoff = BackoffConfig::default;
    for (config, key) in [
        (ok().attempts(0), "attempts"),
        (ok().attempts(11), "attempts"),
        (
            ok().retry_after_cap(Duration::from_secs(4_000)),
            "retry_after_cap",
        ),
        (ok().backoff(backoff().base(Duration::ZERO)), "backoff.base"),
        (ok().backoff(backoff().base(ms(3_000))), "backoff.base"),
        (ok().backoff(backoff().factor(0.5)), "backoff.factor"),
        (ok().backoff(backoff().factor(f64::NAN)), "backoff.factor"),
        (
            ok().backoff(backoff().max(Duration::from_secs(4_000))),
            "backoff.max",
        ),
        (
            ok().budget(BudgetConfig::default().ratio(-1.0)),
            "budget.ratio",
        ),
    ] {
        let problems = check(&config).unwrap_err().to_string();
        assert!(problems.contains(key), "{key}: {problems}");
    }
    assert!(check(&ok()).is_ok());
    let _ = schema_of::<RetryConfig>();
}

proptest! {
    #[test]
    fn full_jitter_is_uniform_up_to_the_backoff(
        base in 1..5_000_u64,
        factor in 1.0..10.0_f64,
        max in 5_000..20_000_u64,
        retry in 1..50_u32,
        random: u64,
    ) {
        let backoff = BackoffConfig::default().base(ms(base)).factor(factor).max(ms(max));
        let most = backoff.clone().jitter(false).wait(retry, random);
        prop_assert!(most <= ms(max) && most >= ms(base));
        let wait = backoff.wait(retry, random);
        prop_assert!(wait <= most);
        let share = random as f64 / u64::MAX as f64;
        let expected = most.as_nanos() as f64 * share;
        prop_assert!((wait.as_nanos() as f64 - expected).abs() <= 1.0 + expected * 1e-9);
        prop_assert_eq!(backoff.wait(retry, 0), Duration::ZERO);
        prop_assert_eq!(backoff.wait(retry, u64::MAX), most);
    }

    #[test]
    fn no_wait_ends_too_late_for_an_attempt(
        attempt in 1..12_u32,
        attempts in 1..11_u32,
        left in 0..10_000_u64,
        hint in prop::option::of(0..20_000_u64),
        min in 0..500_u64,
        random: u64,
    ) {
        let config = RetryConfig::default().attempts(attempts).min_attempt(ms(min));
        let hint = hint.map_or(Hint::None, |after| Hint::After(ms(after)));
        let decision = decide(&config, attempt, FAILED.with_hint(hint), Some(ms(left)), random);
        if let Decision::Wait(wait) = decision {
            prop_assert!(attempt < attempts);
            prop_assert!(wait + ms(min) <= ms(left));
            prop_assert!(wait <= config.backoff.max + config.retry_after_cap);
            prop_assert!(wait >= config.backoff.wait(attempt, random));
        }
    }
}
