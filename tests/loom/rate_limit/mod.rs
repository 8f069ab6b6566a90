//! The buckets of `detectviz_core::resilience::rate_limit`: never more than there is, and no key has two of them.
#![expect(dead_code, unreachable_pub, reason = "the models need a part of it")]

#[path = "../../../detectviz-core/src/resilience/rate_limit/decision.rs"]
mod decision;
#[path = "../../../detectviz-core/src/resilience/rate_limit/quota.rs"]
mod quota;
#[path = "../../../detectviz-core/src/resilience/rate_limit/state.rs"]
mod state;
#[path = "../../../detectviz-core/src/resilience/rate_limit/table.rs"]
mod table;

use self::{quota::Quota, state::Gcra, table::Table};
use loom::{sync::Arc, thread};
use std::time::Duration;

const NOW: u64 = 1_000_000_000;

/// A burst of `burst` that does not come back while a model runs.
fn quota(burst: u32) -> Quota {
    Quota::new(1, Duration::from_secs(60), burst)
}

/// How many of `check`'s calls are allowed: one thread beside the model's own, `each` calls each.
fn allowed(each: u32, check: impl Fn(u32) -> bool + Send + Sync + 'static) -> u32 {
    let check = Arc::new(check);
    let count = move |check: &dyn Fn(u32) -> bool, from| {
        (from..from + each).filter(|&call| check(call)).count() as u32
    };
    let other = {
        let check = Arc::clone(&check);
        thread::spawn(move || count(&*check, each))
    };
    let own = count(&*check, 0);
    own + other.join().expect("no panic")
}

#[test]
fn two_threads_take_exactly_the_burst() {
    loom::model(|| {
        let bucket = Gcra::new();
        let passed = allowed(2, move |_| bucket.check(quota(3), NOW, 1).allowed());
        assert_eq!(passed, 3);
    });
}

#[test]
fn a_change_of_terms_gives_no_more_than_the_new_burst() {
    loom::model(|| {
        let bucket = Arc::new(Gcra::new());
        assert!(bucket.check(quota(9), NOW, 9).allowed());
        let taker = Arc::clone(&bucket);
        let took = thread::spawn(move || taker.check(quota(2), NOW, 1).allowed());
        bucket.settle(quota(2), NOW);
        assert!(!took.join().expect("no panic"));
        assert!(!bucket.check(quota(2), NOW, 1).allowed());
        assert!(bucket.check(quota(2), NOW + 60_000_000_000, 1).allowed());
    });
}

#[test]
fn a_new_key_gets_one_bucket_from_two_threads() {
    loom::model(|| {
        let table = Table::<2>::with_sets(1);
        let passed = allowed(1, move |_| {
            table.check(7, quota(1), NOW, 1, true).0.allowed()
        });
        assert_eq!(passed, 1);
    });
}

#[test]
fn a_new_key_gets_one_bucket_while_that_of_another_fills_up() {
    loom::model(|| {
        let table = Table::<2>::with_sets(1);
        // The bucket of key 1 is full again for the thread whose clock is later, and not for the other.
        let (early, late) = (NOW + 59_000_000_000, NOW + 61_000_000_000);
        assert!(table.check(1, quota(1), NOW, 1, true).0.allowed());
        let passed = allowed(1, move |call| {
            let now = if call == 0 { early } else { late };
            table.check(7, quota(1), now, 1, true).0.allowed()
        });
        assert_eq!(passed, 1);
    });
}

#[test]
fn keys_that_displace_each_other_get_no_more_than_their_limit() {
    loom::model(|| {
        let table = Arc::new(Table::<2>::with_sets(1));
        let of = |table: &Table<2>, key| table.check(key, quota(2), NOW, 1, true).0.allowed();
        assert!(of(&table, 1) && of(&table, 2));
        let other = Arc::clone(&table);
        let displacing = thread::spawn(move || u32::from(of(&other, 3)) + u32::from(of(&other, 1)));
        let own = u32::from(of(&table, 1));
        let both = own + displacing.join().expect("no panic");
        // Two slots of a burst of two, of which two were taken.
        assert!(both <= 2, "{both}");
    });
}

#[test]
fn an_epoch_that_two_threads_begin_forgets_nothing() {
    // Longer than the table's time reaches.
    let weeks = 15 * 24 * 3600 * 1_000_000_000;
    loom::model(move || {
        let table = Table::<1>::with_sets(1);
        assert!(table.check(7, quota(1), NOW, 1, true).0.allowed());
        let passed = allowed(1, move |_| {
            table.check(7, quota(1), NOW + weeks, 1, true).0.allowed()
        });
        assert_eq!(passed, 1);
    });
}
