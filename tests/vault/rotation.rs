//! What a service notices of rotation, outages and lost logins: nothing, behind a keeper. The clock is held, so that leases of
//! their full length pass in seconds.
use crate::support::{Fixture, reference};
use detectviz_core::{
    clock,
    secret::{SecretBundle, SecretErrorKind, SecretWatch, SecretsProvider},
};
use detectviz_secrets::keeper::{CacheConfig, Keeper};
use detectviz_tests::vault::{Fault, clock::Held};
use serde_json::json;
use std::{collections::HashSet, time::Duration};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn keeper(fixture: &Fixture) -> Keeper {
    Keeper::new(fixture.store(), CacheConfig::default(), &fixture.tasks)
}

async fn role(fixture: &Fixture, name: &str, ttl: &str, max_ttl: &str) {
    let role = json!({ "db_name": "db", "default_ttl": ttl, "max_ttl": max_ttl });
    let path = format!("database/roles/{name}");
    fixture.write(&path, role).await;
}

fn field<'a>(bundle: &'a SecretBundle, name: &str) -> &'a str {
    bundle.field(name).unwrap().expose_str().unwrap()
}

/// Whether the database takes what is lent.
fn is_valid(fixture: &Fixture, lent: &SecretBundle) -> bool {
    let (user, password) = (field(lent, "username"), field(lent, "password"));
    fixture.server.is_valid(user, password)
}

/// A request: it logs in with what there is.
fn request(fixture: &Fixture, watch: &SecretWatch) -> SecretBundle {
    let lent = watch.latest();
    assert!(lent.lease().unwrap().end() > clock::now(), "past its end");
    assert!(is_valid(fixture, &lent), "the database refuses it");
    lent
}

/// The renewals of leases, in seconds of Vault's clock.
fn renewals(fixture: &Fixture) -> usize {
    fixture.server.requests("sys/leases/renew")
}

