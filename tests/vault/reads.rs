//! What is read, and what is not there.
use crate::support::{Fixture, fetch, field, grant, text};
use detectviz_core::secret::SecretErrorKind;
use detectviz_secrets::{
    store::Life,
    vault::{MountKind, VaultConfig},
};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn both_versions_of_kv_are_found_out_once() {
    let fixture = Fixture::new().await;
    let store = fixture.store();
    for _ in 0..3 {
        assert_eq!(field(&store, "kv/orders", "password").await, "one");
        assert_eq!(field(&store, "old/orders", "password").await, "old");
    }
    assert_eq!(fixture.server.requests("sys/internal/ui/mounts"), 2);
    assert_eq!(fixture.logins(), 1);
    let found = fetch(&store, "kv/orders").await.unwrap();
    assert_eq!(
        (text(&found, "port").as_str(), found.life),
        ("5432", Life::Cached)
    );
}

#[tokio::test]
async fn a_version_can_be_named_and_a_lost_one_says_why() {
    let fixture = Fixture::new().await;
    let store = fixture.store();
    for password in ["two", "three", "four"] {
        fixture
            .write(
                "kv/data/orders",
                json!({ "data": { "password": password } }),
            )
            .await;
    }
    fixture
        .write("kv/delete/orders", json!({ "versions": [2] }))
        .await;
    fixture
        .write("kv/destroy/orders", json!({ "versions": [3] }))
        .await;
    let first = fetch(&store, "kv/orders?version=1").await.unwrap();
    assert_eq!(
        (text(&first, "password").as_str(), first.label.as_deref()),
        ("one", Some("1"))
    );
    let latest = fetch(&store, "kv/orders").await.unwrap();
    assert_eq!(
        (text(&latest, "password").as_str(), latest.label.as_deref()),
        ("four", Some("4"))
    );
    for (path, expected) in [
        ("kv/orders?version=2", "version 2 was deleted at"),
        ("kv/orders?version=3", "version 3 was destroyed"),
        ("kv/absent", "vault kv put kv/absent"),
        ("kv/data/orders", "leave out `data/`"),
        ("old/absent", "vault kv put old/absent"),
    ] {
        let err = fetch(&store, path).await.unwrap_err();
        assert_eq!(err.kind(), SecretErrorKind::NotFound, "{path}: {err}");
        assert!(err.to_string().contains(expected), "{path}: {err}");
    }
    fixture.server.delete_key("kv", "orders");
    let err = fetch(&store, "kv/orders").await.unwrap_err();
    assert_eq!(err.kind(), SecretErrorKind::NotFound);
}

#[tokio::test]
async fn a_static_role_says_when_it_rotates() {
    let fixture = Fixture::new().await;
    let role = json!({ "db_name": "db", "username": "app", "rotation_period": "1h" });
    fixture.write("database/static-roles/app", role).await;
    let found = fetch(&fixture.store(), "database/static-creds/app")
        .await
        .unwrap();
    let Life::Rotates(rest) = found.life else {
        panic!("{:?}", found.life)
    };
    assert!(rest > Duration::from_secs(3590) && rest <= Duration::from_secs(3600));
    assert!(fixture.server.is_valid("app", &text(&found, "password")));
    assert!(!found.fields.contains_key("ttl") && found.label.is_some());
}

#[tokio::test]
async fn credentials_are_lent_anew_at_each_fetch() {
    let fixture = Fixture::new().await;
    let store = fixture.store();
    let first = fetch(&store, "database/creds/orders").await.unwrap();
    let second = fetch(&store, "database/creds/orders").await.unwrap();
    assert_ne!(text(&first, "username"), text(&second, "username"));
    let grant = grant(&first);
    assert_eq!(
        (grant.duration, grant.renewable, grant.session),
        (Duration::from_secs(1200), true, 1)
    );
    assert!(
        fixture
            .server
            .is_valid(&text(&first, "username"), &text(&first, "password"))
    );
}

