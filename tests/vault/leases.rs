//! Leases: renewed, revoked, lost.
use crate::support::{Fixture, fetch, grant, reference, text};
use detectviz_core::secret::SecretErrorKind;
use detectviz_secrets::store::{Grant, Store};
use detectviz_tests::vault::clock::Held;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_until_its_max_ttl_and_then_lost() {
    let held = Held::new();
    let fixture = Fixture::new().await;
    let (store, at) = (fixture.store(), reference("database/creds/orders"));
    let lent = store.fetch(&at).await.unwrap();
    let grant = grant(&lent);
    for expected in [20, 20, 15] {
        held.pass(MINUTE * 15, MINUTE).await;
        let renewed = store.renew(&at, &grant).await.unwrap();
        assert_eq!(renewed.duration, MINUTE * expected);
        assert!(renewed.renewable);
    }
    assert!(
        fixture
            .server
            .is_valid(&text(&lent, "username"), &text(&lent, "password"))
    );
    held.pass(MINUTE * 15, MINUTE).await;
    let err = store.renew(&at, &grant).await.unwrap_err();
    assert_eq!(err.kind(), SecretErrorKind::NotFound);
    assert!(err.to_string().contains("the lease is gone"), "{err}");
}

#[tokio::test]
async fn a_lease_that_is_given_back_takes_its_user_along() {
    let fixture = Fixture::new().await;
    let store = fixture.store();
    let lent = fetch(&store, "database/creds/orders").await.unwrap();
    let grant = grant(&lent);
    for _ in 0..2 {
        store.revoke(&grant).await.unwrap();
    }
    assert!(
        !fixture
            .server
            .is_valid(&text(&lent, "username"), &text(&lent, "password"))
    );
    let err = store
        .renew(&reference("database/creds/orders"), &grant)
        .await
        .unwrap_err();
    assert_eq!(err.kind(), SecretErrorKind::NotFound);
}

#[tokio::test]
async fn what_cannot_be_renewed_is_not_asked_for() {
    let fixture = Fixture::new().await;
    let store = fixture.store();
    let grant = Grant {
        id: String::new(),
        duration: MINUTE,
        renewable: false,
        session: 1,
    };
    let err = store
        .renew(&reference("pki/issue/a"), &grant)
        .await
        .unwrap_err();
    assert_eq!(err.kind(), SecretErrorKind::Denied);
    store.revoke(&grant).await.unwrap();
    assert_eq!(fixture.server.requests("sys/leases"), 0);
}

#[tokio::test]
async fn a_missing_policy_for_revoking_says_which() {
    let fixture = Fixture::new().await;
    let store = fixture.store();
    let lent = fetch(&store, "database/creds/orders").await.unwrap();
    fixture.server.remove_policy("app");
    let err = store.revoke(&grant(&lent)).await.unwrap_err().to_string();
    assert!(err.contains(r#"path "sys/leases/revoke""#), "{err}");
}
