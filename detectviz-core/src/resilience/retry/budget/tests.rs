//! What a budget grants, by the second.
use super::*;
use crate::config::check;
use proptest::prelude::*;
use std::{
    thread,
    time::{Duration, Instant},
};

fn minute(ratio: f64) -> BudgetConfig {
    let config = BudgetConfig::default().ratio(ratio).min_per_second(0);
    config.window(Duration::from_secs(60))
}

fn granted(budget: &Budget, now: Instant, tries: u32) -> u32 {
    (0..tries)
        .map(|_| u32::from(budget.withdraw(now).is_some()))
        .sum()
}

#[test]
fn r9_the_share_is_exact_for_every_fraction() {
    let now = Instant::now();
    for ratio in [
        0.0001, 0.001, 0.01, 0.1, 0.25, 0.5, 0.6, 0.75, 0.99, 0.999, 0.9999,
    ] {
        let budget = Budget::new(&minute(ratio), now);
        let mut granted = 0_u32;
        for _ in 0..10_000 {
            budget.deposit(now);
            granted += u32::from(budget.withdraw(now).is_some());
        }
        let expected = (10_000.0 * ratio) as u32;
        assert!(granted.abs_diff(expected) <= 1, "{ratio}: {granted}");
    }
    let budget = Budget::new(&minute(2.0), now);
    for _ in 0..10_000 {
        budget.deposit(now);
    }
    assert_eq!(budget.balance(now), 20_000);
}

#[test]
fn the_floor_is_there_without_traffic_and_comes_back_after_a_window() {
    let now = Instant::now();
    let budget = Budget::new(&BudgetConfig::default(), now);
    assert_eq!(granted(&budget, now, 500), 100);
    for (after, expected) in [(1, 0), (9, 0), (10, 100), (11, 0), (20, 100), (100, 100)] {
        let at = now + Duration::from_secs(after);
        assert_eq!(granted(&budget, at, 500), expected, "after {after} s");
    }
}

#[test]
fn the_floor_is_not_added_to_the_share() {
    let now = Instant::now();
    for (calls, expected) in [(0, 100), (499, 100), (500, 100), (505, 101), (1_000, 200)] {
        let budget = Budget::new(&BudgetConfig::default(), now);
        (0..calls).for_each(|_| budget.deposit(now));
        assert_eq!(budget.balance(now), expected);
        assert_eq!(granted(&budget, now, 1_000), expected as u32);
    }
}

#[test]
fn calls_and_retries_count_for_one_window() {
    let now = Instant::now();
    let second = Duration::from_secs(1);
    let config = BudgetConfig::default().ratio(1.0).min_per_second(0);
    let budget = Budget::new(&config, now);
    (0..10).for_each(|_| budget.deposit(now));
    (0..6).for_each(|_| budget.deposit(now + second * 5));
    assert_eq!(granted(&budget, now + second * 9, 4), 4);
    assert_eq!(budget.balance(now + second * 9), 12);
    assert_eq!(
        budget.balance(now + second * 10),
        2,
        "the first ten are gone"
    );
    assert_eq!(budget.balance(now + second * 15), 0);
    (0..5).for_each(|_| budget.deposit(now + second * 19));
    assert_eq!(budget.balance(now + second * 19), 5, "the retries are gone");
    assert_eq!(budget.balance(now + second * 1_000), 0);
}

#[test]
fn a_token_that_was_given_back_can_be_taken_again() {
    let now = Instant::now();
    let config = BudgetConfig::default()
        .min_per_second(1)
        .window(Duration::from_secs(2));
    let budget = Budget::new(&config, now);
    let first = budget.withdraw(now).unwrap();
    let kept = budget.withdraw(now).unwrap();
    assert!(budget.withdraw(now).is_none());
    let later = now + Duration::from_secs(1);
    budget.refund(first);
    assert_eq!(granted(&budget, later, 9), 1, "also in the next second");
    let much_later = now + Duration::from_secs(70);
    budget.refund(kept);
    assert_eq!(
        granted(&budget, much_later, 9),
        2,
        "what is forgotten is not paid twice"
    );
}

#[test]
fn a_clock_that_went_back_grants_nothing_twice() {
    let now = Instant::now();
    let budget = Budget::new(&BudgetConfig::default(), now);
    let later = now + Duration::from_secs(20);
    assert_eq!(granted(&budget, later, 200), 100);
    assert_eq!(granted(&budget, now, 200), 0);
    budget.deposit(now);
    assert_eq!(granted(&budget, later, 200), 0);
}

#[test]
fn calls_whose_time_was_read_long_ago_count_while_there_are_retries() {
    let now = Instant::now();
    let budget = Budget::new(&minute(0.5), now);
    let later = now + Duration::from_secs(300);
    assert!(budget.withdraw(later).is_none());
    (0..100).for_each(|_| budget.deposit(now));
    assert_eq!(granted(&budget, later, 100), 50);
}