#[tokio::test]
async fn a_namespace_is_where_everything_is() {
    let fixture = Fixture::new().await;
    fixture.write("sys/namespaces/team", json!({})).await;
    let admin = fixture.admin.with_namespace("team");
    admin.enable_mount("kv", "kv-v2").await.unwrap();
    let body = json!({ "data": { "password": "theirs" } });
    admin.write("kv/data/orders", body).await.unwrap();
    admin
        .put_policy("app", r#"path "kv/data/*" { capabilities = ["read"] }"#)
        .await
        .unwrap();
    admin.enable_auth("userpass", "userpass").await.unwrap();
    let user = json!({ "password": "hunter2", "token_policies": "app" });
    admin.write("auth/userpass/users/app", user).await.unwrap();
    let store = fixture.build(fixture.config().namespace("team/"));
    assert_eq!(field(&store, "kv/orders", "password").await, "theirs");
    detectviz_secrets::store::Store::check(&store)
        .await
        .unwrap();
    assert_eq!(
        field(&fixture.store(), "kv/orders", "password").await,
        "one"
    );
}

#[tokio::test]
async fn what_is_mounted_can_be_told_to_a_store_that_may_not_ask() {
    let fixture = Fixture::new().await;
    let told = |config: VaultConfig| {
        config
            .mount("kv/", MountKind::KvV2)
            .mount("old", MountKind::KvV1)
    };
    let store = fixture.build(told(fixture.config()));
    assert_eq!(field(&store, "kv/orders", "password").await, "one");
    assert_eq!(field(&store, "old/orders", "password").await, "old");
    assert_eq!(fixture.server.requests("sys/internal"), 0);
}

#[tokio::test]
async fn a_path_without_a_mount_or_a_policy_says_what_to_do() {
    let fixture = Fixture::new().await;
    let store = fixture.store();
    fixture.admin.enable_mount("hidden", "kv-v2").await.unwrap();
    for path in ["nowhere/orders", "hidden/orders"] {
        let err = fetch(&store, path).await.unwrap_err();
        assert_eq!(err.kind(), SecretErrorKind::Denied, "{err}");
        assert!(err.to_string().contains("`mounts`"), "{err}");
    }
    let store = fixture.build(fixture.config().mount("hidden", MountKind::KvV2));
    let err = fetch(&store, "hidden/orders").await.unwrap_err();
    assert_eq!(err.kind(), SecretErrorKind::Denied);
    let expected = r#"path "hidden/data/orders" { capabilities = ["read"] }"#;
    assert!(err.to_string().contains(expected), "{err}");
    assert_eq!(
        fixture.server.requests("auth/userpass/login"),
        2,
        "a policy is no reason to log in again"
    );
}

#[tokio::test]
async fn a_certificate_is_issued_for_its_life_and_with_a_lease_where_the_role_says_so() {
    let fixture = Fixture::new().await;
    fixture.admin.enable_mount("pki", "pki").await.unwrap();
    let root = json!({ "common_name": "root", "ttl": "8760h" });
    fixture.write("pki/root/generate/internal", root).await;
    for (name, generate_lease) in [("plain", false), ("leased", true)] {
        let role = json!({
            "allowed_domains": "shop", "allow_subdomains": true, "max_ttl": "72h", "generate_lease": generate_lease,
        });
        fixture.write(&format!("pki/roles/{name}"), role).await;
        let path =
            format!("pki/issue/{name}?common_name=orders.shop&alt_names=a.shop%2Cb.shop&ttl=24h");
        let store = fixture.store();
        let found = fetch(&store, &path).await.unwrap();
        assert!(text(&found, "certificate").starts_with("-----BEGIN CERTIFICATE-----\n"));
        assert!(text(&found, "private_key").contains("PRIVATE KEY"));
        assert_eq!(
            found.label.as_deref(),
            Some(text(&found, "serial_number").as_str())
        );
        let lent = grant(&found);
        let day = Duration::from_secs(24 * 3600);
        assert!(lent.duration <= day && lent.duration > day - Duration::from_secs(10));
        assert_eq!(
            (lent.renewable, lent.id.is_empty()),
            (false, !generate_lease)
        );
        detectviz_secrets::store::Store::revoke(&store, &lent)
            .await
            .unwrap();
    }
    assert_eq!(fixture.server.requests("sys/leases/revoke"), 1);
    for (path, expected) in [
        (
            "pki/issue/plain?common_name=orders.bank",
            "not allowed by this role",
        ),
        (
            "pki/issue/absent?common_name=orders.shop",
            "unknown role: absent",
        ),
    ] {
        let err = fetch(&fixture.store(), path).await.unwrap_err();
        assert_eq!(err.kind(), SecretErrorKind::Malformed, "{err}");
        assert!(err.to_string().contains(expected), "{err}");
    }
}
