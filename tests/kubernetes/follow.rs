//! A Secret that changes reaches who watches it, whatever happens to the connection.
use super::support::{Pod, changed, password, reader, reference, text};
use detectviz_core::secret::{SecretWatch, SecretsProvider};
use detectviz_secrets::keeper::Keeper;
use detectviz_tests::{
    BOUND,
    kubernetes::{Cluster, Fault, Rule},
};
use futures_util::future::join_all;
use std::time::{Duration, Instant};

/// Follows `db`, with the API server's watch open.
async fn follow(pod: &Pod) -> (Keeper, SecretWatch) {
    let keeper = pod.keeper();
    let watch = keeper
        .watch(&reference("db"))
        .await
        .expect("it may be read");
    pod.cluster.watched(1).await;
    (keeper, watch)
}

#[tokio::test]
async fn a_change_is_seen_at_once_and_no_value_is_in_what_is_watched() {
    let pod = Pod::start();
    let (_keeper, mut watch) = follow(&pod).await;
    let version = pod.cluster.put("shop", "db", &[("password", b"two")]);
    let bundle = changed(&mut watch).await;
    assert_eq!(text(&bundle, "password"), "two");
    assert_eq!(bundle.version().label.as_deref(), Some(&*version));
    assert_eq!(
        pod.cluster.requests("get").len(),
        2,
        "one fetch for each value"
    );
    let (lists, watches) = (pod.cluster.requests("list"), pod.cluster.requests("watch"));
    assert_eq!((lists.len(), watches.len()), (1, 1));
    for uri in lists.iter().chain(&watches) {
        assert!(uri.contains("fieldSelector=metadata.name%3Ddb"), "{uri}");
    }
    assert!(
        watches[0].contains("allowWatchBookmarks=true"),
        "{watches:?}"
    );
}

#[tokio::test]
async fn what_changes_while_the_watch_is_broken_is_seen_when_it_is_back() {
    for protocols in [&["h2"], &["http/1.1"]] {
        let pod = Pod::of(Cluster::speaking(protocols));
        let (_keeper, mut watch) = follow(&pod).await;
        pod.cluster.break_watches();
        pod.cluster.put("shop", "db", &[("password", b"two")]);
        assert_eq!(
            text(&changed(&mut watch).await, "password"),
            "two",
            "{protocols:?}"
        );
    }
}

#[tokio::test]
async fn a_past_that_the_server_has_forgotten_is_listed_again() {
    let pod = Pod::start();
    let (_keeper, mut watch) = follow(&pod).await;
    pod.cluster.break_watches();
    pod.cluster.watched(0).await;
    // Deleted and recreated, and nobody can say any more that it was.
    pod.cluster.delete("shop", "db");
    pod.cluster.put("shop", "db", &[("password", b"two")]);
    pod.cluster.compact();
    assert_eq!(text(&changed(&mut watch).await, "password"), "two");
    pod.cluster.watched(1).await;
    assert_eq!(pod.cluster.requests("list").len(), 2);
}

#[tokio::test]
async fn a_line_that_is_no_event_is_not_believed_and_what_is_there_is_listed() {
    let pod = Pod::start();
    let (_keeper, mut watch) = follow(&pod).await;
    pod.cluster.garble_watches();
    pod.cluster.watched(0).await;
    pod.cluster.put("shop", "db", &[("password", b"two")]);
    assert_eq!(text(&changed(&mut watch).await, "password"), "two");
    pod.cluster.watched(1).await;
    assert_eq!(pod.cluster.requests("list").len(), 2);
}

#[tokio::test]
async fn a_watch_goes_on_from_the_last_bookmark() {
    let pod = Pod::start();
    let (_keeper, mut watch) = follow(&pod).await;
    let last = pod
        .cluster
        .put("shop", "another", &[("password", b"not ours")]);
    pod.cluster.bookmark();
    pod.cluster.end_watches();
    pod.cluster.asked("watch", 2).await;
    pod.cluster.put("shop", "db", &[("password", b"two")]);
    assert_eq!(text(&changed(&mut watch).await, "password"), "two");
    let watches = pod.cluster.requests("watch");
    assert_eq!(watches.len(), 2);
    assert!(
        watches[1].ends_with(&format!("resourceVersion={last}")),
        "{watches:?}"
    );
    assert_eq!(pod.cluster.requests("list").len(), 1);
}

#[tokio::test]
async fn a_server_in_trouble_is_asked_again_with_pauses() {
    let trouble = |fault: Fault| async move {
        let pod = Pod::start();
        // Twice, so that the second pause is seen to be longer.
        pod.cluster.fail("watch", 2, fault.clone());
        let start = Instant::now();
        let (_keeper, mut watch) = follow(&pod).await;
        let took = start.elapsed();
        assert!(
            took >= Duration::from_millis(800 + 1600),
            "{fault:?}: {took:?}"
        );
        assert_eq!(pod.cluster.requests("watch").len(), 3, "{fault:?}");
        pod.cluster.put("shop", "db", &[("password", b"two")]);
        assert_eq!(
            text(&changed(&mut watch).await, "password"),
            "two",
            "{fault:?}"
        );
    };
    let faults = [
        Fault::Status(500),
        Fault::Status(429),
        Fault::Bytes(""),
        Fault::Page(404),
    ];
    join_all(faults.map(trouble)).await;
}

#[tokio::test]
async fn who_may_read_and_not_watch_reads_and_follows_once_it_may() {
    let pod = Pod::start();
    pod.cluster
        .allow(&pod.token, &[Rule::new("shop", &["get"], &["db"])]);
    let keeper = pod.keeper();
    let mut watch = keeper
        .watch(&reference("db"))
        .await
        .expect("it may be read");
    assert_eq!(text(&watch.latest(), "password"), "hunter2");
    pod.cluster.asked("list", 1).await;
    pod.cluster.put("shop", "db", &[("password", b"two")]);
    pod.cluster.allow(&pod.token, &[reader()]);
    assert_eq!(text(&changed(&mut watch).await, "password"), "two");
}

#[tokio::test]
async fn a_secret_that_is_deleted_keeps_its_last_value_and_recreated_is_a_change() {
    let pod = Pod::start();
    let (keeper, mut watch) = follow(&pod).await;
    pod.cluster.delete("shop", "db");
    let kept = keeper.get(&reference("db")).await.expect("the last value");
    assert_eq!(text(&kept, "password"), "hunter2");
    pod.cluster.put("shop", "db", &[("password", b"two")]);
    assert_eq!(text(&changed(&mut watch).await, "password"), "two");
}

#[tokio::test]
async fn nothing_is_left_after_the_end() {
    let pod = Pod::start();
    let (keeper, _watch) = follow(&pod).await;
    keeper.close().await;
    pod.cluster.watched(0).await;
    pod.tasks.cancel();
    pod.tasks.join(BOUND).await.expect("every task has ended");
    // And without a close.
    let pod = Pod::start();
    let (_keeper, _watch) = follow(&pod).await;
    pod.tasks.cancel();
    pod.tasks.join(BOUND).await.expect("every task has ended");
    pod.cluster.watched(0).await;
}

#[tokio::test]
async fn a_store_without_a_keeper_follows_nothing() {
    let pod = Pod::start();
    let store = pod.store();
    assert_eq!(password(&store).await, "hunter2");
    assert!(pod.cluster.requests("list").is_empty());
}
