//! Values, references, bundles, leases and watches.
mod providers;

use super::*;
use crate::clock;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

fn version(sequence: u64) -> SecretVersion {
    SecretVersion {
        sequence,
        label: None,
    }
}

fn bundle(value: &str, sequence: u64) -> SecretBundle {
    SecretBundle::single(Secret::from(value), version(sequence))
}

#[test]
fn references_are_read_and_written_back() {
    for (text, scheme, path, field) in [
        (
            "${secret:vault:kv/orders#password}",
            "vault",
            "kv/orders",
            Some("password"),
        ),
        (
            "${secret:file:/run/secrets/db}",
            "file",
            "/run/secrets/db",
            None,
        ),
        ("${secret:env:DB_PASSWORD}", "env", "DB_PASSWORD", None),
        (
            "${secret:aws:arn:aws:x:1#a}",
            "aws",
            "arn:aws:x:1",
            Some("a"),
        ),
    ] {
        let read: SecretRef = text.parse().unwrap();
        assert_eq!(
            (read.scheme(), read.path(), read.field()),
            (scheme, path, field)
        );
        assert_eq!(read.to_string(), text);
        let json = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<SecretRef>(&json).unwrap(), read);
    }
}

#[test]
fn a_bad_reference_is_refused_without_repeating_it() {
    for text in [
        "${secret:canary",
        "canary",
        "${secret::canary}",
        "${secret:env:}",
        "${secret:env:canary#}",
        "${secret:ENV:canary}",
    ] {
        let err = text.parse::<SecretRef>().unwrap_err().to_string();
        assert!(
            !err.contains("canary") && err.contains("${secret:<scheme>"),
            "{err}"
        );
        let json = serde_json::to_string(text).unwrap();
        let err = serde_json::from_str::<SecretRef>(&json)
            .unwrap_err()
            .to_string();
        assert!(!err.contains("canary"), "{err}");
    }
}

#[test]
fn s10_a_secret_never_shows_itself() {
    let held = bundle("canary", 1);
    let reference: SecretRef = "${secret:env:X#other}".parse().unwrap();
    let err = held.value(&reference).unwrap_err();
    for text in [
        format!("{:?}", Secret::from("canary")),
        format!("{held:?}"),
        format!("{err} {err:?}"),
    ] {
        assert!(!text.contains("canary"), "{text}");
        assert!(!text.contains("99, 97, 110"), "{text}");
    }
}

#[test]
fn a_field_is_found_by_name_or_when_it_is_the_only_one() {
    let one = bundle("x", 1);
    let plain: SecretRef = "${secret:env:X}".parse().unwrap();
    assert_eq!(one.value(&plain).unwrap(), &Secret::from("x"));
    let two = SecretBundle::new(
        [("user", "u"), ("password", "")]
            .map(|(k, v)| (k.to_owned(), Secret::from(v)))
            .into(),
        version(1),
    );
    assert_eq!(
        two.value(&plain).unwrap_err().kind(),
        SecretErrorKind::NotFound
    );
    let password: SecretRef = "${secret:env:X#password}".parse().unwrap();
    assert_eq!(
        two.value(&password).unwrap_err().kind(),
        SecretErrorKind::Empty
    );
}

#[test]
fn the_last_clone_releases_the_lease_once() {
    let released = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&released);
    let lease = Lease::new("l", clock::now(), Duration::from_secs(1), true, move || {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let held = SecretBundle::leased(
        [("a".to_owned(), Secret::from("b"))].into(),
        version(1),
        lease,
    );
    let clone = held.clone();
    drop(held);
    assert_eq!(released.load(Ordering::Relaxed), 0);
    drop(clone);
    assert_eq!(released.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_watch_never_repeats_and_never_goes_back() {
    let publisher = SecretPublisher::new(bundle("a", 1));
    let mut watch = publisher.subscribe();
    assert!(!publisher.publish(bundle("a", 2)), "the same value again");
    assert!(publisher.publish(bundle("b", 3)));
    assert!(!publisher.publish(bundle("stale", 2)));
    assert!(publisher.publish(bundle("c", 4)));
    assert_eq!(
        watch.changed().await.unwrap().version().sequence,
        4,
        "b was skipped"
    );
    drop(publisher);
    assert!(watch.changed().await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reads_while_a_secret_rotates_sees_each_version_whole_and_in_order() {
    const LAST: u64 = 20_000;
    let tasks = crate::task::Tasks::new();
    let publisher = SecretPublisher::new(bundle("1", 1));
    let mut watch = publisher.subscribe();
    let reader = publisher.subscribe();
    let reading = tasks.spawn_blocking("test", move || {
        let mut seen = 0;
        while seen < LAST {
            let latest = reader.latest();
            let version = latest.version().sequence;
            let field = latest.field(SecretBundle::VALUE).unwrap();
            assert_eq!(field.expose(), version.to_string().as_bytes());
            assert!(version >= seen, "{version} after {seen}");
            seen = version;
        }
    });
    let writing = tasks.spawn_blocking("test", move || {
        for sequence in 2..=LAST {
            assert!(publisher.publish(bundle(&sequence.to_string(), sequence)));
        }
    });
    let mut seen = 1;
    while let Some(next) = watch.changed().await {
        assert!(next.version().sequence > seen, "repeated or went back");
        seen = next.version().sequence;
    }
    assert_eq!(seen, LAST);
    reading.await.unwrap();
    writing.await.unwrap();
}

#[test]
fn the_end_of_a_lease_moves_for_all_who_hold_it() {
    let now = clock::now();
    let lease = Lease::new("l", now, Duration::from_secs(60), true, || {});
    let held = SecretBundle::leased(
        [("a".to_owned(), Secret::from("b"))].into(),
        version(1),
        lease,
    );
    let clone = held.renumbered(version(7));
    assert_eq!(held.holders(), 2, "the other holds the lease");
    assert_eq!(clone.version().sequence, 7);
    held.lease()
        .unwrap()
        .ends_at(now + Duration::from_secs(100));
    let remaining = |at| {
        clone
            .lease()
            .unwrap()
            .remaining(now + Duration::from_secs(at))
    };
    assert_eq!(remaining(40), Duration::from_secs(60));
    assert_eq!(remaining(101), Duration::ZERO);
}
