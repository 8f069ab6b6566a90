//! What is known of latencies.
use super::super::state::*;
use proptest::prelude::*;

const P95: u32 = 950_000;

#[test]
fn buckets_follow_each_other_without_gaps() {
    let mut next = 0;
    for at in 0..BUCKETS {
        assert_eq!(bucket(next), at);
        assert_eq!(bucket(end(at)), at);
        next = end(at) + 1;
    }
    assert_eq!(next, LONGEST);
}

proptest! {
    #[test]
    fn a_quantile_is_at_most_an_eighth_too_long(
        mut times in prop::collection::vec(0..LONGEST, 100..400),
        per_million in 500_000..1_000_000_u32,
    ) {
        let latencies = Latencies::new();
        times.iter().for_each(|time| latencies.record(*time, 3));
        times.sort_unstable();
        let rank = (times.len() as u64 * u64::from(per_million)).div_ceil(1_000_000);
        let exact = times[rank as usize - 1];
        let found = latencies.quantile(per_million, 3).unwrap();
        prop_assert!(found >= exact && found <= exact + exact / PER_OCTAVE, "{found} {exact}");
    }
}

#[test]
fn a_quantile_needs_a_hundred_calls() {
    let latencies = Latencies::new();
    for call in 0..100_u32 {
        assert_eq!(latencies.quantile(P95, call / 50), None);
        latencies.record(10, call / 50);
        latencies.forget();
    }
    assert_eq!(latencies.quantile(P95, 1), Some(10));
}

#[test]
fn a_quantile_forgets_what_is_two_windows_old() {
    for (later, expected) in [
        (0, Some(10)),
        (8, Some(10)),
        (16, None),
        (24, None),
        (800, None),
    ] {
        let latencies = Latencies::new();
        (0..200).for_each(|_| latencies.record(10, 5));
        assert_eq!(latencies.quantile(P95, 7 + later), expected, "{later} s");
    }
    let latencies = Latencies::new();
    for second in 0..200 {
        (0..50).for_each(|_| latencies.record(u64::from(second), second));
        let found = latencies.quantile(P95, second);
        let near = found.is_none_or(|found| (second..second * 2 + 1).contains(&(found as u32 + 1)));
        assert!(near, "{second}: {found:?}");
    }
}

#[test]
fn the_longest_time_has_a_bucket() {
    let latencies = Latencies::new();
    (0..100).for_each(|_| latencies.record(u64::MAX, 0));
    assert_eq!(latencies.quantile(P95, 0), Some(LONGEST - 1));
}
