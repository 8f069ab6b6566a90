//! What is lent.
use super::support::{World, keeper, pass, reference, text};
use crate::keeper::CacheConfig;
use detectviz_core::{
    clock,
    secret::{SecretErrorKind, SecretsProvider},
};
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

fn gaps(world: &World, begun: tokio::time::Instant) -> Vec<f64> {
    let times = world.renewals.lock().unwrap().clone();
    let before = std::iter::once(begun).chain(times.iter().copied());
    let gaps = times.iter().zip(before).map(|(at, before)| *at - before);
    gaps.map(|gap| gap.as_secs_f64()).collect()
}

#[tokio::test(start_paused = true)]
async fn s1_a_lease_is_renewed_at_two_thirds_and_the_value_stays() {
    let (world, keeper) = keeper(CacheConfig::default());
    world.lend(60, true);
    let begun = tokio::time::Instant::now();
    let mut watch = keeper.watch(&reference("db")).await.unwrap();
    pass(3600).await;
    let gaps = gaps(&world, begun);
    assert!((81..=86).contains(&gaps.len()), "{}", gaps.len());
    assert!(
        gaps.iter().all(|gap| (42.0..=44.1).contains(gap)),
        "{gaps:?}"
    );
    assert_eq!(world.fetches(), 1);
    let remaining = watch.latest().lease().unwrap().remaining(clock::now());
    assert!(
        remaining >= Duration::from_secs(15),
        "its holder sees the new end"
    );
    let none = tokio::time::timeout(Duration::ZERO, watch.changed()).await;
    assert!(none.is_err(), "a renewal is no change");
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_replaced_before_its_end_and_the_old_one_revoked_after_its_last_user() {
    let (world, keeper) = keeper(CacheConfig::default());
    world.lend(60, true);
    let mut watch = keeper.watch(&reference("db")).await.unwrap();
    let old = watch.latest();
    *world.renewal.lock().unwrap() = Some(Duration::from_secs(20));
    let new = watch.changed().await.unwrap();
    assert_eq!((text(&old), text(&new)), ("0".to_owned(), "0".to_owned()));
    assert_eq!(new.lease().unwrap().id(), "lease-1");
    assert!(old.lease().unwrap().remaining(clock::now()) > Duration::from_secs(5));
    assert!(world.revoked().is_empty(), "it is still in use");
    drop(old);
    pass(1).await;
    assert_eq!(world.revoked(), ["lease-0"]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_lease_is_not_served_and_another_is_had_at_once() {
    let (world, keeper) = keeper(CacheConfig::default());
    world.lend(60, true);
    let mut watch = keeper.watch(&reference("db")).await.unwrap();
    *world.renewal.lock().unwrap() = None;
    let begun = tokio::time::Instant::now();
    let new = watch.changed().await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(45));
    assert_eq!(new.lease().unwrap().id(), "lease-1");
}

#[tokio::test(start_paused = true)]
async fn with_the_store_away_a_lease_is_served_to_its_end_and_not_beyond() {
    // Away for five minutes, at any phase: leases of 20 minutes live on, of 10 minutes at most end.
    for (lease, phase) in [
        (1200, 0),
        (1200, 800),
        (1200, 850),
        (600, 100),
        (600, 419),
        (600, 445),
    ] {
        let (world, keeper) = keeper(CacheConfig::default());
        world.lend(lease, true);
        let wanted = reference("db");
        let _watch = keeper.watch(&wanted).await.unwrap();
        pass(phase).await;
        let before = world.renewals.lock().unwrap().len();
        world.set(Some(SecretErrorKind::Unavailable));
        for _ in 0..300 {
            pass(1).await;
            match keeper.get(&wanted).await {
                Ok(bundle) => {
                    assert!(
                        bundle.lease().unwrap().end() > clock::now(),
                        "served past its end"
                    );
                }
                Err(err) => {
                    assert_eq!(lease, 600, "phase {phase}: {err}");
                    assert_eq!(err.kind(), SecretErrorKind::Unavailable);
                    assert_eq!(err.reference(), &wanted);
                }
            }
        }
        let tries = world.renewals.lock().unwrap().len() - before;
        assert!(tries <= 30, "{tries} renewals");
        world.set(None);
        pass(31).await;
        assert!(keeper.get(&wanted).await.is_ok(), "{lease} s at {phase} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_session_replaces_the_leases_of_the_old_one_only() {
    let (world, keeper) = keeper(CacheConfig::default());
    world.lend(600, true);
    let mut watches = Vec::new();
    for name in ["a", "b", "c"] {
        watches.push(keeper.watch(&reference(name)).await.unwrap());
    }
    let events = world.events.lock().unwrap().clone().unwrap();
    events.session(1);
    pass(1).await;
    assert_eq!(world.fetches(), 3);
    events.session(2);
    for watch in &mut watches {
        watch.changed().await.unwrap();
    }
    assert_eq!(world.fetches(), 6);
}

#[tokio::test(start_paused = true)]
async fn what_is_held_is_renewed_though_nobody_watches_and_closing_revokes_it() {
    let (world, keeper) = keeper(CacheConfig::default());
    world.lend(600, true);
    let held = keeper.get(&reference("held")).await.unwrap();
    drop(keeper.get(&reference("dropped")).await.unwrap());
    pass(4 * 3600).await;
    assert!(held.lease().unwrap().remaining(clock::now()) > Duration::from_secs(100));
    assert_eq!(
        world.revoked(),
        ["lease-1"],
        "what nobody uses is given back"
    );
    drop(held);
    keeper.close().await;
    assert_eq!(world.revoked(), ["lease-1", "lease-0"]);
    assert_eq!(world.closed.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_over_the_end_of_a_lease_serves_nothing_old() {
    let (world, keeper) = keeper(CacheConfig::default());
    world.lend(60, true);
    let wanted = reference("db");
    let old = keeper.get(&wanted).await.unwrap();
    tokio::time::advance(Duration::from_secs(3600)).await;
    *world.renewal.lock().unwrap() = None;
    let new = keeper.get(&wanted).await.unwrap();
    assert!(new.lease().unwrap().end() > clock::now());
    assert!(new.version().sequence > old.version().sequence);
}

#[tokio::test(start_paused = true)]
async fn a_hundred_rotations_fail_no_request_and_use_nothing_expired() {
    let (world, keeper) = keeper(CacheConfig::default());
    world.lend(10, false);
    let wanted = reference("db");
    let watch = keeper.watch(&wanted).await.unwrap();
    let world = Arc::clone(&world);
    while world.fetches() < 101 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        world.rotate();
        let bundle = watch.latest();
        assert!(bundle.lease().unwrap().end() > clock::now());
    }
    pass(1).await;
    assert!(world.revoked().len() >= 100, "each was given back");
}
