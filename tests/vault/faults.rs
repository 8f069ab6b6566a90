//! Everything that a store can answer, told apart.
use crate::support::{Fixture, fetch, field, grant, reference};
use detectviz_core::secret::SecretErrorKind::{self, Denied, Malformed, Unavailable};
use detectviz_secrets::store::Store;
use detectviz_tests::vault::{Fault, VaultOptions, clock::Held};
use std::time::{Duration, Instant};

#[tokio::test]
async fn each_bad_answer_is_an_error_of_its_own() {
    let fixture = Fixture::new().await;
    let store = fixture.store();
    field(&store, "kv/orders", "password").await;
    let cases: [(Fault, SecretErrorKind, &str); 12] = [
        (Fault::Seal, Unavailable, "unseal it"),
        (
            Fault::RateLimit { retry_after: 7 },
            Unavailable,
            "asks to wait 7 s",
        ),
        (Fault::Status(500), Unavailable, "internal error"),
        (Fault::Status(502), Unavailable, "answers 502"),
        (Fault::Status(473), Unavailable, "standby"),
        (Fault::Status(501), Unavailable, "vault operator init"),
        (Fault::Close, Unavailable, "cut short"),
        (Fault::Cut, Unavailable, "cut short"),
        (Fault::Garbage, Malformed, "no JSON"),
        (Fault::Empty, Malformed, "ends too early"),
        (Fault::WrongTypes, Malformed, "other types"),
        (Fault::Huge(1 << 20), Malformed, "larger than 1 MiB"),
    ];
    for (fault, kind, expected) in cases {
        fixture.server.set(fault.clone());
        let err = fetch(&store, "kv/orders").await.unwrap_err();
        assert_eq!(err.kind(), kind, "{fault:?}: {err}");
        assert!(err.to_string().contains(expected), "{fault:?}: {err}");
        assert!(
            err.to_string().contains("${secret:vault:kv/orders}"),
            "{err}"
        );
        assert!(!format!("{err} {err:?}").contains("\"one\""), "{err}");
        fixture.server.clear();
        assert_eq!(
            field(&store, "kv/orders", "password").await,
            "one",
            "after {fault:?}"
        );
    }
    assert_eq!(fixture.logins(), 1, "none of them ended the login");
}

#[tokio::test]
async fn bad_answers_to_a_login_are_errors_too() {
    for (fault, kind) in [
        (Fault::Seal, Unavailable),
        (Fault::Status(503), Unavailable),
        (Fault::Garbage, Malformed),
        (Fault::WrongTypes, Malformed),
        (Fault::Empty, Malformed),
        (Fault::Cut, Unavailable),
        (Fault::Huge(2 << 20), Malformed),
    ] {
        let fixture = Fixture::new().await;
        fixture.server.set(fault.clone());
        let err = fetch(&fixture.store(), "kv/orders").await.unwrap_err();
        assert_eq!(err.kind(), kind, "{fault:?}: {err}");
        assert!(err.to_string().contains("the login by userpass"), "{err}");
        assert!(!format!("{err} {err:?}").contains("hunter2"), "{err}");
    }
}

#[tokio::test]
async fn an_answer_that_is_late_is_an_error_in_time() {
    let fixture = Fixture::new().await;
    let store = fixture.build(fixture.config().timeout(Duration::from_millis(200)));
    field(&store, "kv/orders", "password").await;
    fixture.server.set(Fault::Delay(Duration::from_secs(10)));
    let start = Instant::now();
    let err = fetch(&store, "kv/orders").await.unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(err.kind(), Unavailable);
    assert!(err.to_string().contains("did not answer in time"), "{err}");
}

#[tokio::test]
async fn what_is_large_and_within_the_limit_is_read() {
    let fixture = Fixture::new().await;
    let store = fixture.store();
    fixture.server.set(Fault::Huge((1 << 20) - 4096));
    assert_eq!(field(&store, "kv/orders", "password").await, "one");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_not_there_is_found_when_it_comes_back() {
    let held = Held::new();
    let fixture = Fixture::new().await;
    let store = fixture.store();
    fixture.server.stop().await;
    let err = fetch(&store, "kv/orders").await.unwrap_err();
    assert_eq!(err.kind(), Unavailable);
    assert!(err.to_string().contains("no connection to"), "{err}");
    assert!(store.check().await.is_err());
    fixture.server.resume();
    held.pass(Duration::from_secs(2), Duration::from_secs(1))
        .await;
    assert_eq!(field(&store, "kv/orders", "password").await, "one");
    store.check().await.unwrap();
}

#[tokio::test]
async fn a_lease_is_not_lost_by_a_store_that_is_away() {
    let fixture = Fixture::new().await;
    let (store, at) = (fixture.store(), reference("database/creds/orders"));
    let lent = store.fetch(&at).await.unwrap();
    let grant = grant(&lent);
    for fault in [
        Fault::Seal,
        Fault::RateLimit { retry_after: 1 },
        Fault::Status(500),
        Fault::Close,
    ] {
        fixture.server.set(fault);
        assert_eq!(
            store.renew(&at, &grant).await.unwrap_err().kind(),
            Unavailable
        );
        fixture.server.clear();
    }
    store.renew(&at, &grant).await.unwrap();
    fixture.server.revoke_lease_now(&grant.id);
    let err = store.renew(&at, &grant).await.unwrap_err();
    assert!(err.to_string().contains("the lease is gone"), "{err}");
}

#[tokio::test]
async fn an_uninitialized_vault_says_so() {
    let server =
        detectviz_tests::vault::VaultServer::start(VaultOptions::default().uninitialized(true));
    let tasks = detectviz_core::task::Tasks::new();
    let config = detectviz_secrets::vault::VaultConfig::default()
        .addresses([server.address()])
        .auth(crate::support::userpass());
    let store = crate::support::build(config, &tasks);
    let health = store.check().await.unwrap_err().to_string();
    assert!(health.contains("vault operator init"), "{health}");
    let err = fetch(&store, "kv/orders").await.unwrap_err();
    assert!(matches!(err.kind(), Unavailable | Denied), "{err}");
}
