//! The login: renewed, replaced, dead, closed.
use crate::support::{Fixture, fetch, field, grant, text};
use detectviz_core::secret::SecretErrorKind;
use detectviz_secrets::store::Store;
use detectviz_tests::vault::{Fault, VaultOptions, clock::Held};
use futures_util::future::join_all;
use serde_json::json;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_secs(15);

#[tokio::test]
async fn many_who_ask_at_once_share_one_login() {
    let fixture = Fixture::new().await;
    let store = fixture.store();
    let found = join_all((0..50).map(|_| fetch(&store, "kv/orders"))).await;
    assert!(found.iter().all(Result::is_ok));
    assert_eq!(fixture.logins(), 1);
}

#[tokio::test(start_paused = true)]
async fn s1_the_token_is_renewed_between_60_and_75_percent_and_replaced_before_its_max_ttl() {
    let held = Held::new();
    let fixture = Fixture::new().await;
    fixture.user("1h", "5h").await;
    let store = fixture.store();
    field(&store, "kv/orders", "password").await;
    held.pass(MINUTE * 60 * 10, STEP).await;
    assert_eq!(field(&store, "kv/orders", "password").await, "one");
    let log = fixture.server.log();
    let calls = log.iter().filter(|request| {
        request.path.contains("userpass/login") || request.path == "auth/token/renew-self"
    });
    let calls: Vec<(Duration, bool)> = calls
        .map(|call| (call.at, call.path.contains("login")))
        .collect();
    assert!(
        log.iter().all(|request| request.status < 400),
        "nothing was refused"
    );
    let logins = calls.iter().filter(|(_, is_login)| *is_login).count();
    assert_eq!(logins, 3, "{calls:?}");
    for pair in calls.windows(2) {
        let share = (pair[1].0 - pair[0].0).as_secs_f64() / 3600.0;
        assert!(
            pair[1].1 || (0.6..=0.75).contains(&share),
            "renewed after {share}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_planned_login_leaves_the_old_leases_to_their_users() {
    let held = Held::new();
    let fixture = Fixture::new().await;
    fixture.user("10m", "20m").await;
    let store = fixture.store();
    let lent = fetch(&store, "database/creds/orders").await.unwrap();
    held.pass(MINUTE * 19, STEP).await;
    let (rest, second) = (Duration::from_secs(50), Duration::from_secs(1));
    held.pass(rest, second).await;
    assert_eq!(fixture.logins(), 2);
    assert!(
        fixture
            .server
            .is_valid(&text(&lent, "username"), &text(&lent, "password"))
    );
    let anew = fetch(&store, "database/creds/orders").await.unwrap();
    assert_eq!((grant(&lent).session, grant(&anew).session), (1, 2));
}

#[tokio::test]
async fn a_dead_token_is_replaced_once_for_all_and_nobody_is_refused() {
    for old_errors in [false, true] {
        let fixture = Fixture::with(VaultOptions::default().old_errors(old_errors)).await;
        let store = fixture.store();
        field(&store, "kv/orders", "password").await;
        let tokens = fixture.server.tokens();
        let ours = tokens
            .iter()
            .find(|token| token.path.contains("userpass"))
            .unwrap();
        assert!(fixture.server.expire_token_now(&ours.accessor));
        let found = join_all((0..20).map(|_| fetch(&store, "database/creds/orders"))).await;
        for lent in found {
            assert_eq!(grant(&lent.unwrap()).session, 2);
        }
        assert_eq!(fixture.logins(), 2, "old errors: {old_errors}");
        let looked = fixture.server.requests("auth/token/lookup-self");
        assert!(
            looked <= usize::from(old_errors),
            "{looked} times looked up"
        );
    }
}

#[tokio::test]
async fn a_policy_that_is_removed_is_named_and_no_reason_to_log_in() {
    let fixture = Fixture::new().await;
    let store = fixture.store();
    field(&store, "kv/orders", "password").await;
    fixture.server.remove_policy("app");
    for _ in 0..3 {
        let err = fetch(&store, "kv/orders").await.unwrap_err();
        assert_eq!(err.kind(), SecretErrorKind::Denied);
        assert!(
            err.to_string().contains(r#"path "kv/data/orders""#),
            "{err}"
        );
    }
    assert_eq!(fixture.logins(), 1);
}

#[tokio::test]
async fn a_token_that_may_not_look_itself_up_is_replaced_once_and_not_again_and_again() {
    let fixture = Fixture::with(VaultOptions::default().old_errors(true)).await;
    let user =
        json!({ "password": "hunter2", "token_policies": "app", "token_no_default_policy": true });
    fixture.write("auth/userpass/users/app", user).await;
    let store = fixture.store();
    field(&store, "kv/orders", "password").await;
    fixture.server.remove_policy("app");
    for _ in 0..10 {
        let err = fetch(&store, "kv/orders").await.unwrap_err();
        assert_eq!(err.kind(), SecretErrorKind::Denied);
    }
    assert_eq!(fixture.logins(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_health_check_tries_a_failed_login_again() {
    let held = Held::new();
    let fixture = Fixture::new().await;
    let store = fixture.store();
    store.check().await.unwrap();
    assert_eq!(fixture.logins(), 0, "nobody has asked for a secret");
    fixture.server.set(Fault::Status(500).on("auth/"));
    assert!(fetch(&store, "kv/orders").await.is_err());
    assert!(store.check().await.is_err());
    fixture.server.clear();
    held.pass(Duration::from_secs(2), Duration::from_secs(1))
        .await;
    store.check().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn while_vault_is_away_for_5_minutes_at_most_30_calls_are_tried_and_the_token_lives() {
    let held = Held::new();
    let fixture = Fixture::new().await;
    fixture.user("20m", "24h").await;
    let store = fixture.store();
    field(&store, "kv/orders", "password").await;
    held.pass(MINUTE * 13 + STEP, STEP).await;
    let before = fixture.server.log().len();
    fixture.server.set(Fault::Status(503).on("auth/"));
    held.pass(MINUTE * 5, Duration::from_secs(1)).await;
    let during = fixture.server.log().len() - before;
    assert!((10..=30).contains(&during), "{during} calls");
    fixture.server.clear();
    held.pass(MINUTE, Duration::from_secs(1)).await;
    assert_eq!(field(&store, "kv/orders", "password").await, "one");
    assert_eq!(fixture.logins(), 1, "the token was renewed in time");
}

#[tokio::test]
async fn closing_revokes_the_token_and_what_it_was_lent() {
    let fixture = Fixture::new().await;
    let store = fixture.store();
    let lent = fetch(&store, "database/creds/orders").await.unwrap();
    for _ in 0..2 {
        store.close().await;
    }
    assert_eq!(fixture.server.requests("auth/token/revoke-self"), 1);
    assert!(
        !fixture
            .server
            .is_valid(&text(&lent, "username"), &text(&lent, "password"))
    );
    let err = fetch(&store, "kv/orders").await.unwrap_err();
    assert!(err.to_string().contains("closed"), "{err}");
    let within = Duration::from_secs(5);
    fixture.tasks.join(within).await.unwrap();
}

#[tokio::test]
async fn a_store_that_is_dropped_leaves_no_task() {
    let fixture = Fixture::new().await;
    let store = fixture.store();
    field(&store, "kv/orders", "password").await;
    drop(store);
    fixture.tasks.join(Duration::from_secs(5)).await.unwrap();
}
