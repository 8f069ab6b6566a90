//! When an export is tried again and when it is given up.
use crate::telemetry::otlp::{
    RetryConfig,
    state::{Answer, Attempts, Next},
};
use proptest::prelude::*;
use std::time::{Duration, Instant};

const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn retryable(after: Option<Duration>) -> Answer {
    Answer::Retryable {
        after,
        why: String::new(),
    }
}

#[test]
fn waits_grow_by_half_to_their_limit() {
    let start = Instant::now();
    let mut attempts = Attempts::new(RetryConfig::default(), secs(1_000), start);
    attempts.begin(start);
    // With the random number in the middle the wait is what is due.
    for millis in [5_000, 7_500, 11_250, 16_875, 25_312, 30_000, 30_000] {
        let Next::Wait { until, asked } = attempts.answered(&retryable(None), start, 0.5) else {
            panic!("there is time")
        };
        assert_eq!(until.duration_since(start).as_millis(), millis);
        assert!(!asked);
    }
    attempts.begin(start);
    for (random, millis) in [(0.0, 2_500), (1.0, 11_250), (-3.0, 5_625), (9.0, 25_312)] {
        let Next::Wait { until, .. } = attempts.answered(&retryable(None), start, random) else {
            panic!("there is time")
        };
        assert_eq!(until.duration_since(start).as_millis(), millis);
    }
}

#[test]
fn o1_the_server_decides_how_long_to_wait() {
    let start = Instant::now();
    let mut attempts = Attempts::new(RetryConfig::default(), secs(30), start);
    for (after, expected) in [
        (0, Some(0)),
        (2, Some(2)),
        (29, Some(29)),
        (30, None),
        (u64::MAX, None),
    ] {
        attempts.begin(start);
        let next = attempts.answered(&retryable(Some(secs(after))), start, 0.9);
        let expected = expected.map_or(Next::GiveUp, |wait| Next::Wait {
            until: start + secs(wait),
            asked: true,
        });
        assert_eq!(next, expected, "{after}");
        let held_off = (after > 0).then(|| start + secs(after.min(300)));
        assert_eq!(attempts.held_off(start), held_off);
    }
    assert_eq!(attempts.held_off(start + secs(300)), None);
    let accepted = Answer::Accepted {
        rejected: 4,
        message: String::new(),
    };
    assert_eq!(attempts.answered(&accepted, start, 0.0), Next::Accepted(4));
    assert_eq!(attempts.held_off(start), None);
}

#[test]
fn a_refused_export_is_never_tried_again() {
    let start = Instant::now();
    let mut attempts = Attempts::new(RetryConfig::default(), secs(30), start);
    let refused = Answer::Refused { why: String::new() };
    assert_eq!(attempts.answered(&refused, start, 0.5), Next::GiveUp);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_export_ends_and_no_attempt_begins_too_late(
        seed: u64,
        total in 1..120_u64,
        answers in prop::collection::vec(prop::option::of(0..100_u64), 1..50),
    ) {
        let start = Instant::now();
        let mut random = fastrand::Rng::with_seed(seed);
        let mut attempts = Attempts::new(RetryConfig::default(), secs(total), start);
        let mut now = start;
        attempts.begin(now);
        for after in answers {
            // The answer takes its time, too.
            now += Duration::from_millis(random.u64(0..10_000));
            match attempts.answered(&retryable(after.map(secs)), now, random.f64()) {
                Next::Wait { until, asked } => {
                    prop_assert_eq!(asked, after.is_some());
                    prop_assert!(until < start + secs(total));
                    prop_assert!(until >= now + after.map_or(Duration::from_millis(2_500), secs));
                    now = until;
                }
                Next::GiveUp => return Ok(()),
                Next::Accepted(_) => prop_assert!(false, "nobody accepted"),
            }
        }
    }
}
