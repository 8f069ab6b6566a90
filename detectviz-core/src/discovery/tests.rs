use super::*;

fn conditions(ready: bool, serving: bool, terminating: bool) -> Conditions {
    Conditions {
        ready,
        serving,
        terminating,
    }
}

#[test]
fn d6_terminating_endpoints_are_used_only_when_nothing_is_ready() {
    let ready = Endpoint::new("10.0.0.1", 1);
    let leaving = Endpoint::new("10.0.0.2", 1).with_conditions(conditions(false, true, true));
    let gone = Endpoint::new("10.0.0.3", 1).with_conditions(conditions(false, false, true));
    for (all, expected) in [
        (
            vec![ready.clone(), leaving.clone(), gone.clone()],
            vec![ready],
        ),
        (vec![leaving.clone(), gone.clone()], vec![leaving]),
        (vec![gone], vec![]),
    ] {
        let set = EndpointSet::new("x", all);
        assert_eq!(set.usable().cloned().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn an_authority_brackets_ipv6() {
    for (host, expected) in [
        ("::1", "[::1]:80"),
        ("127.0.0.1", "127.0.0.1:80"),
        ("orders", "orders:80"),
    ] {
        assert_eq!(Endpoint::new(host, 80).authority(), expected);
    }
}

#[tokio::test]
async fn a_watch_sees_changes_and_skips_what_is_the_same() {
    let first = EndpointSet::new("x", vec![]);
    let publisher = EndpointPublisher::new(first.clone());
    let mut watch = publisher.subscribe();
    assert!(!publisher.publish(first));
    let next = EndpointSet::new("x", vec![Endpoint::new("a", 1)]);
    assert!(publisher.publish(next.clone()));
    assert_eq!(*watch.changed().await.unwrap(), next);
    drop(publisher);
    assert!(watch.changed().await.is_none());
    assert_eq!(*watch.latest(), next);
}