#[test]
fn new_limits_hold_at_once_and_lose_no_count() {
    let now = Instant::now();
    let budget = Budget::new(&minute(0.1), now);
    (0..1_000).for_each(|_| budget.deposit(now));
    assert_eq!(granted(&budget, now, 1_000), 100);
    budget.reconfigure(&minute(0.5));
    assert_eq!(budget.balance(now), 400);
    let later = now + Duration::from_secs(30);
    assert_eq!(budget.balance(later), 400);
    budget.reconfigure(&minute(0.5).window(Duration::from_secs(10)));
    assert_eq!(budget.balance(later), 0, "30 s are too long ago now");
    budget.reconfigure(&minute(0.05));
    assert_eq!(
        budget.balance(later),
        0,
        "more was spent than now is allowed"
    );
    budget.reconfigure(&minute(0.5));
    assert_eq!(budget.balance(later), 400);
}

#[test]
fn threads_get_together_what_one_would_get() {
    let now = Instant::now();
    let budget = Budget::new(&minute(0.25), now);
    let total: u32 = thread::scope(|scope| {
        let work = || {
            (0..20_000)
                .map(|_| {
                    budget.deposit(now);
                    u32::from(budget.withdraw(now).is_some())
                })
                .sum::<u32>()
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|t| t.join().unwrap()).sum()
    });
    let rest = granted(&budget, now, 80_000);
    assert_eq!(total + rest, 20_000);
}

#[test]
fn limits_that_cannot_work_are_refused() {
    for (config, key) in [
        (BudgetConfig::default().ratio(-0.1), "ratio"),
        (BudgetConfig::default().ratio(f64::NAN), "ratio"),
        (BudgetConfig::default().ratio(1_000.1), "ratio"),
        (
            BudgetConfig::default().window(Duration::from_secs(1)),
            "window",
        ),
        (
            BudgetConfig::default().window(Duration::from_secs(61)),
            "window",
        ),
    ] {
        let problems = check(&config).unwrap_err().to_string();
        assert!(problems.contains(key), "{problems}");
    }
    assert!(check(&BudgetConfig::default()).is_ok());
}

/// What happens to a budget: so many calls or tries, so many milliseconds later.
type Event = (bool, u32, u64);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A budget remembers nothing but counts: a list of what happened answers the same.
    #[test]
    fn a_budget_agrees_with_a_list_of_all_that_happened(
        ratio in 0.0..3.0_f64,
        floor in 0..5_u32,
        length in 2..61_u64,
        events in prop::collection::vec((any::<bool>(), 1..20_u32, 0..5_000_u64), 1..80),
    ) {
        let ratio = (ratio * 1e6).round() / 1e6;
        let config = BudgetConfig::default().ratio(ratio).min_per_second(floor);
        let origin = Instant::now();
        let budget = Budget::new(&config.window(Duration::from_secs(length)), origin);
        let (mut calls, mut retries): (Vec<u64>, Vec<u64>) = Default::default();
        let mut millis = 0;
        for (is_call, times, later) in events as Vec<Event> {
            millis += later;
            let (second, now) = (millis / 1_000, origin + Duration::from_millis(millis));
            for _ in 0..times {
                if is_call {
                    budget.deposit(now);
                    calls.push(second);
                    continue;
                }
                let within = |all: &[u64]| all.iter().filter(|s| **s + length > second).count() as u64;
                let by_traffic = within(&calls) * (ratio * 1e6).round() as u64;
                let allowed = by_traffic.max(u64::from(floor) * length * 1_000_000);
                let expected = (within(&retries) + 1) * 1_000_000 <= allowed;
                prop_assert_eq!(budget.withdraw(now).is_some(), expected);
                if expected {
                    retries.push(second);
                }
            }
        }
    }

    /// An upstream that fails every call sees the calls, their share and the floor, wherever in a second it begins.
    #[test]
    fn a_storm_is_bounded(begins in 0..20_000_u64, per_second in 1..400_u64) {
        let origin = Instant::now();
        let budget = Budget::new(&BudgetConfig::default(), origin);
        let (mut calls, mut retries) = (0_u64, 0_u64);
        for call in 0..per_second * 30 {
            let now = origin + Duration::from_millis(begins + call * 1_000 / per_second);
            budget.deposit(now);
            calls += 1;
            for _ in 0..2 {
                retries += u64::from(budget.withdraw(now).is_some());
            }
        }
        prop_assert!(retries * 10 <= calls * 2 + 10 * 30 * 10, "{calls} calls, {retries} retries");
    }
}
