//! Never more than the burst and what the rate gives in the time, and never less.
use super::{
    super::{
        state::Gcra,
        table::{Place, Table},
    },
    *,
};
use proptest::prelude::*;
use std::collections::HashMap;

/// A token bucket as one would write it down: exact, and without a word to save.
#[derive(Clone, Copy)]
struct Model {
    /// In nanoseconds, of which each unit costs an interval.
    level: u64,
    at: u64,
}

impl Model {
    fn take(&mut self, now: u64, cost: u64, interval: u64, burst: u64) -> bool {
        let most = interval * burst;
        self.level = most.min(self.level + (now - self.at));
        self.at = now;
        let pays = cost * interval <= self.level;
        self.level -= if pays { cost * interval } else { 0 };
        pays
    }
}

/// The most units that passed within any stretch of time, less what the rate gives in it.
fn beyond_rate(passed: &[(u64, u64)], interval: u64) -> u64 {
    let mut most = 0;
    for (from, &(start, _)) in passed.iter().enumerate() {
        let mut units = 0;
        for &(at, cost) in &passed[from..] {
            units += cost;
            most = most.max(units.saturating_sub((at - start) / interval));
        }
    }
    most
}

/// Arrivals in time: gaps and costs.
fn arrivals(longest: u64) -> impl Strategy<Value = Vec<(u64, u32)>> {
    prop::collection::vec((0..longest, 0..5_u32), 1..150)
}

proptest! {
    #[test]
    fn a_bucket_is_a_token_bucket(
        units in 1..2000_u32,
        burst in 1..20_u32,
        gaps in arrivals(5_000_000),
    ) {
        let quota = Quota::new(units, Duration::from_secs(1), burst);
        let (interval, burst) = (quota.interval(), u64::from(burst));
        let bucket = Gcra::new();
        let mut now = SECOND;
        let mut model = Model { level: interval * burst, at: now };
        let mut passed = Vec::new();
        for (gap, cost) in gaps {
            now += gap;
            let seen = bucket.check(quota, now, cost);
            let left = model;
            prop_assert_eq!(seen.allowed(), model.take(now, cost.into(), interval, burst));
            prop_assert_eq!(u64::from(seen.remaining()), model.level / interval);
            if let Some(after) = seen.retry_after() {
                let after = u64::try_from(after.as_nanos()).unwrap();
                let mut early = left;
                prop_assert!(!early.take(now + after - 1, cost.into(), interval, burst));
                let mut late = left;
                prop_assert!(late.take(now + after, cost.into(), interval, burst));
            }
            if seen.allowed() {
                passed.push((now, cost.into()));
            }
        }
        prop_assert!(beyond_rate(&passed, interval) <= burst);
    }

    #[test]
    fn no_key_gets_more_than_its_limit_however_many_there_are(
        burst in 1..4_u32,
        gaps in prop::collection::vec((0..40_000_000_u64, 0..12_u64), 1..300),
    ) {
        // 100/s, twelve keys in two sets of two slots.
        let quota = Quota::new(100, Duration::from_secs(1), burst);
        let interval = quota.interval().div_ceil(64) * 64;
        let table = Table::<2>::with_sets(2);
        let mut now = SECOND;
        let mut passed: HashMap<u64, Vec<(u64, u64)>> = HashMap::new();
        for (gap, key) in gaps {
            now += gap / 64 * 64;
            let hash = seed().spread(key);
            if table.check(hash, quota, now, 1, true).0.allowed() {
                passed.entry(key).or_default().push((now, 1));
            }
        }
        for passed in passed.values() {
            prop_assert!(beyond_rate(passed, interval) <= burst.into());
        }
    }

    #[test]
    fn with_room_a_key_is_a_bucket_of_its_own_over_months_and_idle_weeks(
        quota in (1..1000_u32, 1..100_u32, prop::sample::select(vec![SECOND, 3600 * SECOND, DAY]))
            .prop_map(|(units, burst, period)| {
                Quota::new(units, Duration::from_nanos(period), burst.min(units))
            }),
        gaps in prop::collection::vec(
            (0..5_u32, prop::sample::select(vec![64_u64, SECOND, 3600 * SECOND, DAY, 7 * DAY, 13 * DAY]), 0..64_u64),
            1..200,
        ),
    ) {
        let table = Table::<8>::with_sets(1);
        let interval = quota.interval().div_ceil(64) * 64;
        let full = interval * u64::from(quota.burst());
        let mut models: HashMap<u64, Model> = HashMap::new();
        let mut now = 0;
        for (key, scale, share) in gaps {
            now += scale / 64 * share / 64 * 64;
            let hash = seed().spread(key.into());
            let model = models.entry(key.into()).or_insert(Model { level: full, at: now });
            let (seen, place) = table.check(hash, quota, now, 1, false);
            prop_assert_eq!(place, Place::Own);
            prop_assert_eq!(seen.allowed(), model.take(now, 1, interval, quota.burst().into()));
        }
    }
}
