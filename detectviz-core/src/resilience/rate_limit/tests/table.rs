//! Many keys in bounded memory.
use super::{
    super::table::{Place, Table},
    *,
};
use crate::telemetry::metrics::Value;
use std::sync::{
    Barrier,
    atomic::{AtomicU32, Ordering::Relaxed},
};

fn keyed(keys: u32) -> RateLimitConfig {
    let rate = Rate::new(1, Duration::from_secs(60));
    let config = RateLimitConfig::default().rate(rate).burst(2);
    config.key(RateLimitKey::Peer).max_keys(keys)
}

fn count(metrics: &Registry, name: &str) -> u64 {
    match metrics.snapshot().value(name, &["api"]) {
        Some(Value::Counter(count)) => *count,
        Some(Value::Gauge(count)) => *count as u64,
        _ => 0,
    }
}

#[test]
fn at_max_keys_hardly_a_key_shares_and_a_full_bucket_makes_room() {
    let now = Instant::now();
    let (limiter, metrics) = limiter(&keyed(10_000), now);
    for key in 0..10_000 {
        assert!(limiter.check(key, now).allowed());
    }
    let evicted = count(&metrics, "detectviz_rate_limit_evictions_total");
    assert!(evicted < 100, "{evicted} of 10,000 keys");
    assert_eq!(
        limiter.keys_in_use(now),
        10_000 - usize::try_from(evicted).unwrap()
    );
    // Who shares a bucket owes more than its own burst.
    let later = now + Duration::from_secs(300);
    assert_eq!(limiter.keys_in_use(later), 0);
    for key in 10_000..20_000 {
        assert!(limiter.check(key, later).allowed());
    }
}

#[test]
fn a_million_keys_are_held_to_what_the_table_can_hold() {
    let now = Instant::now();
    for (on_full, name) in [
        (OnFull::Share, "detectviz_rate_limit_evictions_total"),
        (OnFull::Allow, "detectviz_rate_limit_untracked_total"),
    ] {
        let (limiter, metrics) = limiter(&keyed(1000).on_full(on_full), now);
        let allowed = (0..1_000_000).filter(|&key| limiter.check(key, now).allowed());
        let (allowed, room) = (allowed.count(), 2048);
        match on_full {
            OnFull::Share => assert_eq!(allowed, room * 2, "each slot gives its burst, no more"),
            OnFull::Allow => assert_eq!(allowed, 1_000_000),
        }
        assert_eq!(limiter.keys_in_use(now), room);
        // A few keys have the fingerprint of one that has a bucket.
        let beyond = (allowed - room) as u64;
        assert!((beyond - 20..=beyond).contains(&count(&metrics, name)));
    }
}

#[test]
fn a_displaced_key_comes_back_to_no_less_than_it_owed() {
    let table = Table::<2>::with_sets(1);
    let quota = Quota::new(1, Duration::from_secs(1), 3);
    let check = |key: u64, now| table.check(key, quota, now, 1, true);
    for (key, now, allowed, place) in [
        (1, 0, true, Place::Own),
        (1, 0, true, Place::Own),
        (2, 0, true, Place::Own),
        // The least is that of 2, which owes one.
        (3, 0, true, Place::Taken),
        (2, 0, true, Place::Taken),
        (1, 0, true, Place::Taken),
        (3, 0, false, Place::Taken),
        (3, SECOND, true, Place::Taken),
        (1, 5 * SECOND, true, Place::Own),
        (2, 5 * SECOND, true, Place::Own),
    ] {
        let (seen, placed) = check(key, now);
        assert_eq!((seen.allowed(), placed), (allowed, place), "{key} at {now}");
    }
}

#[test]
fn two_threads_that_bring_new_keys_give_none_of_them_two_buckets() {
    let quota = Quota::new(1, Duration::from_secs(3600), 1);
    let keys = 200_000;
    let table = Table::<4>::with_sets(1 << 18);
    let taken: Vec<AtomicU32> = (0..keys).map(|_| AtomicU32::new(0)).collect();
    let together = Barrier::new(2);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                together.wait();
                for (key, taken) in taken.iter().enumerate() {
                    let hash = seed().spread(key as u64);
                    let (seen, _) = table.check(hash, quota, SECOND, 1, true);
                    taken.fetch_add(seen.allowed().into(), Relaxed);
                }
            });
        }
    });
    assert!(taken.iter().all(|taken| taken.load(Relaxed) <= 1));
    let allowed: u32 = taken.iter().map(|taken| taken.load(Relaxed)).sum();
    assert!(allowed > 190_000, "{allowed}");
}

#[test]
fn chosen_keys_do_not_fall_into_one_set() {
    // Keys that differ in high bits only, in low bits only, and by a constant step.
    for step in [1, 1 << 20, 1 << 44, 1 << 52, 0x9e37_79b9_7f4a_7c15_u64] {
        let now = Instant::now();
        let metrics = Registry::new();
        let limiter = RateLimiter::new("api", &keyed(1000), KeySeed::random(), now, &metrics);
        for key in 0..1000_u64 {
            limiter.check(key.wrapping_mul(step), now);
        }
        let evicted = count(&metrics, "detectviz_rate_limit_evictions_total");
        assert!(evicted < 100, "step {step:#x}: {evicted} of 1000 keys");
    }
}

#[test]
fn a_live_change_keeps_what_every_bucket_owes() {
    let now = Instant::now();
    let rate = |units| {
        RateLimitConfig::default()
            .rate(Rate::per_second(units))
            .burst(10)
    };
    for key in [RateLimitKey::Global, RateLimitKey::Route] {
        let (limiter, _) = limiter(&rate(10).key(key), now);
        assert_eq!(limiter.check_cost(1, 5, now).reset_after(), ms(500));
        // The same time is owed, which is more units at the new rate.
        limiter.reconfigure(&rate(20), now);
        assert_eq!(limiter.check_cost(1, 0, now).remaining(), 0);
        assert_eq!(limiter.check_cost(1, 0, now + ms(250)).remaining(), 5);
        limiter.reconfigure(&rate(1000), now);
        assert!(!limiter.check(1, now).allowed());
        assert!(limiter.check(1, now + ms(1)).allowed());
        assert_eq!(limiter.quota().burst(), 10);
    }
}

#[test]
fn the_keys_in_use_are_shown_for_as_long_as_the_limiter_lives() {
    let now = tokio::time::Instant::now().into_std();
    let (limiter, metrics) = limiter(&keyed(1000), now);
    for key in 0..7 {
        limiter.check(key, now);
    }
    assert_eq!(count(&metrics, "detectviz_rate_limit_keys"), 7);
    assert_eq!(count(&metrics, "detectviz_rate_limit_allowed_total"), 7);
    drop(limiter);
    let name = "detectviz_rate_limit_keys";
    assert_eq!(metrics.snapshot().value(name, &["api"]), None);
}

#[test]
fn the_metrics_have_their_place_before_there_is_a_limiter() {
    let metrics = Registry::new();
    register(&metrics);
    let known = metrics.describe().len();
    let limiter = RateLimiter::new("api", &keyed(10), seed(), Instant::now(), &metrics);
    limiter.check(1, Instant::now());
    assert_eq!(metrics.describe().len(), known);
}
