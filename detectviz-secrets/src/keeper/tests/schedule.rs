//! The times, without a store.
use crate::{
    keeper::{
        CacheConfig,
        state::{Act, Interest, Serve, Timeline},
    },
    store::{Grant, Life, Renewed},
};
use fastrand::Rng;
use proptest::prelude::*;
use std::time::{Duration, Instant};

const WATCHED: Interest = Interest {
    watched: true,
    held: false,
    pinned: false,
};

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn leased(duration: Duration, renewable: bool) -> Life {
    Life::Leased(Grant {
        id: "l".to_owned(),
        duration,
        renewable,
        session: 0,
    })
}

#[test]
fn s6_what_rotates_at_any_moment_is_read_again_after_a_second_and_not_sooner() {
    let (now, config) = (Instant::now(), CacheConfig::default());
    for (rotates, expected) in [(0.0, 1.0), (0.5, 1.5), (60.0, 61.0)] {
        let mut timeline = Timeline::new(now);
        let life = Life::Rotates(seconds(rotates));
        timeline.fetched((now, now), life, &config, &mut Rng::new());
        let due = timeline.due(now, WATCHED, &config);
        assert_eq!(due, (now + seconds(expected), Act::Fetch));
    }
}

#[test]
fn a_renewal_that_comes_back_shorter_is_the_last() {
    let (now, config) = (Instant::now(), CacheConfig::default());
    let mut rng = Rng::with_seed(3);
    for (left, expected, within, end) in [
        (60.0, Act::Renew, 42.0..=44.0, 60.0),
        (59.0, Act::Fetch, 40.6..=42.6, 58.0),
        (31.0, Act::Fetch, 21.0..=22.0, 30.0),
        (12.0, Act::Fetch, 0.0..=0.0, 11.0),
        (0.5, Act::Fetch, 0.0..=0.0, 0.0),
    ] {
        let mut timeline = Timeline::new(now);
        let life = leased(Duration::from_secs(60), true);
        timeline.fetched((now, now), life, &config, &mut rng);
        let asked = now + seconds(43.0);
        let renewed = Renewed {
            duration: seconds(left),
            renewable: true,
        };
        timeline.renewed(asked, renewed, &mut rng);
        let (at, act) = timeline.due(asked, WATCHED, &config);
        let after = (at - asked).as_secs_f64();
        assert!(
            act == expected && within.contains(&after),
            "{left}: {act:?} {after}"
        );
        if end > 0.0 {
            let shortly = asked + seconds(end - 0.1);
            assert_eq!(timeline.serve(shortly, &config), Serve::Fresh);
        }
        assert_eq!(timeline.serve(asked + seconds(end), &config), Serve::Fetch);
    }
}

#[test]
fn what_is_cached_is_fresh_then_stale_then_nothing() {
    let (now, config) = (Instant::now(), CacheConfig::default());
    let hours = |hours: f64| now + seconds(hours * 3600.0);
    let mut timeline = Timeline::new(now);
    assert_eq!(timeline.serve(now, &config), Serve::Fetch);
    timeline.fetched((now, now), Life::Cached, &config, &mut Rng::new());
    timeline.failed(hours(2.0), &mut Rng::new());
    for (at, expected) in [
        (0.0, Serve::Fresh),
        (0.99, Serve::Fresh),
        (1.5, Serve::Stale),
        (2.5, Serve::FetchOrStale),
        (23.9, Serve::FetchOrStale),
        (24.0, Serve::Fetch),
    ] {
        assert_eq!(timeline.serve(hours(at), &config), expected, "{at} h");
    }
}

proptest! {
    /// Whatever fails, the store is asked at most 30 times in the five minutes that it is away.
    #[test]
    fn a_store_that_is_away_is_not_stormed(seed: u64, lease in 1_u64..100_000) {
        let (begun, config) = (Instant::now(), CacheConfig::default());
        let mut rng = Rng::with_seed(seed);
        let mut timeline = Timeline::new(begun);
        let life = leased(Duration::from_secs(lease), true);
        timeline.fetched((begun, begun), life, &config, &mut rng);
        let (mut now, act) = timeline.due(begun, WATCHED, &config);
        prop_assert_eq!(act, Act::Renew);
        prop_assert!(now < begun + Duration::from_secs(lease));
        let back = now + Duration::from_secs(300);
        let mut tries = 0;
        while now < back {
            tries += 1;
            timeline.failed(now, &mut rng);
            let (next, _) = timeline.due(now, WATCHED, &config);
            prop_assert!(next > now);
            now = next;
        }
        prop_assert!(tries <= 30, "{tries}");
        prop_assert!(now < back + Duration::from_secs(31), "seen soon after it is back");
    }

    #[test]
    fn a_refresh_lies_within_its_jitter_and_before_the_end_of_the_ttl(seed: u64) {
        let (now, config) = (Instant::now(), CacheConfig::default());
        let mut timeline = Timeline::new(now);
        timeline.fetched((now, now), Life::Cached, &config, &mut Rng::with_seed(seed));
        let (at, act) = timeline.due(now, WATCHED, &config);
        let minutes = (at - now).as_secs_f64() / 60.0;
        prop_assert_eq!(act, Act::Fetch);
        prop_assert!((25.0..=35.0).contains(&minutes), "{minutes}");
    }
}
