//! One bucket.
use super::{super::state::Gcra, *};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

#[test]
fn what_a_caller_is_told_follows_from_the_arrival_time() {
    // 10/s, burst 3: when, cost, then allowed, remaining, reset and retry in ms.
    let bucket = Gcra::new();
    let quota = Quota::new(10, Duration::from_secs(1), 3);
    for (at, cost, allowed, remaining, reset, retry) in [
        (1000, 1, true, 2, 100, None),
        (1000, 1, true, 1, 200, None),
        (1000, 0, true, 1, 200, None),
        (1000, 2, false, 1, 200, Some(100)),
        (1000, 1, true, 0, 300, None),
        (1000, 1, false, 0, 300, Some(100)),
        (1050, 1, false, 0, 250, Some(50)),
        (1099, 1, false, 0, 201, Some(1)),
        (1100, 1, true, 0, 300, None),
        (1200, 4, false, 1, 200, None),
        (1250, 0, true, 1, 150, None),
        (9000, 0, true, 3, 0, None),
        (9000, 3, true, 0, 300, None),
        (9299, 3, false, 2, 1, Some(1)),
        (9300, 3, true, 0, 300, None),
    ] {
        let seen = bucket.check(quota, at * 1_000_000, cost);
        let told = (
            seen.allowed(),
            seen.remaining(),
            seen.reset_after(),
            seen.retry_after(),
        );
        let expected = (allowed, remaining, ms(reset), retry.map(ms));
        assert_eq!(told, expected, "at {at} ms, cost {cost}");
        assert_eq!((seen.limit(), seen.window()), (3, ms(300)));
    }
}

#[test]
fn a_refusal_takes_nothing() {
    let bucket = Gcra::new();
    let quota = Quota::new(1, Duration::from_secs(1), 1);
    assert!(bucket.check(quota, SECOND, 1).allowed());
    for at in 0..1000 {
        assert!(!bucket.check(quota, SECOND + at * 1_000_000, 1).allowed());
    }
    assert!(bucket.check(quota, 2 * SECOND, 1).allowed());
}

#[test]
fn a_quota_keeps_rate_and_burst_in_one_word() {
    for (units, period, burst, interval, kept) in [
        (100, SECOND, 100, 10_000_000, 100),
        (3, SECOND, 5, 333_333_334, 5),
        (1, 17 * SECOND, 1, 17 * SECOND, 1),
        (0, SECOND, 0, SECOND, 1),
        (u32::MAX, 1, u32::MAX, 1, Quota::MOST_BURST),
        (1, 2 * DAY, 9, DAY, 1),
        (24, DAY, 100, DAY / 24, 24),
    ] {
        let quota = Quota::new(units, Duration::from_nanos(period), burst);
        // Beyond 17 s the interval is rounded up.
        let excess = quota.interval() - interval;
        assert!(excess <= interval >> 33, "{units}/{period}: {excess}");
        assert_eq!(quota.burst(), kept, "{units}/{period}");
    }
}

#[test]
fn a_new_burst_that_is_smaller_leaves_an_empty_bucket_and_no_worse_one() {
    let bucket = Gcra::new();
    let old = Quota::new(1, Duration::from_secs(1), 10);
    assert!(bucket.check(old, SECOND, 10).allowed());
    let new = Quota::new(1000, Duration::from_secs(1), 5);
    assert!(bucket.check(new, SECOND, 1).retry_after() > Some(Duration::from_secs(9)));
    bucket.settle(new, SECOND);
    assert_eq!(bucket.check(new, SECOND, 1).retry_after(), Some(ms(1)));
    assert!(bucket.check(new, SECOND + 1_000_000, 1).allowed());
}

#[test]
fn two_threads_take_exactly_what_there_is() {
    let quota = Quota::new(1, Duration::from_secs(1), 20_000);
    let bucket = Gcra::new();
    let allowed = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..20_000 {
                    let took = bucket.check(quota, SECOND, 1).allowed();
                    allowed.fetch_add(took.into(), Relaxed);
                }
            });
        }
    });
    assert_eq!(allowed.into_inner(), 20_000);
}
