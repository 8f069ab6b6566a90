//! What is kept, and for how long.
use super::support::{keeper, pass, reference, text};
use crate::keeper::CacheConfig;
use detectviz_core::{
    health::Check,
    secret::{SecretErrorKind, SecretsProvider},
};
use futures_util::future::join_all;
use std::{sync::atomic::Ordering, time::Duration};

#[tokio::test(start_paused = true)]
async fn ten_thousand_who_ask_at_once_make_one_call() {
    let (world, keeper) = keeper(CacheConfig::default());
    *world.delay.lock().unwrap() = Duration::from_millis(50);
    let wanted = reference("a");
    let answers = join_all((0..10_000).map(|_| keeper.get(&wanted))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(world.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn s7_two_hundred_who_ask_for_an_absent_secret_make_one_call_and_it_is_forgotten_after_a_second()
 {
    let (world, keeper) = keeper(CacheConfig::default());
    world.set(Some(SecretErrorKind::NotFound));
    let wanted = reference("absent#field");
    let answers = join_all((0..200).map(|_| keeper.get(&wanted))).await;
    for answer in answers {
        let err = answer.unwrap_err();
        assert_eq!(err.kind(), SecretErrorKind::NotFound);
        assert_eq!(
            err.reference(),
            &wanted,
            "whoever asks reads what they wrote"
        );
    }
    assert_eq!(world.fetches(), 1);
    world.set(None);
    tokio::time::sleep(Duration::from_millis(1001)).await;
    assert!(keeper.get(&reference("absent")).await.is_ok());
    assert_eq!(world.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_watched_is_refreshed_ahead_and_a_change_wakes_its_watchers_only() {
    let (world, keeper) = keeper(CacheConfig::default());
    let mut watch = keeper.watch(&reference("a")).await.unwrap();
    pass(36 * 60).await;
    assert_eq!(world.fetches(), 2, "within 30 ± 5 min");
    world.rotate();
    let mut other = keeper.watch(&reference("b")).await.unwrap();
    let changed = watch.changed().await.unwrap();
    assert_eq!(
        (text(&changed).as_str(), changed.version().sequence),
        ("1", 2)
    );
    assert_eq!(text(&other.latest()), "1");
    let none = tokio::time::timeout(Duration::from_secs(7200), other.changed()).await;
    assert!(none.is_err(), "it has not changed");
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_down_the_last_value_is_served_for_a_day_and_the_check_says_so() {
    let (world, keeper) = keeper(CacheConfig::default());
    let wanted = reference("a");
    keeper.pin(&wanted);
    keeper.get(&wanted).await.unwrap();
    assert!(keeper.check().await.is_ok());
    world.set(Some(SecretErrorKind::Unavailable));
    world.rotate();
    for hour in 1..24 {
        pass(3600).await;
        let bundle = keeper.get(&wanted).await;
        assert_eq!(text(&bundle.unwrap()), "0", "after {hour} h");
    }
    let said = keeper.check().await.unwrap_err().to_string();
    assert!(said.contains("${secret:told:a}"), "{said}");
    pass(3600).await;
    let err = keeper.get(&wanted).await.unwrap_err();
    assert_eq!(err.kind(), SecretErrorKind::Unavailable);
    world.set(None);
    pass(61).await;
    assert_eq!(text(&keeper.get(&wanted).await.unwrap()), "1");
    assert!(keeper.check().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_answers_late_is_unavailable_and_what_is_old_is_served_meanwhile() {
    let (world, keeper) = keeper(CacheConfig::default());
    let wanted = reference("a");
    *world.delay.lock().unwrap() = Duration::from_secs(10);
    let err = keeper.get(&wanted).await.unwrap_err();
    assert_eq!(err.kind(), SecretErrorKind::Unavailable);
    assert!(err.to_string().contains("no answer within 5s"), "{err}");
    *world.delay.lock().unwrap() = Duration::ZERO;
    pass(2).await;
    let watch = keeper.watch(&wanted).await.unwrap();
    *world.delay.lock().unwrap() = Duration::from_secs(10);
    pass(2 * 3600).await;
    let asked = tokio::time::Instant::now();
    keeper.get(&wanted).await.unwrap();
    assert!(asked.elapsed() <= Duration::from_secs(5));
    assert_eq!(text(&watch.latest()), "0");
}

#[tokio::test(start_paused = true)]
async fn refresh_asks_at_once_and_at_most_once_a_second() {
    let (world, keeper) = keeper(CacheConfig::default());
    let wanted = reference("a");
    keeper.get(&wanted).await.unwrap();
    pass(2).await;
    world.rotate();
    let answers = join_all((0..100).map(|_| keeper.refresh(&wanted))).await;
    assert!(answers.iter().all(|a| text(a.as_ref().unwrap()) == "1"));
    assert_eq!(world.fetches(), 2);
    world.rotate();
    assert_eq!(text(&keeper.refresh(&wanted).await.unwrap()), "1");
    pass(1).await;
    assert_eq!(text(&keeper.refresh(&wanted).await.unwrap()), "2");
    world.set(Some(SecretErrorKind::Denied));
    pass(1).await;
    let err = keeper.refresh(&wanted).await.unwrap_err();
    assert_eq!(err.kind(), SecretErrorKind::Denied, "the driver must know");
    assert_eq!(
        text(&keeper.get(&wanted).await.unwrap()),
        "2",
        "and others live on"
    );
}

#[tokio::test(start_paused = true)]
async fn a_change_that_the_store_tells_is_fetched_also_during_a_fetch() {
    let (world, keeper) = keeper(CacheConfig::default());
    let wanted = reference("a");
    let mut watch = keeper.watch(&wanted).await.unwrap();
    let events = world.events.lock().unwrap().clone().unwrap();
    world.rotate();
    events.changed(&wanted);
    assert_eq!(text(&watch.changed().await.unwrap()), "1");
    *world.delay.lock().unwrap() = Duration::from_secs(1);
    events.changed(&wanted);
    pass(0).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    events.changed(&wanted);
    pass(3).await;
    assert_eq!(
        world.fetches(),
        4,
        "the one under way may be older than the change"
    );
    events.changed(&reference("unknown"));
    pass(3).await;
    assert_eq!(world.fetches(), 4, "nobody uses it");
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_does_not_end_the_fetch_of_others() {
    let (world, keeper) = keeper(CacheConfig::default());
    *world.delay.lock().unwrap() = Duration::from_secs(1);
    let wanted = reference("a");
    let impatient = tokio::time::timeout(Duration::from_millis(100), keeper.get(&wanted));
    let (gone, patient) = tokio::join!(impatient, keeper.get(&wanted));
    assert!(gone.is_err() && patient.is_ok());
    assert_eq!(world.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_uses_is_forgotten_and_after_the_end_nothing_is_given() {
    let (world, keeper) = keeper(CacheConfig::default());
    keeper.get(&reference("a")).await.unwrap();
    let mut watch = keeper.watch(&reference("b")).await.unwrap();
    pass(3 * 3600).await;
    let view = keeper.view();
    assert!(view.get("${secret:told:a}").is_none(), "{view}");
    assert_eq!(view["${secret:told:b}"]["state"], "fresh");
    keeper.close().await;
    assert_eq!(world.closed.load(Ordering::SeqCst), 1);
    assert!(watch.changed().await.is_none());
    assert!(keeper.get(&reference("b")).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_panics_is_unavailable_and_not_asked_without_a_pause() {
    let (world, keeper) = keeper(CacheConfig::default());
    let wanted = reference("a");
    let watch = keeper.watch(&wanted).await.unwrap();
    world.panics.store(true, Ordering::SeqCst);
    let err = keeper.get(&reference("b")).await.unwrap_err();
    assert_eq!(err.kind(), SecretErrorKind::Unavailable);
    let before = world.fetches();
    pass(2 * 3600).await;
    let asked = world.fetches() - before;
    assert!((60..=200).contains(&asked), "about once a minute: {asked}");
    assert_eq!(text(&keeper.get(&wanted).await.unwrap()), "0");
    world.panics.store(false, Ordering::SeqCst);
    world.rotate();
    pass(61).await;
    assert_eq!(text(&watch.latest()), "1");
}