#[tokio::test(start_paused = true)]
async fn a_hundred_rotations_of_ten_seconds_fail_no_request_and_leave_no_lease() {
    let held = Held::new();
    let fixture = Fixture::new().await;
    role(&fixture, "quick", "10s", "30s").await;
    let keeper = keeper(&fixture);
    let watch = keeper
        .watch(&reference("database/creds/quick"))
        .await
        .unwrap();
    let mut users = HashSet::new();
    let (mut granted, mut end) = (clock::now(), clock::now());
    let mut renewed = Vec::new();
    while users.len() <= 100 {
        // 200 requests a second.
        for _ in 0..20 {
            let lent = request(&fixture, &watch);
            let lease = lent.lease().unwrap();
            if users.insert(field(&lent, "username").to_owned()) {
                let age = clock::now() - granted;
                assert!(age <= 30 * SECOND, "a new one before max-TTL: {age:?}");
                (granted, end) = (lease.granted(), lease.end());
            } else if lease.end() > end {
                let before = end - 10 * SECOND;
                // The step of the clock is the accuracy.
                renewed.push((clock::now() - before).as_secs_f64() / 10.0);
                end = lease.end();
            }
        }
        held.pass(Duration::from_millis(100), Duration::from_millis(100))
            .await;
    }
    let full = renewed
        .iter()
        .filter(|at| (0.60..=0.75).contains(*at))
        .count();
    assert!(
        full >= 200,
        "each lease is renewed at 60 to 75 %: {renewed:?}"
    );
    assert_eq!(full, renewed.len(), "{renewed:?}");
    held.pass(SECOND, Duration::from_millis(100)).await;
    assert_eq!(fixture.server.leases().len(), 1, "the old ones are revoked");
    keeper.close().await;
    assert_eq!(fixture.server.leases().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_old_lease_is_revoked_only_after_its_last_user() {
    let held = Held::new();
    let fixture = Fixture::new().await;
    role(&fixture, "quick", "60s", "90s").await;
    let keeper = keeper(&fixture);
    let watch = keeper
        .watch(&reference("database/creds/quick"))
        .await
        .unwrap();
    let old = watch.latest();
    while watch.latest().version() == old.version() {
        held.pass(SECOND, SECOND).await;
    }
    assert!(is_valid(&fixture, &old), "whoever holds it can finish");
    assert_eq!(fixture.server.leases().len(), 2);
    let (user, password) = (
        field(&old, "username").to_owned(),
        field(&old, "password").to_owned(),
    );
    drop(old);
    held.settle().await;
    held.settle().await;
    assert!(!fixture.server.is_valid(&user, &password));
    request(&fixture, &watch);
}

#[tokio::test(start_paused = true)]
async fn with_vault_away_for_five_minutes_leases_of_twenty_fail_nothing_and_of_ten_only_after_their_end()
 {
    let held = Held::new();
    for (minutes, phase) in [(20, 0), (20, 12), (20, 14), (10, 0), (10, 6), (10, 8)] {
        let fixture = Fixture::new().await;
        let ttl = format!("{minutes}m");
        role(&fixture, "slow", &ttl, "24h").await;
        let keeper = keeper(&fixture);
        let wanted = reference("database/creds/slow");
        let watch = keeper.watch(&wanted).await.unwrap();
        held.pass(MINUTE * phase, SECOND * 2).await;
        let before = renewals(&fixture);
        fixture.server.set(Fault::Status(503));
        for _ in 0..300 {
            held.pass(SECOND, SECOND).await;
            let now = clock::now();
            match keeper.get(&wanted).await {
                Ok(lent) => assert!(lent.lease().unwrap().end() > now),
                Err(err) => {
                    assert_eq!(minutes, 10, "after {phase} min: {err}");
                    assert!(watch.latest().lease().unwrap().end() <= now);
                    assert_eq!(err.kind(), SecretErrorKind::Unavailable);
                    assert_eq!(err.reference(), &wanted);
                }
            }
        }
        let tries = renewals(&fixture) - before;
        assert!(tries <= 30, "{tries} renewals");
        fixture.server.clear();
        held.pass(SECOND * 35, SECOND).await;
        let lent = keeper.get(&wanted).await.unwrap();
        assert!(is_valid(&fixture, &lent), "{minutes} min after {phase}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_dies_under_three_leases_is_made_once_more_and_nobody_is_denied() {
    let held = Held::new();
    let fixture = Fixture::new().await;
    let keeper = keeper(&fixture);
    let names = ["a", "b", "c"];
    let mut watches = Vec::new();
    for name in names {
        role(&fixture, name, "20m", "24h").await;
        let wanted = reference(&format!("database/creds/{name}"));
        watches.push((wanted.clone(), keeper.watch(&wanted).await.unwrap()));
    }
    assert_eq!(fixture.logins(), 1);
    let root = fixture.server.root_token();
    let root = fixture.server.accessor(&root);
    let own = fixture.server.tokens();
    let own = own
        .iter()
        .find(|token| Some(&token.accessor) != root.as_ref());
    assert!(fixture.server.expire_token_now(&own.unwrap().accessor));
    assert_eq!(fixture.server.leases().len(), 0, "its leases go with it");
    // The next renewal finds out; what each caller has meanwhile is no "permission denied".
    for _ in 0..16 * 60 {
        held.pass(SECOND, SECOND).await;
        for (wanted, _) in &watches {
            keeper.get(wanted).await.expect("nobody is denied");
        }
    }
    assert_eq!(fixture.logins(), 2, "one login for all three");
    for (_, watch) in &watches {
        request(&fixture, watch);
    }
    keeper.close().await;
    assert_eq!(fixture.server.leases().len(), 0);
    assert_eq!(fixture.server.tokens().len(), 1, "it has logged out");
}

#[tokio::test(start_paused = true)]
async fn sealed_in_mid_flight_what_is_kept_is_served_and_the_check_says_why() {
    use detectviz_core::health::Check;
    let held = Held::new();
    let fixture = Fixture::new().await;
    let keeper = keeper(&fixture);
    let wanted = reference("kv/orders");
    let watch = keeper.watch(&wanted).await.unwrap();
    fixture.server.set(Fault::Seal);
    held.pass(MINUTE * 40, SECOND * 30).await;
    keeper
        .get(&wanted)
        .await
        .expect("the last good value is served");
    let said = keeper.check().await.unwrap_err().to_string();
    assert!(
        said.contains("sealed") && said.contains("${secret:vault:kv/orders}"),
        "{said}"
    );
    let err = keeper.get(&reference("kv/other")).await.unwrap_err();
    assert_eq!(err.kind(), SecretErrorKind::Unavailable);
    fixture.server.clear();
    held.pass(MINUTE * 2, SECOND).await;
    keeper.check().await.unwrap();
    assert_eq!(field(&watch.latest(), "password"), "one");
}
